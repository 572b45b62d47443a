"""Which declared examples is a question most like? Learnt from a handful of examples a type, in plain Python.

A text is its words, pairs of words and pieces of words, rare ones weighing more (TF-IDF). Types begin as the centres
of their examples and are then drawn apart where they are mistaken for each other: softmax regression, two passes over
the examples. What a word adds for every type is worked out once and remembered as one number, with a lane for each
type: classifying is one addition a word.

It abstains below a threshold which the examples set themselves: each is classified as if it had taught nothing, and
nearly nine in ten must pass. That it is none of these kinds is always one more possibility.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from operator import mul
from typing import Final
from zlib import crc32

from fairlead.tasks.lanes import BITS, Lanes
from fairlead.tasks.pieces import pieces, share_of_length, units

SHARE_RECOGNISED: Final = (
    0.88  # of the examples, each as if it had taught nothing: others would have taught more instead
)
LEAST_THRESHOLD: Final = 0.1  # too few examples say too little
MOST_THRESHOLD: Final = 0.6  # examples that repeat each other would make it deaf
LEAD: Final = 0.2  # a type that is likelier by less than this (in logarithms) is a draw
NOTHING: Final = 4.0  # how likely "none of these" is, as a logarithm: types begin with ten times their likeness
_START: Final = 12.0
_STEP: Final = 10.0  # of the first example that is gone over; steps shrink to nothing
_PASSES: Final = 2
_KNOWN: Final = 0.9
_MOST_STEPS: Final = 12_000
_MANY: Final = 400  # examples; with so many, a piece that only one has is left out
_MOST_REMEMBERED: Final = 5_000

# Numbers are fixed-point: a weight of a text, and how far a step goes. Scores have both, and the weight once more.
_WEIGHT: Final = 1 << 12
_MOVED: Final = 1 << 16
_SCORE: Final = 1.0 / (_WEIGHT * _WEIGHT * _MOVED)

_Text = tuple[list[int], list[int]]  # the places of its pieces, and their weights


class Likeness:
    """Learnt from `examples`: texts by the name of their type. Names keep their order; a draw is decided by none."""

    def __init__(self, examples: Mapping[str, Sequence[str]]) -> None:
        self.names = tuple(name for name, texts in examples.items() if texts)
        kinds = [number for number, name in enumerate(self.names) for _ in examples[name]]
        documents = [units(text) for name in self.names for text in examples[name]]
        self._trust = min(1.0, 40 / max(1, len(documents)))
        counts = Counter(found for document in documents for found in {p for unit in document for p, _ in pieces(unit)})
        self._unseen = math.log1p(len(documents)) + 1
        self._rarity = {piece: self._unseen - math.log1p(count) for piece, count in counts.items()}
        least = 2 if len(documents) > _MANY else 1
        self._places = {piece: at for at, piece in enumerate(p for p, count in counts.items() if count >= least)}
        self._lanes = Lanes(len(self.names))
        self._remembered: dict[str, tuple[int, float]] = {}
        texts = [self._text(document) for document in documents]
        self._learnt, left_out = _learnt(texts, kinds, self._lanes, len(self._places))
        self.threshold = _threshold([_ranked(scores, _SCORE)[1] for scores in left_out])

    def closest(self, text: str) -> tuple[str | None, float]:
        """The type that the text is like, None to abstain; and how sure that is, from 0 to 1."""
        total, squares = 0, 0.0
        remembered = self._remembered
        for unit in units(text):
            adds, square = remembered.get(unit) or self._learn(unit)
            total += adds
            squares += square
        if not total:
            return None, 0.0
        best, sure = _ranked(self._lanes.unpacked(total), _SCORE / math.sqrt(squares))
        return (self.names[best] if best >= 0 and sure >= self.threshold else None), sure

    def _weights(self, unit: str) -> tuple[list[tuple[int, float]], float]:
        """The known pieces of a unit with their weights, and the sum of the squares of all of its weights."""
        share, squares, known = share_of_length(unit, self._trust), 0.0, []
        for piece, part in pieces(unit):
            weight = self._rarity.get(piece, self._unseen) * share * part
            squares += weight * weight
            at = self._places.get(piece)
            if at is not None:
                known.append((at, weight))
        return known, squares

    def _learn(self, unit: str) -> tuple[int, float]:
        """What a unit adds to the scores of all types, and to the text's squared length."""
        known, squares = self._weights(unit)
        adds = sum(self._learnt[at] * round(weight * _WEIGHT) for at, weight in known)
        if known or " " not in unit:  # most pairs that are asked were in no example, and would crowd out the words
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[unit] = adds, squares
        return adds, squares

    def _text(self, document: Mapping[str, None]) -> _Text:
        found, squares = list[tuple[int, float]](), 0.0
        for unit in document:
            known, square = self._weights(unit)
            found += known
            squares += square
        length = _WEIGHT / (math.sqrt(squares) or 1.0)
        return [at for at, _ in found], [round(weight * length) for _, weight in found]


