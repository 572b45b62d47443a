"""Erasing a person: what was said is gone, what was proven holds."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import HOTEL, Fairlead

from fairlead.clock import SystemClock
from fairlead.costs.budgets import periods_of, scope_name
from fairlead.costs.record import decode_record
from fairlead.execution import Answer
from fairlead.storage import outcome_rows
from fairlead.storage.store import Store
from fairlead.storage.types import NewOutcome


def test_erasing_a_person_loses_the_text_and_keeps_the_proof(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    fairlead("audit", "checkpoint")
    assert HOTEL in fairlead("trace", "--payload").out
    said = fairlead("data", "erase", "kim", "--yes", "--json")
    assert (said.json["erased"], said.json["kept"]["payloads"], said.json["keys_left"]) == (True, 1, [])
    after = fairlead("trace", "--payload")
    assert after.status == 2
    assert HOTEL not in after.out + after.err
    assert "(erased)" in fairlead("runs").out
    assert "kim" not in fairlead("runs").out
    assert fairlead("audit", "verify").status == 0


def test_nobody_is_erased_without_a_yes(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    assert "would erase" in fairlead("data", "erase", "kim", "--dry-run").err
    said = fairlead("data", "erase", "kim")
    assert said.status == 2
    assert "--yes" in said.err
    assert HOTEL in fairlead("trace", "--payload").out


def test_keys_that_still_carry_the_name_are_told(acme: Path, fairlead: Fairlead) -> None:
    fairlead("key", "add", "app", "--person", "kim")
    said = fairlead("data", "erase", "kim", "--yes")
    assert said.status == 0
    assert "nothing was sealed for kim" in said.err
    assert "app (fairlead key revoke NAME)" in said.err


def test_what_is_held_is_not_erased(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    assert fairlead("data", "hold", "kim", "--reason", "a case", "--dry-run").status == 0
    assert fairlead("data", "holds", "--json").json == []
    assert fairlead("data", "hold", "kim", "--reason", "a case").status == 0
    assert "a case" in fairlead("data", "holds").out
    refused = fairlead("data", "erase", "kim", "--yes")
    assert (refused.status, "a case" in refused.err) == (2, True)
    assert HOTEL in fairlead("trace", "--payload").out
    assert fairlead("data", "release", "kim").status == 0
    assert fairlead("data", "erase", "kim", "--yes").status == 0
    assert fairlead("audit", "verify").status == 0
    assert "no such run" in fairlead("data", "hold", "nobody", "--reason", "x").err


def test_a_run_can_be_held_too(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    run = fairlead("runs", "--json").json[0]["run"]
    assert fairlead("data", "hold", run, "--reason", "a case").status == 0
    assert "legal hold on run" in fairlead("data", "erase", "kim", "--yes").err


def test_where_the_data_of_a_run_and_of_a_person_is(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path
) -> None:
    folder = asked[0]
    text = (folder / "fairlead.yaml").read_text()
    (folder / "fairlead.yaml").write_text(text + "\nretention: {otherwise: 30d}\n")
    assert fairlead("apply", "--yes").status == 0
    fairlead("backup", tmp_path / "backup")
    run = fairlead("runs", "--json").json[0]["run"]
    of_run = fairlead("data", "where", run, "--json").json
    assert [each["place"] for each in of_run["kept"]][:2] == ["table payload", "table log"]
    assert of_run["kept"][0]["until"] != "the person is erased"
    assert (of_run["providers"][0]["placement"], of_run["providers"][0]["runs"]) == ("device", 1)
    with closing(Store.open(folder / ".fairlead" / "state.db")) as store, store.writing() as connection:
        subject = decode_record(outcome_rows.records_of(connection, run)[0]).person
        told = {"run": run, "subject": subject, "entry": run, "at": 1, "task": "chat", "model": "m", "weight": 1000}
        judged = [NewOutcome(by=by, source="check", score=10_000, **told) for by in ("check", "retry")]
        outcome_rows.keep(connection, judged)
    assert ("table outcome", 2) in [
        (each["place"], each["count"]) for each in fairlead("data", "where", run, "--json").json["kept"]
    ]
    fairlead("data", "hold", run, "--reason", "a case")
    of_person = fairlead("data", "where", "kim", "--json").json
    places = {each["place"]: each for each in of_person["kept"]}
    assert {"table payload", "table subject", "table log"} <= set(places)
    assert places["table outcome"]["count"] == 2
    assert f"backup {tmp_path / 'backup'}" in places
    assert of_person["held"][0]["reason"] == "a case"
    said = fairlead("data", "where", "kim")
    assert "nothing is kept, as declared" in said.out
    fairlead("data", "release", run)
    fairlead("data", "erase", "kim", "--yes")
    assert "no such run" in fairlead("data", "where", "kim").err


def test_no_stop_names_whoever_is_erased(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    assert fairlead("stop", "person", "kim", "--reason", "a leaked key").status == 0
    refused = fairlead("data", "erase", "kim", "--yes")
    assert (refused.status, "fairlead resume person kim" in refused.err) == (2, True)
    assert HOTEL in fairlead("trace", "--payload").out
    assert fairlead("resume", "person", "kim").status == 0
    state = asked[0] / ".fairlead" / "state.db"
    with closing(sqlite3.connect(state)) as raw, raw:  # one that is over, which nothing has looked at since
        raw.execute("INSERT INTO stop VALUES ('deed_0', 'person', 'kim', 'x', 'os:op', 1, 2, 0, '')")
    said = fairlead("data", "erase", "kim", "--yes")
    assert said.status == 0
    assert "providers keep what they were sent" in said.err
    with closing(sqlite3.connect(state)) as raw:
        assert raw.execute("SELECT count(*) FROM stop").fetchone() == (0,)


def test_no_budget_names_whoever_is_erased_once_their_calls_have_ended(
    asked: tuple[Path, Answer], fairlead: Fairlead
) -> None:
    state = asked[0] / ".fairlead" / "state.db"
    rows = [(period, 0) for period in periods_of(SystemClock().now()).values()] + [("2020-01", 7)]
    with closing(sqlite3.connect(state)) as raw, raw:
        for period, held in rows:
            raw.execute(
                "INSERT OR REPLACE INTO budget (scope, period, held, spent) VALUES (?, ?, ?, 5)",
                (scope_name("person", "kim"), period, held),
            )
    assert "calls of kim are under way" in fairlead("data", "erase", "kim", "--yes").err
    with closing(sqlite3.connect(state)) as raw, raw:
        assert raw.execute("SELECT period FROM budget WHERE scope LIKE 'person/%'").fetchall() == [("2020-01",)]
        raw.execute("UPDATE budget SET held = 0")
    assert "under way" not in fairlead("data", "erase", "kim", "--yes").err
    for path in state.parent.glob("state.db*"):
        assert b"person/kim" not in path.read_bytes()


def test_a_hold_needs_a_reason(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    assert "needs a reason" in fairlead("data", "hold", "kim", "--reason", " ").err
    assert fairlead("data", "holds", "--json").json == []
