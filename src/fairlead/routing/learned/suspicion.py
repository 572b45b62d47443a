"""Rewards that cannot be trusted: an answer that always pleases the judge, whatever was asked.

Three signs are looked for, each against the other models on the same work, so that work whose right answers are few
(yes or no) accuses nobody: a model whose replies to different questions hardly differ; a judge that thinks far more of
a model than everybody else does; and a gain that only a judge has seen, which does not count until another source
confirms it (`off_policy.verdict`).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

LEAST: Final = 20  # outcomes of a model in a task, below which nobody is accused
_VARIETY: Final = 0.25  # of what the others show
_APART: Final = 0.2  # of a score by which a judge may think more of one model than of the others
_SURE: Final = 3.0  # standard errors
_JUDGE: Final = "judge"

Key = tuple[str, str]
"""Task and model."""


class Seen(Struct, frozen=True):
    """An outcome as suspicion looks at it. `digest` is of the reply's text, "" where none was kept."""

    task: str
    model: str
    run: str
    source: str
    score: float
    digest: str = ""


def suspects(outcomes: Iterable[Seen]) -> dict[Key, str]:
    """Whose judged outcomes do not count, and why."""
    replies: dict[Key, dict[str, str]] = defaultdict(dict)
    judged: dict[Key, list[float]] = defaultdict(list)
    others: dict[Key, list[float]] = defaultdict(list)
    for one in outcomes:
        key = one.task, one.model
        if one.digest:
            replies[key][one.run] = one.digest
        (judged if one.source == _JUDGE else others)[key].append(one.score)
    found = _overrated(judged, others)
    found.update(_constant(replies))
    return found


def _constant(replies: Mapping[Key, Mapping[str, str]]) -> dict[Key, str]:
    """Models whose replies to different questions hardly differ, where those of others do."""
    variety = {key: len(set(runs.values())) / len(runs) for key, runs in replies.items() if len(runs) >= LEAST}
    found = {}
    for (task, model), own in variety.items():
        rest = [share for (other_task, other), share in variety.items() if other_task == task and other != model]
        if rest and own < _VARIETY * sorted(rest)[len(rest) // 2]:
            found[task, model] = f"its replies hardly differ ({own:.0%} are different), those of others do"
    return found


def _overrated(judged: Mapping[Key, Sequence[float]], others: Mapping[Key, Sequence[float]]) -> dict[Key, str]:
    """Models that a judge thinks more of than everybody else does, by more than it does of the other models."""
    excess: dict[Key, tuple[float, float]] = {}
    for key, scores in judged.items():
        told = others.get(key, ())
        if min(len(scores), len(told)) >= LEAST:
            excess[key] = _mean(scores) - _mean(told), _error(scores) + _error(told)
    found = {}
    for (task, model), (more, error) in excess.items():
        rest = [each for (other_task, other), each in excess.items() if other_task == task and other != model]
        usual = min((one for one, _ in rest), default=0.0)
        doubt = math.sqrt(error + min((one for _, one in rest), default=0.0))
        if more - usual > max(_APART, _SURE * doubt):
            found[task, model] = f"its judge thinks {more - usual:.2f} more of it than every other source does"
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _error(values: Sequence[float]) -> float:
    """The squared standard error of the mean; never none, however alike the values are."""
    mean = _mean(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
    return max(variance, 0.01) / len(values)
