"""Forecasts at the command line."""

from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead

from fairlead.cli.opening import open_store
from fairlead.cli.place import find
from fairlead.clock import SystemClock
from fairlead.costs.record import RECORD_VERSION, Record, encode_record
from fairlead.storage.types import Entry

HOUR = 3_600_000


@pytest.fixture
def spending(live: Path) -> Path:
    """A workspace that has spent the same every hour for thirty days."""
    now = SystemClock().now() // HOUR * HOUR
    store = open_store(find(live, None))
    with store.writing() as connection:
        entries = []
        for hour in range(720):
            at = now - (720 - hour) * HOUR
            record = Record(v=RECORD_VERSION, kind="call_model", run=f"r{hour}", at=at, cost=10**7, task="support")
            entries.append(Entry(record.run, at, encode_record(record)))
        store.database.append(connection, entries)
    store.close()
    return live


def test_a_forecast_says_what_comes_with_an_interval_and_when_the_cap_is_reached(
    spending: Path, fairlead: Fairlead
) -> None:
    given = fairlead("forecast", "organisation", "--period", "week", "--json")
    assert given.status == 0, given.err
    made = given.json
    (whole,) = made["forecasts"]
    assert float(whole["low"]) - 0.01 <= 1.68 <= float(whole["high"]) + 0.01
    assert whole["forecastable"] == (whole["likely"] is not None) == (not whole["reason"])
    assert whole["past"]["looked"] > 0
    shown = fairlead("forecast", "--period", "week")
    assert shown.status == 0, shown.err
    assert "task/support" in shown.out
    assert "█" in shown.out
    assert "four of five" in shown.err


def test_a_driver_stands_beside_its_scope(spending: Path, fairlead: Fairlead) -> None:
    entry = spending / "fairlead.yaml"
    entry.write_text(entry.read_text() + "\nforecast: {drivers: {task/support: {file: drivers/orders.csv}}}\n")
    (spending / "tasks" / "support.yaml").write_text("description: Help.\n")
    (spending / "drivers").mkdir()
    (spending / "drivers" / "orders.csv").write_text("day,orders\n")
    assert fairlead("apply").status == 0
    (said,) = fairlead("forecast", "task/support", "--json").json["forecasts"]
    assert "has no number for" in said["reason"]
    assert said["likely"] is None


def test_what_has_spent_nothing_has_no_forecast(live: Path, fairlead: Fairlead) -> None:
    assert fairlead("forecast", "--json").json["forecasts"] == []
    assert fairlead("forecast", "task/none").status == 2
    assert "--period" in fairlead("forecast", "--period", "year").err
