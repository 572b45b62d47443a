"""What each model is expected to do with a piece of work: plain Python, made ready once, asked for every request."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from fairlead.routing.learned.features import fits
from fairlead.routing.learned.head import leaning
from fairlead.routing.learned.learnt import Kind, Learnt, read_learnt
from fairlead.routing.learned.types import Features, Prediction, TokenPrice

FOUR_IN_FIVE: Final = 1.2816  # standard deviations to either side that hold 80 % of a normal distribution
LEAN_DOUBT: Final = 0.16  # what a prompt adds is doubted by 0.4 of itself
_EDGE: Final = 0.03  # how near to 0 and 1 predictions are bent, so that two good models are not equal
_ANYTHING: Final = 1 / 12  # the variance of a score of which nothing is known
_DRAWN: Final = 1.1  # a mean that is drawn to others may be drawn wrongly
_UNKNOWN: Final = "\0"  # no kind of work has this name
_CHARACTERS_PER_TOKEN: Final = 4


class Predictor:
    """An artefact, made ready to be asked. It never changes; what is learnt later is another predictor."""

    def __init__(self, learnt: Learnt) -> None:
        self.learnt = learnt
        self.version = learnt.version
        self._ready: dict[tuple[str, str], Prediction] = {}

    @property
    def kind(self) -> Kind:
        return self.learnt.kind

    @property
    def why(self) -> str:
        """How it was decided whether it looks at prompts."""
        return self.learnt.why

    def encoded(self) -> bytes:
        """The artefact, to be kept; `read_predictor` reads it."""
        return self.learnt.encoded()

    def predict(
        self,
        task: str,
        features: Features,
        models: Sequence[str],
        *,
        prices: Mapping[str, TokenPrice] | None = None,
        tokens_in: int | None = None,
        novel: bool | None = None,
    ) -> tuple[Prediction, ...]:
        """One prediction for each of the models, in their order.

        With `prices` the expected cost is tokens times price wherever the length of replies is known, so a new price
        counts at once; else it is what such work has cost. A model whose cost nothing tells is taken to cost as much
        as the dearest of the others, so that not knowing is never cheap. `novel` is what `is_novel` says of the prompt,
        for whoever has asked it already.
        """
        strange = self.is_novel(features) if novel is None else novel
        found = (None if strange else self._seeing(task, features, models)) or [
            self._standing(task, model) for model in models
        ]
        if prices:
            sent = tokens_in if tokens_in is not None else _tokens(features)
            found = [self._priced(task, one, prices.get(one.model), sent) for one in found]
        costs = [one.cost for one in found]
        if costs and min(costs) < 0:
            dearest = max(0.0, *costs)
            found = [one if one.cost >= 0 else _costing(one, dearest) for one in found]
        return tuple(found)

    def is_novel(self, features: Features) -> bool:
        """Whether the prompt is unlike all that was learnt from: nothing is then added to the means for it. False
        where prompts are not looked at."""
        reading = self.learnt.reading
        return reading is not None and fits(features) and reading.is_strange(features)

    def _seeing(self, task: str, features: Features, models: Sequence[str]) -> list[Prediction] | None:
        """What is expected of this very prompt, None where only the kind of work counts."""
        learnt = self.learnt
        head = learnt.within if task in learnt.scores.cells else learnt.across
        if head is None or learnt.reading is None or not fits(features):
            return None
        places = head.places(learnt.reading, features)
        doubt, wavers = FOUR_IN_FIVE * math.sqrt(LEAN_DOUBT), FOUR_IN_FIVE * learnt.wavers
        found = []
        for model in models:
            standing, leanings = self._standing(task, model), head.leanings.get(model)
            if leanings is not None:
                lean = leaning(leanings, places)
                p = _bent(standing.p + lean)
                low = p - math.hypot(standing.p - standing.low, doubt * lean, wavers)
                high = p + math.hypot(standing.high - standing.p, doubt * lean, wavers)
                standing = Prediction(
                    model, p, low if low > 0 else 0.0, high if high < 1 else 1.0, standing.cost, standing.latency,
                    standing.seen, standing.drifting,
                )  # fmt: skip
            found.append(standing)
        return found

    def _standing(self, task: str, model: str) -> Prediction:
        """What is expected whatever the prompt; a cost of -1 stands for unknown."""
        scores = self.learnt.scores
        task = task if task in scores.tasks else _UNKNOWN  # names that callers make up must not fill the memory
        ready = self._ready.get((task, model))
        if ready is None:
            ready = self._without_prompt(task, model)
            if model in scores.models:
                self._ready[task, model] = ready
        return ready

    def _without_prompt(self, task: str, model: str) -> Prediction:
        scores = self.learnt.scores
        cell = scores.cells.get(task, {}).get(model)
        p = _bent(scores.expected(task, model))
        if cell is not None:
            low, high = _wilson(p, cell.worth / _DRAWN / self.learnt.widened**2)
        else:
            unknown = scores.apart + scores.noise / 20 + (scores.models_apart if model not in scores.models else 0.0)
            if task not in scores.tasks:
                unknown += _variance(list(scores.tasks.values()))
            half = FOUR_IN_FIVE * math.sqrt(unknown) * self.learnt.widened
            low, high = max(0.0, p - half), min(1.0, p + half)
        drift = self.learnt.drifted.get(model)
        if drift is not None:  # what moved once may be moving still
            low, high = max(0.0, low - abs(drift.moved) / 2), min(1.0, high + abs(drift.moved) / 2)
        cost = self.learnt.costs.expected(task, model)
        return Prediction(
            model=model,
            p=p,
            low=low,
            high=high,
            cost=-1.0 if cost is None else cost,
            latency=self.learnt.latencies.expected(task, model),
            seen=cell.seen if cell else 0,
            drifting=drift is not None,
        )

    def _priced(self, task: str, found: Prediction, price: TokenPrice | None, sent: int) -> Prediction:
        received = self.learnt.replies.expected(task, found.model)
        if price is None or received is None:
            return found
        return _costing(found, sent * price.sent + received * price.received)


def read_predictor(kept: bytes) -> Predictor:
    """The predictor of a kept artefact. Raises `BadInput` where it is none."""
    return Predictor(read_learnt(kept))


def _bent(p: float) -> float:
    """Between 0 and 1, and never the same for two that differ."""
    if p > 1 - _EDGE:
        return 1 - _EDGE * math.exp((1 - _EDGE - p) / _EDGE)
    return _EDGE * math.exp((p - _EDGE) / _EDGE) if p < _EDGE else p


def _costing(found: Prediction, cost: float) -> Prediction:
    return Prediction(found.model, found.p, found.low, found.high, cost, found.latency, found.seen, found.drifting)


def _wilson(p: float, worth: float) -> tuple[float, float]:
    """The interval of a share that was seen as `p` in so many outcomes; it never leaves 0 to 1, and holds p."""
    square = FOUR_IN_FIVE * FOUR_IN_FIVE / worth
    middle = (p + square / 2) / (1 + square)
    half = math.sqrt(square * p * (1 - p) + square * square / 4) / (1 + square)
    return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))


def _variance(values: Sequence[float]) -> float:
    """How far kinds of work differ, as if one more were known that could be anything: of one or two, little is learnt
    about the next."""
    mean = sum(values) / (len(values) or 1)
    return (sum((value - mean) ** 2 for value in values) + _ANYTHING) / (len(values) or 1)


def _tokens(features: Features) -> int:
    """About how many tokens the prompt has, by its length."""
    return round(math.expm1(features.numbers[0] * 10) / _CHARACTERS_PER_TOKEN) if features.numbers else 0
