"""Dates as invoices write them, in many languages."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from msgspec import Struct

from fairlead.documents.layout import folded

_MONTHS: Final = (
    "january jan januar janvier janv januari enero ene gennaio gen janeiro stycznia styczen januar leden "
    "ledna ocak ianuarie tammikuu",
    "february feb februar fevrier fevr fev februari febrero febbraio fevereiro lutego luty unor unora "
    "subat februarie helmikuu",
    "march mar marz maerz mrz mars maart mrt marzo marco marca marzec brezen brezna mart martie maaliskuu",
    "april apr avril avr abril abr aprile kwietnia kwiecien duben dubna nisan aprilie huhtikuu",
    "may mai mei maj mayo maggio mag maio maja kveten kvetna mayis toukokuu",
    "june jun juni juin junio giugno giu junho czerwca czerwiec cerven cervna haziran iunie kesakuu",
    "july jul juli juillet juil julio luglio lug julho lipca lipiec cervenec cervence temmuz iulie heinakuu",
    "august aug aout augustus augusti agosto ago sierpnia sierpien srpen srpna agustos elokuu",
    "september sep sept septembre septiembre settembre set setembro wrzesnia wrzesien zari eylul septembrie syyskuu",
    "october oct oktober okt octobre octubre ottobre ott outubro out pazdziernika pazdziernik rijen "
    "rijna ekim octombrie lokakuu",
    "november nov novembre noviembre novembro listopada listopad kasim noiembrie marraskuu",
    "december dec dezember dez decembre diciembre dic dicembre dezembro grudnia grudzien prosinec "
    "prosince aralik decembrie joulukuu",
)
_MONTH: Final = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_NAMED: Final = "|".join(sorted(_MONTH, key=len, reverse=True))
_FORMS: Final = (
    re.compile(r"(?<![\d.])(?P<y>(?:19|20)\d\d)[-./](?P<m>\d{1,2})[-./](?P<d>\d{1,2})(?![\d])"),
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)年(?P<m>\d{1,2})月(?P<d>\d{1,2})日"),
    re.compile(
        r"(?<![\d.,/-])(?P<a>\d{1,2})(?P<mark>[-./])\s?(?P<b>\d{1,2})(?P=mark)\s?(?P<y>(?:19|20)?\d\d)(?![\d/-])"
    ),
    re.compile(
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|[.ºª])?[\s./-]+(?:de\s+|of\s+)?(?P<name>{_NAMED})\b[.,]?[\s./-]*(?:de\s+|del\s+)?"
        r"(?P<y>(?:19|20)\d\d|\d\d(?!\d))(?!\d)"
    ),
    re.compile(rf"\b(?P<name>{_NAMED})[.\s]+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s?,?\s+(?P<y>(?:19|20)\d\d)(?!\d)"),
)


class Day(Struct, frozen=True):
    """A date in a text. `other` is what it would be with month and day the other way round, None where that cannot
    be."""

    day: date
    other: date | None
    mark: str
    start: int
    end: int


def days_in(text: str) -> list[Day]:
    """The dates of a text in their order. Of numbers alone the day stands before the month, unless it cannot."""
    plain = _same_length(text)
    found: list[Day] = []
    for form in _FORMS:
        for each in form.finditer(plain):
            if any(each.start() < known.end and known.start < each.end() for known in found):
                continue
            found.extend(_day(each))
    return sorted(found, key=lambda each: each.start)


def _same_length(text: str) -> str:
    """Folded letter by letter, so that places stay."""
    if text.isascii():
        return text.lower()
    return "".join(letters if len(letters := folded(letter)) == 1 else letter.lower() for letter in text)


def _day(found: re.Match[str]) -> Iterator[Day]:
    parts = found.groupdict()
    year = int(parts["y"]) + (2000 if len(parts["y"]) == 2 else 0)
    mark = parts.get("mark") or ""
    if parts.get("a"):
        one, two = int(parts["a"]), int(parts["b"])
        first, second = _date(year, two, one), _date(year, one, two)
        if first is None and second is None:
            return
        other = second if first is not None and second != first else None
        yield Day(first or second, other, mark, found.start(), found.end())  # type: ignore[arg-type]
        return
    month = _MONTH[parts["name"]] if parts.get("name") else int(parts["m"])
    if (day := _date(year, month, int(parts["d"]))) is not None:
        yield Day(day, None, mark, found.start(), found.end())


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
