"""A call that a person must let pass: found granted, or asked; and used, once, before its system is reached."""

import asyncio
from functools import partial
from hashlib import sha256
from typing import Any, Final

import msgspec

from fairlead.costs.ledger import Action
from fairlead.errors import Denied
from fairlead.execution.approval_question import ApprovalPending, Question, Standing, Why
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.tool_asking import ToolDecided, digest_of
from fairlead.policy.approvals import ApprovalRules
from fairlead.policy.tool_rights import ToolAsked
from fairlead.policy.types import Decision

_encode: Final = msgspec.json.Encoder(order="sorted").encode


async def granted_or_asked(
    fairlead: Fairlead, deployment: Deployment, action: Action, asked: ToolAsked, decision: Decision
) -> Standing:
    """What lets this very call pass. Raises `ApprovalPending` with the id of the question, `Denied` where it was
    answered so."""
    question = _question(deployment, action, asked, decision)
    ask = partial(fairlead.approvals.held_or_asked, question, action.caller.credential, once=action.arrival.once)
    found = await asyncio.to_thread(ask)
    why = "; ".join(each.text for each in decision.reasons)
    if found.state == "denied":
        raise Denied(
            f"{asked.tool.name} with these arguments was not approved ({found.id})",
            why=why,
            mend=f"do it in another way; fairlead approvals show {found.id} tells what was said",
            subject=asked.tool.name,
        )
    if found.state != "granted":
        roles = ", ".join(sorted(decision.ask))
        raise ApprovalPending(
            f"{asked.tool.name} waits for the approval of {roles}: {found.id}",
            why=why,
            mend=f"have it approved (fairlead approvals approve {found.id}), then make the same call again",
            subject=asked.tool.name,
            approval=found.id,
        )
    return found


async def use_approvals(fairlead: Fairlead, action: Action, decided: ToolDecided) -> None:
    """Use up what the call rests on. From here on it is gone, whatever becomes of the call, but for another try of
    this very one, where it has an idempotency key. Raises `ApprovalPending` where another call was faster."""
    for each in decided.approvals:
        used = await asyncio.to_thread(
            fairlead.approvals.use,
            each,
            action.caller.credential,
            action.caller.person,
            action.run,
            action.arrival.once,
        )
        if not used:
            raise ApprovalPending(
                f"the approval {each} is used up, or its time is over",
                why="an approval lets one call pass, and another was faster",
                mend="make the call again: it asks anew",
                subject=decided.asked.tool.name,
            )


def _question(deployment: Deployment, action: Action, asked: ToolAsked, decision: Decision) -> Question:
    caller, rules = action.caller, deployment.approvals_at(action.at)
    return Question(
        person=caller.person,
        tenant=caller.tenant,
        agent=caller.agent,
        department=caller.department,
        tool=asked.tool.name,
        digest=digest_of(asked.tool.name, asked.arguments, asked.answers, asked.state),
        revision=deployment.revision,
        arguments={**asked.arguments, **({"(answers)": asked.answers} if asked.answers else {})},
        sources={name: tuple(sorted(its)) for name, its in sorted(asked.sources.items())},
        facts={name: _plain(value) for name, value in asked.facts.items()},
        reasons=tuple(Why(each.policy, each.text) for each in decision.reasons),
        wanted=rules.quorums(decision.ask, asked.tool.name),
        basis=_basis(deployment, asked, rules),
    )


def _basis(deployment: Deployment, asked: ToolAsked, rules: ApprovalRules) -> str:
    """The digest of what decides that this is asked and who may answer: the deciding text of the workspace, what pages
    say of who approves, and the tool's own definition. "" where it is not known: then another revision asks anew."""
    if not deployment.deciding:
        return ""
    return sha256(_encode((deployment.deciding, rules, asked.tool.digest))).hexdigest()


def _plain(value: Any) -> Any:
    """A fact as people read it: Cedar's decimals and dates as their text."""
    if isinstance(value, dict) and isinstance(value.get("__extn"), dict):
        return value["__extn"].get("arg")
    return value
