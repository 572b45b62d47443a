"""What tools a caller may be shown, as far as that can be said before a call is seen."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fairlead.execution.deployment import Deployment
from fairlead.identity.types import Caller
from fairlead.policy.tool_rights import ToolAsked
from fairlead.tools.types import Tool

_OURS: Final = frozenset({"workspace"})


def visible(deployment: Deployment, caller: Caller, tools: Sequence[Tool]) -> list[Tool]:
    """Those of which some call of this caller may be permitted."""
    return deployment.policy.tools.visible(caller, tools)


def may_use(deployment: Deployment, caller: Caller, tool: Tool, arguments: Mapping[str, Any]) -> bool:
    """Whether a call with these arguments might be permitted, wherever they come from and whatever the facts are."""
    sources = dict.fromkeys(arguments, _OURS)
    decision = deployment.policy.tools.decide(caller, ToolAsked(tool=tool, arguments=arguments, sources=sources))
    return decision.effect != "deny" or bool(decision.errors)
