"""Numbers in contracts: in digits and in words, as durations, shares and money."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_ONES: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
""".split()  # noqa: SIM905 a row of words reads better than a list of strings
_DECADES: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905 it reads better
_UNITS: Final = {word: number for number, word in enumerate(_ONES)}
_TENS: Final = {word: 10 * number for number, word in enumerate(_DECADES, 2)}
_WORDS: Final = {**_UNITS, **_TENS, "hundred": 100, "thousand": 1000}
_SPELT: Final = re.compile(rf"\b(?:{'|'.join(_WORDS)})(?:(?:\s+and\s+|[\s-]+)(?:{'|'.join(_WORDS)}))*\b", re.IGNORECASE)
_AGAIN: Final = re.compile(r"(?P<number>\d+(?:[.,]\d+)*)\s*\(\s*(?P<again>\d+(?:[.,]\d+)*)\s*%?\s*\)")
_DAYS: Final = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.0, "quarter": 90.0, "year": 365.0}
_MONTHS: Final = {"hour": 0.0, "day": 1 / 30, "week": 7 / 30, "month": 1.0, "quarter": 3.0, "year": 12.0}
_DURATION: Final = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s*(?:calendar |business |working |full |consecutive |further |clear )?"
    r"(?P<unit>hour|day|week|month|quarter|year)s?\b",
    re.IGNORECASE,
)
_PERCENT: Final = re.compile(r"(?<![\d.,])(?P<number>\d+(?:[.,]\d+)?)\s*(?:%|per ?cent(?:um)?\b)", re.IGNORECASE)
_CURRENCY: Final = r"GBP|EUR|USD|CHF|SEK|£|€|\$"
_SUM: Final = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
_MONEY: Final = re.compile(
    rf"(?:(?P<before>{_CURRENCY})\s?(?P<one>{_SUM})|(?P<two>{_SUM})\s?(?P<after>{_CURRENCY}|euros?|pounds|dollars))"
    r"(?:\s*(?P<scale>million|m\b|thousand|k\b))?",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(?P<whole>\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,](?P<rest>\d{1,2}))?")


class Duration(Struct, frozen=True):
    """A length of time, and where it stands in the text of `digits`."""

    number: float
    unit: str
    start: int
    end: int

    @property
    def days(self) -> float:
        return self.number * _DAYS[self.unit]

    @property
    def months(self) -> float:
        return self.number * _MONTHS[self.unit]

    @property
    def hours(self) -> float:
        return self.days * 24


def digits(text: str) -> str:
    """The text with numbers in words as digits, and without their repetition in brackets: `thirty (30)` is `30`.
    Another number in brackets stays, so that neither of the two is read."""
    plain = _SPELT.sub(lambda found: str(_spelt(found[0])), text)
    return _AGAIN.sub(_once, plain)


def durations(text: str) -> Iterator[Duration]:
    """Of a text that `digits` gave."""
    for found in _DURATION.finditer(text):
        yield Duration(float(found["number"]), found["unit"].lower(), found.start(), found.end())


def percents(text: str) -> Iterator[tuple[float, int]]:
    """Shares in percent, each with where it stands, of a text that `digits` gave."""
    for found in _PERCENT.finditer(text):
        whole, _, rest = found["number"].partition(",")
        yield float(f"{whole}{rest}" if len(rest) == 3 else f"{whole}.{rest}" if rest else whole), found.start()


def amounts(text: str) -> Iterator[tuple[float, int]]:
    """Amounts of money, each with where it stands. Currencies are not converted."""
    for found in _MONEY.finditer(text):
        number = _amount(found["one"] or found["two"])
        scale = (found["scale"] or "").lower()[:1]
        if number is not None:
            yield number * {"m": 1e6, "t": 1e3, "k": 1e3}.get(scale, 1), found.start()


def _once(found: re.Match[str]) -> str:
    return found["number"] if _amount(found["number"]) == _amount(found["again"]) else found[0]


def _spelt(words: str) -> int:
    whole = part = 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in ("hundred", "thousand"):
            part = max(part, 1) * _WORDS[word]
            if word == "thousand":
                whole, part = whole + part, 0
        else:
            part += _WORDS.get(word, 0)
    return whole + part


def _amount(text: str) -> float | None:
    """`1,250,000`, `1.250.000`, `1.250,50`, `12 500.50`, `2,5`."""
    found = _NUMBER.fullmatch(re.sub(r"[ ']", "", text).rstrip(".,"))
    if found is None:
        return None
    return float(f"{re.sub('[.,]', '', found['whole'])}.{found['rest'] or 0}")
