"""The rows of durable runs and of their definitions, for SQLite and PostgreSQL. What runs have done, and what they wait
for, is in `workflow_step_rows`; who walks them in `workflow_taking_rows`.

Each function works within the caller's transaction. A run changes hands by conditional updates only, so that of several
workers one wins.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, and_, case, delete, exists, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from fairlead.errors import BadInput, closest
from fairlead.storage.paging import FIRST, youngest_first
from fairlead.storage.workflow_tables import workflow_definition, workflow_run, workflow_step, workflow_wait

ACCEPTED: Final = "accepted"  # to be taken up: new, or what it waited for has come
RUNNING: Final = "running"
WAITING: Final = "waiting"  # for a person, a signal or a time
PAUSED: Final = "paused"
CANCELLING: Final = "cancelling"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
LOST: Final = "lost"  # it was in the memory of a process that has ended: only its beginner can begin it again
OVER: Final = (DONE, FAILED, CANCELLED, LOST)
STATES: Final = (ACCEPTED, RUNNING, WAITING, PAUSED, CANCELLING, *OVER)
LIVE: Final = (ACCEPTED, RUNNING, CANCELLING)  # what a worker may walk

EVER: Final = 1 << 62  # until when a cancelled run rests whose undoing waits for no moment
FAULT: Final = "(fault)"  # what the place begins with at which a run waits after a fault; a number of these follows
CALL: Final = "call"  # a kind of waiting: for the approval of a call, which another table has

BATCH: Final = 50
"""Runs that are deleted in one transaction: each may have thousands of steps."""
_STEP: Final = 600_000  # milliseconds that one step of priority is worth in the order of taking


class Run(Struct, frozen=True, kw_only=True):
    """A row of `workflow_run`. Times in milliseconds since 1970, 0 for none. `turn` is given when it is accepted."""

    id: str
    once: str
    workflow: str
    definition: str
    subject: str
    tenant: str
    department: str
    parent: str = ""
    status: str = ACCEPTED
    owner: str = ""
    segment: int = 0
    priority: int = 0
    made_at: int
    started_at: int = 0
    ended_at: int = 0
    until: int = 0
    error: str = ""
    sealed: bytes = b""
    result: bytes = b""
    turn: int = 0
    deaths: int = 0
    died_at: int = 0
    not_undone: str = ""

    @property
    def unkept(self) -> bool:
        """Whether nothing is kept of what it knows: such a run is walked by the process that it was begun in alone."""
        return not self.sealed


def keep_definition(connection: Connection, digest: str, name: str, body: bytes, now: int) -> None:
    """Once: what has this digest is this text."""
    if connection.execute(select(workflow_definition.c.digest).where(workflow_definition.c.digest == digest)).first():
        return
    values = {"digest": digest, "name": name, "made_at": now, "body": body}
    connection.execute(insert(workflow_definition).values(values))


def definition_body(connection: Connection, digest: str) -> bytes | None:
    """The bundle with this digest; None where it went with its last run."""
    query = select(workflow_definition.c.body).where(workflow_definition.c.digest == digest)
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


def accept(connection: Connection, run: Run) -> bool:
    """Begin it. False where one was begun under the same `once` before."""
    if connection.execute(select(workflow_run.c.id).where(workflow_run.c.once == run.once)).first():
        return False
    values = {**asdict(run), "turn": run.made_at + run.priority * _STEP}
    try:
        connection.execute(insert(workflow_run).values(values))
    except IntegrityError:
        return False
    return True


def run_of(connection: Connection, id: str) -> Run | None:
    """A run by its whole id."""
    return _one(connection, workflow_run.c.id == id)


def run_once(connection: Connection, once: str) -> Run | None:
    """The run that was begun under this `once`."""
    return _one(connection, workflow_run.c.once == once)


def _one(connection: Connection, mine: ColumnElement[bool]) -> Run | None:
    row = connection.execute(select(workflow_run).where(mine)).mappings().first()
    return None if row is None else Run(**row)


def statuses(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The status of each of these runs."""
    c = workflow_run.c
    query = select(c.id, c.status).where(c.id.in_(ids))
    return {row.id: row.status for row in connection.execute(query)} if ids else {}


def change(
    connection: Connection, id: str, *, come_from: Sequence[str], seen: int | None = None, **values: Any
) -> bool:
    """What people do to a run that is in one of these states. False where it is not, or where it has come further than
    the segment that was `seen`."""
    c = workflow_run.c
    mine = and_(c.id == id, c.status.in_(come_from), true() if seen is None else c.segment == seen)
    return connection.execute(update(workflow_run).where(mine).values(values)).rowcount == 1


