"""Numbers in contracts: in digits and in words, as durations, shares and money."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

_ONES: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
""".split()  # noqa: SIM905 a row of words reads better than a list of strings
_DECADES: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905 it reads better
_UNITS: Final = {word: number for number, word in enumerate(_ONES)}
_TENS: Final = {word: 10 * number for number, word in enumerate(_DECADES, 2)}
_WORDS: Final = {**_UNITS, **_TENS, "hundred": 100, "thousand": 1000, "million": 1_000_000}
_SPELT: Final = re.compile(
    rf"(?<!\d )\b(?!million)(?:{'|'.join(_WORDS)})(?:(?:\s+and\s+|[\s-]+)(?:{'|'.join(_WORDS)}))*\b", re.IGNORECASE
)
_AGAIN: Final = re.compile(r"(?P<number>\d+(?:[.,]\d+)*)\s*\(\s*(?P<again>\d+(?:[.,]\d+)*)\s*%?\s*\)")
_DAYS: Final = {
    "hour": 1 / 24, "day": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.0, "quarter": 90.0, "year": 365.0,
    "decade": 3650.0,
}  # fmt: skip
_MONTHS: Final = {
    "hour": 0.0, "day": 1 / 30, "week": 7 / 30, "fortnight": 14 / 30, "month": 1.0, "quarter": 3.0, "year": 12.0,
    "decade": 120.0,
}  # fmt: skip
_UNIT: Final = "|".join(_DAYS)
_WORKING: Final = 7 / 5  # days of the calendar for a working day, holidays left aside
_DURATION: Final = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s*(?:\((?P<other>\d+(?:\.\d+)?)\)\s*)?-?(?:(?:calendar|full|consecutive|further"
    r"|clear|more|additional|or more|or fewer)\s+)?"
    rf"(?P<working>(?:business|working|banking)\s+)?(?P<unit>{_UNIT})s?\b",
    re.IGNORECASE,
)
_PARTS: Final = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "\u00bd": 0.5, "\u00bc": 0.25, "\u00be": 0.75}
_AND_A_HALF: Final = re.compile(
    r"(?P<whole>\d+)[\s-]+and[\s-]+(?:(?P<three>3)|a|an|1)[\s-]+(?P<part>half|quarter)s?\b", re.IGNORECASE
)
_VULGAR: Final = re.compile(r"(?P<whole>\d+)?\s?(?P<part>[\u00bc\u00bd\u00be])")
_SLASHED: Final = re.compile(
    r"(?<![\d/.,])(?:(?P<whole>\d+)[\s-])?(?P<over>[13])/(?P<under>[24])"
    rf"(?=\s*(?:(?:{_UNIT})s?\b|%|per ?cent|x\b|times\b))",
    re.IGNORECASE,
)
_UNIT_AND_A_HALF: Final = re.compile(
    rf"\b(?P<whole>an?|\d+)\s+(?P<unit>{_UNIT})s?\s+and\s+(?:a|1)\s+half\b", re.IGNORECASE
)
_HALF_A_UNIT: Final = re.compile(rf"\bhalf[\s-]+(?:an?|1)[\s-]+(?P<unit>{_UNIT}|million|thousand)\b", re.IGNORECASE)
_ONE_UNIT: Final = re.compile(
    rf"\b(?P<before>for|within|inside|in|least|than|by|giving|on|upon|after|lasts|runs|of|until)\s+an?\s+(?P<unit>{_UNIT})\b"
    r"(?!\s+or\s)(?!'s)",
    re.IGNORECASE,
)
_PERCENT: Final = re.compile(r"(?<![\d.,])(?P<number>\d+(?:[.,]\d+)?)\s*(?:%|per ?cent(?:um)?\b)", re.IGNORECASE)
_CURRENCY: Final = r"GBP|EUR|USD|CHF|SEK|£|€|\$"
_SUM: Final = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
_MONEY: Final = re.compile(
    rf"(?:(?P<before>{_CURRENCY})\s?(?P<one>{_SUM})|(?P<two>{_SUM})\s?(?:(?P<many>million|thousand)\s)?(?P<after>{_CURRENCY}|euros?|pounds|dollars))"
    r"(?:\s*(?P<scale>million|m\b|thousand|k\b))?",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(?P<whole>\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,](?P<rest>\d{1,2}))?")


