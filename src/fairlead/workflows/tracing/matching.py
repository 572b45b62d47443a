"""Whether a value stands in a text or in data, however it is written there, and whether it follows from numbers by a
simple sum. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import combinations, permutations
from typing import Any, Final, TypeGuard

from fairlead.workflows.tracing.writings import (
    counts,
    days_after,
    days_of,
    has_words,
    is_day,
    named_numbers,
    spans_in,
    whole_day,
)

Path = tuple[str | int, ...]
Atom = Decimal | str
"""A number, or a text in small letters with single blanks: what can be found again. Yes, no and nothing are none."""

_WORDS: Final = 5  # of a text that is a name
_NUMBER: Final = re.compile(r"(?<![\w.,])[-+]?\d[\d.,\u00a0\u202f']*(?:[eE][-+]?\d+)?")
_WORD: Final = re.compile(r"\w")
_MOST_NUMBERS: Final = 24  # of which pairs are tried
_TELLING: Final = 3  # digits of a number that three others hardly make by chance
_MOST_OF_THREE: Final = 8
_HUNDRED: Final = Decimal(100)
_FURTHEST: Final = 400  # powers of ten of a number: a double has fewer; one with more may be as long as memory
_LARGEST: Final = 15  # powers of ten of what anybody reckons with: what is larger is an id


def shown_path(path: Path) -> str:
    """A path as expressions write it: `lines[1].price`."""
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).removeprefix(".")


def shown_atom(atom: Atom | None) -> Any:
    """A value as people know it: a decimal as a number, whole where it is."""
    if isinstance(atom, Decimal):
        return int(atom) if atom == atom.to_integral_value() else float(atom)
    return atom


def atoms(value: Any, path: Path = ()) -> Iterator[tuple[Path, Atom]]:
    """The values in some data, each with its path. Of prose, its numbers."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from atoms(each, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from atoms(each, (*path, number))
    elif isinstance(value, str):
        if is_prose(value):
            yield from ((path, each) for each in dict.fromkeys(numbers_in(value)))
        else:
            yield from ((path, each) for each in [atom_of(value)] if each is not None)
    elif (found := atom_of(value)) is not None:
        yield path, found


