"""What a number follows from by more than a simple sum, as far as its name or the question asks for that: told in cents
or for another period, rounded, over the rows of a table, or between two days or times. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations, islice, permutations
from typing import Any, Final, TypeVar

from msgspec import Struct

from fairlead.workflows.tracing.matching import (
    Atom,
    Path,
    atoms,
    has_telling_digits,
    is_reckoned_with,
    reckoned,
)
from fairlead.workflows.tracing.writings import counts, days_of

_T = TypeVar("_T")

_PERIODS: Final[dict[str, tuple[int, ...]]] = {
    "month": (12,), "monthly": (12,), "year": (12, 52, 4), "yearly": (12, 52, 4), "annual": (12, 52, 4),
    "annually": (12, 52, 4), "week": (52, 7), "weekly": (52, 7), "quarter": (4, 3), "quarterly": (4, 3),
    "day": (7, 24), "daily": (7, 24), "hourly": (24,), "minutes": (60,), "hours": (60, 24), "seconds": (60, 3600),
}  # fmt: skip
"""How many of a shorter period one of a longer one has, by the words that speak of either."""
_ROUND: Final = frozenset(
    "round rounded rounding roughly nearest tens hundreds thousands approximately approximate".split()  # noqa: SIM905
)
_SHARE: Final = frozenset("percent percentage share growth change margin rate ratio increase decrease pct".split())  # noqa: SIM905
_DAYS: Final = frozenset("day days night nights week weeks late old long overdue".split())  # noqa: SIM905
_TIMES: Final = frozenset("minute minutes hour hours long duration".split())  # noqa: SIM905
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WORD: Final = re.compile(r"[^\W\d_]+")
_MOST: Final = 24  # numbers, days, tables, and rows and columns of these, of which pairs are tried
_FEW: Final = 3  # numbers that hardly make another by chance, however few digits that has
_COARSEST: Final = 6  # powers of ten that are rounded to
_LAST: Final = Decimal("0.5")  # of the last digit that is given
_HUNDRED: Final = Decimal(100)
_SCALES: Final = {
    "cent": Decimal("0.01"), "cents": Decimal("0.01"), "thousand": Decimal(1000), "thousands": Decimal(1000),
    "million": Decimal(1_000_000), "millions": Decimal(1_000_000),
}  # fmt: skip
"""Of how much a number is told as so many, by the word for it."""
_AGES: Final = frozenset("age old year years".split())  # noqa: SIM905


class Worked(Struct, frozen=True):
    """What a value follows from. `converted`: it is one of these in another unit or for another period."""

    parts: tuple[Atom, ...]
    converted: bool = False


def worked_out(atom: Decimal, key: str, asked: str, values: Sequence[Any]) -> Worked | None:
    """The values from which a number follows; None where it does not. `asked` is what the model was asked to do."""
    if not is_reckoned_with(atom):
        return None
    words = frozenset(_WORD.findall(f"{key} {asked}".replace("_", " ").casefold()))
    for scale in {_SCALES[each] for each in words & _SCALES.keys()}:
        whole = (atom * scale).normalize()
        if atom and whole in _numbers(values):
            return Worked((whole,), converted=True)
        if atom and (parts := reckoned(whole, values)) is not None:
            return Worked(parts)
    if (number := _of_period(atom, words, values)) is not None:
        return Worked(number, converted=True)
    found = (
        _over_rows(atom, key, values)
        or (_rounded(atom, values) if words & _ROUND else None)
        or (_as_share(atom, values) if words & _SHARE else None)
        or (_between_days(atom, values) if words & _DAYS else None)
        or (_of_age(atom, values) if words & _AGES else None)
        or _by_number(atom, values)
        or (_between_times(atom, values) if words & _TIMES else None)
    )
    return None if found is None else Worked(found)


def _numbers(values: Sequence[Any]) -> list[Decimal]:
    return _first(atom for value in values for _, atom in atoms(value) if is_reckoned_with(atom))


def _first(found: Iterable[_T]) -> list[_T]:
    """The first few, each once; no more of them are looked for then."""
    kept = dict[_T, None]()
    for each in found:
        kept[each] = None
        if len(kept) >= _MOST:
            break
    return list(kept)


def _near(made: Decimal, atom: Decimal) -> bool:
    """Whether a number is this one when it is rounded as this one is, at most to whole ones."""
    return abs(made - atom) <= _LAST.scaleb(min(int(atom.as_tuple().exponent), 0))


def _of_period(atom: Decimal, words: frozenset[str], values: Sequence[Any]) -> tuple[Atom, ...] | None:
    factors = dict.fromkeys(factor for word in sorted(words & _PERIODS.keys()) for factor in _PERIODS[word])
    numbers = _numbers(values) if atom else []
    same = _near if _tells(atom, numbers) else _same
    for number in numbers:
        if any(atom != number and (same(number * each, atom) or same(number / each, atom)) for each in factors):
            return (number,)
    return None


def _rounded(atom: Decimal, values: Sequence[Any]) -> tuple[Atom, ...] | None:
    """One number, or the ratio or product of two, with fewer digits."""
    numbers = _numbers(values)
    for number in numbers:
        if any(round(number, -power) == atom for power in range(1, _COARSEST + 1)) or _near(number, atom):
            return (number,)
    for one, other in permutations(numbers, 2) if _tells(atom, numbers) else ():
        made = [one * other, *([one / other] if other else [])]
        if any(_near(each, atom) or _up_or_down(each, atom) for each in made):
            return (one, other)
    return None


def _tells(atom: Decimal, numbers: Sequence[Decimal]) -> bool:
    """Whether a number that is a product or quotient of others, rounded, is hardly so by chance."""
    return len(numbers) <= _FEW or has_telling_digits(atom)


def _up_or_down(made: Decimal, atom: Decimal) -> bool:
    """Whether a whole number is this one rounded up or down."""
    return atom == atom.to_integral_value() and abs(made - atom) < 1


def _by_number(atom: Decimal, values: Sequence[Any]) -> tuple[Atom, ...] | None:
    """A number for each item of a list, or shared out among them."""
    sizes = {len(each) for value in values for each in _lists(value) if len(each) > 1}
    for number in _numbers(values) if atom else ():
        if any(_same(number * size, atom) or _same(number / size, atom) for size in sizes):
            return (number,)
    return None


def _lists(value: Any) -> Iterator[Sequence[Any]]:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    if isinstance(value, list | tuple):
        yield value
    for each in inner:
        if isinstance(each, Mapping | list | tuple):
            yield from _lists(each)


def _as_share(atom: Decimal, values: Sequence[Any]) -> tuple[Atom, ...] | None:
    """One number as so many of a hundred of another, or of both, or by how much it is more or less."""
    numbers = _numbers(values)
    same = _near if _tells(atom, numbers) else _same
    for one, other in permutations(numbers, 2):
        both = one + other
        made = [one / other, (one - other) / other, *([one / both] if both else [])] if other else []
        if any(same(each * _HUNDRED, atom) or each == atom for each in made):
            return (one, other)
    return None


def _over_rows(atom: Decimal, key: str, values: Sequence[Any]) -> tuple[Atom, ...] | None:
    """Of a table: two columns multiplied and added up, the mean of one, or, of the rows with one and the same word in a
    column, the sum or the number."""
    for name, rows in islice((each for value in values for each in _tables(value)), _MOST):
        leaves = [list(atoms(each)) for each in rows]
        columns = frozenset(_first(path for each in leaves for path, one in each if is_reckoned_with(one)))
        numbers = [{path: one for path, one in each if path in columns and is_reckoned_with(one)} for each in leaves]
        whole = {path: [each[path] for each in numbers if path in each] for path in sorted(columns, key=str)}
        for path, other in combinations([each for each in whole if len(whole[each]) == len(rows)], 2):
            made = sum((a * b for a, b in zip(whole[path], whole[other], strict=True)), Decimal())
            if _same(made, atom):
                return (*whole[path], *whole[other])
        for each in whole.values():
            if len(each) > 1 and _near(sum(each, Decimal()) / len(each), atom):
                return tuple(each)
        if (found := _of_alike(atom, key, name, leaves, numbers)) is not None:
            return found
    return None


def _of_alike(
    atom: Decimal,
    key: str,
    name: str,
    leaves: Sequence[Sequence[tuple[Path, Atom]]],
    numbers: Sequence[Mapping[Path, Decimal]],
) -> tuple[Atom, ...] | None:
    """`leaves` are those of each row, and `numbers` what each has in the columns that are reckoned with."""
    columns = frozenset(_first(path for each in leaves for path, one in each if isinstance(one, str)))
    groups: dict[tuple[Path, str], list[Mapping[Path, Decimal]]] = {}
    for each, has in zip(leaves, numbers, strict=True):
        for path, one in each:
            if isinstance(one, str) and path in columns:
                groups.setdefault((path, one), []).append(has)
    for (_, word), mine in groups.items():
        counting = counts(key, name) or word in key.casefold().split("_")
        if len(mine) < len(leaves) and atom == len(mine) and counting:
            return (word,)
        for path in dict.fromkeys(path for has in mine for path in has):
            column = [has[path] for has in mine if path in has]
            if 1 < len(column) < len(leaves) and _same(sum(column, Decimal()), atom):
                return tuple(column)
    return None


def _same(made: Decimal, atom: Decimal) -> bool:
    return abs(made - atom) <= Decimal("0.0051")


def _tables(value: Any, name: str = "") -> Iterator[tuple[str, list[Mapping[Any, Any]]]]:
    """The lists of records in some data, with the key that each stands under."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _tables(each, str(key))
    elif isinstance(value, list | tuple):
        rows = [each for each in value if isinstance(each, Mapping)]
        if 1 < len(rows) == len(value) <= _MOST:
            yield name, rows
        for each in value:
            yield from _tables(each, name)


