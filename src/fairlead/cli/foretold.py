"""Forecasts of a place's scopes, with the drivers that its workspace declares."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.cli.drivers import Numbers
from fairlead.costs.forecasting import Forecast, Series, driven, forecast

HOUR: Final = 3_600_000
READ: Final = 90 * 24 * HOUR  # of the log


class Said(Struct, frozen=True):
    """A forecast of a scope, and what caps it: nano-units, and hours since 1970 in which the cap is likely and at the
    earliest reached, 0 where it is not."""

    scope: str
    period: str
    forecast: Forecast
    series: Series
    cap: int | None = None
    reached: int = 0
    earliest: int = 0


class Asked(Struct, frozen=True):
    """The period and the moment that forecasts are of, in hours since 1970."""

    period: str
    now: int
    begin: int
    end: int


def said_of(scope: str, series: Series, asked: Asked, numbers: Numbers | None) -> Said:
    """Hours that are over are history; what the hour under way has spent is the least that it comes to. `numbers` are
    those of the scope's driver."""
    at, begin, end = (hour - series.start for hour in (asked.now, asked.begin, asked.end))
    if numbers is None:
        made = forecast(series, at, begin, end)
    elif numbers.lacking:
        why = f"its driver {numbers.name} cannot be read: {numbers.lacking}"
        made = replace(forecast(series, at, begin, end), reason=why)
    else:
        made = driven(series, numbers.by_day, at, begin, end, numbers.name)
    spent = series.between(begin, at + 1)
    floor = {name: max(getattr(made, name), spent) for name in ("low", "likely", "high")}
    return Said(scope, asked.period, replace(made, spent=spent, **floor), series)
