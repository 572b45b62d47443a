"""Passages that say the same twice: copies, and pages that were copied and changed a little. Pure.

Two passages are near twins when nearly all their runs of three words are the same and they hold the same figures: one
that differs in a figure says something else.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from heapq import nsmallest
from itertools import chain
from typing import Final
from zlib import crc32

from msgspec import Struct

_WORD: Final = re.compile(r"\w+")
_ALIKE: Final = 0.8  # of the runs that stand in either
_SHORTEST: Final = 12  # words: below that only copies are twins
_MASK: Final = (1 << 61) - 1
_LONGEST: Final = 40  # characters of a word
_KEPT: Final = 24  # runs by which a passage is compared: those with the smallest numbers


class Likeness(Struct, frozen=True):
    """What a passage is compared by. `meaning` is equal for texts that differ in blanks, marks and capitals only."""

    meaning: int
    figures: frozenset[str]
    runs: frozenset[int]


@lru_cache(maxsize=4096)
def likeness_of(text: str) -> Likeness:
    """What of a text is compared with others: all its words, its figures, and a sample of its runs of three words
    (bottom-k MinHash). Short texts have no sample."""
    words = _WORD.findall(text.casefold())
    whole = " ".join(words).encode(errors="replace")
    runs: frozenset[int] = frozenset()
    if len(words) >= _SHORTEST:
        numbers = list(map(_number, words))
        found = {
            (one * 31 + two) * 31 + three & _MASK
            for one, two, three in zip(numbers, numbers[1:], numbers[2:], strict=False)
        }
        runs = frozenset(nsmallest(_KEPT, found))
    figures = frozenset(word for word in words if word[0].isdigit())
    return Likeness(crc32(whole) << 32 | len(whole), figures, runs)


@lru_cache(maxsize=65_536)
def _number(word: str) -> int:
    """The same in every process."""
    return crc32(word[:_LONGEST].encode(errors="replace")) * 2_654_435_761 & _MASK


def twins(texts: Sequence[str]) -> list[int]:
    """For each text the number of the first one that it is a twin of: its own where it is the first."""
    found = [likeness_of(text) for text in texts]
    meant: dict[int, int] = {}
    first: list[int] = []
    holding: dict[int, list[int]] = {}  # run -> the texts that have it
    for at, one in enumerate(found):
        shared = Counter(chain.from_iterable(holding.get(run, ()) for run in one.runs))
        for run in one.runs:
            holding.setdefault(run, []).append(at)
        same = meant.get(one.meaning)
        meant.setdefault(one.meaning, at)
        if same is None and shared:
            close = sorted(other for other, runs in shared.items() if runs >= _ALIKE * _KEPT / 2)
            same = next((other for other in close if _alike(one, found[other])), None)
        first.append(at if same is None else first[same])
    return first


def _alike(one: Likeness, other: Likeness) -> bool:
    """Of two bottom sketches, those runs decide that are among the smallest of both together."""
    if one.figures != other.figures:
        return False
    smallest = sorted(one.runs | other.runs)[:_KEPT]
    both = one.runs & other.runs
    return sum(run in both for run in smallest) >= _ALIKE * len(smallest)