def _learnt(
    texts: Sequence[_Text], kinds: Sequence[int], lanes: Lanes, places: int
) -> tuple[list[int], list[tuple[int, ...]]]:
    """What each piece adds to all types, and the scores of each text as if it had taught nothing.

    All that is learnt is a sum over the examples: how far each has moved the types, times its pieces. So what an
    example has taught can be taken out of its own score again.
    """
    learnt = [0] * places
    moved = _started(texts, kinds)
    for text, step in zip(texts, moved, strict=True):
        _move(learnt, text, step)
    order, most = _order(len(texts)), min(_PASSES * len(texts), _MOST_STEPS)
    for done in range(most):
        number = order[done]
        chances = _chances(lanes.unpacked(_score(learnt, texts[number])))
        if chances[kinds[number]] > _KNOWN:
            continue
        chances[kinds[number]] -= 1.0
        far = -_STEP * (1 - done / most) * _MOVED
        step = lanes.packed([round(far * chance) for chance in chances])
        moved[number] += step
        _move(learnt, texts[number], step)
    left_out = []
    for text, own in zip(texts, moved, strict=True):
        squares = sum(weight * weight for weight in text[1])
        left_out.append(lanes.unpacked(_score(learnt, text) - own * squares))
    return learnt, left_out


def _started(texts: Sequence[_Text], kinds: Sequence[int]) -> list[int]:
    """How far each example moves its own type at the start: to the centre of all that it has, as long as any other."""
    centres: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (places, weights), kind in zip(texts, kinds, strict=True):
        centre = centres[kind]
        for place, weight in zip(places, weights, strict=True):
            centre[place] += weight
    starts = {}
    for kind, centre in centres.items():
        length = math.sqrt(sum(weight * weight for weight in centre.values())) / _WEIGHT
        starts[kind] = round(_START * _MOVED / (length or 1.0)) << (BITS * kind)
    return [starts[kind] for kind in kinds]


def _order(many: int) -> list[int]:
    """In which order the examples are gone over: mixed, differently each time, and the same on every machine."""
    return [
        number
        for turn in range(_PASSES)
        for number in sorted(range(many), key=lambda number, turn=turn: crc32(f"{turn}/{number}".encode()))  # type: ignore[misc]
    ]


def _score(learnt: Sequence[int], text: _Text) -> int:
    places, weights = text
    return sum(map(mul, map(learnt.__getitem__, places), weights))


def _move(learnt: list[int], text: _Text, step: int) -> None:
    for place, weight in zip(*text, strict=True):
        learnt[place] += step * weight


def _chances(scores: Sequence[int]) -> list[float]:
    top = max(scores)
    parts = [math.exp((score - top) * _SCORE) for score in scores]
    whole = math.fsum(parts)
    return [part / whole for part in parts]


def _ranked(scores: Sequence[int], one: float) -> tuple[int, float]:
    """The likeliest type, -1 for a draw, and how likely it is. `one` makes logarithms of scores."""
    top = max(scores)
    best = scores.index(top)
    second = max([score for score in scores if score != top], default=top - 1) if scores.count(top) == 1 else top
    lead = (top - second) * one if len(scores) > 1 else LEAD
    rest = sum([math.exp((score - top) * one) for score in scores]) + math.exp(NOTHING - top * one)
    return (best if lead >= LEAD else -1), 1.0 / rest


def _threshold(sure: Sequence[float]) -> float:
    at = sorted(sure)[int(len(sure) * (1 - SHARE_RECOGNISED))] if sure else LEAST_THRESHOLD
    return min(MOST_THRESHOLD, max(LEAST_THRESHOLD, at))
