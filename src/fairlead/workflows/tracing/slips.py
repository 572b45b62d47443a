"""How one number comes to stand for another by a common slip, and what a number would have to be for a check to hold.
Pure.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

_FACTORS: Final = {
    Decimal(-1): "with the other sign",
    Decimal(10): "with its point moved",
    Decimal(100): "with its point moved",
    Decimal(1000): "with its point moved",
    Decimal(12): "for a year in place of a month, or the other way round",
}


def slip(number: Decimal, meant: Decimal) -> str:
    """How a number is another one but for a slip: its sign, its point, its period, two digits that have changed places;
    "" where it is not."""
    if not number or not meant:
        return ""
    for factor, said in _FACTORS.items():
        if meant * factor == number or number * factor == meant:
            return said
    return "with two digits swapped" if _swapped(number, meant) else ""


def _swapped(number: Decimal, meant: Decimal) -> bool:
    exponent = min(int(number.as_tuple().exponent), int(meant.as_tuple().exponent))
    one, other = (f"{abs(each).scaleb(-exponent):f}" for each in (number, meant))
    apart = [at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    if len(one) != len(other) or len(apart) != len("ab") or apart[1] != apart[0] + 1:
        return False
    return one[apart[0]] == other[apart[1]] and one[apart[1]] == other[apart[0]]


def meant_for(number: Decimal, seen: Decimal, wanted: Decimal) -> Iterator[Decimal]:
    """What a number would have to be for another value to be what is wanted in place of what was seen: where it was
    added to it or taken from it, as it is or told in cents, and where it was multiplied."""
    for apart in (wanted - seen, (wanted - seen) / 100):
        yield number + apart
        yield number - apart
    if seen and wanted:
        yield number * wanted / seen
