"""Whether a call may be done and its result be given: the decisions of policy, as the path acts on them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.errors import Denied, Withheld
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.prepare import looked_at
from fairlead.execution.tool_approvals import granted_or_asked
from fairlead.execution.tool_asking import ToolDecided
from fairlead.labels import Labels
from fairlead.policy.tool_rights import ToolAsked
from fairlead.policy.types import Decision, Finding, Rights
from fairlead.tools.types import Text, ToolResult

_SHORTEST_SECRET: Final = 8  # what is shorter stands in innocent texts


async def refuse_unless_allowed(
    fairlead: Fairlead, deployment: Deployment, action: Action, asked: ToolAsked
) -> tuple[str, ...]:
    """The ids of the approvals that it rests on. Raises `Denied`, `ApprovalPending`."""
    decision = _decided(deployment, action, asked)
    if decision.effect != "ask":
        return ()
    held = await granted_or_asked(fairlead, deployment, action, asked, decision)
    # What else the policies say counts now, not as it was when somebody approved.
    again = _decided(deployment, action, replace(asked, approved=held.roles))
    if not again.allowed:
        raise _denied(again, asked)
    return (held.id,)


def _decided(deployment: Deployment, action: Action, asked: ToolAsked) -> Decision:
    decision = deployment.policy.tools.decide(action.caller, asked)
    action.rights = Rights({asked.tool.name: decision})
    action.hits.update(decision.hits)
    if decision.effect == "deny":
        raise _denied(decision, asked)
    return decision


def _denied(decision: Decision, asked: ToolAsked) -> Denied:
    said = "; ".join(each.text for each in decision.reasons) or "; ".join(decision.errors)
    preconditions = [each for each in decision.reasons if each.policy.startswith(f"{asked.tool.name}#")]
    return Denied(
        f"{asked.tool.name} is not permitted",
        why=said,
        mend=preconditions[0].text if preconditions else "ask for the right, or do it in another way",
        subject=asked.tool.name,
    )


async def released(
    deployment: Deployment, action: Action, decided: ToolDecided, result: ToolResult
) -> tuple[ToolResult, Labels]:
    """The result as its caller may have it, and its labels. Raises `Withheld`, `Broken`."""
    policy, asked = deployment.policy, decided.asked
    texts = _texts(result)
    found = await looked_at(policy, texts)
    labels = Labels(decided.system.data_class)
    for findings in found.values():
        labels = labels.joined(findings.labels)
    decision = policy.release_result(
        action.caller,
        asked.tool,
        labels.categories,
        asked=asked.labels.categories,
        task=asked.task,
        door=asked.door,
    )
    action.hits.update(decision.hits)
    if not decision.allowed:
        raise Withheld(
            f"the result of {asked.tool.name} may not leave",
            why="; ".join(each.text for each in decision.reasons),
            mend="ask for less of it, or for the right to see it",
            subject=asked.tool.name,
            policies=tuple(each.policy for each in decision.reasons),
        )
    if decision.redact:
        action.flags.append("redacted")
        result = _each_text(result, lambda text: _blacked_out(text, found[text].found, decision.redact))
        labels = labels.without(decision.redact)
    return result, labels


def _texts(result: ToolResult) -> list[str]:
    found: dict[str, None] = {}

    def noted(text: str) -> str:
        found[text] = None
        return text

    _each_text(result, noted)
    return list(found)


def without_credential(action: Action, decided: ToolDecided, result: ToolResult) -> ToolResult:
    """The result without the credential that the call was made with: some systems repeat what they were sent."""
    secret = decided.credential.secret
    if len(secret) < _SHORTEST_SECRET:
        return result
    clean = _each_text(result, lambda text: text.replace(secret, "[CREDENTIAL]"))
    if clean != result:
        action.flags.append("redacted")
    return clean


def _each_text(result: ToolResult, change: Callable[[str], str]) -> ToolResult:
    """The result with every text in it changed: pieces, and strings and names wherever they stand in the data."""
    pieces = tuple(Text(change(each.text)) if isinstance(each, Text) else each for each in result.pieces)
    return replace(result, pieces=pieces, structured=_walked(result.structured, change))


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(name): _walked(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(each, change) for each in value]
    return value


def _blacked_out(text: str, found: tuple[Finding, ...], categories: frozenset[str]) -> str:
    out, at = [], 0
    for each in sorted(found, key=lambda one: (one.start, -one.end)):
        if each.category in categories and each.end > at:
            out += [text[at : max(at, each.start)], f"[{each.category.upper()}]"]
            at = each.end
    return "".join(out) + text[at:]
