"""The choice among planned candidates by an objective: what is expected of each is gathered here, and decided in
`routing.objective`. Where no objective is declared, nothing of this is called."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final

from msgspec.structs import replace

from fairlead.costs.estimates import estimate
from fairlead.costs.money import format_money
from fairlead.costs.prices import cost
from fairlead.execution.deployment import Deployment
from fairlead.models.tally import likely_tokens
from fairlead.models.types import ChatRequest, Usage
from fairlead.routing import Candidate, Dropped, Plan
from fairlead.routing.exploring import ventured
from fairlead.routing.learned import NO_FEATURES, Features, Prediction, features
from fairlead.routing.objective import choose, excess
from fairlead.tasks.decisions import Decision, Option
from fairlead.tasks.objectives import Objective
from fairlead.tasks.types import Task
from fairlead.telemetry.trace import Trace

_PARTS: Final = 10_000

Latency = Callable[[Candidate], float | None]
"""What an answer is expected to take in seconds, None where nobody knows."""

Units = Mapping[tuple[str, int], list[Candidate]]
"""What is chosen among: models by name and room, each with the deployments at which it can be reached."""


def chosen(
    deployment: Deployment, latency: Latency, task: Task, request: ChatRequest, made: Plan, draw: str, run: str
) -> Plan:
    """The plan in the order of the task's objective, with the decision. As it is where none is declared, where the
    request names a model, and where nothing is left to choose from. `latency` is asked where no predictor knows it."""
    objective = deployment.preferences.objective_of(task.type)
    named = request.model in deployment.models or request.model in deployment.groups
    if objective is None or named or not made.candidates:
        return made
    if objective.explore and task.type.cascade is not None:
        objective = replace(objective, explore=0)  # who answers first there is who costs least
    units: dict[tuple[str, int], list[Candidate]] = {}
    for candidate in made.candidates:
        unit = candidate.model.group or candidate.model.name, candidate.room
        units.setdefault(unit, []).append(candidate)
    predictor = deployment.predictor
    looked_at = predictor is not None and predictor.kind == "learned"
    seen = features(task.question) if looked_at else NO_FEATURES
    novel = predictor is not None and looked_at and predictor.is_novel(seen)
    decision = choose(
        objective,
        _options(deployment, latency, task.type.name, request, units, (seen, novel)),
        draw=draw,
        predictor=predictor.version if predictor is not None else "",
        novel=novel,
    )
    if objective.explore:
        decision = ventured(decision, run)
    return _ordered(made, units, decision, task.type.name, deployment.currency)


def _options(
    deployment: Deployment,
    latency: Latency,
    task: str,
    request: ChatRequest,
    units: Units,
    looks: tuple[Features, bool],
) -> list[Option]:
    """What is expected of each model: its score by what was learnt, its cost by the prices of now and by the length of
    replies to this kind of work, or as an estimate has it where that is not known."""
    predictor, rates, size, choices = deployment.predictor, deployment.rates, request.size, request.choices
    known: Sequence[Prediction | None] = ()
    if predictor is not None:
        seen, novel = looks
        known = predictor.predict(task, seen, [name for name, _ in units], novel=novel)
    tokens, found = likely_tokens(size), list[Option]()
    for (name, room), members in units.items():
        first, place = members[0], len(found)
        rate = rates[first.model.name]
        reply = None if predictor is None else predictor.learnt.replies.expected(task, name)
        if reply is None:
            # Without a history, which would take milliseconds: see `costs.histories`.
            expected = estimate(name, size, first.max_output, choices, rate).likely
        else:
            expected = cost(Usage(tokens, min(round(reply), first.max_output) * choices), rate)
        prediction = known[place] if known else None
        took = latency(first) if prediction is None or prediction.latency is None else prediction.latency
        found.append(_option(name, room, place, expected, None if took is None else round(took * 1000), prediction))
    return found


def _option(
    name: str, room: int, place: int, expected: int, latency: int | None, prediction: Prediction | None
) -> Option:
    if prediction is None:
        return Option(model=name, room=room, declared=place, cost=expected, latency=latency)
    return Option(
        model=name,
        room=room,
        declared=place,
        cost=expected,
        latency=latency,
        p=round(prediction.p * _PARTS),
        low=round(prediction.low * _PARTS),
        high=round(prediction.high * _PARTS),
        seen=prediction.seen,
    )


def _ordered(made: Plan, units: Units, decision: Decision, task: str, currency: str) -> Plan:
    objective = decision.objective
    candidates: list[Candidate] = []
    dropped = list(made.dropped)
    for option in decision.candidates:
        members = units[option.model, option.room]
        if objective.strict and excess(objective, option):
            reason = f"it is outside of the bounds of what task type {task!r} asks for"
            dropped += [Dropped(each.model.name, "objective", reason) for each in members]
        else:
            candidates += members
    why = f"task type {task!r} asks for {asked_for(objective, currency)}: {_why(decision)}"
    return replace(made, candidates=tuple(candidates), dropped=tuple(dropped), why=why, decision=decision)


@cache
def asked_for(objective: Objective, currency: str) -> str:
    """An objective in words."""
    aims = {"quality": "the best quality", "cost": "the lowest cost", "latency": "the fastest answer"}
    bounds = []
    if objective.cost_at_most is not None:
        bounds.append(f"for at most {format_money(objective.cost_at_most, currency)}")
    if objective.quality_at_least is not None:
        bounds.append(f"with a score of at least {objective.quality_at_least / _PARTS:g}")
    if objective.latency_at_most is not None:
        bounds.append(f"within {objective.latency_at_most / 1000:g} s")
    return " ".join((aims[objective.aim], *bounds))


def _why(decision: Decision) -> str:
    first, many = decision.candidates[0], len(decision.candidates)
    inside = many - decision.outside
    if not inside:
        return f"no model is within the bounds; {first.model!r} is the nearest of {many}"
    if first.p is None:
        how = "nothing is learnt yet, so models are taken as declared and by what they cost and took"
    else:
        how = f"{first.model!r} is expected to score {first.p / _PARTS:.2f} ({first.seen} such outcomes seen)"
    if decision.novel:
        how += "; the request is like none that was learnt from, so its kind of work alone counts"
    return f"{how}; {inside} of {many} within the bounds" if decision.outside else how


def note_decision(trace: Trace, decision: Decision) -> None:
    """What a trace tells of it: names, counts and codes."""
    first = decision.candidates[0]
    trace.note(
        objective=decision.objective.aim, predictor=decision.predictor, outside=decision.outside, cost=first.cost
    )
    if first.p is not None:
        trace.note(p=first.p / _PARTS, seen=first.seen)
