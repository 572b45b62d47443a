"""Runs, their traces, and the load by layer."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import HOTEL, Fairlead, ask

from fairlead.errors import FairleadError
from fairlead.execution import Answer
from fairlead.telemetry.trace import STAGES


def test_the_trace_is_a_map_of_the_path(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    said = fairlead("trace", "last")
    assert said.status == 0, said.err
    places = [said.out.find(f" {stage}  ") for stage in STAGES]
    assert -1 not in places
    assert places == sorted(places)
    assert asked[1].run in said.out
    assert "for kim" in said.out
    assert "attempt 1: local (device)" in said.out
    assert "costs/ledger.py" in said.out
    assert "cited from: handbook/travel@" in said.out


def test_a_trace_is_found_by_the_beginning_of_its_name(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    run = asked[1].run
    assert fairlead("trace", run[:-3], "--json").json["run"] == run
    assert fairlead("trace", "run_nothere").status == 2
    assert fairlead("trace", "x").status == 2


def test_what_was_asked_is_shown_only_on_demand(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    assert HOTEL not in fairlead("trace").out
    shown = fairlead("trace", "--payload")
    assert HOTEL in shown.out
    assert asked[1].reply.choices[0].text.splitlines()[0] in shown.out


def test_without_the_master_key_a_trace_names_nobody_and_shows_no_text(
    asked: tuple[Path, Answer], fairlead: Fairlead
) -> None:
    (asked[0] / ".fairlead" / "master.key").unlink()
    said = fairlead("trace")
    assert said.status == 0
    assert "kim" not in said.out
    assert "for s_" in said.out
    refused = fairlead("trace", "--payload")
    assert refused.status == 2
    assert HOTEL not in refused.out + refused.err


def test_a_failure_tells_where_and_what_to_do(live: Path, fairlead: Fairlead) -> None:
    (error,) = ask(live, "Tell me about the moon.", model="no-such-model")
    assert isinstance(error, FairleadError)
    said = fairlead("trace", error.run)
    assert said.status == 0
    assert f"failed at step {error.step}" in said.out
    assert f"fairlead explain {error.code}" in said.out
    assert f"fairlead trace {error.run} --payload" in said.out
    row = fairlead("runs", "--json").json[0]
    assert (row["run"], row["error"]) == (error.run, error.code)


def test_runs_are_listed_newest_first(live: Path, fairlead: Fairlead) -> None:
    answers = ask(live, HOTEL, "How much is the meal allowance for a day?")
    listed = fairlead("runs", "--json").json
    assert [each["run"] for each in listed] == [each.run for each in reversed(answers)]
    assert [each["outcome"] for each in listed] == ["done", "done"]
    assert fairlead("runs", "-n", "1").out.count("run_") == 1
    assert "kim" in fairlead("runs").out


def test_without_runs_the_first_one_is_suggested(live: Path, fairlead: Fairlead) -> None:
    said = fairlead("trace", "last")
    assert said.status == 2
    assert "fairlead ask" in said.err
    assert fairlead("runs", "--json").json == []


def test_the_load_of_the_layers_adds_up(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    said = fairlead("load", "--json")
    assert said.json["runs"] == 1
    assert abs(sum(each["share"] for each in said.json["layers"]) - 1) < 1e-6
    assert "governance" in fairlead("load").out


def test_a_trace_that_was_tampered_with_cannot_drive_the_terminal(
    asked: tuple[Path, Answer], fairlead: Fairlead
) -> None:
    import msgspec

    spans = (1, -1, [["\x1b[2Jclassify", -1, 0, 5, 0, "", {"model": "\x1b]0;x\x07"}]])
    with closing(sqlite3.connect(asked[0] / ".fairlead" / "state.db")) as connection, connection:
        connection.execute("UPDATE log SET spans = ?", (msgspec.msgpack.encode(spans),))
    said = fairlead("trace")
    assert "\x1b" not in said.out
    assert "\x07" not in said.out
