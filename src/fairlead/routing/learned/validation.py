"""Choosing how freely to fit, and whether to look at prompts at all, by cross-validation inside the training."""

from typing import Final

from msgspec import Struct

from fairlead.routing.learned.fitting import Shape, Sight, fitted
from fairlead.routing.learned.gain import Gain, gain
from fairlead.routing.learned.means import Cell, Means, shrunk
from fairlead.routing.learned.outcomes import Floats, Ints, Outcomes

SHAPES: Final = tuple(Shape(ridge, rank) for ridge in (3.0, 10.0, 30.0) for rank in (1, 2, 8))
_FOLDS: Final = 5
_BLOCKS: Final = 10
_SURE: Final = 2.0  # standard errors above none that a gain must be: the best of several shapes flatters itself
_SURE_OF_OTHERS: Final = 3.0  # the same for kinds of work left out: they are few, and unlike each other
_LEAST: Final = 0.002  # less is not worth an explanation


class Verdict(Struct, frozen=True):
    """The best shape, what it gained on prompts left out, what it foretold of them, and how they were parted."""

    shape: Shape
    gain: Gain
    before: Floats
    after: Floats
    folds: Ints
    sure: float

    @property
    def pays(self) -> bool:
        """Whether it gained enough to be believed."""
        return self.gain.mean > max(_LEAST, self.sure * self.gain.error)


def validated(outcomes: Outcomes, sight: Sight, costs: Floats, seed: int, by_task: bool) -> Verdict:
    """The shape that gains most on prompts left out; with `by_task` on kinds of work left out whole."""
    import numpy as np

    folds = outcomes.folds(_FOLDS, seed, by_task)
    before = np.zeros_like(outcomes.score)
    after = {shape: np.zeros_like(outcomes.score) for shape in SHAPES}
    for fold in sorted(set(folds.tolist())):
        out, rest = folds == fold, folds != fold
        means = means_of(outcomes, rest)
        base = expected(means, outcomes, blind=by_task)
        before[out] = expected(means, outcomes, blind=False)[out]
        left = np.nan_to_num(outcomes.score - base)[rest]
        for shape, (turns, leanings) in fitted(sight.seen[rest], left, outcomes.weight[rest], SHAPES).items():
            after[shape][out] = base[out] + sight.seen[out] @ turns @ leanings.T
    blocks = outcomes.task if by_task else np.arange(len(folds)) % _BLOCKS
    gains = {shape: gain(outcomes, costs, before, foretold, blocks) for shape, foretold in after.items()}
    best = max(SHAPES, key=lambda shape: gains[shape].mean)
    return Verdict(best, gains[best], before, after[best], folds, _SURE_OF_OTHERS if by_task else _SURE)


def means_of(outcomes: Outcomes, rows: Ints) -> Means:
    """The shrunk means of some of the prompts."""
    import numpy as np

    cells = {}
    weight, score = outcomes.weight[rows], np.nan_to_num(outcomes.score[rows])
    task = outcomes.task[rows]
    for at, name in enumerate(outcomes.tasks):
        some = task == at
        sums = [(weight[some] * score[some] ** power).sum(0) for power in (0, 1, 2)]
        counts = (weight[some] > 0).sum(0)
        for column, model in enumerate(outcomes.models):
            if counts[column]:
                one, total, squares = (float(each[column]) for each in sums)
                cells[name, model] = Cell(one, total, squares, int(counts[column]))
    return shrunk(cells)


def expected(means: Means, outcomes: Outcomes, blind: bool) -> Floats:
    """What the means expect of each prompt and model; `blind` to the kind of work."""
    import numpy as np

    tasks = [""] if blind else outcomes.tasks
    table = np.array([[means.expected(task, model) for model in outcomes.models] for task in tasks])
    return table[np.zeros_like(outcomes.task) if blind else outcomes.task]
