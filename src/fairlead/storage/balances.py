"""Reading what is held and spent of each budget, and forgetting it with the person whose budget it was.

Only the journal moves money. What may be spent is in the workspace, not here.
"""

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select

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


def forget_balances(connection: Connection, scope: str) -> int:
    """Delete the rows of a scope, and return how many are left: those against which a call under way holds money, which
    is still to be settled."""
    mine = budget.c.scope == scope
    connection.execute(delete(budget).where(mine, budget.c.held == 0))
    return int(connection.execute(select(func.count()).select_from(budget).where(mine)).scalar() or 0)
