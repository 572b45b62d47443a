"""Tests of policies about tools: one call, decided as the path would decide it."""

from collections.abc import Mapping

from msgspec import Struct

from fairlead.errors import BadInput, closest
from fairlead.identity.types import Caller
from fairlead.labels import Labels
from fairlead.policy.case import PolicyCase
from fairlead.policy.policy import Policy
from fairlead.policy.tool_rights import ToolAsked
from fairlead.policy.tool_schema import fact_value
from fairlead.policy.types import Decision
from fairlead.tools.cards import FactKind
from fairlead.tools.types import Tool


class CaseTool(Struct, frozen=True):
    """A tool that is in force, and the types of the facts that its calls are decided by."""

    tool: Tool
    facts: Mapping[str, FactKind]


def decided(
    policy: Policy, case: PolicyCase, caller: Caller, labels: Labels, tools: Mapping[str, CaseTool]
) -> Decision:
    """What the policies say of the call. Its arguments come from the caller, but for those that `sources` names. Raises
    `BadInput` where there is no such tool or fact."""
    known = tools.get(case.tool)
    if known is None:
        raise BadInput(
            f"policy test {case.name!r} names the tool {case.tool!r}, which the workspace does not have",
            mend=closest(case.tool, tools) or "name one, as in `tool: shop.order`",
        )
    if strange := sorted(case.facts.keys() - known.facts.keys()):
        raise BadInput(
            f"policy test {case.name!r}: {case.tool} is not decided by a fact {strange[0]!r}",
            mend=closest(strange[0], known.facts) or "leave it out",
        )
    asked = ToolAsked(
        tool=known.tool,
        arguments=case.arguments,
        sources={name: frozenset(case.sources.get(name, ("user",))) for name in case.arguments},
        labels=labels,
        read=frozenset(case.read),
        facts={name: fact_value(value, known.facts[name], name) for name, value in case.facts.items()},
        task=case.task,
        door=case.door or "",
    )
    return policy.tools.decide(caller, asked)
