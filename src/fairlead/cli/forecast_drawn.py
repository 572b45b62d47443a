"""A forecast as a small picture: the sum of the period so far, the band of what may come, and the cap."""

from typing import Final

from fairlead.costs.forecasting import Forecast, Series
from fairlead.costs.units import Unit

_HEIGHT, _WIDTH = 8, 56
_SPENT: Final = "█"
_BAND: Final = "░"
_LIKELY: Final = "•"
_CAP: Final = "─"


def drawn(made: Forecast, series: Series, cap: int | None, unit: Unit) -> str:
    """Lines of text, the highest amount above. What is not forecastable has a band and no line of what is likely."""
    top = max(made.high, made.spent, min(cap, 2 * made.high) if cap else 0) or 1
    columns = [_column(made, series, place, top) for place in range(_WIDTH)]
    level = None if cap is None or cap > top else _row(cap, top)
    lines = []
    for row in range(_HEIGHT, 0, -1):
        cells = "".join(column[row - 1] for column in columns)
        if row == level:
            cells = cells.replace(" ", _CAP)
        label = unit.shown(round(top)) if row == _HEIGHT else ""
        lines.append(f"{label:>14} │{cells}".rstrip())
    return "\n".join([*lines, f"{'0':>14} └{'─' * _WIDTH}"])


def _column(made: Forecast, series: Series, place: int, top: float) -> list[str]:
    hours = made.end - made.begin
    hour = made.begin + (place + 1) * hours / _WIDTH
    cells = [" "] * _HEIGHT
    if hour <= made.now + 1:
        spent = series.between(made.begin - series.start, round(hour) - series.start)
        filled = _row(spent, top) if spent > 0 else 0
        return [_SPENT] * filled + cells[filled:]
    gone = (hour - made.now) / max(1, made.end - made.now)
    low, likely, high = (made.spent + (of - made.spent) * gone for of in (made.low, made.likely, made.high))
    for row in range(_row(low, top), _row(high, top) + 1):
        cells[row - 1] = _BAND
    if made.forecastable:
        cells[_row(likely, top) - 1] = _LIKELY
    return cells


def _row(amount: float, top: float) -> int:
    return max(1, min(_HEIGHT, -int(-amount * _HEIGHT // top)))
