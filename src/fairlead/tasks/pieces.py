"""What a text is made of, for telling kinds of work apart by words: its words, which of them follow each other, and the
short pieces of each, so that "refunds" is like "refunded".
"""

import math
import string
from typing import Final

LONGEST_TEXT: Final = 500
"""Characters that are looked at."""

_LONGEST_WORD: Final = 32
_PIECE: Final = 4  # letters
_OF_PIECE, _OF_PAIR, _OF_WORD = 0.7, 0.8, 1.0  # how much each kind counts
_SPACED: Final = str.maketrans(dict.fromkeys(string.punctuation + "’‘“”«»„…–—·¿¡。、，；：？！（）「」", " "))


def units(text: str) -> dict[str, None]:
    """The words of a text and its pairs of neighbours ("a b"), each once, in their order."""
    words = text[:LONGEST_TEXT].lower().translate(_SPACED).split()
    found = dict.fromkeys(words)
    if words:
        found.update(dict.fromkeys(map(" ".join, zip(("^", *words), (*words, "$"), strict=True))))
    return found


def pieces(unit: str) -> list[tuple[str, float]]:
    """What a unit is recognised by, and how much each counts. No two kinds of them are ever spelled alike: the marks
    that tell them apart occur in no word."""
    if " " in unit:
        return [(unit, _OF_PAIR)]
    word = unit[:_LONGEST_WORD]
    marked = f" {word} "
    found = [(f"{word}.", _OF_WORD)]
    found += [(marked[at : at + _PIECE], _OF_PIECE) for at in range(len(marked) - _PIECE + 1)]
    return found


def share_of_length(unit: str, trust: float) -> float:
    """How much a unit counts by the length of its shortest word. A few examples cannot teach that "what" and "the" say
    nothing, so the fewer they are, the larger `trust` is, and the more length stands in for a word's rarity."""
    shortest = min(len(word) for word in unit.split(" ") if word not in ("^", "$"))
    return math.pow(min(1.0, shortest / 5), trust)
