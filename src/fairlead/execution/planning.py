"""What routing is asked about an action: under which name, and which of its calls belong together."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from fairlead.costs.estimates import estimate
from fairlead.costs.kinds import needs_of, unstated
from fairlead.costs.ledger import Action
from fairlead.execution.balancing import arranging, belonging, within_minutes
from fairlead.execution.choosing import chosen, note_decision
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.keeping import makeable
from fairlead.execution.pace import in_time, needed
from fairlead.execution.prepare import Stitched
from fairlead.execution.stopping import stopped_models
from fairlead.lanes.rates import Rates
from fairlead.models.types import ChatRequest, Model
from fairlead.policy.types import Findings, Hit, Rights
from fairlead.routing import Candidate, Dropped, Plan, candidates_for, plan
from fairlead.routing.cascade import apart, laddered, rounds_failed
from fairlead.tasks.cascades import Cascade
from fairlead.tasks.types import Task


def meant(deployment: Deployment, request: ChatRequest) -> ChatRequest:
    """The request under the name that its alias stands for."""
    name = deployment.aliases.get(request.model)
    return request if name is None else replace(request, model=name)


async def classified(deployment: Deployment, action: Action, request: ChatRequest, findings: Findings) -> Task:
    """What kind of work it is. What Fairlead itself asks is of the kind that it says, whatever its words are like."""
    kind, tasks = action.arrival.task, deployment.tasks
    if kind is not None:
        return Task(type=kind, labels=findings.labels, question="")
    if tasks.by_meaning:
        return await asyncio.to_thread(tasks.classify, request, findings.labels)
    return tasks.classify(request, findings.labels)


def considered_for(deployment: Deployment, request: ChatRequest) -> Mapping[str, Model]:
    """The models that may be asked, before anybody has decided whether they may."""
    return candidates_for(
        request.model,
        deployment.models,
        deployment.tasks.names,
        deployment.preferences,
        deployment.groups,
        deployment.embedders.names,
    )


def planned(
    fairlead: Fairlead,
    deployment: Deployment,
    action: Action,
    task: Task,
    asked: Stitched,
    rights: Rights,
    unfit: Mapping[str, str],
) -> Plan:
    """The candidates for an action, under what is known of prices, keys and health now."""
    draw = belonging(action, asked.request)
    key, arrange = arranging(fairlead, deployment, action, asked.request, rights)
    made = plan(
        task,
        asked.request,
        deployment.models,
        rights.decisions,
        preferences=deployment.preferences,
        rates=deployment.rates,
        health=fairlead.health.reason,
        unavailable=deployment.unavailable,
        default_output=deployment.defaults.max_output,
        has_passages=bool(asked.passages),
        groups=deployment.groups,
        key=key,
        arrange=arrange,
        unpriced=_unpriced(deployment, asked.request),
        stopped=stopped_models(deployment, deployment.models, action.at),
        unfit=unfit,
    )
    if deployment.speeds is not None:
        made = in_time(fairlead, deployment, action, task, asked.request, made)
    if fairlead.rates.limits is not None and fairlead.rates.limits.models:
        made = _within_rates(fairlead.rates, made)
    if deployment.shares:
        made = within_minutes(fairlead, action, made, asked.request)
    cascade = task.type.cascade
    if cascade is not None and (asked.request.model in deployment.models or asked.request.model in deployment.groups):
        cascade = None  # a name is meant
    if cascade is not None:
        made = apart(cascade, made)
    if deployment.preferences.objective is not None or task.type.objective is not None:
        latency = _latency(fairlead, deployment, task, asked.request)
        made = chosen(deployment, latency, task, asked.request, made, draw, action.run)
        if made.decision is not None:
            note_decision(action.trace, made.decision)
    return made if cascade is None else _laddered(cascade, deployment, task, asked, made)


def _laddered(cascade: Cascade, deployment: Deployment, task: Task, asked: Stitched, made: Plan) -> Plan:
    request = asked.request

    def expected(candidate: Candidate) -> int:
        name = candidate.model.name
        return estimate(name, request.size, candidate.max_output, request.choices, deployment.rates[name]).likely

    checks = makeable(cascade, deployment.policy, task.type, asked)
    return laddered(cascade, made, checks, expected, rounds_failed(request.messages))


def _latency(
    fairlead: Fairlead, deployment: Deployment, task: Task, request: ChatRequest
) -> Callable[[Candidate], float | None]:
    """By the measured speed where there is one, since that goes by what is asked; else as answers took lately."""

    def latency(candidate: Candidate) -> float | None:
        if deployment.speeds is not None:
            need = needed(fairlead, deployment, task, request, candidate)
            if need is not None:
                return need.seconds
        return fairlead.seconds.of(candidate.model.name)

    return latency


def _within_rates(rates: Rates, made: Plan) -> Plan:
    """Without the models that were asked as often as they may be, where another one is left. Where none is, the first
    one's limit refuses the request, and says when to ask again."""
    full = {one.model.name for one in made.candidates if rates.spent(one.model.group or one.model.name)}
    if not full or len(full) == len(made.candidates):
        return made
    reason = "it was asked as often as `limits.models` allows in a minute"
    return replace(
        made,
        candidates=tuple(one for one in made.candidates if one.model.name not in full),
        dropped=(
            *made.dropped,
            *(Dropped(each.model.name, "rate limit", reason) for each in made.candidates if each.model.name in full),
        ),
    )


def watched(rights: Rights, plan: Plan) -> Iterator[Hit]:
    """The rules that applied to the call and let it pass, with what they did or would have done to it as a whole."""
    first = plan.candidates[0].model.name if plan.candidates else ""
    concerned = [rights.decisions[first]] if first else rights.decisions.values()
    for hit in {hit for decision in concerned for hit in decision.hits}:
        others = (rights.decisions[each.model.name].hits for each in plan.candidates[1:])
        spared = hit.effect == "refuse" and any(hit not in hits for hits in others)
        yield replace(hit, effect="reroute") if spared else hit


def _unpriced(deployment: Deployment, request: ChatRequest) -> Callable[[str], str] | None:
    needs = needs_of(request)
    return None if needs is None else lambda name: unstated(needs, deployment.rates[name])
