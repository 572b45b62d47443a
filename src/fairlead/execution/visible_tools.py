"""What tools a caller may be shown, as far as that can be said before a call is seen."""

from fairlead.execution.deployment import Deployment
from fairlead.identity.types import Caller
from fairlead.tools.types import Tool


def visible_tools(deployment: Deployment, caller: Caller) -> list[Tool]:
    """Those of which some call of this caller may be permitted."""
    return deployment.policy.tools.visible(caller, tuple(deployment.systems.tools.values()))
