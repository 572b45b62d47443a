"""The ways in which Unicode writes one and the same letter, as RE2 text: a pattern that knows them needs no other text.

Texts are looked at as they came. To normalise them first would cost every reply, move every place in it, and hold back
what normalisation may still change.
"""

import re
from collections.abc import Iterator
from itertools import permutations
from typing import Final
from unicodedata import combining, normalize

MARKS: Final = r"\u0300-\u036f"
"""Accents that stand behind their letter."""

_UNIT: Final = re.compile(r"(?i:ss)|.", re.DOTALL)
_SHARP: Final = "\u00df"


def spelled(text: str) -> str:
    """A pattern of a text, its accents with their letters or apart, `ss` for `ß` and the other way round but at its
    beginning."""
    units: list[str] = _UNIT.findall(normalize("NFC", text))
    return "".join(_one(unit, inner=number > 0) for number, unit in enumerate(units))


def _one(unit: str, *, inner: bool) -> str:
    if unit in "'\u2019":
        return "['\u2019]"
    if unit.casefold() == "ss":
        # No word begins so, and where RE2 sees a word begin or end depends on which of the two it is.
        return f"(?:ss|{_SHARP})" if inner else re.escape(unit)
    ways = sorted({unit, *_apart(unit)})
    return re.escape(unit) if len(ways) == 1 else f"(?:{'|'.join(map(re.escape, ways))})"


def ends_sharp(text: str) -> bool:
    """Whether a text ends in what may be written with a `ß`, behind which RE2 sees no end of a word."""
    return normalize("NFC", text).casefold().endswith("ss")


def _apart(letter: str) -> Iterator[str]:
    """A letter with its marks in any order that means the same, some or all of them behind it."""
    base, *marks = list(normalize("NFD", letter))
    orders = permutations(marks) if all(map(combining, marks)) else [tuple(marks)]  # syllables have parts, not marks
    for order in orders:
        for joined in range(len(marks) + 1):
            way = normalize("NFC", base + "".join(order[:joined])) + "".join(order[joined:])
            if normalize("NFC", way) == letter:
                yield way
