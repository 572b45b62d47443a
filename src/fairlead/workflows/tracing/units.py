"""Numbers that are the same in another unit, where names or texts beside them say which. Pure.

Factors: the International System of Units (BIPM, 9th edition), and the international yard and pound (1959).
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from fairlead.workflows.tracing.dataflow import at_path
from fairlead.workflows.tracing.matching import Path, atoms

_KINDS: Final[tuple[dict[str, str], ...]] = (
    {"metre metres meter meters m": "1", "kilometre kilometres kilometer kilometers km": "1000",
     "centimetre centimeter cm": "0.01", "millimetre millimetres millimeter mm": "0.001", "foot feet ft": "0.3048",
     "inch inches": "0.0254", "yard yards yd": "0.9144", "mile miles mi": "1609.344"},
    {"kilogram kilograms kilo kilos kg": "1", "gram grams g": "0.001", "tonne tonnes": "1000",
     "pound pounds lb lbs": "0.45359237", "ounce ounces oz": "0.028349523125"},
    {"second seconds": "1", "minute minutes": "60", "hour hours": "3600", "day days": "86400", "week weeks": "604800"},
    {"litre litres liter liters l": "1", "millilitre milliliter ml": "0.001", "gallon gallons": "3.785411784"},
    {"cent cents": "1", "euro euros eur dollar dollars usd": "100"},
)  # fmt: skip
_FACTORS: Final = {
    word: (number, Decimal(factor))
    for number, kind in enumerate(_KINDS)
    for words, factor in kind.items()
    for word in words.split()
}
_ALIKE: Final = Decimal("0.5")  # of the last digit


def converted(atom: Decimal, key: str, values: Sequence[Any]) -> tuple[Decimal] | None:
    """The number of these values that is this one in the unit that its key names; None where there is none."""
    last = Decimal(1).scaleb(min(int(atom.as_tuple().exponent), 0))
    numbers = [(one, path, each) for one in values for path, each in atoms(one) if isinstance(each, Decimal)]
    for kind, factor in _units(key):
        for value, path, number in numbers:
            sizes = [size for other, size in _beside(value, path) if other == kind and size != factor]
            if any(abs(number * size / factor - atom) <= last * _ALIKE for size in sizes):
                return (number,)
    return None


def at_odds(value: Mapping[Any, Any]) -> str:
    """What of a record names one unit, and stands beside another of the same kind; "" for nothing."""
    beside = next((str(value[key]) for key in ("unit", "units", "uom") if isinstance(value.get(key), str)), "")
    for kind, size in _units(beside):
        for key, each in value.items():
            if isinstance(each, int | float) and any(one == kind and other != size for one, other in _units(str(key))):
                return f"{key} is told in {beside}"
    return ""


def _beside(value: Any, path: Path) -> Iterator[tuple[int, Decimal]]:
    """The units that a number's own key and the texts beside it name."""
    yield from _units(str(path[-1]) if path else "")
    around = at_path(value, path[:-1]) if path else None
    for each in around.values() if isinstance(around, Mapping) else ():
        if isinstance(each, str):
            yield from _units(each)


def _units(text: str) -> Iterator[tuple[int, Decimal]]:
    return (_FACTORS[each] for each in text.casefold().replace("_", " ").split() if each in _FACTORS)
