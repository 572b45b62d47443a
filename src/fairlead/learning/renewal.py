"""Whether what was newly learnt may decide by itself: the off-policy gate, asked of records and outcomes. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from fairlead.costs.record import Record
from fairlead.routing.exploring import eligible
from fairlead.routing.foretold import foretold
from fairlead.routing.learned import NO_FEATURES, Features, Predictor
from fairlead.routing.learned.off_policy import Logged, Verdict, verdict
from fairlead.routing.learned.online import CERTAIN, propensity
from fairlead.routing.objective import again, choose
from fairlead.storage.types import NewOutcome
from fairlead.tasks.decisions import Decision

_PARTS: Final = 10_000
_JUDGE: Final = "judge"


def may_decide(
    new: Predictor,
    now: Predictor | None,
    records: Iterable[Record],
    outcomes: Iterable[NewOutcome],
    looks: Mapping[str, Features],
) -> Verdict:
    """Whether the new predictor may take the place of the one in force (None: the declared order) without anybody's
    word. `outcomes` are those that may teach (see `trust`), `looks` the features of prompts by run, as far as they are
    there still. The floors are those of the objectives under which the choices were made."""
    decisions: dict[str, Decision] = {}
    logged = []
    by_run = _by_run(outcomes)
    for record in records:
        said = by_run.get(record.run)
        if said is not None and record.decision is not None and _decided(record):
            decisions[record.run] = record.decision
            logged.append(_logged(record, record.decision, said, looks.get(record.run, NO_FEATURES)))
    floors = {one.task: decisions[one.run].objective.floor / _PARTS for one in logged}
    known = now if now is not None else new
    return verdict(
        logged,
        _chooses(new, decisions, seeing=True),
        _chooses(now, decisions, seeing=True),
        _chooses(now, decisions, seeing=False),
        lambda one, model: known.predict(one.task, one.features, [model])[0].p,
        floors,
    )


def _decided(record: Record) -> bool:
    """Whether the record is of the model that was chosen, and not of one that stood in for it."""
    return record.kind == "call_model" and record.outcome == "done" and record.attempt <= 1


def _by_run(outcomes: Iterable[NewOutcome]) -> dict[str, list[NewOutcome]]:
    found: dict[str, list[NewOutcome]] = {}
    for one in outcomes:
        found.setdefault(one.run, []).append(one)
    return found


def _logged(record: Record, decision: Decision, outcomes: Sequence[NewOutcome], looks: Features) -> Logged:
    sure = [one for one in outcomes if one.source != _JUDGE]
    return Logged(
        run=record.run,
        task=record.task,
        features=looks,
        model=decision.candidates[0].model,
        chances=chances(decision),
        score=_mean(outcomes),
        confirmed=_mean(sure) if sure else None,
    )


def chances(decision: Decision) -> dict[str, float]:
    """How likely each candidate was to be asked, from 0 to 1."""
    found = dict.fromkeys((one.model for one in decision.candidates), 0.0)
    if not decision.propensity:
        found[decision.candidates[0].model] = 1.0
        return found
    drawn = eligible(again(replace(decision, explored=False, propensity=0)))
    for at, one in enumerate(drawn):
        found[one.model] = propensity(at == 0, len(drawn) - 1, decision.objective.explore) / CERTAIN
    return found


def _mean(outcomes: Sequence[NewOutcome]) -> float:
    weight = sum(one.weight for one in outcomes)
    if not weight:
        return sum(one.score for one in outcomes) / len(outcomes) / _PARTS
    return sum(one.score * one.weight for one in outcomes) / weight / _PARTS


def _chooses(
    predictor: Predictor | None, decisions: Mapping[str, Decision], *, seeing: bool
) -> Callable[[Logged], str]:
    """Whom a predictor would have chosen then; `seeing` tells whether it looks at the prompt."""
    known: dict[str, str] = {}

    def chosen(one: Logged) -> str:
        if one.run not in known:
            decision = decisions[one.run]
            options = foretold(predictor, one.task, one.features if seeing else NO_FEATURES, decision.candidates)
            known[one.run] = choose(decision.objective, options, draw=one.run).candidates[0].model
        return known[one.run]

    return chosen
