"""Whether a value stands, whole, in a text or among data: the proofs by which provenance is narrowed.

Nothing here is a likeness: a value stands there as it is, or it does not. Spaces may be others, a number and a date may
be written otherwise; letters may not, since an account or a file of other letters is another one.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Context, Decimal
from functools import cached_property
from typing import Any, Final

Leaf = str | Decimal
"""A single value in canonical form."""

_LEAST: Final = 2  # characters; a single letter stands in every text
_EXACT: Final = Context(prec=10_000)  # the usual one rounds, and makes one of two long numbers
_NUMBER: Final = re.compile(r"(?<![\w.,\-])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w%]|[.,]\d)")
_ISO: Final = re.compile(r"(?<![\w\-])\d{4}-\d\d-\d\d(?![\w\-])")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DAY: Final = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?:,?\s+(\d{4}))?"
_MONTH_DAY: Final = re.compile(rf"\b{_MONTH}\.?\s+{_DAY}\b{_YEAR}", re.IGNORECASE)
_DAY_MONTH: Final = re.compile(rf"\b{_DAY}(?:\s+of)?\s+{_MONTH}\b\.?{_YEAR}", re.IGNORECASE)
_A_YEAR: Final = re.compile(r"(?<![\w.,])(?:19|20)\d\d(?!\w)")

_DIGIT: Final = re.compile(r"\d")
# Hostile texts are long and without a space: what may begin only where a run of letters begins, and gives nothing back,
# reads each letter a bounded number of times.
_LINK: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]{1,20}+:/\S+"  # a URL, also one that is misspelt
    r"|(?:(?<![\w.+\-])[\w.+\-]++|\+[\w.+\-]{0,100}+)@[\w.\-]+"
    r"|(?<![\w\-])(?<![\w\-]\.)(?:[\w\-]++\.)+[A-Za-z]{2,24}(?:[/:?#]\S*)?"
    r"|\b(?=(?:[A-Za-z\-]{0,40}+\d){6})[A-Za-z0-9\-]{8,}"
)
_BEFORE: Final = re.compile(r"(?:[\w@+\-/\\]|\w\.)\Z")
_AFTER: Final = re.compile(r"[\w@+\-/\\]|[.:]\w")


def leaf_of(value: Any) -> Leaf | None:
    """The canonical form of a single value; None for what says too little to be told apart: yes, no, a letter."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return number.normalize(_EXACT) if number.is_finite() else None
    if isinstance(value, str):
        text = " ".join(value.split())
        return text if len(text) >= _LEAST else None
    return None


def leaves_of(value: Any) -> Iterator[Leaf]:
    """All single values of data: what stands in it, the names in it, and the lines of its texts."""
    for each in singles(value):
        if (leaf := leaf_of(each)) is not None:
            yield leaf
        if isinstance(each, str) and "\n" in each:
            yield from (line for one in each.splitlines() if (line := leaf_of(one)) is not None)


def singles(value: Any) -> Iterator[Any]:
    """Everything in data that is neither a list nor a mapping; the names of a mapping too."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield name
            yield from singles(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from singles(each)
    else:
        yield value


class _Days:
    """The days that a text names in words."""

    def __init__(self, text: str) -> None:
        self._said = [(m[1], m[2], m[3]) for m in _MONTH_DAY.finditer(text)]
        self._said += [(m[2], m[1], m[3]) for m in _DAY_MONTH.finditer(text)]
        self._years = {int(each) for each in _A_YEAR.findall(text)} if self._said else set()

    def hold(self, wanted: date) -> bool:
        """Whether a day was named. Its year must have been said too, beside it or elsewhere."""
        for month, day, year in self._said:
            if _MONTHS.index(month[:3].lower()) + 1 == wanted.month and int(day) == wanted.day:
                if year is None and self._years == {wanted.year}:
                    return True
                if year is not None and int(year) == wanted.year:
                    return True
        return False


def _day(leaf: str) -> date | None:
    try:
        return date.fromisoformat(leaf) if _ISO.fullmatch(leaf) else None
    except ValueError:
        return None


class Texts:
    """Some texts that are looked through for many values."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts

    def hold(self, leaf: Leaf) -> bool:
        """Whether it stands whole in one of them: as its own words, number or date, not as a part of a longer one."""
        if isinstance(leaf, Decimal):
            return leaf in self._numbers
        if leaf.isdecimal():
            return any(_words_stand_in(leaf, each) for each in self._undated if leaf in each)
        if " " in leaf:
            return any(_words_stand_in(leaf, each) for each in self._texts)
        if leaf in self._joined and any(_words_stand_in(leaf, each) for each in self._texts if leaf in each):
            return True
        day = _day(leaf)
        return day is not None and any(
            each.hold(day)
            for text, each in zip(self._texts, self._days, strict=True)
            if leaf not in text  # where it stands by half, it is another day that is meant
        )

    @cached_property
    def _joined(self) -> str:
        return "\n".join(self._texts)

    @cached_property
    def _days(self) -> tuple[_Days, ...]:
        return tuple(_Days(each) for each in self._texts)

    @cached_property
    def _undated(self) -> tuple[str, ...]:
        """The 13 of June 13 is no number of its own."""
        return tuple(without_dates(each) for each in self._texts if _DIGIT.search(each))

    @cached_property
    def _numbers(self) -> frozenset[Decimal]:
        return frozenset(number for each in self._undated for number in numbers_in(each))


def stands_in(leaf: Leaf, text: str) -> bool:
    """As `Texts.hold`, of one text."""
    return Texts((text,)).hold(leaf)


def _words_stand_in(leaf: str, text: str) -> bool:
    if " " in leaf:
        if len(leaf) > len(text):
            return False
        text = " ".join(text.split())
    at = text.find(leaf)
    while at >= 0:
        if not _BEFORE.search(text[max(0, at - 2) : at]) and not _AFTER.match(text, at + len(leaf)):
            return True
        at = text.find(leaf, at + 1)
    return False


def numbers_in(text: str) -> list[Decimal]:
    """All numbers that stand in a text."""
    return [Decimal(each.replace(",", "")) for each in _NUMBER.findall(text)]


def links_of(value: Any) -> Iterator[str]:
    """The links, addresses and account numbers that stand in the texts of data, as they are written."""
    for each in singles(value):
        if isinstance(each, str):
            for found in _LINK.findall(each):
                link = found.strip(".,;:!?()[]{}<>\"'`")
                if link and not _ISO.fullmatch(link):
                    yield link


def without_dates(text: str) -> str:
    """The text without the days that it names in words."""
    return _DAY_MONTH.sub(" ; ", _MONTH_DAY.sub(" ; ", text))
