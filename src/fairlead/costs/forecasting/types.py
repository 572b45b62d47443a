"""What a forecast says, and what it rests on. Amounts are floats, of whatever the series counts (nano-units of the
currency); hours are numbers since 1970."""

from msgspec import Struct


class Past(Struct, frozen=True):
    """What would have been said at an earlier moment, for as long ahead, and what came."""

    at: int
    said: float
    low: float
    high: float
    came: float


class Accuracy(Struct, frozen=True):
    """How good the same procedure was before: `within` is the share of earlier forecasts (windows that do not overlap)
    that were at most 15 % off, `covered` the share of them whose interval held what came."""

    looked: int
    within: float
    covered: float
    past: tuple[Past, ...]


class Forecast(Struct, frozen=True, kw_only=True):
    """What a period will have come to at its end. `low` and `high` hold it in four of five cases.

    Where `reason` is not empty this is not forecastable, and says why: `likely` is then no number to plan with, and no
    report shows it. `rests_on` names the methods, or the driver. `off` is how far off to expect it to be in one of ten
    cases, as a share of the whole.
    """

    now: int
    begin: int
    end: int
    spent: float
    low: float
    likely: float
    high: float
    reason: str
    off: float
    rests_on: tuple[str, ...]
    history: int
    accuracy: Accuracy

    @property
    def forecastable(self) -> bool:
        """Whether `likely` is a number to plan with."""
        return not self.reason
