"""How often pages change, and when each is best looked at again. Pure.

Few pages have a history from which a rate could be read alone: one that has not changed in a month tells little. So a
page's rate leans on that of its owner's pages, and this on that of all (a Gamma-Poisson estimate); the longer a page
was watched, the more its own history counts. Several versions within a week are one change: somebody was at work.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

DAY: Final = 86_400_000
_AT_WORK: Final = 7 * DAY
_LEAN: Final = 1.0  # how many changes of its own weigh as much as all that is known of the others
_FIRST: Final = 1 / 365  # changes a day, before anything is known
_MISSED: Final = 0.5  # how likely a change may have become before somebody looks
_SHORTEST, _LONGEST = 14, 730  # days


class Watched(Struct, frozen=True, kw_only=True):
    """How a page was seen: `group` is who owns it (or its kind), `first` when it was seen first, `changes` when it came
    to say something else; milliseconds since 1970."""

    item: str
    group: str
    first: int
    changes: tuple[int, ...] = ()


class Rate(Struct, frozen=True):
    """Changes a day, and how many were seen in how many days."""

    daily: float
    changes: int
    days: float

    @property
    def interval(self) -> int:
        """After how many days a change has become likely, within a fortnight and two years."""
        return min(_LONGEST, max(_SHORTEST, round(-math.log(1 - _MISSED) / self.daily)))


def spread(moments: Iterable[int]) -> list[int]:
    """Changes that are a week apart at least: of a burst, the first."""
    found: list[int] = []
    for moment in sorted(moments):
        if not found or moment - found[-1] >= _AT_WORK:
            found.append(moment)
    return found


def rates(pages: Sequence[Watched], now: int) -> dict[str, Rate]:
    """The rate of each page, as known at `now`. What lies in the future (a clock was wrong) does not count."""
    seen = {page.item: _seen(page, now) for page in pages}
    every = _leaning(_FIRST, *_sum(seen.values()))
    groups: dict[str, list[tuple[int, float]]] = {}
    for page in pages:
        groups.setdefault(page.group, []).append(seen[page.item])
    by_group = {group: _leaning(every, *_sum(each)) for group, each in groups.items()}
    return {page.item: Rate(_leaning(by_group[page.group], *seen[page.item]), *seen[page.item]) for page in pages}


def review_by(rate: Rate, looked_at: str) -> str:
    """The day on which a page that was looked at on a day should be looked at again."""
    return (date.fromisoformat(looked_at) + timedelta(days=rate.interval)).isoformat()


def likely(rate: Rate, days: float) -> float:
    """How likely a page changes within so many days."""
    return 1 - math.exp(-rate.daily * days)


def _seen(page: Watched, now: int) -> tuple[int, float]:
    changes = [moment for moment in spread(page.changes) if page.first < moment <= now]
    return len(changes), max(0, now - page.first) / DAY


def _sum(seen: Iterable[tuple[int, float]]) -> tuple[int, float]:
    changes, days = 0, 0.0
    for each in seen:
        changes, days = changes + each[0], days + each[1]
    return changes, days


def _leaning(other: float, changes: int, days: float) -> float:
    return (_LEAN + changes) / (_LEAN / other + days)
