"""The rows of schedules, for SQLite and PostgreSQL. Each function works within the caller's transaction."""

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, and_, delete, insert, select

from fairlead.storage.workflow_tables import workflow_schedule

Key = tuple[str, str]


class Scheduled(Struct, frozen=True, kw_only=True):
    """A row of `workflow_schedule`. Times in milliseconds since 1970, 0 for none."""

    workflow: str
    schedule: str
    seen_at: int
    moment: int = 0
    run: str = ""
    error: str = ""


def schedules(connection: Connection) -> dict[Key, Scheduled]:
    """All of them."""
    found = [Scheduled(**row) for row in connection.execute(select(workflow_schedule)).mappings()]
    return {(each.workflow, each.schedule): each for each in found}


def keep(connection: Connection, row: Scheduled) -> None:
    """Keep how a schedule stands, in the place of how it stood before."""
    drop(connection, [(row.workflow, row.schedule)])
    connection.execute(insert(workflow_schedule).values(asdict(row)))


def drop(connection: Connection, keys: Collection[Key]) -> None:
    """Forget schedules that are declared no more."""
    c = workflow_schedule.c
    for workflow, schedule in keys:
        connection.execute(delete(workflow_schedule).where(and_(c.workflow == workflow, c.schedule == schedule)))
