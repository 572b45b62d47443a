"""One value in several writings: dates, names, shares and small numbers in words. Pure."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from fairlead.documents.dates import days_in
from fairlead.models.words import stems

_LONGEST_DAY: Final = 40  # characters of a date
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d")
_SHARE: Final = re.compile(
    r"(?<!\d)(\d{1,15}(?:[.,]\d{1,15})?)\s?(?:%|percent\b|per cent\b|prozent\b|pct\b)", re.IGNORECASE
)
_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+|\n+")
_SPAN: Final = re.compile(
    r"\b(\w{1,20})[\s-](?:working |business |calendar )?(?:days?|weeks?|months?)\b", re.IGNORECASE
)
_MOST_SPAN: Final = 1000  # days, weeks or months
_COUNTS: Final = frozenset("count number total many size quantity items how".split())  # noqa: SIM905
_TITLES: Final = frozenset("mr mrs ms miss dr prof herr frau mme".split())  # noqa: SIM905
_WORD: Final = re.compile(r"\w+")
_WORDS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_NAMED: Final = {word: Decimal(number) for number, word in enumerate(_WORDS.split())} | {
    word: Decimal(10 * number) for number, word in enumerate(_TENS.split(), 2)
}
_COMPOUND: Final = re.compile(rf"\b({'|'.join(_TENS.split())})[- ]({'|'.join(_WORDS.split()[1:10])})\b")


def is_day(atom: str) -> bool:
    """Whether a value is a date, as `whole_day` writes it."""
    return _ISO.fullmatch(atom) is not None


@lru_cache(maxsize=4096)
def whole_day(text: str) -> str | None:
    """A text that is nothing but a date, as `2026-03-31`; None for any other."""
    if len(text) > _LONGEST_DAY or not any(each.isdigit() for each in text):
        return None
    found = days_in(text)
    if len(found) != 1 or found[0].start or found[0].end != len(text):
        return None
    return found[0].day.isoformat()


@lru_cache(maxsize=512)
def days_of(text: str) -> frozenset[str]:
    """The dates that stand in a text, however they are written; where month and day may be either, both."""
    found = days_in(text)
    both = [each.day for each in found] + [each.other for each in found if each.other is not None]
    return frozenset(each.isoformat() for each in both)


def has_words(text: str, name: str) -> bool:
    """Whether a sentence of a text has all words of a name, in whatever order, titles left aside: `Brandt, Ilse`."""
    words = [each for each in _WORD.findall(name) if each not in _TITLES]
    if len(words) < 2 and words == _WORD.findall(name):
        return False
    return bool(words) and any(set(words) <= set(_WORD.findall(each)) for each in _SENTENCE.split(text))


def named_numbers(text: str) -> frozenset[Decimal]:
    """The numbers that a text has in words, and what its percentages are as shares: 0.19 of `19 %`."""
    plain = text.casefold()
    compound = {_NAMED[found[1]] + _NAMED[found[2]] for found in _COMPOUND.finditer(plain)}
    return frozenset(_shares(text)) | compound | {_NAMED[each] for each in _WORD.findall(plain) if each in _NAMED}


def _shares(text: str) -> Iterator[Decimal]:
    for found in _SHARE.finditer(text):
        yield (Decimal(found[1].replace(",", ".")) / 100).normalize()


def spans_in(text: str) -> Iterator[Decimal]:
    """The numbers of days, weeks or months that a text names."""
    for found in _SPAN.finditer(text):
        word = found[1].casefold()
        if word.isdecimal():
            yield Decimal(word)
        elif word in _NAMED:
            yield _NAMED[word]


def days_after(day: str, number: Decimal) -> frozenset[str]:
    """The dates that are so many days, weeks or months after a date, or before it."""
    if number != number.to_integral_value() or not 0 < number <= _MOST_SPAN:
        return frozenset()
    begin, count = date.fromisoformat(day), int(number)
    try:
        found = [begin + timedelta(days=sign * count * size) for sign in (1, -1) for size in (1, 7)]
        found += [each for sign in (1, -1) for each in _months_after(begin, sign * count)]
    except (OverflowError, ValueError):  # beyond the calendar
        return frozenset()
    return frozenset(each.isoformat() for each in found)


def _months_after(begin: date, count: int) -> Iterator[date]:
    years, month = divmod(begin.month - 1 + count, 12)
    year = begin.year + years
    last = monthrange(year, month + 1)[1]
    yield date(year, month + 1, min(begin.day, last))


def counts(name: str, listed: str) -> bool:
    """Whether a value of this name says how many items a list of that name has."""
    words = frozenset(name.casefold().split("_"))
    return bool(words & _COUNTS) or bool(
        frozenset(stems(name.replace("_", " "))) & frozenset(stems(listed.replace("_", " ")))
    )
