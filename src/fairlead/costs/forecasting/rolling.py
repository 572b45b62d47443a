"""What each method would have said at earlier moments of the same series, and how wrong that was.

A choice made at a moment rests on errors that were known by then: the errors kept here are those of the whole
procedure, choosing included, so that the best of many is not taken for better than it is.
"""

from math import exp, log, sqrt

from msgspec import Struct

from fairlead.costs.conformal import decayed, effective, student, weighted_quantile
from fairlead.costs.forecasting.methods import DAY, METHODS, Series, view

LEAST_HISTORY = 2 * DAY  # hours before the first origin
STEP = 6  # hours between origins
HALF_LIFE = 7.0 * DAY  # of what a method's errors say about it
_WORST = 2.0  # no error counts for more: seven times too much, or too little
_BEFORE_ANY = ("the mean of three days", "the mean of seven days", "fading slowly", "fading quickly")
_OTHER_HOURS = 0.25  # what a window six hours away on the clock counts, of one at the same hours
_TAILS = tuple(1.4 * student(z, 3.0) for z in (0.063, 0.189, 0.319, 0.454, 0.598, 0.755, 0.935, 1.15, 1.44, 1.96))
_TAILS_WEIGHT = 5.0  # what all of them count together, in misses
_SHARE = 0.8  # of all cases that an interval is to hold


class Miss(Struct, frozen=True):
    """What was said at an origin (hours from the start), what came, and how far apart: in logarithms and in amounts."""

    origin: int
    said: float
    came: float
    error: float
    off: float


class Rolling(Struct, frozen=True):
    """All that the past of a series says about looking `ahead` hours from `now`. `weights` are of the misses."""

    ahead: int
    misses: tuple[Miss, ...]
    weights: tuple[float, ...]
    scores: dict[str, float]
    worth: float

    @property
    def best(self) -> tuple[str, ...]:
        """The names of the three methods that missed least, the best first."""
        return tuple(sorted(self.scores, key=lambda name: self.scores[name])[:3])

    def scale(self) -> float:
        """The size of an error, as a standard deviation that few large ones do not rule."""
        total = sum(self.weights)
        pairs = zip(self.weights, self.misses, strict=True)
        return 1.2533 * sum(w * min(_WORST, abs(miss.error)) for w, miss in pairs) / total

    def off_scale(self) -> float:
        """As `scale`, in amounts."""
        total = sum(self.weights)
        return 1.2533 * sum(w * abs(miss.off) for w, miss in zip(self.weights, self.misses, strict=True)) / total


def floor_of(series: Series, now: int, ahead: int) -> float:
    """What is added before logarithms are taken: a hundredth of the usual, so that nothing is not infinitely wrong."""
    return 0.01 * series.between(0, now) / now * ahead + 1e-12


def said_by_each(series: Series, now: int, ahead: int, floor: float) -> dict[str, float]:
    """What each method that has enough history says, in logarithms."""
    seen = view(series, now, ahead)
    said = ((name, method(seen)) for name, method in METHODS.items())
    return {name: log(max(0.0, amount) + floor) for name, amount in said if amount is not None}


def combined(scores: dict[str, float], said: dict[str, float]) -> float:
    """The three best so far, each by how good it was; before any error is known, the plain ones alike."""
    best = sorted((name for name in scores if name in said), key=lambda name: scores[name])[:3]
    if best:
        weights = [(scores[name] + 0.01) ** -2 for name in best]
    else:
        best = [name for name in _BEFORE_ANY if name in said] or list(said)
        weights = [1.0] * len(best)
    return sum(w * said[name] for w, name in zip(weights, best, strict=True)) / sum(weights)


class _Scores:
    """Mean errors of each method, faded by age; one that has been seen half as much as others is no choice yet."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._weights: dict[str, float] = {}

    def add(self, origin: int, came: float, said: dict[str, float]) -> None:
        weight = 2.0 ** (origin / HALF_LIFE)  # the same as fading all others
        for name, value in said.items():
            self._sums[name] = self._sums.get(name, 0.0) + weight * min(1.5, abs(came - value))
            self._weights[name] = self._weights.get(name, 0.0) + weight

    def now(self) -> dict[str, float]:
        most = max(self._weights.values(), default=0.0)
        return {name: self._sums[name] / weight for name, weight in self._weights.items() if weight >= 0.5 * most}


def rolling(series: Series, now: int, ahead: int) -> Rolling | None:
    """Look back from `now`, at origins `STEP` hours apart. None where there is no origin with enough before it."""
    floor = floor_of(series, now, ahead)
    origins = range((now - ahead - LEAST_HISTORY) % STEP + LEAST_HISTORY, now - ahead + 1, STEP)
    known = _Scores()
    misses: list[Miss] = []
    waiting: list[tuple[int, float, dict[str, float]]] = []
    for origin in origins:
        while waiting and waiting[0][0] + ahead <= origin:
            known.add(*waiting.pop(0))
        said = said_by_each(series, origin, ahead, floor)
        if not said:
            continue
        came = log(series.between(origin, origin + ahead) + floor)
        value = combined(known.now(), said)
        misses.append(Miss(origin, exp(value), exp(came), came - value, exp(came) - exp(value)))
        waiting.append((origin, came, said))
    if not misses:
        return None
    for each in waiting:
        known.add(*each)
    weights = _weights(misses, now, ahead)
    worth = max(1.0, effective(weights) * STEP / max(STEP, ahead) + 0.5)
    return Rolling(ahead, tuple(misses), tuple(weights), known.now(), worth)


def half_life(ahead: int) -> float:
    """How fast misses count less: slowly enough that several of so long a window count."""
    return max(HALF_LIFE, 2.0 * ahead)


def _weights(misses: list[Miss], now: int, ahead: int) -> list[float]:
    weights = decayed([now - ahead - miss.origin for miss in misses], half_life(ahead))
    if ahead >= DAY:
        return weights
    apart = [(now - miss.origin) % DAY for miss in misses]
    return [w * _OTHER_HOURS ** (min(a, DAY - a) / STEP) for w, a in zip(weights, apart, strict=True)]


def usual_multiple(seen: Rolling) -> float:
    """How many times its scale a miss stays within, in eight of ten cases: by its own past, and by what is usual of
    others as long as that is short. The scale of each is of those known before it."""
    pairs: list[tuple[float, float]] = [(value, _TAILS_WEIGHT / len(_TAILS)) for value in _TAILS]
    total, sums, weights = sum(seen.weights), 0.0, 0.0
    waiting: list[tuple[int, float, float]] = []
    for miss, weight in zip(seen.misses, seen.weights, strict=True):
        while waiting and waiting[0][0] + seen.ahead <= miss.origin:
            _, error, of = waiting.pop(0)
            sums, weights = sums + of * error, weights + of
        if weights > 0:
            scale = sqrt(((1.2533 * sums / weights) ** 2) + 0.02**2)
            pairs.append((abs(miss.error) / scale, seen.worth * weight / total))
        waiting.append((miss.origin, min(_WORST, abs(miss.error)), weight))
    return weighted_quantile(pairs, _SHARE)
