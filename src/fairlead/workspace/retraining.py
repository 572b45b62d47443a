"""What a newly trained predictor says of itself, and what would have gone otherwise under it. Pure."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from fairlead.costs.record import Record
from fairlead.routing.foretold import foretold
from fairlead.routing.learned import NO_FEATURES, Observation, Predictor
from fairlead.routing.objective import choose


class Known(Struct, frozen=True, kw_only=True):
    """What is expected of a model in a kind of work, and on how many outcomes."""

    task: str
    model: str
    outcomes: int
    score: float


class Report(Struct, frozen=True, kw_only=True):
    """What training came to. `why` says whether looking at prompts gained anything on prompts that were left out.

    `of_prompts` counts the outcomes whose prompt was still there to look at. Of `replayed` recorded choices `moved`
    would go to another model; costs are what was expected of the first candidates, in nano-units.
    """

    version: str
    kind: str
    why: str
    outcomes: int
    prompts: int
    of_prompts: int
    means: tuple[Known, ...]
    replayed: int
    moved: int
    cost_then: int
    cost_now: int


def compared(records: Iterable[Record], predictor: Predictor, known: Sequence[Observation], of_prompts: int) -> Report:
    """The new predictor beside what was decided. Prompts are gone by then, so that the kind of work speaks for them."""
    replayed = moved = then = now = 0
    for record in records:
        decision = record.decision
        if record.kind != "call_model" or decision is None or not decision.candidates:
            continue
        first = decision.candidates[0]
        options = foretold(predictor, record.task, NO_FEATURES, decision.candidates)
        other = choose(decision.objective, options, draw=record.run).candidates[0]
        replayed += 1
        moved += other.model != first.model
        then += first.cost
        now += other.cost
    return Report(
        version=predictor.version,
        kind=predictor.kind,
        why=predictor.why,
        outcomes=len(known),
        prompts=len({one.group for one in known}),
        of_prompts=of_prompts,
        means=_means(predictor, known),
        replayed=replayed,
        moved=moved,
        cost_then=then,
        cost_now=now,
    )


def _means(predictor: Predictor, known: Sequence[Observation]) -> tuple[Known, ...]:
    pairs = sorted({(one.task, one.model) for one in known})
    said = ((task, predictor.predict(task, NO_FEATURES, [model])[0]) for task, model in pairs)
    return tuple(Known(task=task, model=one.model, outcomes=one.seen, score=round(one.p, 4)) for task, one in said)
