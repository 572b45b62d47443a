"""Intervals from past errors: a share of them that was asked for lies within, whatever their distribution.

Old errors count less (`decayed`), so that an interval follows when its subject changes. Where few are known yet, a
prior sample stands in for those to come: the widest quantiles of a heavy-tailed distribution, which own errors outweigh
as they arrive. Plain Python: a few hundred numbers at a time.
"""

from collections.abc import Iterable, Sequence


def weighted_quantile(pairs: Iterable[tuple[float, float]], share: float) -> float:
    """The smallest value such that those up to it have this share of the weight. Pairs are (value, weight)."""
    ordered = sorted(pairs)
    rest = share * sum(weight for _, weight in ordered)
    for value, weight in ordered:
        rest -= weight
        if rest <= 1e-12:
            return value
    return ordered[-1][0] if ordered else 0.0


def decayed(ages: Sequence[float], half_life: float) -> list[float]:
    """A weight for each age, halved with every half-life. What lies ahead (a clock that went back) counts as now."""
    return [0.5 ** (max(0.0, age) / half_life) for age in ages]


def effective(weights: Sequence[float]) -> float:
    """How many equal ones so many unequal weights are worth."""
    squares = sum(weight * weight for weight in weights)
    return sum(weights) ** 2 / squares if squares else 0.0


def student(quantile: float, freedom: float) -> float:
    """A quantile of Student's t, from the normal one (Cornish and Fisher's expansion; good from two degrees on)."""
    z, n = quantile, max(2.0, freedom)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3
