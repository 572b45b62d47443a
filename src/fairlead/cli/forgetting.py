"""Taking out of the state what names a person who is erased, beside what is sealed for them."""

from typing import TYPE_CHECKING

from fairlead.clock import SystemClock
from fairlead.costs.budgets import scope_name

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
