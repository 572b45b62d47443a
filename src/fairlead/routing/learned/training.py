"""From known outcomes to a predictor. The same outcomes and seed give the same predictor, byte for byte."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from fairlead.routing.learned.drift import counting_less, drifts
from fairlead.routing.learned.learnt import Learnt
from fairlead.routing.learned.levels import Levels, levels_of
from fairlead.routing.learned.means import Means, cells_of, shrunk
from fairlead.routing.learned.predictor import Predictor
from fairlead.routing.learned.prompts import with_prompts
from fairlead.routing.learned.types import Observation

_DAY: Final = 86_400_000


class Training(Struct, frozen=True, kw_only=True):
    """How to train. `half_life` is in days: an outcome of that age, seen from `now` (milliseconds since 1970; the
    latest outcome where it is 0), counts half; None lets all count alike. `seed` decides the folds."""

    half_life: float | None = None
    now: int = 0
    seed: int = 0


def train(observations: Iterable[Observation], training: Training | None = None) -> Predictor:
    """The predictor that these outcomes teach. Scores are taken between 0 and 1; no outcome at all is no error.

    Prompts are looked at only where that gained on prompts left out of the fit; `Predictor.why` tells."""
    how = training or Training()
    known = _weighted([one for one in observations if one.weight > 0], how)
    drifted = drifts(known, _means(known))
    if drifted:
        known = [_weighing(one, one.weight * counting_less(one, drifted)) for one in known]
    learnt = Learnt(
        kind="static",
        why="no prompts to look at: means of each kind of work with each model",
        outcomes=len(known),
        scores=_means(known),
        costs=_levels(known, "cost"),
        latencies=_levels(known, "latency"),
        replies=_levels(known, "tokens_out"),
        drifted=drifted,
    )
    return Predictor(with_prompts(learnt, known, how.seed))


def _means(known: Iterable[Observation]) -> Means:
    return shrunk(cells_of((one.task, one.model, min(1.0, max(0.0, one.score)), one.weight) for one in known))


def _weighted(known: Sequence[Observation], how: Training) -> list[Observation]:
    """The outcomes, older ones with less weight. An outcome without a time, or of the future, counts as of now."""
    if not how.half_life or not known:
        return list(known)
    now = how.now or max(one.at for one in known)
    ages = [max(0, now - one.at) / _DAY if one.at else 0.0 for one in known]
    return [_weighing(one, one.weight * 0.5 ** (age / how.half_life)) for one, age in zip(known, ages, strict=True)]


def _weighing(one: Observation, weight: float) -> Observation:
    return Observation(
        one.task, one.features, one.model, one.score, one.cost, one.latency, one.group, one.at, weight, one.tokens_in,
        one.tokens_out,
    )  # fmt: skip


def _levels(known: Iterable[Observation], amount: str) -> Levels:
    rows = ((one.task, one.model, getattr(one, amount), one.weight) for one in known)
    return levels_of(row for row in rows if row[2] is not None and row[2] >= 0)
