"""Which worker walks which run, in the rows of runs, for SQLite and PostgreSQL.

Each function works within the caller's transaction. A run has a place among those that are walked from `take` until it
is parked, over, or let go: its `owner` says so, and nothing else does.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)

from fairlead.storage.personal_tables import approval
from fairlead.storage.schema import epoch
from fairlead.storage.workflow_rows import ACCEPTED, CALL, CANCELLING, LOST, PAUSED, RUNNING, WAITING
from fairlead.storage.workflow_tables import workflow_run, workflow_step, workflow_wait

WALKED: Final = (RUNNING, CANCELLING, PAUSED)
"""The states of runs that may have an owner: a paused one has, until what was under way has come to its end."""

EARLIER: Final = "~lost"
"""What follows the place of a step that a lost run had done, with the number of that try: no step can have this id."""

_run: Final = workflow_run.c
_resting: Final = and_(_run.status == CANCELLING, _run.owner == "")  # a cancelled one, between two segments
_UNKEPT: Final = func.length(_run.sealed) == 0  # as `Run.unkept`


class Ready(Struct, frozen=True):
    """A run that could be taken."""

    id: str
    segment: int
    workflow: str
    department: str


def running(connection: Connection) -> list[tuple[tuple[str, str], int]]:
    """How many runs have a place, by workflow and department."""
    mine = and_(_run.status.in_(WALKED), _run.owner != "")
    query = select(_run.workflow, _run.department, func.count()).where(mine).group_by(_run.workflow, _run.department)
    return [((workflow, department), count) for workflow, department, count in connection.execute(query)]


def waiting(connection: Connection) -> list[tuple[tuple[str, str], int, int]]:
    """How many runs wait to be taken, by workflow and department, and when the first of them was begun."""
    query = select(_run.workflow, _run.department, func.count(), func.min(_run.made_at))
    mine = or_(_run.status == ACCEPTED, and_(_resting, _run.until == 0))
    found = connection.execute(query.where(mine).group_by(_run.workflow, _run.department))
    return [((workflow, department), count, first) for workflow, department, count, first in found]


def is_due(connection: Connection, now: int) -> bool:
    """Whether there is anything for `over` or `ready`: one question, since most often there is nothing."""
    queries = *(select(_run.id).where(each) for each in _ready(now)), *_over(now)
    return bool(connection.execute(select(or_(*map(exists, queries)))).scalar())


def ready(
    connection: Connection, now: int, *, but_workflows: Sequence[str], but_departments: Sequence[str], limit: int
) -> list[Ready]:
    """The next to be taken: what is cancelled, so that it is undone, where that does not rest; then by their turn."""
    found: list[Ready] = []
    for mine in _ready(now):
        query = select(_run.id, _run.segment, _run.workflow, _run.department).where(mine)
        if but_workflows:
            query = query.where(_run.workflow.not_in(but_workflows))
        if but_departments:
            query = query.where(_run.department.not_in(but_departments))
        query = query.order_by(_run.turn, _run.id).limit(limit - len(found))
        found += [Ready(*row) for row in connection.execute(query)]
        if len(found) == limit:
            break
    return found


def _ready(now: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return and_(_resting, _run.until <= now), _run.status == ACCEPTED


def take(connection: Connection, id: str, *, segment: int, worker: str, now: int) -> bool:
    """This worker walks it from here on. False where it is not to be walked, or by another."""
    mine = and_(_run.id == id, _run.segment == segment, _run.owner == "", _run.status.in_((ACCEPTED, CANCELLING)))
    values = {
        "owner": worker,
        "status": case((_run.status == CANCELLING, CANCELLING), else_=RUNNING),
        "started_at": func.coalesce(func.nullif(_run.started_at, 0), now),
    }
    return connection.execute(update(workflow_run).where(mine).values(values)).rowcount == 1


def let_go(connection: Connection, id: str, *, owner: str, until: int = 0) -> bool:
    """Its owner does not walk it any more: another shall, in a segment of its own, at once or from `until` on. Whoever
    walked it records nothing from here on. What was in the owner's memory only is lost; since when, nobody knows."""
    rest = WAITING if until else ACCEPTED
    status = case((_UNKEPT, LOST), (_run.status.in_((CANCELLING, PAUSED)), _run.status), else_=rest)
    ended = case((_UNKEPT, _run.started_at), else_=_run.ended_at)
    values = {"owner": "", "segment": _run.segment + 1, "status": status, "until": until, "ended_at": ended}
    mine = and_(_run.id == id, _run.owner == owner, _run.status.in_(WALKED))
    return connection.execute(update(workflow_run).where(mine).values(values)).rowcount == 1