def atom_of(value: Any) -> Atom | None:
    """A leaf of data as it can be found again; None for what is no value by itself."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        exact = Decimal(value) if isinstance(value, int) else Decimal(repr(value))
        known = _plain(exact)
        return str(exact).casefold() if known is None and exact.is_finite() else known
    if not isinstance(value, str):
        return None
    text = " ".join(value.split()).casefold()
    if (day := whole_day(text)) is not None:
        return day
    whole = _NUMBER.fullmatch(text)
    if whole is not None and (number := _number(text)) is not None:
        return number
    return text if _WORD.search(text) else None


def is_prose(text: str) -> bool:
    """Whether a text is a sentence and no value: the numbers in it are values then."""
    words = text.split()
    return len(words) > _WORDS or (len(words) > 1 and text.rstrip().endswith((".", "!", "?")))


def numbers_in(text: str) -> Iterator[Decimal]:
    """The numbers of a text, whatever sets off their thousands."""
    for found in _NUMBER.finditer(text):
        number = _number(found[0].rstrip(".,'\u00a0\u202f"))
        if number is not None:
            yield number


def holds(value: Any, atom: Atom) -> Path | None:
    """Where an atom stands in a value: the path of the leaf that has it, None where none does."""
    if isinstance(value, Mapping):
        inner: Iterator[tuple[str | int, Any]] = ((str(key), each) for key, each in value.items())
    elif isinstance(value, list | tuple):
        inner = iter(enumerate(value))
    else:
        return () if _leaf_holds(value, atom) else None
    for key, each in inner:
        below = holds(each, atom)
        if below is not None:
            return (key, *below)
    return None


def is_reckoned_with(atom: Atom) -> TypeGuard[Decimal]:
    """Whether a value is a number that anybody reckons with, and no id: products and quotients of these do not
    overflow, and are rounded in no time."""
    return isinstance(atom, Decimal) and abs(atom.adjusted()) < _LARGEST


def has_telling_digits(atom: Decimal) -> bool:
    """Whether a number has so many digits that a few others hardly make it by chance."""
    return len(atom.as_tuple().digits) >= _TELLING


def reckoned(atom: Atom, values: Sequence[Any]) -> tuple[Decimal, ...] | None:
    """The numbers of these values from which this one follows: one added up over a list, two of them (or such sums)
    added, taken away, multiplied, divided or as per cent, or three of them; None where it does not. Rounded to
    cents."""
    if not is_reckoned_with(atom):
        return None
    parts = list(_parts(values))[:_MOST_NUMBERS]
    for number, of in parts:
        if _rounds_to(number, atom):
            return of
    for number, of in parts:
        if len(of) > 1 and _alike(number, atom):
            return of
    for at, (one, mine) in enumerate(parts):
        for other, theirs in parts[at:]:
            if any(_alike(each, atom) for each in _made(one, other)):
                return (*mine, *theirs)
    return _of_three(parts, atom) if has_telling_digits(atom) else None


def _of_three(parts: Sequence[tuple[Decimal, tuple[Decimal, ...]]], atom: Decimal) -> tuple[Decimal, ...] | None:
    """Three of these added up or multiplied, or two multiplied and one added, taken away or as per cent."""
    for ones in combinations(parts[:_MOST_OF_THREE], 3):
        for (a, _), (b, _), (c, _) in permutations(ones):
            product = a * b
            made = (a + b + c, product * c, product + c, product - c, product * (_HUNDRED + c) / _HUNDRED,
                    product * (_HUNDRED - c) / _HUNDRED)  # fmt: skip
            if any(_alike(each, atom) for each in made):
                return tuple(number for _, of in ones for number in of)
    return None


def _parts(values: Sequence[Any]) -> Iterator[tuple[Decimal, tuple[Decimal, ...]]]:
    """The numbers of some data, and the sums over its lists: of what stands under the same keys."""
    found = [(path, atom) for value in values for path, atom in atoms(value) if is_reckoned_with(atom)]
    lists: dict[Path, list[Decimal]] = {}
    for path, number in found:
        if any(isinstance(key, int) for key in path):
            lists.setdefault(tuple(key for key in path if not isinstance(key, int)), []).append(number)
    for numbers in lists.values():
        if len(numbers) > 1:
            yield sum(numbers, Decimal()), tuple(numbers)
    yield from dict.fromkeys((number, (number,)) for _, number in found)


def _made(one: Decimal, other: Decimal) -> Iterator[Decimal]:
    yield one + other
    yield one - other
    yield other - one
    yield one * other
    for whole, part in ((one, other), (other, one)):
        if part:
            yield whole / part
        yield whole * part / _HUNDRED
        yield whole * (_HUNDRED - part) / _HUNDRED
        yield whole * (_HUNDRED + part) / _HUNDRED


def reckoned_day(atom: str, values: Sequence[Any], texts: Sequence[str]) -> tuple[Atom, ...] | None:
    """The date among these values and the number (there, or with its unit in a text) from which this date follows:
    so many days, weeks or months after or before; None where it does not."""
    known = [each for value in values for _, each in atoms(value)]
    texts = [*texts, *(each for each in known if isinstance(each, str))]
    days = dict.fromkeys(day for each in known if isinstance(each, str) for day in days_of(each))
    numbers = [each for each in known if isinstance(each, Decimal)] + [
        each for text in texts for each in spans_in(text)
    ]
    for day in days:
        for number in dict.fromkeys(numbers):
            if atom in days_after(day, number):
                return (day, number)
    return None


def counted(atom: Atom | None, path: Path, value: Any, at: Path = ()) -> Iterator[Path]:
    """The lists in some data that have so many items, where the value's own name says that it counts them."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from counted(atom, path, each, (*at, str(key)))
    elif isinstance(value, list | tuple) and value:
        named = next((each for each in reversed(at) if isinstance(each, str)), "")
        if atom == len(value) and path and counts(str(path[-1]), named):
            yield at
        for number, each in enumerate(value):
            yield from counted(atom, path, each, (*at, number))


def _rounds_to(number: Decimal, atom: Decimal) -> bool:
    """Whether one is the other with fewer digits behind the point."""
    places, kept = int(number.as_tuple().exponent), int(atom.as_tuple().exponent)
    return places < min(kept, 0) and round(number, -min(kept, 0)) == atom


def _alike(made: Decimal, atom: Decimal) -> bool:
    return abs(made - atom) <= Decimal("0.0051") and (atom == 0) == (made == 0)


def _leaf_holds(value: Any, atom: Atom) -> bool:
    if not isinstance(value, str):
        return atom_of(value) == atom
    if isinstance(atom, Decimal):
        return any(each == atom for each in numbers_in(value)) or atom in named_numbers(value)
    text = " ".join(value.split()).casefold()
    if re.search(rf"(?<!\w){re.escape(atom)}(?!\w)", text) is not None:
        return True
    return atom in days_of(text) if is_day(atom) else has_words(text, atom)


def _number(text: str) -> Decimal | None:
    """A number as people write it. A lone comma, dot or quote before exactly three digits sets off thousands, unless
    the number would begin with 0; a dot with other digits behind it is the decimal point."""
    kept = re.sub("[\u00a0\u202f']", "", text)
    if "," in kept and "." in kept:
        last = max(kept.rfind(","), kept.rfind("."))
        kept = re.sub("[.,]", "", kept[:last]) + "." + kept[last + 1 :]
    elif "," in kept:
        groups = kept.split(",")
        thousands = all(len(each) == 3 for each in groups[1:]) and groups[0].lstrip("+-") not in ("", "0")
        kept = "".join(groups) if thousands else kept.replace(",", ".", 1)
    elif kept.count(".") > 1:
        kept = kept.replace(".", "")
    try:
        return _plain(Decimal(kept))
    except InvalidOperation:
        return None


def _plain(number: Decimal) -> Decimal | None:
    """A number without noughts at its end. None for what is none, and for what has more digits than arithmetic keeps or
    is too far from one: such are names."""
    if not number.is_finite() or abs(number.adjusted()) > _FURTHEST:
        return None
    plain = number.normalize()
    return plain if plain == number else None
