"""The rows of requests to owners. All SQL of them, for SQLite and PostgreSQL alike.

Each function works within the caller's transaction. Those that change a row say what it must be for that, so that of
two who want the same change one makes it.
"""

from collections.abc import Collection, Iterable
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from fairlead.storage.request_tables import context_edit, upkeep_round
from fairlead.storage.request_tables import owner_request as table

State = Literal["open", "done", "dismissed"]
OPEN: Final = "open"
_AT_ONCE: Final = 500
_PAGES: Final = "pages"


class RequestRow(Struct, frozen=True, kw_only=True):
    """A row of table `owner_request`. Times in milliseconds since 1970, 0 for never."""

    id: str
    kind: str
    need: str
    item: str
    section: str
    task: str
    cause: str
    owner: str
    words: str
    state: State
    times: int
    weight: int
    due: int
    asked_at: int
    last_at: int
    due_at: int
    told_at: int
    escalated_at: int
    ended_at: int


class EditRow(Struct, frozen=True, kw_only=True):
    """A row of table `context_edit`."""

    request: str
    subject: str
    item: str
    version: str
    made_at: int
    sealed: bytes


def insert_edit(connection: Connection, row: EditRow) -> None:
    """Keep what is proposed, in the place of what was proposed for the same request before."""
    connection.execute(delete(context_edit).where(context_edit.c.request == row.request))
    connection.execute(insert(context_edit).values(asdict(row)))


def edit(connection: Connection, request: str) -> EditRow | None:
    """What was proposed; None where it went with whoever proposed it."""
    row = connection.execute(select(context_edit).where(context_edit.c.request == request)).mappings().first()
    return None if row is None else EditRow(**{**row, "sealed": bytes(row["sealed"])})


def open_edits(connection: Connection, subject: str) -> int:
    """How many of a subject's proposals wait."""
    both = select(func.count()).select_from(context_edit.join(table, table.c.id == context_edit.c.request))
    mine = both.where(context_edit.c.subject == subject, table.c.state == OPEN)
    return int(connection.execute(mine).scalar_one())


def edits(connection: Connection, states: Collection[str]) -> list[tuple[RequestRow, str]]:
    """The proposals in these states that did not go with their proposers, each with its proposer's subject."""
    both = select(table, context_edit.c.subject).join(context_edit, context_edit.c.request == table.c.id)
    query = both.where(table.c.state.in_(states)).order_by(table.c.weight.desc(), table.c.asked_at, table.c.id)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [(RequestRow(**row), subject) for row in rows if (subject := row.pop("subject"))]


def insert_request(connection: Connection, row: RequestRow) -> None:
    """Keep a request that there is not yet."""
    connection.execute(insert(table).values(asdict(row)))


def one(connection: Connection, id_: str) -> RequestRow | None:
    """A request by its whole id."""
    row = connection.execute(select(table).where(table.c.id == id_)).mappings().first()
    return None if row is None else RequestRow(**row)


def beginning_with(connection: Connection, text: str) -> list[str]:
    """The ids that begin so, two at most."""
    mine = select(table.c.id).where(table.c.id.startswith(text, autoescape=True)).order_by(table.c.id).limit(2)
    return list(connection.execute(mine).scalars())


def listed(connection: Connection, states: Collection[str] = (), kinds: Collection[str] = ()) -> list[RequestRow]:
    """All, or those in a state and of a kind, the weightiest first."""
    query = select(table).order_by(table.c.weight.desc(), table.c.asked_at, table.c.id)
    if states:
        query = query.where(table.c.state.in_(states))
    if kinds:
        query = query.where(table.c.kind.in_(kinds))
    return [RequestRow(**row) for row in connection.execute(query).mappings()]


def felt_again(
    connection: Connection, row: RequestRow, times: int, weight: int, owner: str, words: str, now: int
) -> None:
    """A need that is known already has come back."""
    values: dict[str, object] = {"times": table.c.times + times, "last_at": now, "weight": weight, "owner": owner}
    if row.state == "done":
        values |= {"words": words, **_begun(row.due, now)}
    connection.execute(update(table).where(table.c.id == row.id).values(**values))


