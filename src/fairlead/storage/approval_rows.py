"""The rows of approvals. All SQL of them, for SQLite and PostgreSQL alike; what is sealed stays sealed.

Each function works within the caller's transaction. Those that change a row say what it must be for that, so that of
two who want the same change one makes it.
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from fairlead.storage.legal_holds import PERSON, legal_holds
from fairlead.storage.personal_tables import approval, approval_answer, approval_asker

State = Literal["pending", "granted", "denied", "expired", "used"]
OPEN: Final = ("pending", "granted")


class ApprovalRow(Struct, frozen=True, kw_only=True):
    """A row of table `approval`. Times in milliseconds since 1970; `ended_at` is 0 while it may still be used.
    `used_by` is the idempotency key of the call that has used it, "" where that has none."""

    id: str
    subject: str
    tenant: str
    agent: str
    tool: str
    digest: str
    revision: str
    policies: str
    wanted: str
    state: State
    asked_at: int
    expires_at: int
    ended_at: int
    sealed: bytes
    used_by: str = ""


class AnswerRow(Struct, frozen=True, kw_only=True):
    """A row of table `approval_answer`. `roles` is JSON: those for which it counts."""

    approval: str
    approver: str
    roles: str
    allowed: bool
    at: int
    sealed: bytes


class Same(Struct, frozen=True):
    """What two calls must share so that one approval is of both, beside the revision."""

    subject: str
    tenant: str
    agent: str
    tool: str
    digest: str


def alike(connection: Connection, same: Same, now: int, once: str = "") -> list[ApprovalRow]:
    """Those of this very call, of any revision, that have not expired and were not used, the oldest first; and the one
    that was used by this try of it before, which was cut off."""
    mine = [approval.c[name] == value for name, value in asdict(same).items()]
    live = approval.c.state.in_((*OPEN, "denied")) & (approval.c.expires_at > now)
    if once:
        live |= (approval.c.state == "used") & (approval.c.used_by == once)
    query = select(approval).where(*mine, live).order_by(approval.c.asked_at, approval.c.id)
    return [ApprovalRow(**row) for row in connection.execute(query).mappings()]


def rebind(connection: Connection, id_: str, before: str, after: str) -> bool:
    """It counts under another revision from here on. False where somebody has done so before."""
    mine = (approval.c.id == id_) & (approval.c.revision == before)
    return connection.execute(update(approval).where(mine).values(revision=after)).rowcount == 1


def waiting(connection: Connection, subject: str, now: int) -> int:
    """How many of a subject's calls wait for an answer."""
    mine = (approval.c.subject == subject) & (approval.c.state == "pending") & (approval.c.expires_at > now)
    return int(connection.execute(select(func.count()).select_from(approval).where(mine)).scalar_one())


def insert_approval(connection: Connection, row: ApprovalRow) -> None:
    """Keep a question that nobody has asked yet."""
    connection.execute(insert(approval).values(asdict(row)))


def one(connection: Connection, id_: str) -> ApprovalRow | None:
    """The row of a question; None where there is none, or it went with its person."""
    row = connection.execute(select(approval).where(approval.c.id == id_)).mappings().first()
    return None if row is None else ApprovalRow(**row)


def listed(connection: Connection, states: Sequence[State] = ()) -> list[ApprovalRow]:
    """All, or those in a state, the oldest first."""
    query = select(approval).order_by(approval.c.asked_at, approval.c.id)
    if states:
        query = query.where(approval.c.state.in_(states))
    return [ApprovalRow(**row) for row in connection.execute(query).mappings()]


def join(connection: Connection, id_: str, subject: str, at: int) -> None:
    """The question is about a call of this subject's, too."""
    if not has_asked(connection, id_, subject):
        connection.execute(insert(approval_asker).values(approval=id_, subject=subject, at=at))


def has_asked(connection: Connection, id_: str, subject: str) -> bool:
    """Whether this subject is among those who ask the question together."""
    mine = (approval_asker.c.approval == id_) & (approval_asker.c.subject == subject)
    return connection.execute(select(approval_asker.c.at).where(mine)).first() is not None


def askers(connection: Connection, id_: str) -> tuple[str, ...]:
    """The subjects that ask one together."""
    mine = select(approval_asker.c.subject).where(approval_asker.c.approval == id_)
    return tuple(connection.execute(mine.order_by(approval_asker.c.subject)).scalars())


def change(connection: Connection, id_: str, before: State, after: State, now: int) -> bool:
    """From one state to another, if it is in the one and has not expired. False, and nothing changed, otherwise."""
    ended = 0 if after in OPEN else now
    mine = (approval.c.id == id_) & (approval.c.state == before) & (approval.c.expires_at > now)
    return connection.execute(update(approval).where(mine).values(state=after, ended_at=ended)).rowcount == 1


def use(connection: Connection, id_: str, once: str, now: int) -> bool:
    """Use what was granted, by the call with this idempotency key ("": it has none). True as well where that very call
    has used it before."""
    c = approval.c
    granted = (c.id == id_) & (c.state == "granted") & (c.expires_at > now)
    values = {"state": "used", "ended_at": now, "used_by": once}
    if connection.execute(update(approval).where(granted).values(values)).rowcount == 1:
        return True
    again = select(c.id).where(c.id == id_, c.state == "used", c.used_by == once)
    return bool(once) and connection.execute(again).first() is not None


def expire(connection: Connection, now: int) -> list[ApprovalRow]:
    """End what has expired, and return it as it was, what expired first before the rest."""
    over = approval.c.state.in_(OPEN) & (approval.c.expires_at <= now)
    query = select(approval).where(over).order_by(approval.c.expires_at, approval.c.id)
    found = [ApprovalRow(**row) for row in connection.execute(query).mappings()]
    if found:
        connection.execute(update(approval).where(over).values(state="expired", ended_at=now))
    return found


def has_expired(connection: Connection, now: int, before: int) -> bool:
    """Whether `expire` or `forget` have anything to do."""
    over = approval.c.state.in_(OPEN) & (approval.c.expires_at <= now)
    over |= _old(connection, before)
    return connection.execute(select(approval.c.id).where(over).limit(1)).first() is not None


def forget(connection: Connection, before: int) -> int:
    """Delete what ended before then, but for what a legal hold is on. How many that were."""
    return connection.execute(delete(approval).where(_old(connection, before))).rowcount


def _old(connection: Connection, before: int) -> ColumnElement[bool]:
    held = [each.what for each in legal_holds(connection) if each.kind == PERSON]
    # What was denied is answered with that for as long as it would have been valid.
    over = (approval.c.state != "denied") | (approval.c.expires_at <= before)
    return approval.c.ended_at.between(1, before) & over & approval.c.subject.not_in(held)


def end_all(connection: Connection, at: int) -> int:
    """Nothing that is open may be used any more. How many that were."""
    mine = approval.c.state.in_(OPEN)
    return connection.execute(update(approval).where(mine).values(state="expired", ended_at=at)).rowcount


def insert_answer(connection: Connection, row: AnswerRow) -> None:
    """Keep what one person said; whether they may is decided before, in the same transaction."""
    connection.execute(insert(approval_answer).values(asdict(row)))


def answers(connection: Connection, id_: str) -> list[AnswerRow]:
    """What was said to one, the oldest first."""
    mine = select(approval_answer).where(approval_answer.c.approval == id_)
    rows = connection.execute(mine.order_by(approval_answer.c.at, approval_answer.c.approver)).mappings()
    return [AnswerRow(**row) for row in rows]