def died(connection: Connection, id: str, *, owner: str, now: int) -> int:
    """Its owner has died. How many have by now, in a row, without a step that it did; 0 where it is another's."""
    s = workflow_step.c
    got_on = exists(select(s.run).where(s.run == id, s.at > _run.died_at))
    values = {"deaths": case((got_on, 1), else_=_run.deaths + 1), "died_at": now}
    mine = and_(_run.id == id, _run.owner == owner, _run.status.in_(WALKED))
    found = connection.execute(update(workflow_run).where(mine).values(values).returning(_run.deaths)).scalar()
    return found or 0


def leave_alone(connection: Connection, id: str, error: str) -> None:
    """Nobody takes it up before somebody resumes it. `error` says why, in a code."""
    mine = and_(_run.id == id, _run.owner == "", _run.status.in_((ACCEPTED, WAITING)))
    connection.execute(update(workflow_run).where(mine).values(status=PAUSED, error=error))


def begin_again(connection: Connection, id: str, *, worker: str, now: int) -> bool:
    """A lost run begins from its beginning, here. What it had done by then is kept under other names."""
    s = workflow_step.c
    values = {"owner": worker, "status": RUNNING, "segment": _run.segment + 1, "started_at": now, "ended_at": 0}
    lost = and_(_run.id == id, _run.status == LOST)
    if connection.execute(update(workflow_run).where(lost).values(error="", **values)).rowcount != 1:
        return False
    earlier = and_(s.run == id, s.place.not_like(f"%{EARLIER}%"))
    number = select(cast(_run.segment, Text)).where(_run.id == id).scalar_subquery()
    connection.execute(update(workflow_step).where(earlier).values(place=s.place + EARLIER + number))
    return True


def walked_by(connection: Connection, worker: str, *, kept: bool) -> list[str]:
    """The runs that a worker has: all, or those of which something is kept."""
    query = select(_run.id).where(_run.status.in_(WALKED), _run.owner == worker)
    return list(connection.execute(query.where(not_(_UNKEPT)) if kept else query).scalars())


def strays(connection: Connection) -> list[str]:
    """The runs that are said to run, and that nobody walks. None comes to be so; what an earlier version has left does
    not stay so."""
    return list(connection.execute(select(_run.id).where(_run.status == RUNNING, _run.owner == "")).scalars())


def owners(connection: Connection) -> set[str]:
    """The workers that walk runs, alive or not."""
    query = select(_run.owner).where(_run.status.in_(WALKED), _run.owner != "").distinct()
    return set(connection.execute(query).scalars())


def over(connection: Connection, now: int, limit: int) -> list[str]:
    """Those whose waiting is over: their time has come, or the call that they wait for was approved, denied, or can be
    neither any more: it was asked about under another revision, and is asked about anew."""
    found = [id for query in _over(now) for id in connection.execute(query.limit(limit)).scalars()]
    return list(dict.fromkeys(found))


def _over(now: int) -> tuple[Select[str], Select[str]]:
    timed = select(_run.id).where(_run.status == WAITING, _run.until > 0, _run.until <= now)
    w, a = workflow_wait.c, approval.c
    in_force = select(epoch.c.revision).scalar_subquery()
    answered = or_(a.id.is_(None), a.state != "pending", a.expires_at <= now, a.revision != in_force)
    calls = select(w.run).outerjoin(approval, a.id == w.what).where(w.kind == CALL, answered)
    waits = or_(_run.status == WAITING, and_(_resting, _run.until > 0))
    return timed, calls.where(exists(select(_run.id).where(_run.id == w.run, waits)))


def next_time(connection: Connection) -> int:
    """When the first of those goes on that wait for a time, in milliseconds since 1970; 0 for none."""
    query = select(func.min(_run.until)).where(or_(_run.status == WAITING, _resting), _run.until > 0)
    return connection.execute(query).scalar() or 0
