"""Which outcomes may teach, and how much each counts: no one person sways the rest, and what cannot be trusted does not
count. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.routing.learned.suspicion import Key, Seen, suspects
from fairlead.storage.types import NewOutcome

LEAST: Final = 10.0
"""Outcomes' worth that a person counts for, whatever their share."""

_PEOPLE: Final = ("feedback", "correction")
_WEIGHT: Final = 1_000


class Trusted(Struct, frozen=True):
    """Outcomes to learn from, with the weight that each has in the end, and whose judged ones were left out and why."""

    outcomes: tuple[NewOutcome, ...]
    suspects: Mapping[Key, str]


def trusted(outcomes: Iterable[NewOutcome], caller_share: float) -> Trusted:
    """What may be learnt from. `caller_share` is the most that one person may count for, of what people say of a task
    type."""
    every = tuple(outcomes)
    found = suspects(Seen(one.task, one.model, one.run, one.source, one.score / 10_000, one.digest) for one in every)
    kept = [one for one in every if one.source != "judge" or (one.task, one.model) not in found]
    return Trusted(tuple(_bounded(kept, caller_share)), found)


def _bounded(outcomes: Sequence[NewOutcome], share: float) -> Iterable[NewOutcome]:
    weights: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in outcomes:
        if one.source in _PEOPLE:
            weights[one.task][one.by] += one.weight / _WEIGHT
    caps = {task: cap(list(people.values()), share) for task, people in weights.items()}
    for one in outcomes:
        said = weights[one.task][one.by] if one.source in _PEOPLE else 0.0
        if said and said > caps[one.task]:
            yield replace(one, weight=max(1, round(one.weight * caps[one.task] / said)))
        else:
            yield one


def cap(weights: Sequence[float], share: float) -> float:
    """The most that one person may weigh, so that nobody has more than `share` of all, or, where too few have said
    something for that, more than an even part. One alone is not bounded: there is nobody to be outweighed."""
    share = max(share, 1 / len(weights)) if weights else 1.0
    if share >= 1:
        return math.inf
    ordered = sorted(weights, reverse=True)
    rest = math.fsum(ordered)
    for many, weight in enumerate(ordered):  # so many weigh the bound itself, and the rest what they said
        room = 1 - share * many
        if room <= 0:
            break
        if weight <= share * rest / room:
            return max(LEAST, share * rest / room) if many else math.inf
        rest -= weight
    return LEAST