def resume(connection: Connection, id: str) -> bool:
    """Let a paused run go on: with whoever still walks it, or in a segment of its own; also one that waits after a
    fault. False for others."""
    c, w = workflow_run.c, workflow_wait.c
    walked = c.owner != ""  # what was under way when it was paused has not come to its end yet
    values = {
        "status": case((walked, RUNNING), else_=ACCEPTED),
        "segment": case((walked, c.segment), else_=c.segment + 1),
    }
    faulted = exists(select(w.run).where(w.run == id, w.place.startswith(FAULT, autoescape=True)))
    mine = and_(c.id == id, or_(c.status == PAUSED, and_(c.status == WAITING, faulted)))
    return connection.execute(update(workflow_run).where(mine).values(values)).rowcount == 1


def park(connection: Connection, id: str, *, owner: str, until: int, goes_on: bool, rests: int = 0) -> bool:
    """A segment is over and the run is not; the next one begins at once, or when what it waits for has come. One that
    was paused or cancelled meanwhile stays so; a cancelled one goes on when it `rests` no more, or that has come. False
    where another worker walks it by now."""
    c = workflow_run.c
    status = case((c.status == RUNNING, ACCEPTED if goes_on else WAITING), else_=c.status)
    next_at = case((c.status == CANCELLING, rests), else_=until)
    values = {"owner": "", "status": status, "segment": c.segment + 1, "until": next_at}
    return connection.execute(update(workflow_run).where(c.id == id, c.owner == owner).values(values)).rowcount == 1


def go_on(connection: Connection, ids: Sequence[str]) -> None:
    """What these waited for has come, or will not come any more."""
    c = workflow_run.c
    mine = or_(c.status == WAITING, and_(c.status == CANCELLING, c.owner == ""))
    values = {"status": case((c.status == WAITING, ACCEPTED), else_=c.status), "until": 0}
    connection.execute(update(workflow_run).where(c.id.in_(ids), mine).values(values))


def end(connection: Connection, id: str, *, owner: str, **values: Any) -> bool:
    """What came of a segment. False where another worker walks the run by now."""
    mine = and_(workflow_run.c.id == id, workflow_run.c.owner == owner)
    return connection.execute(update(workflow_run).where(mine).values(owner="", **values)).rowcount == 1


def runs(
    connection: Connection,
    *,
    subject: str = "",
    tenant: str | None = None,
    workflow: str = "",
    status: Sequence[str] = (),
    since: int = 0,
    not_undone: bool = False,
    after: tuple[int, str] = FIRST,
) -> Iterator[Run]:
    """The youngest first, page by page; `after` is when the last one of before was begun, and its id. Raises `BadInput`
    for a state that there is not: an empty list would tell that all is well."""
    if unknown := [each for each in status if each not in STATES]:
        mend = closest(unknown[0], STATES)
        raise BadInput(f"no run is ever {unknown[0]!r}", why="there is no such state", mend=mend, param="status")
    c = workflow_run.c
    wanted = [
        each
        for each in (
            c.subject == subject if subject else None,
            c.tenant == tenant if tenant is not None else None,
            c.workflow == workflow if workflow else None,
            c.status.in_(status) if status else None,
            c.made_at >= since if since else None,
            c.not_undone != "" if not_undone else None,
        )
        if each is not None
    ]
    for row in youngest_first(connection, select(workflow_run).where(*wanted), c.made_at, c.id, after):
        yield Run(**row)


def named(connection: Connection, beginning: str) -> list[str]:
    """The ids that begin so, two at most, an equal one first."""
    c = workflow_run.c
    query = select(c.id).where(c.id.startswith(beginning, autoescape=True)).order_by(c.id).limit(2)
    return list(connection.execute(query).scalars())


def forget(connection: Connection, before: int) -> int:
    """Delete some of what has ended before then, at most `BATCH` runs. How many it was."""
    c = workflow_run.c
    old = select(c.id).where(c.status.in_(OVER), c.ended_at < before).limit(BATCH)
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(delete(workflow_step).where(workflow_step.c.run.in_(ids)))
        connection.execute(delete(workflow_run).where(c.id.in_(ids)))
    return len(ids)


def forget_definitions(connection: Connection, before: int) -> None:
    """Delete the definitions from before then that no run has any more."""
    unused = workflow_definition.c.digest.not_in(select(workflow_run.c.definition).distinct())
    connection.execute(delete(workflow_definition).where(unused, workflow_definition.c.made_at < before))
