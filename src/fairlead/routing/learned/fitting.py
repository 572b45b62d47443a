"""Fitting what prompts add to the means: ridge regressions of what the means leave over, cut to a few directions.

Prompts are first brought to the measures and the few dozen directions in which their words vary most, whatever the
outcomes. Each model's outcomes are then regressed on these by themselves, so gaps in the table do no harm; what all
these regressions say is cut to `rank` directions, and each model's leanings along them are fitted anew, drawn towards
what models lean in the mean: so a model with twenty outcomes leans as the others do until its own outcomes differ.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from fairlead.routing.learned.head import Head, Reading
from fairlead.routing.learned.outcomes import Floats, Ints, Outcomes

_DIRECTIONS: Final = 64  # in which the words of prompts vary most
_SPREAD: Final = 1e-6
_FEW: Final = 400  # prompts
_LEAST_SPREAD: Final = 0.003  # of a measure that hardly varies: a change in it would else drown all others
_PULL: Final = 10.0  # outcomes' worth by which a model's leanings are drawn to those of all
_PLACES: Final = 5
_ROOM: Final = 1.5  # a prompt moves the middle a little towards itself
STRANGE: Final = 0.995  # of the training's own prompts that are not called strange


class Shape(Struct, frozen=True):
    """How freely to fit: `ridge` is the outcomes' worth of doubt, `rank` the number of directions."""

    ridge: float
    rank: int


class Sight:
    """Prompts as the regressions see them, and how to see further ones. Learnt from prompts, never from scores."""

    def __init__(self, outcomes: Outcomes, seed: int) -> None:
        import numpy as np

        numbers, slots = outcomes.numbers, outcomes.slots
        many = len(numbers)
        self.middle, self.spread = numbers.mean(0), np.maximum(numbers.std(0), _LEAST_SPREAD)
        self.weights: Floats = np.log((1 + many) / (1 + slots.sum(0)))
        worded = slots * self.weights
        worded /= np.sqrt((worded**2).sum(1, keepdims=True)) + _SPREAD
        self.centre = worded.mean(0)
        worded -= self.centre
        self.turned = _main_directions(worded, min(_DIRECTIONS, many // 4), seed)
        measured = np.clip((numbers - self.middle) / self.spread, -4, 4)
        self.scale = 1 / np.sqrt(len(self.middle))
        self.seen: Floats = np.hstack([measured * self.scale, worded @ self.turned]).astype(np.float64)

    def reading(self, outcomes: Outcomes) -> Reading:
        """The same for single prompts, with what is strange: beyond nearly all prompts, each measured as if it had
        not been there itself."""
        import numpy as np

        counts, many = outcomes.slots.sum(0), len(outcomes.numbers)
        without = np.log((1 + many) / np.maximum(counts, 1.0))
        words = (outcomes.slots @ without) / np.maximum(outcomes.slots.sum(1), 1.0)
        shape = (((outcomes.numbers - self.middle) / self.spread) ** 2).mean(1)
        return Reading(
            middle=_rounded(self.middle),
            spread=_rounded(self.spread),
            weights=_rounded(self.weights),
            strange_words=float(np.quantile(words, STRANGE)),
            strange_shape=float(np.quantile(shape, STRANGE)) * _ROOM,
        )

    def kinds(self) -> Ints:
        """Prompts in sixteen kinds, by where they stand in the four directions in which words vary most."""
        import numpy as np

        first = len(self.middle)
        sides = self.seen[:, first : first + 4] > 0
        return np.asarray(sides @ np.array([1, 2, 4, 8])[: sides.shape[1]], dtype=np.int64)

    def head(self, turns: Floats, leanings: Floats, models: list[str]) -> Head:
        """Directions and leanings for single prompts. `turns` has a column for each direction."""
        measures = len(self.middle)
        of_words = self.turned @ turns[measures:]
        return Head(
            start=_rounded(-self.centre @ of_words),
            numbers=tuple(_rounded(column) for column in (turns[:measures] * self.scale).T),
            slots=tuple(_rounded(column) for column in (of_words * self.weights[:, None]).T),
            leanings={model: _rounded(row) for model, row in zip(models, leanings, strict=True)},
        )


def fitted(seen: Floats, left: Floats, weight: Floats, shapes: Iterable[Shape]) -> dict[Shape, tuple[Floats, Floats]]:
    """By shape: directions (a column each) and models' leanings (a row each) for what the means left over."""
    import numpy as np

    answers = weight.sum(0)
    spread = np.linalg.cholesky(seen.T @ seen / max(1, len(seen)) + 1e-8 * np.eye(seen.shape[1]))
    found = {}
    trusted: dict[float, Floats] = {}
    ways: dict[float, Floats] = {}
    for shape in shapes:
        ridge = shape.ridge
        if ridge not in trusted:
            each = _regressions(seen, left, weight, ridge)
            trusted[ridge] = each * np.sqrt(answers / (answers + ridge * _PULL))
            ways[ridge] = np.linalg.svd(spread.T @ trusted[ridge], full_matrices=False)[2]
        turns = trusted[ridge] @ ways[ridge][: shape.rank].T  # models by directions, turned to features by directions
        turns = turns / (np.sqrt(((seen @ turns) ** 2).mean(0)) + _SPREAD)
        found[shape] = turns, _leanings(seen @ turns, left, weight)
    return found


def _regressions(seen: Floats, left: Floats, weight: Floats, ridge: float) -> Floats:
    """A column for each model: the ridge regression of its own outcomes."""
    import numpy as np

    doubt = ridge * np.eye(seen.shape[1])
    known = np.where(weight > 0, left, 0.0) * weight
    if (weight == weight[:, :1]).all():  # nothing is missing: one solution serves all
        own = seen * weight[:, :1]
        return np.asarray(np.linalg.solve(own.T @ seen + doubt, seen.T @ known), dtype=np.float64)
    columns = [
        np.linalg.solve((seen * weight[:, [model]]).T @ seen + doubt, seen.T @ known[:, model])
        for model in range(left.shape[1])
    ]
    return np.array(columns).T


def _leanings(places: Floats, left: Floats, weight: Floats) -> Floats:
    """A row for each model: its own regression on the directions, drawn towards the mean one of all models."""
    import numpy as np

    directions = places.shape[1]
    known = np.where(weight > 0, left, 0.0) * weight
    grams = np.einsum("nd,nm,ne->mde", places, weight, places, optimize=True)
    sums = known.T @ places
    whole = np.linalg.solve(grams.sum(0) + _PULL * np.eye(directions), sums.sum(0))
    pull = _PULL * np.eye(directions)
    return np.array([np.linalg.solve(gram + pull, one + pull @ whole) for gram, one in zip(grams, sums, strict=True)])


def _main_directions(words: Floats, count: int, seed: int) -> Floats:
    """The directions of most variance. For many prompts they are found by turning a random start a few times, which
    is exact enough, and quick."""
    import numpy as np

    if len(words) <= _FEW:
        lengths, turned = np.linalg.eigh((words @ words.T).astype(np.float64))
        sizes = np.sqrt(np.maximum(lengths[::-1][:count], _SPREAD))
        return np.asarray(words.T @ turned[:, ::-1][:, :count] / sizes, dtype=np.float64)
    start = np.random.default_rng(seed).standard_normal((words.shape[1], count + 8)).astype(np.float32)
    for _ in range(3):
        start, _ = np.linalg.qr(words.T @ (words @ start))
    _, _, turned = np.linalg.svd(words @ start, full_matrices=False)
    main: Floats = (start @ turned.T)[:, :count].astype(np.float64)
    return main


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), _PLACES) for value in values)
