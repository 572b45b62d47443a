"""Periods of the calendar, in UTC: the last one that is over."""

from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from fairlead.policy.declassify_settings import Period


class Window(Struct, frozen=True):
    """From the first day to before the day after the last, as ISO dates."""

    since: str
    until: str


def last_over(period: Period, now: int) -> Window:
    """The last period that was over at a moment, in milliseconds since 1970."""
    until = _begin(period, datetime.fromtimestamp(now / 1000, UTC).date())
    return Window(_begin(period, until - timedelta(days=1)).isoformat(), until.isoformat())


def day_before(now: int, days: int) -> str:
    """The day so many days before a moment, as an ISO date."""
    return (datetime.fromtimestamp(now / 1000, UTC).date() - timedelta(days=days)).isoformat()


def _begin(period: Period, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    if period == "quarter":
        return day.replace(month=day.month - (day.month - 1) % 3, day=1)
    return day.replace(month=1, day=1) if period == "year" else day
