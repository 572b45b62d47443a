"""What is left aside after the plan was made: the record and the reply say so, as of what the plan itself dropped."""

from typing import Any

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.routing import Dropped


def leave_out(action: Action, *dropped: Dropped) -> None:
    """Note these with the action's plan, if it has one."""
    plan: Any = action.plan
    if plan is not None and dropped:
        action.plan = replace(plan, dropped=(*plan.dropped, *dropped))
