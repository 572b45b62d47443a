import pytest

from fairlead.costs.forecasting import driven, numbers_in, series_by_scope, series_of
from fairlead.errors import BadInput, Broken

HOUR = 3_600_000
DAY_0 = 20_000  # since 1970: 2024-10-04


def row(at: int, cost: int, **named: str) -> bytes:
    import msgspec

    return msgspec.json.encode({"at": at, "cost": cost, "kind": "call_model", "v": 1, "run": "r", **named})


def test_spending_is_summed_by_scope_and_hour_and_a_clock_that_was_ahead_counts_as_now() -> None:
    now = 100 * HOUR + 5
    rows = [row(98 * HOUR, 5, task="t", person="p"), row(99 * HOUR, 7, task="u"), row(500 * HOUR, 1), row(97 * HOUR, 0)]
    found = series_by_scope(rows, now)
    assert set(found) == {"organisation", "task/t", "task/u", "person/p"}
    whole = found["organisation"]
    assert (whole.start, whole.hours) == (98, 3)
    assert [whole.between(hour, hour + 1) for hour in range(3)] == [5, 7, 1]
    assert series_by_scope([], now) == {}
    with pytest.raises(Broken, match="record 0"):
        series_by_scope([b"{"], now)


def test_a_driver_that_is_known_ahead_forecasts_what_the_past_alone_would_miss() -> None:
    orders = {DAY_0 + day: 100.0 if day < 20 else 300.0 for day in range(30)}
    series = series_of([2.0 * orders[DAY_0 + hour // 24] / 24 for hour in range(480)], DAY_0 * 24)
    said = driven(series, orders, 480, 240, 720, "orders.csv")
    assert said.forecastable
    assert said.low <= 2000 + 6000 <= said.high
    assert said.likely == pytest.approx(8000)
    assert said.rests_on[0] == "orders.csv x unit cost"


def test_a_driver_without_a_number_for_a_day_to_come_forecasts_nothing() -> None:
    series = series_of([10.0] * 480, DAY_0 * 24)
    said = driven(series, {DAY_0 + day: 5.0 for day in range(25)}, 480, 480, 720, "orders.csv")
    assert said.reason == "its driver orders.csv has no number for 2024-10-29"


def test_numbers_of_a_driver_are_lines_of_day_and_number() -> None:
    assert numbers_in("day,orders\n2024-10-04, 12\n\n2024-10-05,0\n", "f") == {20000: 12.0, 20001: 0.0}
    assert numbers_in("\ufeff2024-10-04,12", "f") == numbers_in(" 2024-10-04,12", "f") == {20000: 12.0}
    with pytest.raises(BadInput, match="line 2"):
        numbers_in("2024-10-04,1\n2024-10-04,2", "f")
    for wrong in (
        "2024-10-04,many",
        "2024-13-01,5",
        "2024-10-04,-1",
        "2024-10-04,inf",
        "2024-10-04",
        "2024-10-04,5e-324",
    ):
        with pytest.raises(BadInput, match="line 1"):
            numbers_in(wrong, "f")
