"""Is there enough for any model to do this reliably? Weighed while a task is stitched, and acted upon before a model is
chosen: go on, go on with a caveat or with some models only, ask the owner, or abstain.

Weighing is pure. What follows is done by `heed`: owners are asked in a request that lasts, and the caller is refused.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from msgspec import Struct

from fairlead.context import Context, Pack
from fairlead.context.citations import reference_of
from fairlead.context.sufficiency import LiveState, Standing, day_of, strictest
from fairlead.context.upkeep.impact import SEVERITY, due_of
from fairlead.context.upkeep.requests import Kind, Need
from fairlead.costs.ledger import Action
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.insufficient import (
    Asked,
    InsufficientContext,
    clause,
    insufficient,
    none_left,
    owner_of,
    sentence,
)
from fairlead.routing import Plan
from fairlead.tasks.types import Does, State, Task


class Required(Struct, frozen=True):
    """How one need stands, as the caller may know it, and what follows. `said` is "" where it is met."""

    need: str
    state: State
    follows: Does
    said: str = ""


class Enough(Struct, frozen=True):
    """What is known of all that a task must rest on. `caution` is for the model, `notes` are for a reply's text,
    `unfit` are models that must not do it so, each with the reason."""

    standings: tuple[Standing, ...] = ()
    told: tuple[Required, ...] = ()
    caution: str = ""
    notes: tuple[str, ...] = ()
    unfit: Mapping[str, str] = {}


NOTHING_REQUIRED = Enough()
_GRAVITY: Final[Mapping[str, int]] = {"missing": 4, "contradicted": 4, "stale": 3, "unverified": 2}
_LIVE: Final[Mapping[str, str]] = {
    "missing": "did not answer",
    "hidden": "is not for you to read",
    "stale": "answered with what is older than it may be",
}


def resting_on(deployment: Deployment, context: Context, action: Action, task: Task) -> tuple[str, ...]:
    """The pages that the task rests on, by id, as far as the caller may read them: they are put before the model,
    whatever is found."""
    standings = context.sufficiency(deployment.tasks).standings(
        task.type, deployment.policy.may_read(action.caller), day_of(action.at)
    )
    return tuple(page.id for each in standings for page in each.pages)


def weighed(
    fairlead: Fairlead, deployment: Deployment, context: Context, action: Action, task: Task, pack: Pack
) -> Enough:
    """How everything stands that the task type requires, for this caller and today."""
    live = {each.name: LiveState(each.state, _LIVE.get(each.state, "")) for each in pack.live}
    pairs = fairlead.requests.disputed.union(
        frozenset((reference_of(each.one).item, reference_of(each.other).item)) for each in pack.differences
    )
    may_read = deployment.policy.may_read(action.caller)
    sufficiency = context.sufficiency(deployment.tasks)
    standings = sufficiency.standings(task.type, may_read, day_of(action.at), live, pairs)
    action.required = tuple((each.requirement.name, each.state) for each in standings)
    cautious = [each for each in standings if each.outcome.cautions]
    return Enough(
        standings,
        tuple(map(_required, standings)),
        _caution(cautious) if cautious else "",
        tuple(sentence(each, titled=False) for each in cautious),
        dict(_unfit(deployment, standings)),
    )


def _required(standing: Standing) -> Required:
    met = standing.told == "met"
    return Required(standing.requirement.name, standing.told, standing.outcome.does, "" if met else sentence(standing))


def _caution(standings: list[Standing]) -> str:
    lines = "\n".join(f"- {sentence(each, titled=False)}" for each in standings)
    return (
        "Some of what this work should rest on is not as it should be. Where your answer rests on it, say so in plain "
        f"words, and claim no more than you were given:\n{lines}"
    )


def _unfit(deployment: Deployment, standings: tuple[Standing, ...]) -> Iterator[tuple[str, str]]:
    """The models that are kept out. The first need that keeps one out is the reason."""
    for each in reversed(standings):
        if each.outcome.does == "models":
            left = each.outcome.models
            why = f"{sentence(each)}; so only {' or '.join(left)} may do it"
            yield from (
                (name, why) for name, model in deployment.models.items() if name not in left and model.group not in left
            )


async def heed(fairlead: Fairlead, action: Action, task: Task, enough: Enough) -> None:
    """Ask whom the task type has asked, and go on or raise `InsufficientContext`. A dry run asks nobody."""
    badly = [each for each in strictest(enough.standings) if each.outcome.refuses]
    today = day_of(action.at)
    asking = [each for each in enough.standings if each.outcome.asks] if not action.arrival.dry_run else []
    if not badly:
        for each in asking:
            fairlead.requests.note(need_of(task, each, today))
        return
    asked: dict[str, Asked | None] = {}
    for each in asking:
        asked[each.requirement.name] = await fairlead.requests.asked(need_of(task, each, today))
    raise insufficient(task, badly, asked, dry_run=action.arrival.dry_run)


def need_of(task: Task, standing: Standing, today: int) -> Need:
    """What an owner is asked for.

    What is hidden from somebody is the same need as what is not there: whoever asks must not learn from the request
    which of the two it is. What is the matter with a page by its own dates is the same request that upkeep makes.
    """
    owner, due = owner_of(standing), standing.requirement.due
    words = f"{task.type.name} needs {standing.requirement.name}, and {clause(standing)}"
    page = standing.pages[0] if standing.pages else None
    kind: Kind = "missing"
    if page is not None and standing.state in ("stale", "unverified", "contradicted"):
        kind = standing.state
        for why, since in due_of(page, date.fromordinal(today).isoformat()):
            if (kind, why) in (("stale", "expired"), ("unverified", "outdated")):
                return Need(
                    kind=why, item=page.id, cause=since, owner=owner, words=words, weight=10 * SEVERITY[why], due=due
                )
    return Need(
        kind=kind,
        cause=standing.pages[1].id if kind == "contradicted" else "",
        need=standing.requirement.name,
        item=page.id if page is not None else standing.requirement.item,
        task=task.type.name,
        owner=owner,
        words=words,
        weight=10 * _GRAVITY[kind],
        due=due,
    )


def refused_by(task: Task, plan: Plan, asked_for: str) -> InsufficientContext | None:
    """The refusal of an empty plan where models are left out for what is known. None where that left out none, or where
    another model would answer if it were well."""
    reasons = {each.model: each.reason for each in plan.dropped if each.by == "context"}
    if not reasons or any(each.by == "health" for each in plan.dropped):
        return None
    return none_left(task, reasons, asked_for)
