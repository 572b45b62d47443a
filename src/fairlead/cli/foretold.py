"""Forecasts of a place's scopes, with the drivers that its workspace declares."""

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.cli.place import Place
from fairlead.costs.forecasting import Forecast, Series, driven, forecast, numbers_in
from fairlead.errors import BadInput

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace as Compiled

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


def said_of(scope: str, series: Series, asked: Asked, compiled: "Compiled", place: Place) -> Said:
    """Hours that are over are history; what the hour under way has spent is the least that it comes to."""
    at, begin, end = (hour - series.start for hour in (asked.now, asked.begin, asked.end))
    driver = compiled.settings.forecast.drivers.get(scope)
    if driver is None:
        made = forecast(series, at, begin, end)
    else:
        numbers = numbers_in(_text(place, driver.file), driver.file)
        made = driven(series, numbers, at, begin, end, driver.file)
    spent = series.between(begin, at + 1)
    floor = {name: max(getattr(made, name), spent) for name in ("low", "likely", "high")}
    return Said(scope, asked.period, replace(made, spent=spent, **floor), series)


def _text(place: Place, name: str) -> str:
    folder = (place.workspace / "drivers").resolve()
    file = (place.workspace / name).resolve()
    if not file.is_relative_to(folder):
        raise BadInput(f"forecast.drivers: {name} lies outside of drivers/", mend="keep it in the folder drivers")
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"forecast.drivers: {name} cannot be read", why=str(error), mend="write day,number lines"
        ) from error
