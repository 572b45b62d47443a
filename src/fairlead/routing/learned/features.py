"""How a prompt looks, measured without weights: how long it is, what it is made of, and which words it has.

Cheap enough for the governed path: only the beginning and the end of a long prompt are read.
"""

import math
import re
from functools import cache, lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Final
from zlib import crc32

from fairlead.routing.learned.types import Features

SLOTS: Final = 1024
_READ: Final = 800  # characters from the beginning of a prompt, and as many from its end
_MOST_WORDS: Final = 160
_LONGEST_WORD: Final = 40
_WORD: Final = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")

NUMBERS: Final = (
    "length", "lines", "digits", "punctuation", "capitals", "brackets", "operators", "question", "code", "choices",
    "long_words", "figures",
)  # fmt: skip

_PROBE: Final = "\n".join(  # something of all that is measured, and longer than what is read
    f"{n}) Why does f(x) = {n * 7}*x^2 fall? A. it turns B. no: `return [a, b]` Überlänge{'g' * 50}" for n in range(40)
)


def features(prompt: str) -> Features:
    """The features of a prompt. The same text gives the same features in every process."""
    read = prompt if len(prompt) <= 2 * _READ else f"{prompt[:_READ]} {prompt[-_READ:]}"
    words = _WORD.findall(read)
    return Features(numbers=_numbers(prompt, read, words), slots=_slots(words))


@cache
def definition() -> str:
    """What features are here, as a hash: programs of which it is equal see the same in a prompt. What one of them has
    learnt from prompts means nothing to another of which it differs."""
    seen = features(_PROBE)
    numbers = [f"{number:.6f}" for number in seen.numbers]  # the last digits are the machine's own
    return sha256(repr((NUMBERS, SLOTS, numbers, seen.slots)).encode()).hexdigest()[:12]


def fits(found: Features) -> bool:
    """Whether features are such as `features` gives now: kept ones may come from another version."""
    return len(found.numbers) == len(NUMBERS) and (not found.slots or 0 <= found.slots[0] <= found.slots[-1] < SLOTS)


def _numbers(prompt: str, read: str, words: list[str]) -> tuple[float, ...]:
    size, many = len(read) or 1, len(words) or 1
    figures = list(filter(str.isdecimal, words))
    letters = list(filter(str.isalpha, words))
    lengths = sum(map(len, letters))
    return (
        math.log1p(len(prompt)) / 10,
        math.log1p(prompt.count("\n")) / 5,
        sum(map(len, figures)) / size,
        (many - len(figures) - len(letters)) / many,
        sum(map(str.istitle, letters)) / many,
        sum([word in "()[]{}" for word in words]) / size,
        sum([word in "+-*/=<>^$\\" for word in words]) / size,
        min(prompt.count("?"), 3) / 3,
        float("def " in read or "return" in read or "assert" in read or "```" in read),
        float("\nB" in read or "B." in read or "B)" in read),
        lengths / (len(letters) or 1) / 10,
        math.log1p(len(figures)) / 5,
    )


def _slots(words: list[str]) -> tuple[int, ...]:
    half = _MOST_WORDS // 2
    kept = words if len(words) <= _MOST_WORDS else words[:half] + words[-half:]
    places = list(map(_place, kept))
    found = {place % SLOTS for place in places}
    found.update([(31 * one + two) % SLOTS for one, two in pairwise(places)])
    return tuple(sorted(found))


@lru_cache(maxsize=16_384)
def _place(word: str) -> int:
    return crc32(word[:_LONGEST_WORD].lower().encode()) >> 7  # its lowest bits alone are alike for like words
