"""Retention: deleting what was said once its time is over, by data class and task type. Records and proofs stay.

A rule is carried out once over the whole log, and goes on from a mark: what a sweep has looked at it need not look at
again. Deleting, the mark and the record of it are one transaction, a page at a time; a sweep may die anywhere. What a
legal hold protects is passed over, and looked at anew when the hold ends.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select

from fairlead.labels import DataClass
from fairlead.storage.custody_tables import retention_mark
from fairlead.storage.legal_holds import held_turns, legal_holds
from fairlead.storage.personal_tables import session_turn
from fairlead.storage.schema import log, payload
from fairlead.storage.settings import RetentionSettings
from fairlead.storage.store import Store
from fairlead.storage.types import Entry

_PAGE: Final = 500


class Rules(Struct, frozen=True):
    """For how long payloads are kept, in milliseconds. `otherwise`: what no other rule is about."""

    classes: Mapping[str, int] = {}
    tasks: Mapping[str, int] = {}
    otherwise: int | None = None

    def keep(self, data_class: str, task: str = "") -> int | None:
        """The shortest that applies; None for ever."""
        found = [span for span in (self.classes.get(data_class), self.tasks.get(task)) if span is not None]
        return min(found, default=self.otherwise)

    def spans(self) -> list[int]:
        """Every length of time that a rule names, the shortest first."""
        last = () if self.otherwise is None else (self.otherwise,)
        return sorted({*self.classes.values(), *self.tasks.values(), *last})


class About(Struct, frozen=True):
    """What a rule needs of a record."""

    data_class: str
    task: str


class Swept(Struct, frozen=True):
    """What came of a sweep: payloads of runs, turns of conversations and labelled examples that were deleted."""

    payloads: int = 0
    turns: int = 0
    examples: int = 0


Read = Callable[[bytes], About]
Told = Callable[[str], Entry]
"""Makes the log's entry of what was deleted."""


def compile_retention(settings: RetentionSettings) -> Rules:
    """The rules that `retention:` states."""
    return Rules(
        {name: settings.milliseconds(span) for name, span in settings.classes.items()},
        {name: settings.milliseconds(span) for name, span in settings.tasks.items()},
        settings.milliseconds(settings.otherwise) if settings.otherwise else None,
    )


def sweep(store: Store, rules: Rules, now: int, read: Read, told: Told) -> Swept:
    """Delete everything whose time is over. `now` in milliseconds since 1970."""
    if not rules.spans():
        return Swept()
    store.bring_in_order()
    payloads = sum(_carry_out(store, rules, span, now, read, told) for span in rules.spans())
    return Swept(payloads, _sweep_turns(store, rules, now, told), _sweep_examples(store, rules, now, told))


def _carry_out(store: Store, rules: Rules, span: int, now: int, read: Read, told: Told) -> int:
    """All that is kept for exactly this long."""
    name = f"{sha256(msgspec.json.encode(rules, order='sorted')).hexdigest()[:16]}:{span}"
    swept, last, mark = 0, _mark(store, name), None
    while True:
        page = _page(store, last)
        due = []
        for row in page:
            if row.at > now - span:
                mark = row.seq - 1 if mark is None else mark  # clocks differ a little: it is not quite in order
            elif _is_due(rules, span, read, row):
                due.append(row)
        last = page[-1].seq if page else last
        with store.writing() as connection:
            seqs = _not_held(connection, due)
            if seqs:
                store.database.wipe(connection)
                swept += connection.execute(delete(payload).where(payload.c.seq.in_(seqs))).rowcount
                said = f"{len(seqs)} payloads of records {seqs[0]} to {seqs[-1]}, kept for {span // 86_400_000} days"
                store.database.append(connection, [told(said)])
            _set_mark(connection, name, last if mark is None else mark)
        if len(page) < _PAGE or all(row.at > now - span for row in page):
            return swept


def _is_due(rules: Rules, span: int, read: Read, row: Any) -> bool:
    about = read(bytes(row.record))
    return rules.keep(about.data_class, about.task) == span


def _page(store: Store, last: int) -> Sequence[Any]:
    query = (
        select(payload.c.seq, payload.c.subject, log.c.run, log.c.at, log.c.record)
        .join(log, log.c.seq == payload.c.seq)
        .where(payload.c.seq > last)
        .order_by(payload.c.seq)
        .limit(_PAGE)
    )
    with store.reading() as connection:
        return connection.execute(query).all()


def _not_held(connection: Connection, due: list[Any]) -> list[int]:
    held = {each.what for each in legal_holds(connection)} if due else set()
    return [int(row.seq) for row in due if row.subject not in held and row.run not in held]


def _mark(store: Store, name: str) -> int:
    with store.reading() as connection:
        found = connection.execute(select(retention_mark.c.seq).where(retention_mark.c.rule == name)).scalar()
    return -1 if found is None else int(found)


def _set_mark(connection: Connection, name: str, seq: int) -> None:
    connection.execute(delete(retention_mark).where(retention_mark.c.rule == name))
    connection.execute(insert(retention_mark).values(rule=name, seq=seq))


def _sweep_turns(store: Store, rules: Rules, now: int, told: Told) -> int:
    """Turns of conversations by their class; one whose class was not noted yet goes with the first."""
    keeps = {each.value: rules.keep(each.name) for each in DataClass}
    keeps[-1] = min((span for span in keeps.values() if span is not None), default=None)
    over = [
        (session_turn.c.data_class == value) & (session_turn.c.made_at <= now - span)
        for value, span in keeps.items()
        if span is not None
    ]
    swept = 0
    for due in over:
        with store.reading() as connection:
            if not connection.execute(select(func.count()).select_from(session_turn).where(due)).scalar():
                continue
        with store.writing() as connection:
            store.database.wipe(connection)
            free = held_turns(connection).spares(session_turn)
            gone = connection.execute(delete(session_turn).where(due, free)).rowcount
            if gone:
                store.database.append(connection, [told(f"{gone} turns of conversations")])
            swept += gone
    return swept


def _sweep_examples(store: Store, rules: Rules, now: int, told: Told) -> int:
    """Labelled examples by their class and task, as payloads."""
    from fairlead.storage import example_rows as table

    with store.reading() as connection:
        kinds = table.kinds(connection)
    spans = {kind: rules.keep(DataClass(kind[0]).name, kind[1]) for kind in kinds}
    due = {kind: now - span for kind, span in spans.items() if span is not None}
    swept = 0
    while due:
        with store.reading() as connection:
            if not table.is_old(connection, due):
                break
        with store.writing() as connection:
            store.database.wipe(connection)
            gone = table.delete_old(connection, due)
            if gone:
                store.database.append(connection, [told(f"{gone} labelled examples")])
        swept += gone
    return swept
