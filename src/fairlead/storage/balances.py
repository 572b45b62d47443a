"""Reading what is held and spent of each budget, and forgetting what caps nothing any more.

Only the journal moves money. What may be spent is in the workspace, not here.
"""

from collections.abc import Collection

from msgspec import Struct
from sqlalchemy import Connection, delete, select

from fairlead.storage.schema import budget
from fairlead.storage.store import Store


class Standing(Struct, frozen=True):
    """What is held by calls under way and what is spent, in nano-units."""

    held: int = 0
    spent: int = 0


def balances(store: Store) -> dict[tuple[str, str], Standing]:
    """Every budget that was ever held against, by scope and period."""
    with store.reading() as connection:
        rows = connection.execute(select(budget.c.scope, budget.c.period, budget.c.held, budget.c.spent)).all()
    return {(scope, period): Standing(held, spent) for scope, period, held, spent in rows}


def forget_balances(connection: Connection, scope: str, *, keep: Collection[str]) -> int:
    """Delete the rows of a scope whose period is not in `keep`, and return how many there were.

    A row against which something is held stays: its money is still to be settled.
    """
    past = (budget.c.scope == scope) & budget.c.period.not_in(keep) & (budget.c.held == 0)
    return connection.execute(delete(budget).where(past)).rowcount
