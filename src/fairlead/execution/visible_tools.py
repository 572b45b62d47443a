"""What tools a caller may be shown, as far as that can be said before a call is seen."""

from collections.abc import Sequence

from fairlead.execution.deployment import Deployment
from fairlead.identity.types import Caller
from fairlead.tools.types import Tool


def visible(deployment: Deployment, caller: Caller, tools: Sequence[Tool]) -> list[Tool]:
    """Those of which some call of this caller may be permitted."""
    return deployment.policy.tools.visible(caller, tools)
