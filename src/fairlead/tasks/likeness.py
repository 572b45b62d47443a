"""Which declared examples is a question most like? Learnt from a handful of examples a type, in plain Python.

A text is the bag of its words, each with its four-letter pieces, so that "refunds" is like "refunded"; rare pieces
weigh more (TF-IDF). A type is the centre of its examples, and likeness is the cosine to it. Pieces belong to words, so
what a word adds for every type is worked out once and remembered as one number: classifying is one addition a word.

It abstains below a threshold which the examples set themselves: each is classified as if it had not been given, and
of those that come out right nine in ten must pass.
"""

import math
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from struct import Struct

LONGEST_TEXT = 500  # characters that are looked at
SHARE_RECOGNISED = 0.9  # of the examples, each left out in turn
LEAST_THRESHOLD = 0.2  # too few examples say too little
MOST_THRESHOLD = 0.5  # examples that repeat each other would make it deaf
MARGIN_WEIGHT = 0.5  # how much the lead over the second type counts
_MOST_REMEMBERED = 5_000
_LONGEST_WORD = 32

# What a word adds is one long integer with a lane of 64 bits for its squared length and one for each type. Lanes hold
# fixed-point numbers: a text of words at their heaviest stays 20 bits below a lane's end, so none spills into the next.
_LANE = 64
_ONE = 1 << 28

_SPACED = str.maketrans(dict.fromkeys(string.punctuation + "’‘“”«»„…–—·¿¡。、，；：？！（）「」", " "))
_Vector = dict[str, float]


def _words(text: str) -> Iterable[str]:
    return dict.fromkeys(text[:LONGEST_TEXT].lower().translate(_SPACED).split())


def _pieces(word: str) -> list[str]:
    marked = f" {word[:_LONGEST_WORD]} "
    return [marked, *(marked[at : at + 4] for at in range(len(marked) - 3))]


class Likeness:
    """Learnt from `examples`: texts by the name of their type. Names keep their order; a draw is decided by none."""

    def __init__(self, examples: Mapping[str, Sequence[str]]) -> None:
        self.names = tuple(name for name, texts in examples.items() if texts)
        texts = [(number, text) for number, name in enumerate(self.names) for text in examples[name]]
        documents = [(number, list(_words(text))) for number, text in texts]
        self._trust_in_length = min(1.0, 40 / max(1, len(documents)))
        self._weights, self._unseen = _weights([words for _, words in documents])
        units = [(number, self._unit(words)) for number, words in documents]
        centres = _centres(units, len(self.names))
        self._centres: dict[str, list[tuple[int, float]]] = defaultdict(list)  # by piece
        lengths = [math.sqrt(sum(weight * weight for weight in centre.values())) for centre in centres]
        for number, centre in enumerate(centres):
            for piece, weight in centre.items():
                self._centres[piece].append((number, weight / lengths[number]))
        self._remembered: dict[str, int] = {}
        self._lanes = Struct(f"<{len(self.names) + 1}Q")
        self.threshold = _threshold([self._score_left_out(number, unit, lengths[number]) for number, unit in units])

    def closest(self, text: str) -> tuple[str | None, float]:
        """The type that the text is like, None to abstain; and how sure that is, from 0 to 1."""
        total = 0
        remembered = self._remembered
        for word in _words(text):
            total += remembered.get(word) or self._learn(word)
        if not total:
            return None, 0.0
        squares, *likeness = self._lanes.unpack(total.to_bytes(self._lanes.size, "little"))
        best, score = _score(likeness)
        score /= math.sqrt(squares * _ONE)
        return (self.names[best] if best >= 0 and score >= self.threshold else None), min(1.0, max(0.0, score))

    def _share(self, word: str) -> float:
        """How much a word counts by its length: a few examples cannot teach that "what" and "the" say nothing, so the
        fewer they are, the more its length stands in for a word's rarity."""
        return math.pow(min(1.0, len(word) / 5), self._trust_in_length)

    def _learn(self, word: str) -> int:
        """What a word adds to the text's squared length, and to its likeness with each type."""
        square, parts = 0.0, [0.0] * len(self.names)
        for piece in _pieces(word):
            weight = self._weights.get(piece, self._unseen) * self._share(word)
            square += weight * weight
            for number, part in self._centres.get(piece, ()):
                parts[number] += weight * part
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        learnt = sum(round(part * _ONE) << (_LANE * lane) for lane, part in enumerate((square, *parts)))
        self._remembered[word] = learnt
        return learnt

    def _unit(self, words: Iterable[str]) -> _Vector:
        vector: _Vector = defaultdict(float)
        squares = 0.0
        for word in words:
            for piece in _pieces(word):
                weight = self._weights[piece] * self._share(word)
                vector[piece] += weight
                squares += weight * weight  # as if no two words shared a piece: so each word can be added by itself
        length = math.sqrt(squares) or 1.0
        return {piece: weight / length for piece, weight in vector.items()}

    def _score_left_out(self, own: int, unit: _Vector, length: float) -> float | None:
        """The example's score once it is taken out of its type's centre; None if it is then not recognised rightly."""
        likeness = [0.0] * len(self.names)
        for piece, weight in unit.items():
            for number, part in self._centres[piece]:
                likeness[number] += weight * part
        itself = sum(weight * weight for weight in unit.values())
        dot = likeness[own] * length
        rest = length * length - 2 * dot + itself
        if rest < 1e-6:
            return None
        likeness[own] = (dot - itself) / math.sqrt(rest)
        best, score = _score(likeness)
        return score if best == own else None


def _weights(documents: Sequence[Sequence[str]]) -> tuple[dict[str, float], float]:
    """The weight of each piece, the larger the fewer examples have it; and that of a piece which none has."""
    counts: Counter[str] = Counter()
    for words in documents:
        counts.update({piece for word in words for piece in _pieces(word)})
    unseen = math.log(1 + len(documents)) + 1
    return {piece: unseen - math.log(1 + count) for piece, count in counts.items()}, unseen


def _centres(units: Iterable[tuple[int, _Vector]], types: int) -> list[_Vector]:
    centres: list[_Vector] = [defaultdict(float) for _ in range(types)]
    for number, unit in units:
        for piece, weight in unit.items():
            centres[number][piece] += weight
    return centres


def _score(likeness: Sequence[float]) -> tuple[int, float]:
    """The most like type and its likeness, raised by its lead over the second; -1 for a draw."""
    top = max(likeness)
    best = likeness.index(top)
    second = max((part for number, part in enumerate(likeness) if number != best), default=0.0)
    return (best if top > second else -1), top + MARGIN_WEIGHT * (top - second)


def _threshold(scores: Sequence[float | None]) -> float:
    known = sorted(score for score in scores if score is not None)
    if not known:
        return LEAST_THRESHOLD
    at = known[int(len(known) * (1 - SHARE_RECOGNISED))]
    return min(MOST_THRESHOLD, max(LEAST_THRESHOLD, at))
