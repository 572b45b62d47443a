"""Exploration: now and then another model that may well be as good, so that it becomes known whether it is.

Chance is a digest of the run's own id, so whoever has the record can throw the dice again. Only models that have passed
every hard limit and bound take part, and of these only such as could, by what is known, be as good as the choice.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from msgspec import Struct

CERTAIN: Final = 1_000_000
"""A propensity in millionths."""

_DRAWS: Final = 1 << 64


class Lot(Struct, frozen=True):
    """A candidate as the draw sees it: its name, and how good it is expected to be, at best and on the whole, by what
    the objective aims at (the larger the better)."""

    name: str
    expected: int
    at_best: int


def plausible(lots: Sequence[Lot]) -> tuple[Lot, ...]:
    """Those of the candidates, the choice first, that may be as good as the choice; the choice among them."""
    if not lots:
        return ()
    return tuple(lot for at, lot in enumerate(lots) if at == 0 or lot.at_best >= lots[0].expected)


def explored(choice: str, candidates: Sequence[str], share: int, key: str) -> tuple[str, int]:
    """Who is asked, and how likely that was, in millionths (0: nothing was left to chance).

    `candidates` may be drawn, in place of the choice; `share` is how often another than it is asked, in millionths.
    Equal keys draw alike. By the order of the candidates, never by their names: renaming changes nothing.
    """
    others = [each for each in candidates if each != choice]
    if share <= 0 or not others:
        return choice, 0
    number = int.from_bytes(blake2b(f"explore\x00{key}".encode(), digest_size=8).digest(), "big")
    # One even number says both whether a draw is made and what is drawn: what lies below `share` is even again.
    if number * CERTAIN >= share * _DRAWS:
        return choice, propensity(True, len(others), share)
    return others[number * CERTAIN * len(others) // (share * _DRAWS)], propensity(False, len(others), share)


def propensity(is_choice: bool, others: int, share: int) -> int:
    """How likely the choice is to be asked, or each of so many others, in millionths."""
    return CERTAIN - share if is_choice else max(share // others, 1)
