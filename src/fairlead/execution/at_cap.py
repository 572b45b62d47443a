"""What happens to a call that does not fit under a budget, as the budget declares it: it is refused, a candidate that
does fit is used, or somebody is asked to raise the budget. The journal has the last word in each case."""

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from fairlead.costs.budgets import Ask, Cap
from fairlead.costs.ledger import Action
from fairlead.costs.prices import upper_bound
from fairlead.costs.told import Reservation
from fairlead.errors import OverBudget, Refused, Unpriced
from fairlead.execution.approval_question import Question, Why
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.dropping import leave_out
from fairlead.execution.prepare import Decided
from fairlead.routing import Candidate, Dropped

if TYPE_CHECKING:
    from fairlead.execution.approval_question import Standing

RAISE: Final = "budget:raise"
"""What stands in place of a tool in a question about a budget: no tool can be called so."""
CHEAPER: Final = "cheaper"


def reservation(deployment: Deployment, action: Action, decided: Decided, candidate: Candidate) -> Reservation:
    """What an attempt at this candidate is held at. Raises `Unpriced`."""
    rate = deployment.rates.get(candidate.model.name)
    if rate is None:
        raise Unpriced(
            f"nobody has said what {candidate.model.name} costs",
            mend=f"add it under `prices:` in fairlead.yaml, as in {candidate.model.name}: {{input: 1, output: 4}}",
        )
    request = decided.asked.request
    return Reservation(
        model=candidate.model,
        redacted=candidate.redact,
        max_output=candidate.max_output * request.choices,
        rate=rate,
        most=upper_bound(request.size, candidate.max_output, request.choices, rate),
        limits=deployment.budgets.limits_for(action.caller, decided.task.type.name, action.at, action.arrival.workflow),
    )


async def reserved(fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided) -> Decided:
    """Hold what the first candidate may cost, or the first that fits where a budget asks for cheaper ones. Gives what
    was decided, without those that did not fit. Raises `OverBudget`, `Overloaded`."""
    while True:
        try:
            await action.reserve(reservation(deployment, action, decided, decided.plan.candidates[0]))
            return decided
        except OverBudget as error:
            cap = None if deployment.budgets.only_refuses else deployment.budgets.cap_on(error.scope, error.period)
            if cap is not None and cap.ask is not None and action.arrival.asks:
                raise await _asked(fairlead, deployment, action, cap, cap.ask, error) from None
            fitting = _fitting(deployment, action, decided, error) if _goes_on(cap) else None
            if fitting is None:
                raise
            decided = fitting


def passes_over(deployment: Deployment, action: Action, candidate: Candidate, error: OverBudget) -> bool:
    """Whether the next candidate is to be tried in place of one that does not fit; then the plan says why."""
    if deployment.budgets.only_refuses or not _goes_on(deployment.budgets.cap_on(error.scope, error.period)):
        return False
    if action.plan is not None:
        _note(action, (_dropped(deployment, candidate, error),))
    return True


def _goes_on(cap: Cap | None) -> bool:
    return cap is not None and cap.at_cap == CHEAPER


def _fitting(deployment: Deployment, action: Action, decided: Decided, error: OverBudget) -> Decided | None:
    """What was decided, without the candidates that may cost more than is left; None where none is left of them."""
    plan = decided.plan
    fits = [reservation(deployment, action, decided, each).most <= error.left for each in plan.candidates]
    pairs = list(zip(plan.candidates, fits, strict=True))
    left = tuple(each for each, one in pairs if one)
    if not left:
        return None
    dropped = tuple(_dropped(deployment, each, error) for each, one in pairs if not one)
    new = replace(plan, candidates=left, dropped=(*plan.dropped, *dropped))
    action.plan = new
    _note(action, ())
    return replace(decided, plan=new)


def _note(action: Action, dropped: tuple[Dropped, ...]) -> None:
    """The record and the reply say that a cheaper model was used than was planned."""
    leave_out(action, *dropped)
    if CHEAPER not in action.flags:
        action.flags.append(CHEAPER)


def _dropped(deployment: Deployment, candidate: Candidate, error: OverBudget) -> Dropped:
    unit = deployment.unit
    left = f"{unit.exact(error.left)} {unit.name} are left of budget {error.scope} for {error.period}"
    return Dropped(candidate.model.name, "budget", f"it may cost more than the {left}")


async def _asked(
    fairlead: Fairlead, deployment: Deployment, action: Action, cap: Cap, ask: Ask, error: OverBudget
) -> OverBudget:
    """Ask for a raise, once for all who are refused by the same budget; the refusal says how that stands."""
    question = _question(fairlead, deployment, action, cap, ask, error)
    try:
        with action.trace.waiting():
            standing = await asyncio.to_thread(
                fairlead.approvals.held_or_asked, question, action.caller.credential, action.caller.person
            )
    except Refused:
        return error  # too much waits for an answer already
    return error.mended(why=_said(standing, ask), mend=f"fairlead approvals show {standing.id}; or ask for less")


def _said(standing: "Standing", ask: Ask) -> str:
    if standing.state == "denied":
        return f"{ask.role} was asked to raise it, and has denied that ({standing.id})"
    return f"{ask.role} is asked to raise it ({standing.id}); once that is granted, the call may fit"


def _question(
    fairlead: Fairlead, deployment: Deployment, action: Action, cap: Cap, ask: Ask, error: OverBudget
) -> Question:
    caller, amount = action.caller, deployment.unit.exact(ask.amount)
    arguments = {"budget": error.scope, "period": error.period, "raise_by": amount, "unit": deployment.unit.name}
    # Of a budget that several share, all ask the same: it is sealed for the budget, and not for who came first.
    person = caller.person if error.scope.startswith("person/") else f"budget {error.scope}"
    reason = f"calls do not fit under budget {error.scope} for {error.period} any more"
    return Question(
        person=person,
        tenant=caller.tenant,
        agent="",
        department=caller.department if error.scope.startswith(("person/", "department/")) else "",
        tool=RAISE,
        digest=hashlib.sha256(msgspec.json.encode(arguments, order="sorted")).hexdigest(),
        revision=deployment.revision,
        arguments=arguments,
        sources={},
        facts={},
        reasons=(Why(cap.key, reason),),
        wanted=fairlead.approvals.rules.quorums((ask.role,)),
    )
