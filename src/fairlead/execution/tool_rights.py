"""Whether a call may be done: the decisions of policy, as the path acts on them."""

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.errors import Denied
from fairlead.execution.aggregating import refuse_higher
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.remembering import refuse_foreign
from fairlead.execution.tool_approvals import granted_or_asked
from fairlead.policy.tool_rights import ToolAsked
from fairlead.policy.types import Decision, Rights
from fairlead.tools.memory import MEMORY


async def refuse_unless_allowed(
    fairlead: Fairlead, deployment: Deployment, action: Action, asked: ToolAsked
) -> tuple[str, ...]:
    """The ids of the approvals that it rests on. Raises `Denied`, `ApprovalPending`."""
    if deployment.declassify:
        refuse_higher(deployment, asked)
    if asked.tool.system == MEMORY:
        refuse_foreign(action, asked)
    decision = _decided(deployment, action, asked)
    if decision.effect != "ask":
        return ()
    if not action.arrival.asks:
        raise Denied(
            f"{asked.tool.name} is not permitted without an approval",
            why="; ".join(each.text for each in decision.reasons),
            mend="have the agent call the tool itself, so that somebody can be asked"
            if action.arrival.keep
            else "nobody can be asked about what is in memory only: say `secrecy: sealed`",
            subject=asked.tool.name,
        )
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
