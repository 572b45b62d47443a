"""Passages that say the same twice: copies, and pages that were copied and changed a little. Pure.

Two passages are near twins when nearly all their runs of three words are the same and they hold the same figures: one
that differs in a figure says something else.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from zlib import crc32

from msgspec import Struct

_WORD: Final = re.compile(r"\w+")
_ALIKE: Final = 0.8  # of the runs that stand in either
_SHORTEST: Final = 12  # words: below that only copies are twins
_KEPT: Final = 48  # runs by which a passage is compared: those with the smallest numbers


class Likeness(Struct, frozen=True):
    """What a passage is compared by. `meaning` is equal for texts that differ in blanks, marks and capitals only."""

    meaning: int
    figures: frozenset[str]
    runs: frozenset[int]


@lru_cache(maxsize=4096)
def likeness_of(text: str) -> Likeness:
    words = _WORD.findall(text.casefold())
    runs: frozenset[int] = frozenset()
    if len(words) >= _SHORTEST:
        numbers = {crc32(" ".join(words[at : at + 3]).encode(errors="replace")) for at in range(len(words) - 2)}
        runs = frozenset(sorted(numbers)[:_KEPT])
    return Likeness(hash_of(words), frozenset(word for word in words if word[:1].isdigit()), runs)


def hash_of(words: Sequence[str]) -> int:
    return crc32(" ".join(words).encode(errors="replace")) << 32 | len(" ".join(words))


def twins(texts: Sequence[str]) -> list[int]:
    """For each text the number of the first one that it is a twin of: its own where it is the first."""
    found = [likeness_of(text) for text in texts]
    first: list[int] = []
    places: dict[int, list[int]] = {}  # run -> the texts that have it
    for at, one in enumerate(found):
        shared: dict[int, int] = {}
        for run in one.runs:
            for other in places.get(run, ()):
                shared[other] = shared.get(other, 0) + 1
        same = next((other for other in range(at) if found[other].meaning == one.meaning), None)
        if same is None:
            same = next((other for other in sorted(shared) if _alike(one, found[other], shared[other])), None)
        first.append(at if same is None else first[same])
        for run in one.runs:
            places.setdefault(run, []).append(at)
    return first


def _alike(one: Likeness, other: Likeness, shared: int) -> bool:
    """Of two bottom sketches, those runs decide that are among the smallest of both together."""
    if one.figures != other.figures:
        return False
    smallest = sorted(one.runs | other.runs)[:_KEPT]
    both = one.runs & other.runs
    return shared >= _ALIKE * _KEPT / 2 and sum(run in both for run in smallest) >= _ALIKE * len(smallest)
