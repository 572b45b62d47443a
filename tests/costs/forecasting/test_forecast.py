from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.costs.forecasting import forecast, series_of

amounts = st.lists(st.floats(0, 1e12), max_size=200)


def steady(hours: int, seed: int = 1) -> list[float]:
    drawn = Random(seed)
    return [100 * (1 + (hour % 24) / 24) * drawn.uniform(0.97, 1.03) for hour in range(hours)]


@settings(max_examples=15)
@given(amounts, st.integers(0, 200), st.integers(0, 200), st.integers(1, 800))
def test_whatever_was_spent_the_interval_is_ordered_and_holds_what_is_spent_already(
    past: list[float], now: int, before: int, ahead: int
) -> None:
    series = series_of(past)
    now = min(now, series.hours)
    said = forecast(series, now, max(0, now - before), now + ahead)
    assert said.spent <= said.low <= said.likely <= said.high
    assert said == forecast(series, now, max(0, now - before), now + ahead)


@settings(max_examples=10)
@given(st.lists(st.floats(0, 1e6), min_size=100, max_size=130), st.integers(80, 100))
def test_what_comes_later_changes_nothing_that_was_said(past: list[float], now: int) -> None:
    assert forecast(series_of(past), now, 72, 144) == forecast(series_of(past[:now]), now, 72, 144)


def test_a_steady_scope_is_forecast_closely_and_more_so_as_the_month_goes_by() -> None:
    series = series_of(steady(720))
    truth = series.between(0, 720)
    widths = []
    for day in (15, 20, 25, 29):
        said = forecast(series, 24 * day, 0, 720)
        assert said.forecastable
        assert said.low <= truth <= said.high
        widths.append(said.high - said.low)
    assert widths == sorted(widths, reverse=True)
    assert said.accuracy.looked > 5
    assert said.accuracy.within == 1


def test_with_nothing_spent_nothing_can_be_said() -> None:
    assert forecast(series_of([]), 0, 0, 24).reason == "nothing has been spent yet"
    assert forecast(series_of([0.0] * 400), 400, 390, 480).reason == "nothing has been spent yet"


@pytest.mark.parametrize(
    ("past", "reason"),
    [
        (steady(40), "too short: 40 hours"),
        (steady(100), "too short: 4 days are known, to look 14 ahead"),
        ([500.0 if hour % 72 == 5 else 0.0 for hour in range(480)], "too sparse"),
        (
            [*steady(400), *(3 * each for each in steady(80))],
            "its level has shifted: the last three days are 3.0 times",
        ),
        (
            [each * Random(n // 24).choice((1, 6)) for n, each in enumerate(steady(480))],
            "its level has shifted|were off",
        ),
    ],
)
def test_what_cannot_be_forecast_says_why(past: list[float], reason: str) -> None:
    series = series_of(past)
    said = forecast(series, series.hours, series.hours, series.hours + 14 * 24)
    assert not said.forecastable
    assert any(part in said.reason for part in reason.split("|"))


def test_intervals_hold_four_of_five_of_what_can_be_exchanged() -> None:
    drawn = Random(3)
    hits = []
    for _ in range(12):
        series = series_of([drawn.lognormvariate(0, 1) for _ in range(336)])
        hits += [
            said.low <= series.between(24 * day, 24 * day + 24) <= said.high
            for day in range(9, 14)
            for said in [forecast(series, 24 * day, 24 * day, 24 * day + 24)]
        ]
    assert 0.7 < sum(hits) / len(hits) < 0.95
