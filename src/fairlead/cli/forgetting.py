"""Taking out of the state what names a person who is erased, beside what is sealed for them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.clock import SystemClock
from fairlead.costs.budgets import scope_name

if TYPE_CHECKING:
    from sqlalchemy import Connection


class LeftRun(Struct, frozen=True):
    """A run that is erased with its person in its middle, or that ended with something `not_undone` (places)."""

    run: str
    workflow: str
    status: str
    not_undone: str

    @property
    def said(self) -> str:
        """One line for people, with the places where something stands that was not undone."""
        return f"{self.run} {self.workflow} {self.status}" + (f": {self.not_undone}" if self.not_undone else "")


def left_runs(connection: "Connection", subject: str) -> "Iterator[LeftRun]":
    """The runs of somebody whose erasure leaves behind what they have done: nobody goes on with them, nobody undoes."""
    from fairlead.storage import workflow_rows as table

    open_ = (*table.LIVE, table.WAITING, table.PAUSED)
    for run in table.runs(connection, subject=subject, status=open_):
        yield LeftRun(run.id, run.workflow, run.status, "")
    for run in table.runs(connection, subject=subject, not_undone=True):
        yield LeftRun(run.id, run.workflow, run.status, run.not_undone)


def forget_budgets(connection: "Connection", person: str) -> int:
    """Take away the rows that carry the name, of the periods under way too: whoever comes back is somebody new. Returns
    how many stay for now, because calls of theirs are under way."""
    from fairlead.storage.balances import forget_balances, forget_mover

    forget_mover(connection, person)
    return forget_balances(connection, scope_name("person", person))


def forget_by_name(connection: "Connection", person: str) -> None:
    """Budgets and stops of somebody who is being erased. Raises `BadInput` while they are stopped."""
    from fairlead.policy.stop_table import forget_person

    forget_budgets(connection, person)
    forget_person(connection, person, SystemClock().now())


def forget_again(connection: "Connection", person: str) -> None:
    """The same in a backup, of somebody whom it still knows: they were erased, so no stop of then is in force."""
    from sqlalchemy import delete

    from fairlead.storage.schema import stop

    forget_budgets(connection, person)
    connection.execute(delete(stop).where(stop.c.kind == "person", stop.c.name == person))
