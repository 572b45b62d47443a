"""The wait for a place, between plan and reserve: no money is held by who waits, and nothing old is acted upon."""

import asyncio
from typing import Final

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.execution.attempts import PATIENCE, seconds_left
from fairlead.execution.balancing import Load, pause_of
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.dropping import leave_out
from fairlead.execution.outdated import refuse_outdated
from fairlead.execution.prepare import Decided
from fairlead.lanes.rates import Taken
from fairlead.lanes.refusals import AtLimit
from fairlead.routing import Candidate, Dropped

_SOON: Final = 0.05  # seconds: a moment later there may be room
_BYTES_A_TOKEN: Final = 4  # of most texts; what a request used is known when it has ended


def _counted(fairlead: Fairlead, action: Action, decided: Decided) -> Taken | None:
    """The request, counted against every limit on how fast may be asked. Raises `TooFast`."""
    first = decided.plan.candidates[0]
    tokens = decided.asked.request.size // _BYTES_A_TOKEN + first.max_output
    model = first.model.group or first.model.name
    return fairlead.rates.take(action.caller, decided.task.type.name, model, tokens)


async def taken_in_turn(fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided) -> Decided:
    """What was decided, once there is a place for it. `action` has the place until its attempts are over, and counts
    at its deployment.

    Of a model's deployments the first that has a place comes first. Raises `LaneFull`, `WaitedTooLong`, or `Overloaded`
    if what was decided is no longer in force after the wait.
    """
    if fairlead.rates.limits is not None:
        action.taken = _counted(fairlead, action, decided)
    if fairlead.lanes.rules is not None:
        decided = await _placed(fairlead, deployment, action, decided)
    return await _counted_at_first(fairlead, deployment, action, decided) if deployment.shares else decided


async def _counted_at_first(fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided) -> Decided:
    """What was decided, without the candidates in front that may not be asked now; at the first of the others the call
    counts from here on. Waits for one if that is short. Raises `AtLimit`."""
    load = action.load = Load(fairlead, decided.asked.request)
    began, before = fairlead.clock.monotonic(), action.waited
    while (first := _first_open(fairlead, action, load, decided)) is None:
        waits = [(pause_of(fairlead, one, decided.asked.request), one) for one in decided.plan.candidates]
        wait, soonest = min(waits, key=lambda pair: pair[0])
        if wait > min(PATIENCE - (action.waited - before), seconds_left(deployment, action, decided)):
            raise AtLimit(soonest.model.name, max(wait, 1.0))
        with action.step("queue"), action.trace.waiting():
            await asyncio.sleep(max(wait, _SOON))
        action.waited = before + fairlead.clock.monotonic() - began
        await refuse_outdated(fairlead, deployment, action)
    candidates = decided.plan.candidates
    if first is candidates[0]:
        return decided
    at = candidates.index(first)
    reason = "it was sent as much as it takes in a minute, or all places of its endpoint are taken"
    leave_out(action, *(Dropped(one.model.name, "rate limit", reason) for one in candidates[:at]))
    return replace(decided, plan=replace(decided.plan, candidates=candidates[at:]))


def _first_open(fairlead: Fairlead, action: Action, load: Load, decided: Decided) -> Candidate | None:
    for each in decided.plan.candidates:
        if pause_of(fairlead, each, decided.asked.request):
            continue
        if action.place is not None and not action.place.at(each.model.endpoint):
            continue
        if not load.at(each.model, each.max_output):
            return each
    return None


async def _placed(fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided) -> Decided:
    lanes = fairlead.lanes
    candidates = decided.plan.candidates
    first = candidates[0].model
    alike = (
        tuple(dict.fromkeys(one.model.endpoint for one in candidates if one.model.group == first.group))
        if first.group
        else (first.endpoint,)
    )
    task, seconds = decided.task.type.name, seconds_left(deployment, action, decided)
    place = lanes.place(action.caller, task, alike)
    if place is not None and place.began is None:
        began = fairlead.clock.monotonic()
        with action.step("queue"):
            action.trace.note(lane=place.lane)
            with action.trace.waiting():
                await lanes.turn(place, seconds)
            waited = fairlead.clock.monotonic() - began
            action.place, action.waited = place, action.waited + waited
            action.trace.note(seconds_left=round(seconds - waited, 3))
            await refuse_outdated(fairlead, deployment, action)
    action.place = place
    if place is None or place.endpoint in ("", first.endpoint):
        return decided
    ordered = sorted(candidates, key=lambda one: one.model.group != first.group or one.model.endpoint != place.endpoint)
    return replace(decided, plan=replace(decided.plan, candidates=tuple(ordered)))
