"""Legal holds: what must not be erased for now, by retention or on demand."""

from typing import Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, Table, delete, insert, select

from fairlead.errors import BadInput, NotFound, Refused
from fairlead.storage.custody_tables import legal_hold, retention_mark
from fairlead.storage.personal_tables import session, session_turn
from fairlead.storage.schema import subject as subject_table
from fairlead.storage.types import RESPONSE, TURN, turn_id

PERSON: Final = "person"
RUN: Final = "run"


class LegalHold(Struct, frozen=True):
    """`what` is a subject's id or a run's; `subject` whose data it is. `at` in milliseconds since 1970."""

    kind: str
    what: str
    subject: str
    at: int
    placed_by: str
    reason: str


def legal_holds(connection: Connection, subject: str = "") -> list[LegalHold]:
    """All of them, or those on a subject's data, the oldest first."""
    query = legal_hold.select().order_by(legal_hold.c.at, legal_hold.c.what)
    if subject:
        query = query.where(legal_hold.c.subject == subject)
    return [LegalHold(*row) for row in connection.execute(query)]


def place_hold(connection: Connection, hold: LegalHold) -> None:
    """Raises BadInput if it is held already: a second reason would be lost with the release of the first; NotFound if
    the person was erased meanwhile, since then there is nothing that a hold could keep."""
    known = select(subject_table.c.id).where(subject_table.c.id == hold.subject)
    if hold.subject and connection.execute(known).first() is None:
        raise NotFound(f"the data of {hold.subject} was erased", mend="nothing is left to hold")
    if _of(connection, hold.kind, hold.what) is not None:
        raise BadInput(f"{hold.what} is held already", mend="fairlead data holds shows since when, and why")
    connection.execute(insert(legal_hold).values(asdict(hold)))


def release_hold(connection: Connection, kind: str, what: str) -> LegalHold:
    """Ends a hold and returns it. What retention has passed over meanwhile is looked at again. Raises NotFound."""
    found = _of(connection, kind, what)
    if found is None:
        raise NotFound(f"there is no hold on {what}", mend="fairlead data holds")
    connection.execute(delete(legal_hold).where(legal_hold.c.kind == kind, legal_hold.c.what == what))
    connection.execute(delete(retention_mark))
    return found


def require_no_hold(connection: Connection, subject: str) -> None:
    """Raises BadInput where anything of the subject's is held."""
    held = legal_holds(connection, subject)
    if held:
        raise BadInput(
            f"there is a legal hold on {held[0].kind} {held[0].what}: {held[0].reason}",
            why="what is held must not be erased",
            mend="fairlead data holds lists them; fairlead data release ends one",
        )


class HeldTurns(Struct, frozen=True):
    """What holds mean for conversations: nothing of these subjects, and none of these turns, is deleted."""

    subjects: tuple[str, ...]
    turns: tuple[str, ...]

    def spares(self, table: Table) -> ColumnElement[bool]:
        """The rows of table `session` or `session_turn` that may be deleted: of a conversation with a held turn, its
        name stays too."""
        held = table.c.id.in_(self.turns)
        if table is session:
            held = table.c.id.in_(select(session_turn.c.session).where(session_turn.c.id.in_(self.turns)))
        return ~(held | table.c.subject.in_(self.subjects))


def held_turns(connection: Connection) -> HeldTurns:
    """What of conversations is held now."""
    holds = legal_holds(connection)
    runs = [each.what for each in holds if each.kind == RUN]
    return HeldTurns(
        tuple(each.what for each in holds if each.kind == PERSON),
        tuple(turn_id(kind, run) for run in runs for kind in (TURN, RESPONSE)),
    )


def require_free(connection: Connection, table: Table, id_: str) -> None:
    """Raises Refused where a row of a conversation is held. Why is not for the person to know."""
    there = select(table.c.id).where(table.c.id == id_)
    if connection.execute(there.where(~held_turns(connection).spares(table))).first() is not None:
        raise Refused(
            f"{id_} cannot be deleted for now",
            why="the organisation has to keep it",
            mend="ask whoever runs this service; it goes in its time, once it need not be kept",
        )


def _of(connection: Connection, kind: str, what: str) -> LegalHold | None:
    query = legal_hold.select().where(legal_hold.c.kind == kind, legal_hold.c.what == what)
    found = connection.execute(query).first()
    return None if found is None else LegalHold(*found)
