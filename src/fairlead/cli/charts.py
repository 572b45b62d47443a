"""Charts on pages: amounts by week, and a forecast as a band. Numbers stand beside them, so that nobody has to see."""

from collections.abc import Iterator, Sequence
from typing import Final

from fairlead.cli.page import Markup, tag
from fairlead.cli.worth_facts import Week
from fairlead.costs.forecasting import Forecast
from fairlead.costs.money import format_money

_WIDE, _HIGH, _FOOT, _TOP = 900, 170, 22, 18
_MOST: Final = 60.0  # width of a column
_LABELS: Final = 13
_BAND: Final = 220


def columns(weeks: Sequence[Week], labels: Sequence[str]) -> Markup:
    """A column for each week, with its amount above and its label below; of many, some have one."""
    top = max(week.cost for week in weeks) or 1
    return tag(
        "svg",
        *(piece for at, week in enumerate(weeks) for piece in _column(at, week, labels[at], len(weeks), top)),
        class_="weeks",
        viewBox=f"0 0 {_WIDE} {_TOP + _HIGH + _FOOT}",
        role="img",
        aria_label=f"Cost of each week, at most {format_money(top)}; the numbers stand below",
    )


def _column(at: int, week: Week, label: str, many: int, top: int) -> Iterator[Markup]:
    step = _WIDE / many
    width, middle = min(step * 0.7, _MOST), round(step * (at + 0.5), 1)
    high = round(_HIGH * week.cost / top, 1)
    yield tag(
        "rect",
        class_="spent" if week.inside and week.over else "pale",
        x=round(middle - width / 2, 1),
        y=round(_TOP + _HIGH - high, 1),
        width=round(width, 1),
        height=high,
        rx=2,
    )
    if at % -(-many // _LABELS) == 0:
        above = round(_TOP + _HIGH - high - 5, 1)
        yield tag("text", format_money(week.cost), x=middle, y=above, text_anchor="middle")
        yield tag("text", label, x=middle, y=_TOP + _HIGH + 16, text_anchor="middle", class_="soft")


def band(made: Forecast, top: float) -> Markup:
    """What was spent, the interval in which the end lies, and what is likely, where that can be said."""
    spent, low, likely, high = (
        round(_BAND * min(1.0, of / top), 1) for of in (made.spent, made.low, made.likely, made.high)
    )
    pieces = [
        tag("rect", class_="track", width=_BAND, height=10, rx=3),
        tag("rect", class_="pale", x=low, width=round(max(1.0, high - low), 1), height=10),
        tag("rect", class_="spent", width=spent, height=10, rx=3),
    ]
    if made.forecastable:
        pieces.append(tag("rect", class_="likely", x=min(likely, _BAND - 2), width=2, height=10))
    return tag("svg", *pieces, viewBox=f"0 0 {_BAND} 10", width=_BAND, height=10, aria_hidden="true", class_="band")
