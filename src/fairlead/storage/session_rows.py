"""The rows of remembered conversations. All SQL of them, for SQLite and PostgreSQL alike; what is sealed stays sealed.

A turn points to the one before it, so that several may go on from the same one. A session is a name for the last turn.
"""

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from fairlead.storage.store import Store
from fairlead.storage.types import NewTurn

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

MOST_TURNS: Final = 1000
_SWEPT: Final = 1000  # rows at once


class OwnedBy(Struct, frozen=True):
    """Whose rows: a subject, as a member of a tenant."""

    subject: str
    tenant: str


class TurnRow(Struct, frozen=True):
    """A row of table `session_turn`. `size` is that of the messages in it, in bytes."""

    id: str
    subject: str
    tenant: str
    session: str
    previous: str
    made_at: int
    used_at: int
    size: int
    sealed: bytes
    data_class: int = -1


class SessionRow(Struct, frozen=True):
    """A row of table `session`."""

    id: str
    subject: str
    tenant: str
    head: str
    made_at: int
    used_at: int
    sealed: bytes


class SessionRows:
    """Each method is one transaction. Rows of others, and rows not used since `since`, are as if there were none. What
    a legal hold is on is not deleted: `delete_…` raises Refused, `sweep` passes it over."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def turn(self, owner: OwnedBy, id_: str, since: int) -> TurnRow | None:
        """A turn by its id; None for what is not theirs, or too old."""
        from fairlead.storage.personal_tables import session_turn

        with self._store.reading() as connection:
            found = _one(connection, session_turn, owner, id_, since)
        return None if found is None else TurnRow(*found)

    def session(self, owner: OwnedBy, id_: str, since: int) -> SessionRow | None:
        """A session by its id; None for what is not theirs, or too old."""
        from fairlead.storage.personal_tables import session

        with self._store.reading() as connection:
            found = _one(connection, session, owner, id_, since)
        return None if found is None else SessionRow(*found)

    def chain(self, owner: OwnedBy, last: str, since: int) -> list[TurnRow]:
        """A turn and those before it, oldest first: as many as there are, but at most one more than `MOST_TURNS`."""
        from sqlalchemy import literal, select

        from fairlead.storage.personal_tables import session_turn as t

        steps = (
            select(t.c.id, t.c.previous, literal(0).label("back")).where(t.c.id == last).cte("chain", recursive=True)
        )
        before = select(t.c.id, t.c.previous, steps.c.back + 1)
        steps = steps.union_all(before.join(steps, t.c.id == steps.c.previous).where(steps.c.back < MOST_TURNS))
        mine = _whose(t, owner) & (t.c.used_at > since)
        query = select(t).join(steps, steps.c.id == t.c.id).where(mine).order_by(steps.c.back.desc())
        with self._store.reading() as connection:
            return [TurnRow(*found) for found in connection.execute(query)]

    def begin(self, row: SessionRow) -> bool:
        """False if its subject is gone."""
        from fairlead.storage.personal_tables import session

        return self._insert(session, row)

    def append(self, turn: NewTurn) -> bool:
        """Add a turn by itself, outside of any action. False, and nothing changed, if its session or its subject is
        gone."""
        with self._store.writing() as connection:
            return self._store.database.remember(connection, turn)

    def delete_turn(self, owner: OwnedBy, id_: str) -> bool:
        """False where there was none of theirs."""
        from fairlead.storage.personal_tables import session_turn

        return self._delete(session_turn, owner, id_) > 0

    def delete_session(self, owner: OwnedBy, id_: str) -> bool:
        """The session and all that was said in it."""
        from sqlalchemy import delete

        from fairlead.storage.legal_holds import require_free
        from fairlead.storage.personal_tables import session, session_turn

        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            require_free(connection, session, id_)
            if _delete(connection, session, owner, id_) == 0:
                return False
            mine = (session_turn.c.session == id_) & (session_turn.c.subject == owner.subject)
            connection.execute(delete(session_turn).where(mine))
        return True

    def sweep(self, since: int) -> int:
        """Delete what was not used since then, a part of it at a time. How many rows that were."""
        from sqlalchemy import delete, select

        from fairlead.storage.legal_holds import held_turns
        from fairlead.storage.personal_tables import session, session_turn

        with self._store.reading() as connection:
            held = held_turns(connection)
            old = []
            for table in (session, session_turn):
                over = select(table.c.id).where(table.c.used_at <= since, held.spares(table)).limit(_SWEPT)
                old.append((table, connection.execute(over).scalars().all()))
        if not any(ids for _, ids in old):
            return 0
        swept = 0
        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            held = held_turns(connection)
            for table, ids in old:
                gone = delete(table).where(table.c.id.in_(ids), table.c.used_at <= since, held.spares(table))
                swept += connection.execute(gone).rowcount
        return swept

    def _insert(self, table: "Table", row: Struct) -> bool:
        from sqlalchemy.exc import IntegrityError

        try:
            with self._store.writing() as connection:
                connection.execute(table.insert().values(**asdict(row)))
        except IntegrityError:
            return False
        return True

    def _delete(self, table: "Table", owner: OwnedBy, id_: str) -> int:
        from fairlead.storage.legal_holds import require_free

        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            require_free(connection, table, id_)
            return _delete(connection, table, owner, id_)


def _one(connection: "Connection", table: "Table", owner: OwnedBy, id_: str, since: int) -> Any:
    mine = _whose(table, owner) & (table.c.used_at > since)
    return connection.execute(table.select().where(table.c.id == id_, mine)).first()


def _whose(table: "Table", owner: OwnedBy) -> "ColumnElement[bool]":
    return (table.c.subject == owner.subject) & (table.c.tenant == owner.tenant)


def _delete(connection: "Connection", table: "Table", owner: OwnedBy, id_: str) -> int:
    from sqlalchemy import delete

    return connection.execute(delete(table).where(table.c.id == id_, _whose(table, owner))).rowcount
