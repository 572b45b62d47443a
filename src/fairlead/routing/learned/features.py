"""How a prompt looks, measured without weights: how long it is, what it is made of, and which words it has.

Cheap enough for the governed path: only the beginning and the end of a long prompt are read.
"""

import math
import re
from itertools import pairwise
from typing import Final
from zlib import crc32

from fairlead.routing.learned.types import Features

SLOTS: Final = 1024
_READ: Final = 1_200  # characters from the beginning of a prompt, and as many from its end
_MOST_WORDS: Final = 160
_WORD: Final = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")

NUMBERS: Final = (
    "length", "lines", "digits", "punctuation", "capitals", "brackets", "operators", "question", "code", "choices",
    "long_words", "figures",
)  # fmt: skip


def features(prompt: str) -> Features:
    """The features of a prompt. The same text gives the same features in every process."""
    read = prompt if len(prompt) <= 2 * _READ else f"{prompt[:_READ]} {prompt[-_READ:]}"
    words = _WORD.findall(read)
    return Features(numbers=_numbers(prompt, read, words), slots=_slots(words))


def fits(found: Features) -> bool:
    """Whether features are such as `features` gives now: kept ones may come from another version."""
    return len(found.numbers) == len(NUMBERS) and (not found.slots or 0 <= found.slots[0] <= found.slots[-1] < SLOTS)


def _numbers(prompt: str, read: str, words: list[str]) -> tuple[float, ...]:
    size, many = len(read) or 1, len(words) or 1
    figures = sum(map(str.isdecimal, words))
    letters = sum(map(str.isalpha, words))
    return (
        math.log1p(len(prompt)) / 10,
        math.log1p(prompt.count("\n")) / 5,
        sum(map(read.count, "0123456789")) / size,
        (many - figures - letters) / many,
        sum(map(str.istitle, words)) / many,
        sum(map(read.count, "()[]{}")) / size,
        sum(map(read.count, "+-*/=<>^$\\")) / size,
        min(prompt.count("?"), 3) / 3,
        float("def " in read or "return" in read or "assert" in read or "```" in read),
        float("\nB" in read or "B." in read or "(B)" in read or "B)" in read),
        sum(len(word) for word in words) / many / 10,
        math.log1p(figures) / 5,
    )


def _slots(words: list[str]) -> tuple[int, ...]:
    half = _MOST_WORDS // 2
    kept = [word.lower() for word in (words if len(words) <= _MOST_WORDS else words[:half] + words[-half:])]
    found = {crc32(word.encode()) % SLOTS for word in kept}
    found.update(crc32(f"{one} {two}".encode()) % SLOTS for one, two in pairwise(kept))
    return tuple(sorted(found))
