"""What a prompt itself adds to the means, in plain Python: a few directions in which prompts differ, and how each
model leans along them."""

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter, mul
from typing import Final

from msgspec import Struct

from fairlead.routing.learned.types import Features

_FURTHEST: Final = 4.0  # standard deviations that a number of a prompt may lie from the middle


class Reading(Struct, frozen=True, kw_only=True):
    """How features become numbers: the middle and the spread of each measure, and the weight of each slot.

    `strange_words` and `strange_shape` are what hardly any prompt of the training goes beyond."""

    middle: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    strange_words: float = math.inf
    strange_shape: float = math.inf

    def measured(self, features: Features) -> list[float]:
        """The measures of a prompt, in standard deviations from the middle."""
        return [
            max(-_FURTHEST, min(_FURTHEST, (number - middle) / spread))
            for number, middle, spread in zip(features.numbers, self.middle, self.spread, strict=True)
        ]

    def is_strange(self, features: Features) -> bool:
        """Whether the prompt is unlike all that was seen: in its words, or in its shape."""
        if self.strangeness_of_words(features) > self.strange_words:
            return True
        return self.strangeness_of_shape(features) > self.strange_shape

    def strangeness_of_words(self, features: Features) -> float:
        """How rare its words are, on average."""
        weights = self.weights
        return sum(map(weights.__getitem__, features.slots)) / (len(features.slots) or 1)

    def strangeness_of_shape(self, features: Features) -> float:
        """The mean square of its measures, not held to the furthest."""
        pairs = zip(features.numbers, self.middle, self.spread, strict=True)
        return sum([((number - middle) / spread) ** 2 for number, middle, spread in pairs]) / len(self.middle)


class Head(Struct, frozen=True, kw_only=True):
    """Directions, and models' leanings along them. By direction: `numbers` are weights of the measures, `slots` those
    of the hashed words, `start` what to begin from."""

    start: tuple[float, ...]
    numbers: tuple[tuple[float, ...], ...]
    slots: tuple[tuple[float, ...], ...]
    leanings: Mapping[str, tuple[float, ...]]

    def places(self, reading: Reading, features: Features) -> list[float]:
        """Where a prompt stands along each direction."""
        measured = reading.measured(features)
        picked = itemgetter(*features.slots, 0, 0)  # never fewer than two, so that it always gives a tuple
        most = len(features.slots)
        length = math.sqrt(sum([weight * weight for weight in picked(reading.weights)[:most]])) or 1.0
        return [
            start + sum(map(mul, numbers, measured)) + sum(picked(slots)[:most]) / length
            for start, numbers, slots in zip(self.start, self.numbers, self.slots, strict=True)
        ]


def leaning(leanings: Sequence[float], places: Sequence[float]) -> float:
    """What the prompt adds to a model's mean."""
    return float(sum(map(mul, leanings, places)))
