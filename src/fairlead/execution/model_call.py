"""The governed path of a model call: nine stages, on one screen. There is no other way to a model.

authenticate happens at the door, before there is an action: a caller without a name never gets here.
"""

from functools import partial

from fairlead.costs.ledger import Action
from fairlead.costs.told import Arrival
from fairlead.execution.answer import Answer, Remember, answer_of
from fairlead.execution.at_cap import reserved
from fairlead.execution.attempts import attempt
from fairlead.execution.cascade import cascaded
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.ending import ended
from fairlead.execution.flow_path import carried, extracted, heard
from fairlead.execution.outdated import decided_anew
from fairlead.execution.planning import classified, considered_for, meant, planned, watched
from fairlead.execution.prepare import Decided, detected
from fairlead.execution.release import Deliver, Release
from fairlead.execution.stitching import known_for
from fairlead.execution.stopping import refuse_stopped
from fairlead.execution.sufficiency import refused_by
from fairlead.execution.told_policies import encode_told
from fairlead.execution.turn import taken_in_turn
from fairlead.identity.types import Caller
from fairlead.models.types import ChatRequest
from fairlead.routing import why_none


@decided_anew
async def call_model(
    fairlead: Fairlead,
    caller: Caller,
    request: ChatRequest,
    arrival: Arrival,
    deliver: Deliver | None = None,
    remember: Remember | None = None,
) -> Answer:
    """Answer a chat request for a caller: permitted, priced, screened and recorded.

    With `deliver`, text is handed out as soon as it may leave; the tail comes with the answer, once that is billed.
    What `remember` makes of it is kept in the same commit. Raises `Refused`, `Upstream` or `BadInput`, once recorded.
    """
    deployment = await fairlead.caught_up()
    async with fairlead.ledger.open(caller, arrival, deployment) as action:
        decided = await decide(fairlead, deployment, action, request)
        if deployment.flows is not None:
            await heard(fairlead, deployment, action, request, decided.pack)
        decided = await taken_in_turn(fairlead, deployment, action, decided)
        with action.step("reserve"):
            decided = await reserved(fairlead, deployment, action, decided)
        release = Release(action.run, deliver)
        if decided.plan.checks:
            model, reply = await cascaded(call_model, fairlead, deployment, action, decided, release)
        else:
            with action.step("attempt"):
                model = await attempt(fairlead, deployment, action, decided, release)
            with action.step("check"):
                reply = await ended(call_model, fairlead, deployment, action, decided, release)
                await extracted(fairlead, deployment, action, decided, reply)
        with action.step("settle"):
            told = partial(answer_of, deployment, action, decided, model, reply)
            await action.settle(reply.usage, None if remember is None else lambda: remember(told()))
    return told()


async def decide(fairlead: Fairlead, deployment: Deployment, action: Action, request: ChatRequest) -> Decided:
    """The stages that only decide. Estimates and explanations are made by these very lines.

    Raises `Stopped`, `Denied`, `NoCandidate`, `Unpriced` or `NotFound` when nothing may or can answer.
    """
    if deployment.stops is not None:
        refuse_stopped(deployment, action)
    policy, caller = deployment.policy, action.caller
    request = await carried(fairlead, deployment, action, meant(deployment, request))
    with action.step("classify"):
        findings = await detected(policy, request)
        task = action.task = await classified(deployment, action, request, findings)
        if 0 < task.confidence < 1:  # recognised, or nearly: neither named nor the only one
            action.trace.note(confidence=round(task.confidence, 3))
        considered = considered_for(deployment, request)
    with action.step("stitch"):
        known = await known_for(fairlead, deployment, action, request, findings, task, considered)
        asked = known.asked
    if action.keeps:
        action.told = encode_told(caller)
    with action.step("authorize"):
        rights = action.rights = policy.authorize(
            caller, task, asked.labels, tuple(considered.values()), action.arrival.door
        )
    with action.step("plan"):
        plan = action.plan = planned(fairlead, deployment, action, task, asked, rights, known.enough.unfit)
        if policy.watches:
            with action.step("observe"):
                action.hits.update(watched(rights, plan))
        if not plan.candidates:
            raise refused_by(task, plan, request.model) or why_none(plan)
    return Decided(asked, task, known.pack, rights, plan, known.enough)
