"""Pieces that name different figures of the same, quickly enough for every pack. Careful: what is not clearly about
the same is let be, and denials and opposites are not looked for: that took sixteen times as long.

Two statements are about the same where most of the words are the same that stand with a figure, and the figure is of
the same unit. Then a different figure is a difference: thirty days here and fourteen there.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from fairlead.models.words import stems

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_FIGURE: Final = re.compile(
    r"(?P<before>[€$£]\s?)?(?<![\w.,/-])(?P<number>[0-9]{1,9}(?:[.,][0-9]{1,4})*)(?![\w/.-]*[\w/-])"
    r"\s?(?P<unit>%|[^\W\d_]{1,20})?"
)
_WORDS: Final = """
    two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 eleven 11 twelve 12 thirteen 13 fourteen 14
    fifteen 15 twenty 20 thirty 30 forty 40 fifty 50 sixty 60 ninety 90
    """.split()  # noqa: SIM905 a paragraph of words reads better than a list of strings
_NUMBERS: Final = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
_WRITTEN: Final = re.compile(r"\b(?:" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + r")\b")
_DIGIT: Final = re.compile("[0-9]")
_SAME: Final = 0.7  # of the words that stand with the figure, in the shorter of the two statements
_FEWEST: Final = 3  # words that are the same
_MOST_STATEMENTS: Final = 12  # of one piece
_MOST_COMPARED: Final = 600  # pairs of statements: what comes behind is of pieces that matter less
_LONGEST: Final = 400  # characters of a sentence


class Statement(Struct, frozen=True):
    """A figure with its unit, the stems that stand with it, and both as they are said: a figure and a word, so that
    nobody else's sentence leaves the passage that it stands in."""

    unit: str
    number: str
    words: frozenset[str]
    said: str


class Found(Struct, frozen=True):
    """Two texts by their places, and the figures in which they differ."""

    one: int
    other: int
    said: str
    instead: str


def differing(texts: Sequence[str], most: int = 6) -> list[Found]:
    """The first pairs of texts that differ, each pair once. One text does not contradict itself."""
    by_unit: dict[str, list[tuple[int, Statement]]] = {}
    found: dict[tuple[int, int], Found] = {}
    compared = 0
    for at, text in enumerate(texts):
        for statement in statements_of(text):
            said = by_unit.setdefault(statement.unit, [])
            for other, earlier in said:
                if other == at or earlier.number == statement.number or (other, at) in found:
                    continue
                compared += 1
                if _are_alike(earlier.words, statement.words):
                    found[other, at] = Found(other, at, earlier.said, statement.said)
            if len(found) >= most or compared > _MOST_COMPARED:
                return list(found.values())[:most]
            said.append((at, statement))
    return list(found.values())


@lru_cache(maxsize=4096)
def statements_of(text: str) -> tuple[Statement, ...]:
    """The statements of a text that hold one figure. A sentence with several is about more than can be told apart."""
    statements: list[Statement] = []
    for sentence in _SENTENCE.split(text):
        if len(sentence) > _LONGEST or len(statements) == _MOST_STATEMENTS:
            continue
        plain = _WRITTEN.sub(lambda word: _NUMBERS[word[0]], sentence.lower())
        if _DIGIT.search(plain) is None:
            continue
        figures = list(_FIGURE.finditer(plain))
        if len(figures) == 1 and (statement := _statement(plain, figures[0])) is not None:
            statements.append(statement)
    return tuple(statements)


def _statement(plain: str, figure: "re.Match[str]") -> Statement | None:
    unit = (figure["before"] or "").strip() or figure["unit"] or ""
    unit = unit if unit in ("%", "€", "$", "£") else next(iter(stems(unit)), "")
    if not unit:
        return None
    words = frozenset(stems(plain[: figure.start()] + " " + plain[figure.end() :]))
    number = figure["number"].replace(",", ".")
    said = f"{unit}{figure['number']}" if figure["before"] else f"{figure['number']} {figure['unit']}"
    return Statement(unit, number.rstrip("0").rstrip(".") if "." in number else number, words, said)


def _are_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    fewest = max(_FEWEST, _SAME * max(len(one), len(other)))
    return min(len(one), len(other)) >= fewest and len(one & other) >= fewest
