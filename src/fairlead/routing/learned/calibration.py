"""Making intervals honest: stretched until four in five hold what prompts left out of the fit turned out to be.

An interval speaks of a mean, and a mean of outcomes is seen only through their chance. So prompts are taken together
by kind of work, model and fold, or by which words they have, and a group's mean outcome may differ from its prediction
by what the interval allows and what chance in that many outcomes adds.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

from fairlead.routing.learned.means import Means
from fairlead.routing.learned.outcomes import Floats, Ints, Outcomes
from fairlead.routing.learned.predictor import FOUR_IN_FIVE, LEAN_DOUBT

_STRETCHES: Final = (0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0)
_WAVERINGS: Final = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3)
_FEWEST_GROUPS: Final = 20
_FEWEST: Final = 5

Groups = list[tuple[float, float, float]]


def widening(outcomes: Outcomes, means: Means, foretold: Floats, folds: Ints) -> float:
    """The least stretch with which four in five groups hold; 1 where there are too few groups to tell."""
    groups = _groups(outcomes, means, foretold, foretold, folds)
    return _least(_STRETCHES, 1.0, groups, lambda stretch, doubt: stretch * stretch * doubt)


def wavering(outcomes: Outcomes, means: Means, before: Floats, after: Floats, kinds: Ints) -> float:
    """What is to be added, as a standard deviation, to the doubt about prompts that are looked at. `kinds` groups them
    by their words: prompts of a kind that nobody named go right or wrong together."""
    groups = _groups(outcomes, means, before, after, kinds)
    return _least(_WAVERINGS, 0.1, groups, lambda wavering, doubt: wavering * wavering + doubt)


def _least(steps: Sequence[float], unknown: float, groups: Groups, doubted: Callable[[float, float], float]) -> float:
    if len(groups) < _FEWEST_GROUPS:
        return unknown
    for step in steps:
        held = sum(off <= FOUR_IN_FIVE * math.sqrt(doubted(step, doubt) + chance) for off, doubt, chance in groups)
        if held >= 0.8 * len(groups):
            return step
    return steps[-1]


def _groups(outcomes: Outcomes, means: Means, before: Floats, after: Floats, parts: Ints) -> Groups:
    """By kind of work, model and part: how far the mean outcome lies from its prediction, the doubt claimed, the chance
    in the outcomes."""
    found = []
    lean = after - before
    for task, name in enumerate(outcomes.tasks):
        for column, model in enumerate(outcomes.models):
            cell = means.cells.get(name, {}).get(model)
            if cell is None:
                continue
            own = max(0.0, cell.mean * (1 - cell.mean)) / cell.worth / 0.8  # a fold is fitted on four fifths
            known = (outcomes.task == task) & (outcomes.weight[:, column] > 0)
            for part in range(int(parts.max()) + 1):
                some = known & (parts == part)
                many = int(some.sum())
                if many >= _FEWEST:
                    off = abs(float((outcomes.score[some, column] - after[some, column]).mean()))
                    doubt = own + LEAN_DOUBT * float(lean[some, column].mean()) ** 2
                    found.append((off, doubt, means.noise / many))
    return found
