"""Softmax regression: how likely a vector belongs to each of several kinds, learnt from some of each. By numpy.

Its loss is convex, so the same examples teach the same thing on any machine, but for rounding.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]
    Kinds = NDArray[np.int64]

SCALE: Final = 8.0  # vectors of length 1 are drawn out by this, or the penalty would keep all kinds alike
PENALTY: Final = 1e-3  # on squared weights, the bias aside
_STEPS: Final = 30  # of L-BFGS; the ranking of kinds no longer changes after about twenty
_REMEMBERED: Final = 8
_ENOUGH: Final = 1e-5  # relative improvement of a step that is worth another
_SUFFICIENT: Final = 1e-4  # share of the promised decrease that a step must bring (Armijo)


def fitted(vectors: "Numbers", kinds: "Kinds", count: int) -> "Numbers":
    """Weights of `count` kinds, for `log_likelihoods`. `vectors` has a row an example, `kinds` its kind's number."""
    import numpy as np

    rows, wide = len(vectors), vectors.shape[1] + 1
    drawn = _drawn(vectors)
    wanted = np.zeros((rows, count), dtype=np.float32)
    wanted[np.arange(rows), kinds] = 1
    penalty = np.full((wide, 1), PENALTY, dtype=np.float32)
    penalty[-1] = 0

    def loss(flat: "Numbers") -> tuple[float, "Numbers"]:
        weights = flat.reshape(wide, count)
        found = _log_softmax(drawn @ weights)
        value = -float((found * wanted).sum()) / rows + 0.5 * float((penalty * weights * weights).sum())
        slope: Numbers = drawn.T @ ((np.exp(found) - wanted) / np.float32(rows)) + penalty * weights
        return value, slope.reshape(-1)

    return _least(loss, np.zeros(wide * count, dtype=np.float32)).reshape(wide, count)


def log_likelihoods(weights: "Numbers", vectors: "Numbers") -> "Numbers":
    """A row a vector, a column a kind."""
    return _log_softmax(_drawn(vectors) @ weights)


def _drawn(vectors: "Numbers") -> "Numbers":
    import numpy as np

    drawn = np.empty((len(vectors), vectors.shape[1] + 1), dtype=np.float32)
    drawn[:, :-1] = vectors * SCALE
    drawn[:, -1] = 1
    return drawn


def _log_softmax(numbers: "Numbers") -> "Numbers":
    import numpy as np

    shifted = numbers - numbers.max(axis=1, keepdims=True)
    found: Numbers = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def _least(loss: "Callable[[Numbers], tuple[float, Numbers]]", at: "Numbers") -> "Numbers":
    """Where the loss is least: L-BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5)."""
    value, slope = loss(at)
    curves: list[tuple[Numbers, Numbers]] = []
    for _ in range(_STEPS):
        way = _downhill(slope, curves)
        promised = float(slope @ way)
        length = 1.0 if curves else 1.0 / (float(abs(slope).sum()) + 1e-9)
        lower, there = loss(at + length * way)
        while lower > value + _SUFFICIENT * length * promised and length > 1e-6:
            length /= 2
            lower, there = loss(at + length * way)
        if lower >= value:
            break
        step, turned = length * way, there - slope
        if float(step @ turned) > 1e-10:
            curves = [*curves, (step, turned)][-_REMEMBERED:]
        gained, at, value, slope = value - lower, at + step, lower, there
        if gained < _ENOUGH * max(1.0, abs(value)):
            break
    return at


def _downhill(slope: "Numbers", curves: "list[tuple[Numbers, Numbers]]") -> "Numbers":
    way = -slope
    shares = []
    for step, turned in reversed(curves):
        share = float(step @ way) / float(step @ turned)
        shares.append(share)
        way = way - share * turned
    if curves:
        step, turned = curves[-1]
        way = way * (float(step @ turned) / float(turned @ turned))
    for (step, turned), share in zip(curves, reversed(shares), strict=True):
        way = way + (share - float(turned @ way) / float(step @ turned)) * step
    return way
