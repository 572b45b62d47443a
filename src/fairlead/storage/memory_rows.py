"""The rows of what is remembered for later runs, each sealed. All SQL of them, for SQLite and PostgreSQL alike.

Each function works within the caller's transaction; who writes waits for whoever writes before.
"""

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, true, update

from fairlead.errors import Refused
from fairlead.storage.legal_holds import PERSON, legal_holds
from fairlead.storage.paging import youngest_first
from fairlead.storage.personal_tables import memory

_SWEPT = 1000  # rows at once


class MemoryRow(Struct, frozen=True, kw_only=True):
    """A row of table `memory`. Times in milliseconds since 1970."""

    id: str
    subject: str
    tenant: str
    kind: str
    place: str
    version: int
    made_at: int
    used_at: int
    expires_at: int
    once: str
    sealed: bytes


def one(connection: Connection, id_: str, now: int) -> MemoryRow | None:
    """The entry, None where there is none any more."""
    found = connection.execute(select(memory).where(memory.c.id == id_, memory.c.expires_at > now)).mappings().first()
    return None if found is None else MemoryRow(**found)


def of_place(connection: Connection, place: str, now: int) -> list[MemoryRow]:
    """The entries of a scope, those first that were used last."""
    query = select(memory).where(memory.c.place == place, memory.c.expires_at > now)
    rows = connection.execute(query.order_by(memory.c.used_at.desc(), memory.c.id)).mappings()
    return [MemoryRow(**row) for row in rows]


def of_subject(connection: Connection, subject: str, now: int, after: tuple[int, str]) -> Iterator[MemoryRow]:
    """All that somebody wrote, or that was written for them, the youngest first."""
    return _pages(connection, memory.c.subject == subject, now, after)


def all_rows(connection: Connection, now: int, kind: str, after: tuple[int, str]) -> Iterator[MemoryRow]:
    """All of the deployment, or those of one kind of scope, the youngest first."""
    return _pages(connection, memory.c.kind == kind if kind else true(), now, after)


def _pages(connection: Connection, which: ColumnElement[bool], now: int, after: tuple[int, str]) -> Iterator[MemoryRow]:
    c = memory.c
    for row in youngest_first(connection, select(memory).where(which, c.expires_at > now), c.made_at, c.id, after):
        yield MemoryRow(**row)


def put(connection: Connection, row: MemoryRow) -> None:
    """The row, in place of whatever has its id. Raises `Refused` where a legal hold is on that."""
    take_out(connection, (row.id,))
    connection.execute(insert(memory).values(asdict(row)))


def used(connection: Connection, ids: Collection[str], now: int) -> None:
    """These were recalled at this moment."""
    connection.execute(update(memory).where(memory.c.id.in_(ids)).values(used_at=now))


def take_out(connection: Connection, ids: Collection[str]) -> int:
    """Delete these. How many there were. Raises `Refused` where a legal hold is on any of them."""
    mine = memory.c.id.in_(ids)
    held = _held(connection)
    if held and connection.execute(select(memory.c.id).where(mine, memory.c.subject.in_(held))).first() is not None:
        raise Refused(
            "what is remembered there cannot be taken away for now",
            why="it has to be kept for a while",
            mend="ask whoever runs this deployment",
        )
    return connection.execute(delete(memory).where(mine)).rowcount


def make_room(connection: Connection, place: str, most: int, newest: str) -> int:
    """Delete what was not used for longest, so that a scope has at most so many entries. How many went."""
    count = connection.execute(select(func.count()).where(memory.c.place == place)).scalar() or 0
    if count <= most:
        return 0
    free = (memory.c.place == place) & (memory.c.id != newest) & memory.c.subject.not_in(_held(connection))
    over = select(memory.c.id).where(free).order_by(memory.c.used_at, memory.c.id).limit(count - most)
    ids: Sequence[str] = connection.execute(over).scalars().all()
    return connection.execute(delete(memory).where(memory.c.id.in_(ids))).rowcount


def any_expired(connection: Connection, now: int) -> bool:
    """Whether `forget_expired` has anything to do."""
    return connection.execute(select(memory.c.id).where(memory.c.expires_at <= now).limit(1)).first() is not None


def forget_expired(connection: Connection, now: int) -> int:
    """Delete what is over, but for what a legal hold is on. How many went; there may be more."""
    over = select(memory.c.id).where(memory.c.expires_at <= now, memory.c.subject.not_in(_held(connection)))
    ids = connection.execute(over.limit(_SWEPT)).scalars().all()
    return connection.execute(delete(memory).where(memory.c.id.in_(ids))).rowcount if ids else 0


def _held(connection: Connection) -> list[str]:
    return [each.what for each in legal_holds(connection) if each.kind == PERSON]
