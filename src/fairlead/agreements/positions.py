"""Preferred terms as people write them in a table, and how what a contract says stands to them.

A position is `at least 45 days`, `at most 3 percent`, `none`, `any`, or words with semicolons: `consent; notice`.
"""

import re
from typing import Final, Literal

from msgspec import Struct

from fairlead.agreements.quantities import amounts, digits

Standing = Literal["preferred", "fallback", "limit", "beyond"]

_BOUND: Final = re.compile(r"(?P<way>at least|at most|no more than|no less than|up to)\s+(?P<rest>.+)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d[\d,.]*")


class Position(Struct, frozen=True):
    """One cell. `least` and `most` bound a number; `words` are those that are as good; `any` takes everything."""

    text: str
    least: float | None = None
    most: float | None = None
    words: tuple[str, ...] = ()
    any: bool = False

    def takes(self, number: float | None, word: str) -> bool:
        """Whether what a contract says is within it."""
        if self.any:
            return True
        if number is not None:
            above = self.least is None or number >= self.least
            below = self.most is None or number <= self.most
            return above and below and (self.least is not None or self.most is not None)
        return word.casefold() in (each.casefold() for each in self.words)


def position(text: str) -> Position | None:
    """A cell as a position; None for an empty one or a dash. Raises `ValueError` for a bound without a number."""
    bare = text.strip().strip("*_`")
    if bare in ("", "-", "\u2013", "\u2014"):
        return None
    if bare.casefold() == "any":
        return Position(bare, any=True)
    bound = _BOUND.fullmatch(bare)
    if bound is not None:
        number = _number(bound["rest"])
        if bound["way"].lower() in ("at least", "no less than"):
            return Position(bare, least=number)
        return Position(bare, most=number)
    words = tuple(each.strip() for each in bare.split(";"))
    return Position(bare, words=words, most=0.0 if words == ("none",) else None)


def _number(text: str) -> float:
    plain = digits(text)
    found = _NUMBER.search(plain)
    money = next(amounts(plain), None)
    if money is not None:
        return money[0]
    if found is None:
        raise ValueError(f"{text!r} has no number")
    return float(found[0].rstrip(".,").replace(",", ""))


def standing_of(
    number: float | None, word: str, preferred: Position, fallback: Position | None, limit: Position | None
) -> Standing:
    """How far what a contract says is from what is preferred: the first position that takes it."""
    if preferred.takes(number, word):
        return "preferred"
    if fallback is not None and fallback.takes(number, word):
        return "fallback"
    return "limit" if limit is not None and limit.takes(number, word) else "beyond"
