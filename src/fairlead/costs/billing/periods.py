"""Periods of a bill, as people name them: a day, a month, a quarter, a year. They begin at 00:00 UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput

_MONTHS: Final = {"year": 12, "quarter": 3, "month": 1}
_SPELLED: Final = re.compile(r"([0-9]{4})(?:-(?:Q([1-4])|([0-9]{2})(?:-([0-9]{2}))?))?")


class Period(Struct, frozen=True):
    """From `start` to just before `end`, in milliseconds since 1970."""

    name: str
    start: int
    end: int

    def has(self, at: int) -> bool:
        """Whether a moment (milliseconds since 1970) lies in it: its end does not."""
        return self.start <= at < self.end


def period_of(text: str) -> Period:
    """The period that "2026", "2026-Q4", "2026-11" or "2026-11-21" names. Raises `BadInput`."""
    found = _SPELLED.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, quarter, month, day = (int(each) if each else 0 for each in found.groups())
        begin = datetime(year, month or 3 * quarter - 2 if quarter or month else 1, day or 1, tzinfo=UTC)
        if day:
            end = begin + timedelta(days=1)
        else:
            end = _months_on(begin, _MONTHS["month" if month else "quarter" if quarter else "year"])
    except (ValueError, OverflowError):
        raise BadInput(
            f"--period is {text!r}", why="it is a year, a quarter, a month or a day", mend="--period 2026-11"
        ) from None
    return Period(text, _milliseconds(begin), _milliseconds(end))


def month_of(at: int) -> Period:
    """The month that a moment is in."""
    begin = datetime.fromtimestamp(at / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Period(f"{begin:%Y-%m}", _milliseconds(begin), _milliseconds(_months_on(begin, 1)))


def spelled(at: int) -> str:
    """A moment as FOCUS wants it: ISO 8601 in UTC, to the second."""
    return f"{datetime.fromtimestamp(at // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _months_on(begin: datetime, months: int) -> datetime:
    years, month = divmod(begin.month - 1 + months, 12)
    return begin.replace(year=begin.year + years, month=month + 1)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def day_of(at: int) -> str:
    """The day of a moment, in UTC: 2026-11-22."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"
