"""How long replies were before, by task type and model: what estimates rest on.

Derived from settled records in the order of the log, so it can be built anew at any time; of each task type and model
the last thousand replies are kept, of all together the five hundred pairs that were used last. A reply's length is
expected from those to inputs of about the same size, new ones first: where the work drifts, the interval follows.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from math import exp, log

from msgspec import Struct

from fairlead.costs.conformal import student

LEAST = 30  # replies that an interval needs
_KEPT, _PAIRS = 1000, 500
_LOOKED_AT, _HALF_LIFE = 500, 200.0
_BATCH_HALF_LIFE = 250.0
_NEARNESS = (1.0, 0.3, 0.03)  # what replies to inputs of the same size count, of half or twice, of other sizes
_LEANING = 3.0  # replies that a size's own mean leans on the mean of all by
_WINDOWS = 30


class Expected(Struct, frozen=True):
    """Output tokens of one reply: four of five lie between `low` and `high`. `outcomes` are the replies that it rests
    on, the oldest of them settled at `since` (milliseconds since 1970)."""

    low: int
    likely: int
    high: int
    outcomes: int
    since: int


class Together(Struct, frozen=True):
    """Output tokens of several replies, each as expected; their sum lies between `low` and `high` times the expected
    one in four of five cases. Replies of one time are alike, so this is wider than if each were drawn alone."""

    each: tuple[float, ...]
    low: float
    high: float
    outcomes: int
    since: int


class History:
    """The last replies of one model to one kind of work."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, int]] = deque(maxlen=_KEPT)  # size of the input, output, when

    def note(self, given: int, output: int, at: int) -> None:
        """A reply: tokens given and made, and when, in milliseconds since 1970. The oldest makes room."""
        self._seen.append((_size(given), max(0, output), at))

    def one(self, given: int) -> Expected | None:
        """What a reply to so many tokens of input is expected to be. None where too little is known."""
        if len(self._seen) < LEAST:
            return None
        seen, size = list(self._seen)[-_LOOKED_AT:], _size(given)
        fading = 0.5 ** (1 / _HALF_LIFE)
        pairs, weight = [], 1.0
        for other, output, _ in reversed(seen):
            pairs.append((output, weight * _NEARNESS[min(2, abs(other - size))]))
            weight *= fading
        pairs.sort()
        low, likely, high = _quantiles(pairs, (0.1, 0.5, 0.9))
        return Expected(low, likely, high, len(seen), min(at for *_, at in seen))

    def together(self, given: Sequence[int]) -> Together | None:
        """What replies to several inputs are expected to be. None where too little is known."""
        seen = list(self._seen)
        window = min(len(given), (len(seen) - 2 * LEAST) // 2)
        if window < LEAST // 2:
            return None
        misses = list(_misses(seen, window))
        weights = [weight for _, weight in misses]
        total = sum(weights)
        worth = min((len(seen) - 2 * LEAST) / window, 0.3 * total**2 / sum(w * w for w in weights) + 1)
        scale = 1.2533 * sum(abs(miss) * weight for miss, weight in misses) / total
        reach = student(1.2816, worth) * scale
        each = tuple(_expected(seen, [_size(one) for one in given]))
        return Together(each, exp(-reach), exp(reach), len(seen), min(at for *_, at in seen))


class Histories:
    """All of them, by task type and model. Belongs to one thread at a time."""

    def __init__(self) -> None:
        self._of: OrderedDict[tuple[str, str], History] = OrderedDict()

    def note(self, task: str, model: str, given: int, output: int, at: int) -> None:
        """Take in one settled reply."""
        key = (task, model)
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = History()
            if len(self._of) > _PAIRS:
                self._of.popitem(last=False)
        self._of.move_to_end(key)
        found.note(given, output, at)

    def of(self, task: str, model: str) -> History:
        """The replies of a model to a kind of work; an empty history where there were none."""
        return self._of.get((task, model)) or History()


def _size(given: int) -> int:
    """Inputs of about one size have one number: each is twice the one before."""
    return max(0, given).bit_length()


def _quantiles(pairs: list[tuple[int, float]], shares: tuple[float, ...]) -> tuple[int, ...]:
    """Quantiles of ordered pairs (value, weight), where half of the weight of equal values counts as below: short
    replies are often equally long, and would else be covered too often."""
    merged = [(value, sum(weight for _, weight in same)) for value, same in groupby(pairs, key=lambda pair: pair[0])]
    total, below, found = sum(weight for _, weight in merged), 0.0, []
    middles = []
    for value, weight in merged:
        middles.append((below + weight / 2, value))
        below += weight
    for share in shares:
        found.append(next((value for middle, value in middles if middle >= share * total), merged[-1][0]))
    return tuple(found)


def _expected(seen: Sequence[tuple[int, int, int]], sizes: Iterable[int]) -> Iterable[float]:
    """The mean of each size, new replies first, leaning on the mean of all."""
    fading, weight = 0.5 ** (1 / _BATCH_HALF_LIFE), 1.0
    sums: dict[int, float] = {}
    weights: dict[int, float] = {}
    for size, output, _ in reversed(seen):
        sums[size] = sums.get(size, 0.0) + weight * output
        weights[size] = weights.get(size, 0.0) + weight
        weight *= fading
    mean = sum(sums.values()) / sum(weights.values())
    known: dict[int, float] = {}
    for size in sizes:
        if size not in known:
            near = {other: _NEARNESS[min(2, abs(other - size))] for other in sums}
            of = sum(share * sums[other] for other, share in near.items()) + _LEANING * mean
            known[size] = of / (sum(share * weights[other] for other, share in near.items()) + _LEANING)
        yield known[size]


def _misses(seen: list[tuple[int, int, int]], window: int) -> Iterable[tuple[float, float]]:
    """How far earlier sums of as many replies in a row were from what was expected before them, in logarithms, and what
    that counts."""
    start = len(seen) - window
    for _ in range(_WINDOWS):
        if start < 2 * LEAST:
            return
        after = seen[start : start + window]
        said = sum(_expected(seen[:start], [size for size, *_ in after]))
        came = sum(output for _, output, _ in after)
        yield log((came + 1) / (said + 1)), 0.5 ** ((len(seen) - window - start) / _LOOKED_AT)
        start -= max(1, window // 4)