class Duration(Struct, frozen=True):
    """A length of time, and where it stands in the text of `digits`. `working`: in days on which people work."""

    number: float
    unit: str
    start: int
    end: int
    working: bool = False

    @property
    def days(self) -> float:
        """In calendar days; working days by how many of a week they are."""
        return round(self.number * _DAYS[self.unit] * (_WORKING if self.working else 1), 2)

    @property
    def months(self) -> float:
        return self.number * _MONTHS[self.unit]

    @property
    def hours(self) -> float:
        return self.days * 24


def digits(text: str) -> str:
    """The text with numbers in words as digits, and without their repetition in brackets: `thirty (30)` is `30`, `one
    and a half months` are `1.5 months`. Another number in brackets stays: which of the two counts, nobody can tell."""
    plain = _SPELT.sub(lambda found: _spelt(found[0]), text)
    for pattern, written in _FRACTIONS:
        plain = pattern.sub(written, plain)
    return _AGAIN.sub(_once, plain)


def _added(found: re.Match[str]) -> str:
    """`2 and a half`, `2 and 3 quarters`."""
    times = 3 if found["three"] else 1
    return f"{int(found['whole']) + times * _PARTS[found['part'].lower()]:g}"


def _slashed(found: re.Match[str]) -> str:
    return f"{int(found['whole'] or 0) + int(found['over']) / int(found['under']):g}"


def _longer(found: re.Match[str]) -> str:
    """`a year and a half`, `2 years and a half`."""
    whole = int(found["whole"]) if found["whole"].isdigit() else 1
    return f"{whole + 0.5:g} {found['unit']}s"


_FRACTIONS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (_AND_A_HALF, _added),
    (_VULGAR, lambda found: f"{int(found['whole'] or 0) + _PARTS[found['part']]:g}"),
    (_SLASHED, _slashed),
    (_UNIT_AND_A_HALF, _longer),
    (_HALF_A_UNIT, lambda found: f"0.5 {found['unit']}"),
    (_ONE_UNIT, lambda found: f"{found['before']} 1 {found['unit']}"),
)


def durations(text: str) -> Iterator[Duration]:
    """Of a text that `digits` gave."""
    for found in _DURATION.finditer(text):
        unit = found["unit"].lower()
        for number in filter(None, (found["number"], found["other"])):  # `30 (90) days` may be either
            yield Duration(float(number), unit, found.start(), found.end(), bool(found["working"]) and unit == "day")


def percents(text: str) -> Iterator[tuple[float, int]]:
    """Shares in percent, each with where it stands, of a text that `digits` gave."""
    for found in _PERCENT.finditer(text):
        whole, _, rest = found["number"].partition(",")
        yield float(f"{whole}{rest}" if len(rest) == 3 else f"{whole}.{rest}" if rest else whole), found.start()


def amounts(text: str) -> Iterator[tuple[float, int]]:
    """Amounts of money, each with where it stands. Currencies are not converted."""
    for found in _MONEY.finditer(text):
        number = _amount(found["one"] or found["two"])
        scale = (found["scale"] or found["many"] or "").lower()[:1]
        if number is not None:
            yield number * {"m": 1e6, "t": 1e3, "k": 1e3}.get(scale, 1), found.start()


def _once(found: re.Match[str]) -> str:
    return found["number"] if _amount(found["number"]) == _amount(found["again"]) else found[0]


def _spelt(words: str) -> str:
    """A number in words; words that make none, as in `one and one half`, stay apart from it."""
    fraction = re.fullmatch(r"(?P<whole>.+?)(?P<and>[\s-]+and[\s-]+)(?P<last>one|three)", words, re.IGNORECASE)
    if fraction is not None and "hundred" not in words.lower() and "thousand" not in words.lower():
        return f"{_spelt(fraction['whole'])}{fraction['and']}{_spelt(fraction['last'])}"
    whole = part = 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in ("hundred", "thousand", "million"):
            part = max(part, 1) * _WORDS[word]
            if word != "hundred":
                whole, part = whole + part, 0
        else:
            part += _WORDS.get(word, 0)
    return str(whole + part)


def _amount(text: str) -> float | None:
    """`1,250,000`, `1.250.000`, `1.250,50`, `12 500.50`, `2,5`."""
    found = _NUMBER.fullmatch(re.sub(r"[ ']", "", text).rstrip(".,"))
    if found is None:
        return None
    return float(f"{re.sub('[.,]', '', found['whole'])}.{found['rest'] or 0}")
