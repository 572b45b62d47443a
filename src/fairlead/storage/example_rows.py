"""The rows of labelled examples, each sealed. All SQL of the cold path, for SQLite and PostgreSQL alike; corrections
that come as feedback are written by the journal.

Each function works within the caller's transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, or_, select, update

from fairlead.storage.legal_holds import legal_holds
from fairlead.storage.paging import FIRST, youngest_first
from fairlead.storage.personal_tables import example
from fairlead.storage.schema import subject
from fairlead.storage.types import NewExample

BATCH: Final = 500
"""Rows that are deleted in one transaction."""


class Which(Struct, frozen=True, kw_only=True):
    """Which examples are meant: an empty part holds for all. `since` in milliseconds since 1970, `up_to` a class.
    With `accepted` only those whose answer no check has refused."""

    task: str = ""
    workflow: str = ""
    source: str = ""
    action: str = ""
    subject: str = ""
    since: int = 0
    up_to: int | None = None
    accepted: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a row of `example` must fulfil to be meant."""
        c = example.c
        named = {c.task: self.task, c.workflow: self.workflow, c.source: self.source, c.action: self.action}
        found = [column == said for column, said in named.items() if said]
        if self.subject:
            found.append(or_(c.subject == self.subject, c.by == self.subject))
        if self.since:
            found.append(c.at >= self.since)
        if self.up_to is not None:
            found.append(c.data_class <= self.up_to)
        if self.accepted:
            found.append(c.accepted)
        return found


def keep(connection: Connection, new: NewExample) -> bool:
    """Keep it in place of what the same person said of the same before. False where one of its persons is gone."""
    persons = {new.subject, new.by}
    alive = connection.execute(select(subject.c.id).where(subject.c.id.in_(persons))).scalars().all()
    if len(alive) != len(persons):
        return False
    connection.execute(delete(example).where(example.c.id == new.id))
    connection.execute(insert(example).values(asdict(new)))
    return True


def is_accepted(connection: Connection, id_: str) -> bool:
    """Whether there is this one, and no check has refused it."""
    query = select(example.c.id).where(example.c.id == id_, example.c.accepted)
    return connection.execute(query).first() is not None


def refuse(connection: Connection, id_: str) -> None:
    """A check has refused what is answered there."""
    connection.execute(update(example).where(example.c.id == id_).values(accepted=False))


def named(connection: Connection, beginning: str) -> list[NewExample]:
    """Those whose ids begin so, two at most."""
    c = example.c
    query = select(example).where(c.id.startswith(beginning, autoescape=True)).order_by(c.id).limit(2)
    return [NewExample(**row) for row in connection.execute(query).mappings()]


def examples(connection: Connection, which: Which, after: tuple[int, str] = FIRST) -> Iterator[NewExample]:
    """The youngest first; `after` is when the last one of before was given, and its id."""
    query = select(example).where(*which.conditions())
    for row in youngest_first(connection, query, example.c.at, example.c.id, after):
        yield NewExample(**row)


def counted(connection: Connection, which: Which) -> int:
    """How many are meant."""
    query = select(func.count()).select_from(example).where(*which.conditions())
    return int(connection.execute(query).scalar() or 0)


def delete_these(connection: Connection, ids: Sequence[str]) -> int:
    """Delete these, but for what a legal hold is on. How many that were."""
    return connection.execute(delete(example).where(example.c.id.in_(ids), _free(connection))).rowcount


def is_old(connection: Connection, due: Mapping[tuple[int, str], int]) -> bool:
    """Whether there is any for `delete_old`: most often there is none."""
    return connection.execute(_old(connection, due).limit(1)).first() is not None


def delete_old(connection: Connection, due: Mapping[tuple[int, str], int]) -> int:
    """Delete some of those that are older than their class and task are kept, at most `BATCH`, but for what a legal
    hold is on: by one statement, since a younger one may take the place of an old one at any time. `due` has the moment
    for each class and task. How many that were."""
    some = _old(connection, due).limit(BATCH)
    return connection.execute(delete(example).where(example.c.id.in_(some))).rowcount


def _old(connection: Connection, due: Mapping[tuple[int, str], int]) -> Select[str]:
    c = example.c
    over = [
        (c.data_class == data_class) & (c.task == task) & (c.at <= before) for (data_class, task), before in due.items()
    ]
    return select(c.id).where(or_(*over), _free(connection))


def kinds(connection: Connection) -> list[tuple[int, str]]:
    """Every class and task that there are examples of."""
    c = example.c
    return [(int(row[0]), str(row[1])) for row in connection.execute(select(c.data_class, c.task).distinct())]


def is_held(connection: Connection, found: NewExample) -> bool:
    """Whether a legal hold is on whose it is, or on its run."""
    return bool({found.subject, found.by, found.run, found.action} & _held(connection))


def _held(connection: Connection) -> set[str]:
    return {each.what for each in legal_holds(connection)}


def _free(connection: Connection) -> ColumnElement[bool]:
    held = _held(connection)
    c = example.c
    return ~or_(*(column.in_(held) for column in (c.subject, c.by, c.run, c.action)))