def close(connection: Connection, id_: str, words: str, now: int) -> None:
    """An open one is over by itself; `words` say why."""
    mine = (table.c.id == id_) & (table.c.state == OPEN)
    connection.execute(update(table).where(mine).values(state="done", ended_at=now, words=words))


def reopen(connection: Connection, row: RequestRow, now: int) -> None:
    """Ask for it anew, whatever came of it before."""
    connection.execute(update(table).where(table.c.id == row.id).values(times=row.times + 1, **_begun(row.due, now)))


def end(connection: Connection, id_: str, state: State, now: int) -> bool:
    """From open to ended. False, and nothing changed, otherwise."""
    mine = (table.c.id == id_) & (table.c.state == OPEN)
    return connection.execute(update(table).where(mine).values(state=state, ended_at=now)).rowcount == 1


def note_told(connection: Connection, ids: Iterable[str], now: int) -> None:
    """Their owner was told: from now on they have their time."""
    mine = table.c.id.in_(list(ids)) & (table.c.state == OPEN)
    connection.execute(update(table).where(mine).values(told_at=now, due_at=now + table.c.due))


def note_escalated(connection: Connection, ids: Iterable[str], now: int) -> None:
    """Somebody beside their owner was told, at this moment."""
    connection.execute(update(table).where(table.c.id.in_(list(ids))).values(escalated_at=now))


def among(connection: Connection, ids: Collection[str]) -> dict[str, RequestRow]:
    """Those of these ids, by id."""
    found: dict[str, RequestRow] = {}
    names = sorted(ids)
    for start in range(0, len(names), _AT_ONCE):
        mine = table.c.id.in_(names[start : start + _AT_ONCE])
        rows = connection.execute(select(table).where(mine)).mappings()
        found |= {row["id"]: RequestRow(**row) for row in rows}
    return found


def found_again(connection: Connection, row: RequestRow, weight: int, owner: str, words: str, now: int) -> None:
    """What upkeep has found is still so: as grave, and as it is worded, by now."""
    values: dict[str, object] = {"weight": weight, "owner": owner, "words": words, "last_at": now}
    if row.state == "done":
        values |= _begun(row.due, now)
    connection.execute(update(table).where(table.c.id == row.id).values(**values))


def take_back(connection: Connection, kinds: Collection[str], but: Collection[str], now: int) -> int:
    """End the open ones of these kinds that were not found any more. How many that were."""
    open_ones = select(table.c.id).where(table.c.state == OPEN, table.c.kind.in_(kinds))
    over = sorted(set(connection.execute(open_ones).scalars()) - set(but))
    for start in range(0, len(over), _AT_ONCE):
        mine = table.c.id.in_(over[start : start + _AT_ONCE])
        connection.execute(update(table).where(mine).values(state="done", ended_at=now))
    return len(over)


def untold_or_told_since(connection: Connection, since: int) -> list[RequestRow]:
    """The open ones, and those that somebody was told of since then, the oldest first."""
    mine = (table.c.state == OPEN) | (table.c.told_at > since)
    query = select(table).where(mine).order_by(table.c.asked_at, table.c.id)
    return [RequestRow(**row) for row in connection.execute(query).mappings()]


def last_round(connection: Connection) -> tuple[int, str]:
    """When all was looked over last, and under which snapshot."""
    row = connection.execute(select(upkeep_round.c.at, upkeep_round.c.snapshot)).first()
    return (0, "") if row is None else (row.at, row.snapshot)


def note_round(connection: Connection, at: int, snapshot: str) -> None:
    """All was looked over, at this moment and under this snapshot."""
    connection.execute(delete(upkeep_round))
    connection.execute(insert(upkeep_round).values(what=_PAGES, at=at, snapshot=snapshot))


def forget(connection: Connection, before: int) -> int:
    """Delete what ended before then. How many that were."""
    return connection.execute(delete(table).where(_old(before))).rowcount


def _old(before: int) -> ColumnElement[bool]:
    return (table.c.state != OPEN) & table.c.ended_at.between(1, before)


def _begun(due: int, now: int) -> dict[str, object]:
    return {
        "state": OPEN, "asked_at": now, "due_at": now + due, "told_at": 0, "escalated_at": 0, "ended_at": 0,
    }  # fmt: skip
