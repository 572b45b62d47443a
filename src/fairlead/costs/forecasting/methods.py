"""The few ways of carrying a series on that compete for each scope: pure, and cheap by running sums.

Each answers what the next hours will come to, from windows at the same hours of earlier days or weeks, so that the
shape of a day needs no model of its own. None answers before it has the history that it rests on.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from operator import mul
from types import MappingProxyType

from msgspec import Struct

DAY = 24
WEEK = 7 * DAY
_DAYS_BACK = 14
_MOST_CHANGE = 3.0  # a level may have grown or shrunk by at most so much from week to week


class Series(Struct, frozen=True):
    """Amounts by hour as running sums: `sums[n]` is what the first n hours came to. `start` is the first hour's number
    since 1970."""

    sums: tuple[float, ...]
    start: int = 0

    @property
    def hours(self) -> int:
        """How many hours the series has."""
        return len(self.sums) - 1

    def between(self, begin: int, end: int) -> float:
        """What the hours from `begin` up to `end` came to, counted from the start. Outside there is nothing."""
        last = self.hours
        return self.sums[min(last, max(0, end))] - self.sums[min(last, max(0, begin))]

    def first_active(self) -> int:
        """The first hour with anything in it; its length where there is none."""
        return max(0, bisect_left(self.sums, 1e-12) - 1) if self.sums[-1] > 0 else self.hours

    def since(self, hour: int) -> "Series":
        """The same without the hours before."""
        base = self.sums[hour]
        return Series(tuple(value - base for value in self.sums[hour:]), self.start + hour)


def series_of(amounts: Iterable[float], start: int = 0) -> Series:
    """A series from one amount an hour. What is below nothing is a correction that came late, and counts as nothing."""
    return Series(tuple(accumulate((max(0.0, amount) for amount in amounts), initial=0.0)), start)


class View(Struct, frozen=True):
    """What the methods look at: the last days up to `now`, newest first, each as a whole (`days`) and as far as a
    horizon that ends within a day reaches into it (`parts`)."""

    sums: tuple[float, ...]
    now: int
    ahead: int
    days: list[float]
    parts: list[float]

    def like(self, level: "Level") -> float:
        """The next hours, each day of them at the level of the same hours of the days before."""
        whole = self.ahead // DAY
        return (whole * level(self.days) if whole else 0.0) + (level(self.parts) if self.parts else 0.0)


Method = Callable[[View], float | None]
Level = Callable[[list[float]], float]


def view(series: Series, now: int, ahead: int) -> View:
    """What is known at hour `now` of a series, for a forecast of `ahead` hours."""
    sums, rest = series.sums, ahead % DAY
    starts = [now - DAY * k for k in range(1, min(_DAYS_BACK, now // DAY) + 1)]
    days = [sums[at + DAY] - sums[at] for at in starts]
    return View(sums, now, ahead, days, [sums[at + rest] - sums[at] for at in starts] if rest else [])


def _mean_of(days: int) -> Method:
    def method(seen: View) -> float | None:
        return None if seen.now < DAY * days else seen.like(lambda past: sum(past[:days]) / days)

    return method


def _median_of(days: int) -> Method:
    def middle(past: list[float]) -> float:
        ordered = sorted(past[:days])
        return (ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2]) / 2

    def method(seen: View) -> float | None:
        return None if seen.now < DAY * days else seen.like(middle)

    return method


def _fading(share: float) -> Method:
    """Exponential smoothing: each day back counts `1 - share` of the one after it."""
    weights: list[float] = [(1 - share) ** back for back in range(_DAYS_BACK)]

    def level(past: list[float]) -> float:
        return float(sum(map(mul, weights, past)) / sum(weights[: len(past)]))

    def method(seen: View) -> float | None:
        return None if seen.now < 3 * DAY else seen.like(level)

    return method


def _last_week(seen: View) -> float | None:
    """The same hours of the week before."""
    now, sums = seen.now, seen.sums
    if now < WEEK + DAY:
        return None
    weeks, rest = divmod(seen.ahead, WEEK)
    return weeks * (sums[now] - sums[now - WEEK]) + sums[now - WEEK + rest] - sums[now - WEEK]


def _last_week_moved(seen: View) -> float | None:
    """The same hours of the week before, at most of the change of level since then."""
    base, now, sums = _last_week(seen), seen.now, seen.sums
    if base is None:
        return None
    span = min(7, (now - WEEK) // DAY) * DAY
    then, recent = sums[now - WEEK] - sums[now - WEEK - span], sums[now] - sums[now - span]
    if then <= 0 or recent <= 0:
        return base
    return base * float(min(_MOST_CHANGE, max(1 / _MOST_CHANGE, recent / then)) ** 0.7)


def _damped_trend(seen: View) -> float | None:
    """A line through the last seven days, carried on with less and less of its slope."""
    if seen.now < 4 * DAY:
        return None
    past = seen.days[6::-1]
    count = len(past)
    mean, middle = sum(past) / count, (count - 1) / 2
    slope = sum((n - middle) * value for n, value in enumerate(past)) / (count * (count * count - 1) / 12)
    level, total, step, risen = mean + slope * middle / 2, 0.0, 0.7, 0.0
    for _ in range(seen.ahead // DAY):
        step *= 0.8
        risen += step
        total += max(0.0, level + slope * risen)
    usual = sum(seen.days[:3])
    if seen.parts and usual > 0:
        total += sum(seen.parts[:3]) * max(0.0, level + slope * (risen + 0.8 * step)) / usual
    return total


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "the day before": _mean_of(1),
        "the mean of three days": _mean_of(3),
        "the mean of seven days": _mean_of(7),
        "the median of five days": _median_of(5),
        "fading slowly": _fading(0.3),
        "fading quickly": _fading(0.6),
        "the week before": _last_week,
        "the week before at today's level": _last_week_moved,
        "a damped trend": _damped_trend,
    }
)
