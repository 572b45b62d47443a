"""A forecast as driver times unit cost: for spending that follows a number that is known ahead, such as orders.

The unit cost is forecast from its own past by the same rules as spending, with its own interval and verdict; the number
of each day to come is taken as declared.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from msgspec.structs import replace

from fairlead.costs.forecasting.forecast import forecast
from fairlead.costs.forecasting.methods import DAY, Series, series_of
from fairlead.costs.forecasting.types import Forecast
from fairlead.errors import BadInput

_MARK = "\ufeff"  # with which spreadsheets begin a file
_LEAST, _MOST = 1e-6, 1e15  # numbers beyond leave no cost of one that could be counted


def numbers_in(text: str, name: str) -> dict[int, float]:
    """The driver's number by day (counted since 1970), from lines of `day,number`. Raises `BadInput`."""
    found: dict[int, float] = {}
    for number, line in enumerate(text.removeprefix(_MARK).splitlines(), start=1):
        day, _, value = line.strip().partition(",")
        if number == 1 and not day[:1].isdigit():
            continue  # a heading
        if line.strip():
            _take(found, day.strip(), value, f"line {number} of {name}")
    return found


def numbers_of(rows: Sequence[Mapping[str, Any]], day: str, number: str, name: str) -> dict[int, float]:
    """The same from rows of a database, whose columns `day` and `number` are. Raises `BadInput`."""
    found: dict[int, float] = {}
    for at, row in enumerate(rows, start=1):
        if lacking := [column for column in (day, number) if column not in row]:
            raise BadInput(
                f"{name} has no column {lacking[0]!r}",
                why=f"it has {', '.join(row)}"[:300],
                mend="say which is which: forecast: {drivers: {SCOPE: {query: …, day: COLUMN, number: COLUMN}}}",
            )
        value = row[number]
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            value = "nothing"  # no number is not 0, and is not ours to guess
        _take(found, str(row[day]), value, f"row {at} of {name}")
    return found


def _take(found: dict[int, float], day: str, value: float | str, place: str) -> None:
    try:
        at, amount = _date(day), float(value)
    except ValueError as error:
        raise BadInput(
            f"{place} is no driver", why=str(error), mend="give a day and a number, such as 2026-11-21,1250"
        ) from error
    if amount and not _LEAST <= amount < _MOST:
        raise BadInput(f"{place} is no driver: {value}", mend=f"write 0, or a number from {_LEAST:f} on")
    counted = int(datetime(at.year, at.month, at.day, tzinfo=UTC).timestamp()) // 86_400
    if counted in found:
        raise BadInput(
            f"{place} is no driver",
            why=f"{at} stands there twice, and which of its numbers counts is not ours to guess",
            mend="have each day once",
        )
    found[counted] = amount


def _date(text: str) -> date:
    """A day, or its first moment, as databases give back what they have truncated to days. Raises `ValueError`."""
    if len(text) <= len("2026-11-21"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if moment.time() != time():
        raise ValueError(f"{text[:40]!r} is no day")
    return moment.date()


def driven(series: Series, numbers: Mapping[int, float], now: int, begin: int, end: int, name: str) -> Forecast:
    """As `forecast`, by the driver's numbers. Not forecastable where one of the days to come has none."""
    day_of = [(series.start + hour) // DAY for hour in range(end)]
    missing = [day for day in sorted({*day_of[now:]}) if day not in numbers]
    if missing:
        first = datetime.fromtimestamp(missing[0] * 86_400, UTC)
        return replace(
            forecast(series, now, begin, end), reason=f"its driver {name} has no number for {first:%Y-%m-%d}"
        )
    known = next((hour for hour in range(now) if numbers.get(day_of[hour], 0) > 0), now)
    units = series_of(
        (
            series.between(hour, hour + 1) / numbers[day_of[hour]] if numbers.get(day_of[hour]) else 0.0
            for hour in range(known, now)
        ),
        series.start + known,
    )
    said = forecast(units, now - known, max(begin, known) - known, end - known)
    many = sum(numbers[day] for day in day_of[now:]) / (end - now)
    spent = series.between(begin, now)
    return replace(
        said,
        begin=series.start + begin,
        spent=spent,
        low=spent + (said.low - said.spent) * many,
        likely=spent + (said.likely - said.spent) * many,
        high=spent + (said.high - said.spent) * many,
        rests_on=(f"{name} x unit cost", *said.rests_on) if said.rests_on else (),
        accuracy=replace(said.accuracy, past=()),
    )
