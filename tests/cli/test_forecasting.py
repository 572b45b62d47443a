"""Forecasts at the command line."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
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
    (spending / "drivers" / "orders.csv").write_text("day,orders\n2026-11-21,many\n")
    assert "no driver" in fairlead("check").err
    assert "cannot be read" in fairlead("forecast", "task/support", "--json").json["forecasts"][0]["reason"]


def test_a_driver_may_be_what_a_declared_query_gives_who_asks(spending: Path, fairlead: Fairlead) -> None:
    with closing(sqlite3.connect(spending.parent / "shop.db")) as shop:
        shop.execute("CREATE TABLE o (day TEXT, orders INTEGER)")
        today = SystemClock().now() // (24 * HOUR)
        days = [(f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}", 240) for day in range(today - 9, today + 40)]
        shop.executemany("INSERT INTO o VALUES (?, ?)", days)
        shop.commit()
    entry = spending / "fairlead.yaml"
    entry.write_text(
        entry.read_text()
        + "\nsystems:\n  shop:\n    use: sql\n"
        + f"    url: sqlite:{spending.parent / 'shop.db'}\n"
        + '    queries:\n      a_day: {sql: "SELECT day, orders AS count FROM o"}\n'
        + "forecast: {drivers: {task/support: {query: shop.a_day}}}\n"
    )
    (spending / "tasks" / "support.yaml").write_text("description: Help.\n")
    assert "shop.a_day has no column 'number'" in fairlead("check").err
    assert fairlead("apply").status == 0
    (said,) = fairlead("forecast", "task/support", "--json").json["forecasts"]
    assert "shop.a_day is not permitted" in said["reason"]
    (spending / "policies" / "shop.cedar").write_text(
        '@id("shop") permit (principal, action in [Action::"call_tool", Action::"release_result"], resource)\n'
        'when { resource in System::"shop" };\n'
    )
    entry.write_text(entry.read_text().replace("shop.a_day}}", "shop.a_day, number: count}}"))
    assert fairlead("apply").status == 0
    (said,) = fairlead("forecast", "task/support", "--json").json["forecasts"]
    assert said["rests_on"]["methods"][0] == "shop.a_day x unit cost", said["reason"]
    assert "decided by: shop" in fairlead("trace", "last").out
    entry.write_text(entry.read_text().replace('FROM o"}', 'FROM o", effect: write}'))
    assert "may change something" in fairlead("check").out


def test_what_has_spent_nothing_has_no_forecast(live: Path, fairlead: Fairlead) -> None:
    assert fairlead("forecast", "--json").json["forecasts"] == []
    assert fairlead("forecast", "task/none").status == 2
    assert "--period" in fairlead("forecast", "--period", "year").err
