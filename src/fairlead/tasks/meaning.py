"""Which declared examples mean most nearly what a question means? By the vectors of a sentence encoder.

Kinds are told apart by softmax regression. It abstains where no kind is likely, or where no example is near: the first
alone would give a question about nothing here to one of two kinds, the second alone one that lies between two. Where
those limits are, the examples say: each is classified by what was learnt from others.
"""

import math
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from fairlead.models.sentence_encoder import installed_encoder, installed_weights
from fairlead.tasks.pieces import LONGEST_TEXT
from fairlead.tasks.softmax import fitted, log_likelihoods

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

FOLDS: Final = 4  # into which the examples are dealt to find the limits
UNLIKELY: Final = 0.08  # share of the examples that is left to abstention because no kind is likely
FAR: Final = 0.02  # and because no example is near
_LEAST_NEAR, _MOST_NEAR = 0.25, 0.5  # cosines between which the second limit lies: a few examples say little
_LEAST_SURE, _MOST_SURE = 0.2, 0.9


class Vectors(Protocol):
    """Gives each text a vector of length 1, a row each."""

    def vectors(self, texts: Sequence[str]) -> "Numbers":
        """A row of length 1 for each text, in order."""


class InstalledEncoder:
    """The encoder whose weights are installed beside this program: no text leaves the process."""

    def __init__(self) -> None:
        """Raises `BadInput` where the weights are not installed; reads none of them yet."""
        installed_weights("recognise: meaning", "defaults.recognise")

    def vectors(self, texts: Sequence[str]) -> "Numbers":
        """A row of length 1 for each text, in order. The weights are read at the first time."""
        return installed_encoder().vectors(texts)


class _Learnt(Struct, frozen=True):
    """`likely` is a logarithm, `near` a cosine: below either it abstains."""

    weights: "Numbers"
    examples: "Numbers"
    likely: float
    near: float


class Meaning:
    """Learnt from `examples`, texts by the name of their type, when it is first asked. Safe in several threads.

    That takes some ten milliseconds an example, once; asking takes as long as one text's vector.
    """

    def __init__(self, examples: Mapping[str, Sequence[str]], encoder: Vectors) -> None:
        self.names = tuple(name for name, texts in examples.items() if texts)
        self._texts = [text[:LONGEST_TEXT] for name in self.names for text in examples[name]]
        self._kinds = [number for number, name in enumerate(self.names) for _ in examples[name]]
        self._encoder = encoder
        self._lock = Lock()
        self._known: _Learnt | None = None

    def closest(self, text: str) -> tuple[str | None, float]:
        """The type that the text means, None to abstain; and how likely it is, from 0 to 1."""
        if not text.strip():
            return None, 0.0
        return self.placed(self._encoder.vectors([text[:LONGEST_TEXT]]))[0]

    def placed(self, vectors: "Numbers") -> list[tuple[str | None, float]]:
        """As `closest`, for vectors."""
        known = self._learnt()
        likely = log_likelihoods(known.weights, vectors)
        best, sure = likely.argmax(axis=1), likely.max(axis=1)
        near = (vectors @ known.examples.T).max(axis=1)
        kept = (sure >= known.likely) & (near >= known.near)
        return [
            (self.names[kind] if keep else None, math.exp(float(each)))
            for kind, keep, each in zip(best.tolist(), kept.tolist(), sure.tolist(), strict=True)
        ]

    def likeliest(self, vectors: "Numbers") -> list[str]:
        """The type that each is most likely of, however unlikely."""
        return [self.names[kind] for kind in log_likelihoods(self._learnt().weights, vectors).argmax(axis=1)]

    def _learnt(self) -> _Learnt:
        with self._lock:
            if self._known is None:
                self._known = self._learn()
            return self._known

    def _learn(self) -> _Learnt:
        import numpy as np

        vectors, kinds = self._encoder.vectors(self._texts), np.array(self._kinds)
        sure, near = _held_out(vectors, kinds, len(self.names))
        return _Learnt(
            weights=fitted(vectors, kinds, len(self.names)),
            examples=vectors,
            likely=_limit(sure, UNLIKELY, math.log(_LEAST_SURE), math.log(_MOST_SURE)),
            near=_limit(near, FAR, _LEAST_NEAR, _MOST_NEAR),
        )


def _held_out(vectors: "Numbers", kinds: "NDArray[np.int64]", count: int) -> tuple[list[float], list[float]]:
    """For each example of which its kind has enough others: how sure of it and how near to it those others are."""
    import numpy as np

    folds = np.full(len(kinds), -1)
    for kind in range(count):
        of_kind = np.flatnonzero(kinds == kind)
        if len(of_kind) >= FOLDS:
            folds[of_kind] = np.arange(len(of_kind)) % FOLDS
    sure: list[float] = []
    near: list[float] = []
    for fold in range(FOLDS if (folds >= 0).any() else 0):
        out, rest = folds == fold, folds != fold
        sure += log_likelihoods(fitted(vectors[rest], kinds[rest], count), vectors[out]).max(axis=1).tolist()
        near += (vectors[out] @ vectors[rest].T).max(axis=1).tolist()
    return sure, near


def _limit(found: Sequence[float], share: float, least: float, most: float) -> float:
    """Below which that share of what was found lies."""
    if not found:
        return least
    return min(most, max(least, sorted(found)[int(len(found) * share)]))
