"""Whether a model does its work as it used to: its latest outcomes against what its earlier ones foretell.

Two windows are compared for each model, the latest outcomes and all before them, each outcome as its distance from
the mean of its kind of work, so that other work is not taken for another model. Several lengths are tried, since a
change may be hours or weeks old; the bound is strict enough that all of them together seldom cry out for nothing.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from fairlead.routing.learned.means import Means
from fairlead.routing.learned.types import Observation

WINDOWS: Final = (20, 40, 80, 160, 320)
BOUND: Final = 3.5  # standard errors: about one false alarm in a thousand models
_EARLIER: Final = 20
KEPT: Final = 0.1  # what an outcome before the change still counts


class Drift(Struct, frozen=True):
    """A model that changed: by how much its score moved, over how many of its latest outcomes, in how many standard
    errors that is, and when the first of these outcomes was (milliseconds since 1970)."""

    moved: float
    latest: int
    errors: float
    since: int


def drifts(known: Sequence[Observation], means: Means) -> dict[str, Drift]:
    """The models whose latest outcomes disagree with the earlier ones. Outcomes without a time tell nothing."""
    by_model: dict[str, list[Observation]] = defaultdict(list)
    for one in known:
        if one.at:
            by_model[one.model].append(one)
    found = {}
    for model, some in by_model.items():
        some.sort(key=lambda one: one.at)
        left = [one.score - means.expected(one.task, model) for one in some]
        worst = max((_compared(left, some, window) for window in WINDOWS), key=lambda one: abs(one.errors))
        if abs(worst.errors) > BOUND:
            found[model] = worst
    return found


def _compared(left: Sequence[float], some: Sequence[Observation], window: int) -> Drift:
    earlier, latest = left[:-window], left[-window:]
    if len(earlier) < _EARLIER or some[0].at == some[-1].at:
        return Drift(0.0, window, 0.0, 0)
    moved = sum(latest) / len(latest) - sum(earlier) / len(earlier)
    spread = max(_variance(earlier), _variance(latest), 0.01)  # a window of equal outcomes is no certainty
    error = math.sqrt(spread * (1 / len(earlier) + 1 / len(latest)))
    return Drift(moved, window, moved / error, some[-window].at)


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / len(values)


def counting_less(one: Observation, found: Mapping[str, Drift]) -> float:
    """What an outcome still counts, once its model is known to have changed."""
    change = found.get(one.model)
    return KEPT if change is not None and one.at < change.since else 1.0
