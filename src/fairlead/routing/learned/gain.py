"""Whether looking at prompts pays: what it would have earned on prompts that it was not fitted on.

Two ways of routing are compared by the quality that each reaches on average over the range of budgets, from the
cheapest model for all to the dearest: the area under the hull of cost and quality. How sure the difference is follows
from leaving out some of the prompts in turn: a tenth, or a kind of work where that is what was left out of the fit.
"""

from typing import Final

from msgspec import Struct

from fairlead.routing.learned.hull import average_quality, hull
from fairlead.routing.learned.outcomes import Floats, Ints, Outcomes

_RATES: Final = 40
_FEWEST: Final = 20  # prompts that could be routed otherwise
_SHARE: Final = 0.2


class Gain(Struct, frozen=True):
    """The gain in mean quality, and its standard error."""

    mean: float
    error: float


class Earned:
    """What routing by predictions reaches on known outcomes: by exchange rate and prompt, the quality and the cost."""

    def __init__(self, outcomes: Outcomes, costs: Floats, predicted: Floats) -> None:
        import numpy as np

        known = outcomes.weight > 0
        routed = known.sum(1) > 1  # a prompt with one known outcome cannot be routed otherwise
        known, expected, p = known[routed], costs[routed], predicted[routed]
        score, spent = outcomes.score[routed], np.where(np.isnan(outcomes.cost), costs, outcomes.cost)[routed]
        scale = float(expected.mean()) if len(expected) else 0.0
        rates = [0.0, *(np.geomspace(1e-3, 1e3, _RATES) / scale)] if scale > 0 else [0.0]
        picked = [np.where(known, p - rate * expected, -np.inf).argmax(1) for rate in rates]
        rows = np.arange(len(p))
        self.score: Floats = np.array([score[rows, one] for one in picked])
        self.spent: Floats = np.array([spent[rows, one] for one in picked])
        means = [float(spent[known[:, one], one].mean()) for one in range(p.shape[1]) if known[:, one].any()]
        self.ends = (min(means, default=0.0), max(means, default=0.0))
        self.routed = routed

    def over(self, kept: Floats) -> float:
        """The mean quality over the range of budgets, of some of the prompts."""
        points = zip(self.spent[:, kept].mean(1).tolist(), self.score[:, kept].mean(1).tolist(), strict=True)
        return average_quality(hull(list(points)), *self.ends)


def gain(outcomes: Outcomes, costs: Floats, before: Floats, after: Floats, blocks: Ints) -> Gain:
    """What routing by the predictions `after` reaches beyond routing by `before`. `blocks` numbers the prompts that
    are left out together to see how sure that is.

    Where hardly any prompt has two known outcomes, what counts is how much better the outcomes are foretold."""
    import numpy as np

    ways = [Earned(outcomes, costs, predicted) for predicted in (before, after)]
    routed = ways[0].routed
    if routed.sum() < _FEWEST or routed.mean() < _SHARE:
        return _foretold(outcomes, before, after)
    block = blocks[routed]
    parts = sorted(set(block.tolist()))
    without = np.array([ways[1].over(block != one) - ways[0].over(block != one) for one in parts])
    every = np.ones(len(block), dtype=bool)
    error = np.sqrt((len(parts) - 1) / len(parts) * ((without - without.mean()) ** 2).sum())
    return Gain(ways[1].over(every) - ways[0].over(every), float(error))


def _foretold(outcomes: Outcomes, before: Floats, after: Floats) -> Gain:
    import numpy as np

    missed = [outcomes.weight * np.nan_to_num(outcomes.score - p) ** 2 for p in (before, after)]
    each = (missed[0] - missed[1]).sum(1)
    return Gain(float(each.mean()), float(each.std() / np.sqrt(max(1, len(each) - 1))))
