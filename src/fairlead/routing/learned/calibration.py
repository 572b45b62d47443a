"""Making intervals honest: stretched until four in five hold what prompts left out of the fit turned out to be.

An interval speaks of a mean, and a mean of outcomes is seen only through their chance. So prompts are taken together
by kind of work, model, fold and whether the model was thought better or worse than usual, and a group's mean outcome
may differ from its prediction by what the interval allows and what chance in that many outcomes adds.
"""

import math
from typing import Final

from fairlead.routing.learned.means import Means
from fairlead.routing.learned.outcomes import Floats, Ints, Outcomes
from fairlead.routing.learned.predictor import FOUR_IN_FIVE, LEAN_DOUBT

_STRETCHES: Final = (0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0)
_FEWEST_GROUPS: Final = 20
_FEWEST: Final = 3


def widening(outcomes: Outcomes, means: Means, before: Floats, after: Floats, folds: Ints) -> float:
    """The least stretch with which four in five groups hold; 1 where there are too few groups to tell."""
    groups = _groups(outcomes, means, before, after, folds)
    if len(groups) < _FEWEST_GROUPS:
        return 1.0
    for stretch in _STRETCHES:
        held = sum(off <= FOUR_IN_FIVE * math.sqrt(stretch * stretch * doubt + chance) for off, doubt, chance in groups)
        if held >= 0.8 * len(groups):
            return stretch
    return _STRETCHES[-1]


def _groups(
    outcomes: Outcomes, means: Means, before: Floats, after: Floats, folds: Ints
) -> list[tuple[float, float, float]]:
    """By group: how far its mean outcome lies from its prediction, the doubt claimed, the chance in its outcomes."""
    import numpy as np

    found = []
    lean = after - before
    for task, name in enumerate(outcomes.tasks):
        for column, model in enumerate(outcomes.models):
            cell = means.cells.get(name, {}).get(model)
            known = (outcomes.task == task) & (outcomes.weight[:, column] > 0)
            if cell is None or known.sum() < _FEWEST:
                continue
            own = cell.mean * (1 - cell.mean) / cell.worth / 0.8  # a fold is fitted on four fifths
            above = lean[:, column] > np.median(lean[known, column])
            for fold in range(int(folds.max()) + 1):
                for side in (above, ~above):
                    some = known & (folds == fold) & side
                    many = int(some.sum())
                    if many >= _FEWEST:
                        off = abs(float((outcomes.score[some, column] - after[some, column]).mean()))
                        doubt = own + LEAN_DOUBT * float(lean[some, column].mean()) ** 2
                        found.append((off, doubt, means.noise / many))
    return found
