"""The rows of what durable runs have done and of what they wait for, for SQLite and PostgreSQL.

Each function works within the caller's transaction. Actions' own results are written by the journal, in the commit that
bills them; here is what people say and what forks take over.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, func, insert, select

from fairlead.storage.schema import log
from fairlead.storage.types import NewResult
from fairlead.storage.workflow_rows import go_on
from fairlead.storage.workflow_tables import workflow_step, workflow_wait


class Wait(Struct, frozen=True, kw_only=True):
    """A row of `workflow_wait`. Times in milliseconds since 1970; `until` is 0 for ever."""

    run: str
    place: str
    kind: str
    what: str
    asked_at: int
    until: int
    sealed: bytes = b""


class Result(Struct, frozen=True, kw_only=True):
    """A row of `workflow_step`."""

    run: str
    place: str
    at: int
    action: str
    status: str
    cost: int
    size: int
    sealed: bytes


def wait(connection: Connection, run: str, waits: Sequence[Wait]) -> None:
    """What a run waits for from here on, and for nothing else. What it waited for before was asked when it was."""
    c = workflow_wait.c
    stood = connection.execute(select(c.place, c.kind, c.what, c.asked_at).where(c.run == run))
    asked = {(row.place, row.kind, row.what): row.asked_at for row in stood}
    connection.execute(delete(workflow_wait).where(c.run == run))
    if waits:
        rows = [asdict(each) | {"asked_at": asked.get((each.place, each.kind, each.what), each.asked_at)}
                for each in waits]  # fmt: skip
        connection.execute(insert(workflow_wait), rows)


def waits(connection: Connection, *, run: str = "", kind: str = "", what: Sequence[str] = ()) -> list[Wait]:
    """What this run, or all, wait for, the oldest first."""
    c = workflow_wait.c
    query = select(workflow_wait).order_by(c.asked_at, c.run, c.place)
    if run:
        query = query.where(c.run == run)
    if kind:
        query = query.where(c.kind == kind)
    if what:
        query = query.where(c.what.in_(what))
    return [Wait(**row) for row in connection.execute(query).mappings()]


def answer(connection: Connection, result: Result) -> bool:
    """What a waiting run was told at a place: the first that is said counts, and lets it go on."""
    c = workflow_step.c
    if connection.execute(select(c.run).where(c.run == result.run, c.place == result.place)).first():
        return False
    connection.execute(insert(workflow_step).values(asdict(result)))
    go_on(connection, [result.run])
    return True


def has_any(connection: Connection, run: str, places: Sequence[str]) -> bool:
    """Whether something stands at one of these places by now."""
    c = workflow_step.c
    return connection.execute(select(c.run).where(c.run == run, c.place.in_(places))).first() is not None


def others_done(connection: Connection, before: int, not_of: str, most: int) -> Iterator[tuple[str, str, str, bytes]]:
    """What runs other than one did until a moment, the latest first: run, place, action, and the action's record."""
    c = workflow_step.c
    query = (
        select(c.run, c.place, c.action, log.c.record)
        .join(log, log.c.run == c.action)
        .where(c.at <= before, c.status == "done", c.run != not_of)
        .order_by(c.at.desc())
        .limit(most)
    )
    for run, place, action, record in connection.execute(query):
        yield run, place, action, bytes(record)


def places_of(connection: Connection, actions: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The run of a workflow, and the place in it, of each of these actions that belongs to one."""
    c = workflow_step.c
    query = select(c.action, c.run, c.place).where(c.action.in_(actions))
    return {action: (run, place) for action, run, place in connection.execute(query)}


def results(connection: Connection, run: str) -> list[Result]:
    """All that a run has done, the oldest first."""
    query = select(workflow_step).where(workflow_step.c.run == run).order_by(workflow_step.c.at, workflow_step.c.place)
    return [Result(**row) for row in connection.execute(query).mappings()]


def count(connection: Connection, run: str) -> tuple[int, int]:
    """How many results a run has, and how many bytes they are."""
    c = workflow_step.c
    query = select(func.count(), func.coalesce(func.sum(c.size), 0)).where(c.run == run)
    rows, size = connection.execute(query).one()
    return int(rows), int(size)


def unread(connection: Connection, run: str) -> list[Result]:
    """All that a run has done, without what it gave."""
    c = workflow_step.c
    columns = c.run, c.place, c.at, c.action, c.status, c.cost, c.size
    query = select(*columns).where(c.run == run).order_by(c.at, c.place)
    return [Result(**row, sealed=b"") for row in connection.execute(query).mappings()]


def take_back(connection: Connection, run: str, places: Sequence[str]) -> None:
    """What failed there is tried again."""
    c = workflow_step.c
    connection.execute(delete(workflow_step).where(c.run == run, c.place.in_(places)))


def copy_results(connection: Connection, new: Sequence[Result]) -> None:
    """What a fork takes over from the run that it goes on from."""
    if new:
        connection.execute(insert(workflow_step), [asdict(each) for each in new])


def row_of(result: NewResult) -> Result:
    """As it stands in the table."""
    values = asdict(result)
    del values["owner"]
    return Result(**values)
