"""Whether a value stands, whole, in a text or among data: the proofs by which provenance is narrowed.

Nothing here is a likeness: a value stands there as it is, or it does not. Spaces may be others, a number and a date may
be written otherwise; letters may not, since an account or a file of other letters is another one.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

Leaf = str | Decimal
"""A single value in canonical form."""

_LEAST: Final = 2  # characters; a single letter stands in every text
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
_LINK: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]{1,20}:/\S+"  # a URL, also one that is misspelt
    r"|[\w.+\-]+@[\w.\-]+"
    r"|(?:[\w\-]+\.)+[A-Za-z]{2,24}(?:[/:?#]\S*)?"
    r"|\b(?=(?:[A-Za-z\-]*\d){6})[A-Za-z0-9\-]{8,}"
)


def leaf_of(value: Any) -> Leaf | None:
    """The canonical form of a single value; None for what says too little to be told apart: yes, no, a letter."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return number.normalize() if number.is_finite() else None
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


def stands_in(leaf: Leaf, text: str) -> bool:
    """Whether it stands whole in a text: as its own words, number or date, and not as a part of a longer one."""
    if isinstance(leaf, Decimal) and not _DIGIT.search(text):
        return False
    if isinstance(leaf, Decimal) or leaf.isdecimal():  # the 13 of June 13 is no number of its own
        text = without_dates(text)
    if isinstance(leaf, Decimal):
        return leaf in numbers_in(text)
    if " " not in leaf:
        if leaf not in text:
            return _date_stands_in(leaf, text)
    elif not all(word in text for word in leaf.split(" ")):
        return False
    words = r"\s+".join(re.escape(each) for each in leaf.split(" "))
    return re.search(rf"(?<![\w@+\-/\\])(?<!\w\.){words}(?![\w@+\-/\\]|[.:]\w)", text) is not None


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


def _date_stands_in(leaf: str, text: str) -> bool:
    """A date may have been said in words. Its year must have been said too, beside it or elsewhere."""
    if not _ISO.fullmatch(leaf):
        return False
    try:
        wanted = date.fromisoformat(leaf)
    except ValueError:
        return False
    said = [(m[1], m[2], m[3]) for m in _MONTH_DAY.finditer(text)]
    said += [(m[2], m[1], m[3]) for m in _DAY_MONTH.finditer(text)]
    years = {int(each) for each in _A_YEAR.findall(text)}
    for month, day, year in said:
        if _MONTHS.index(month[:3].lower()) + 1 == wanted.month and int(day) == wanted.day:
            if year is None and years == {wanted.year}:
                return True
            if year is not None and int(year) == wanted.year:
                return True
    return False