def _days(values: Sequence[Any]) -> list[str]:
    texts = [each for value in values for _, each in atoms(value) if isinstance(each, str)]
    return _first(day for each in texts for day in days_of(each))


def _of_age(atom: Decimal, values: Sequence[Any]) -> tuple[Atom, ...] | None:
    """Full years between two days."""
    for one, other in combinations(sorted(_days(values)), 2):
        years = int(other[:4]) - int(one[:4]) - (other[5:] < one[5:])
        if years and atom == years:
            return (one, other)
    return None


def _between_days(atom: Decimal, values: Sequence[Any]) -> tuple[Atom, ...] | None:
    for one, other in combinations(_days(values), 2):
        days_apart = abs((date.fromisoformat(one) - date.fromisoformat(other)).days)
        if atom in (days_apart, days_apart + 1, Decimal(days_apart) / 7):
            return (one, other)
    return None


def _between_times(atom: Decimal, values: Sequence[Any]) -> tuple[Atom, ...] | None:
    texts = dict.fromkeys(each for value in values for _, each in atoms(value) if isinstance(each, str))
    times = {each: int(found[1]) * 60 + int(found[2]) for each in texts if (found := _TIME.fullmatch(each))}
    for one, other in combinations(list(times)[:_MOST], 2):
        apart = Decimal(abs(times[one] - times[other]))
        if apart and atom in (apart, apart / 60):
            return (one, other)
    return None
