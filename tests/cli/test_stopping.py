"""The kill switch from the command line."""

from pathlib import Path

from tests.cli.conftest import HOTEL, Fairlead, ask

from fairlead.errors import Stopped


def test_a_stop_is_told_listed_recorded_and_ended(live: Path, fairlead: Fairlead) -> None:
    done = fairlead("stop", "person", "kim", "--reason", "leaked key", "--until", "2h", "--json")
    assert done.status == 0, done.err
    made = done.json
    assert (made["state"], made["missing"], made["reason"]) == ("stopped", [], "leaked key")
    assert [each["id"] for each in fairlead("stops", "--json").json] == [made["id"]]
    assert "leaked key" in fairlead("stops").out
    refused = ask(live, HOTEL)[0]
    assert isinstance(refused, Stopped)
    assert made["id"] in fairlead("policy", "explain", refused.run).out
    assert "stopped" in fairlead("trace", refused.run).out
    record = fairlead("trace", made["id"], "--json").json["records"][0]
    assert (record["kind"], record["about"], bool(record["person"])) == ("stop", "person: leaked key", True)
    assert "kim" not in str(record).replace(record["credential"], "")
    assert fairlead("resume", "person", "kim", "--reason", "new key").status == 0
    assert fairlead("stops", "--json").json == []
    assert not isinstance(ask(live, HOTEL)[0], Stopped)
    assert fairlead("audit", "verify").status == 0


def test_a_dry_run_stops_nothing(live: Path, fairlead: Fairlead) -> None:
    assert fairlead("stop", "organisation", "--reason", "drill", "--dry-run").status == 0
    assert fairlead("stops", "--json").json == []


def test_a_misspelt_model_is_told_and_nothing_is_stopped(live: Path, fairlead: Fairlead) -> None:
    said = fairlead("stop", "model", "hous", "--reason", "x")
    assert said.status != 0
    assert "there is no model" in said.err
    assert fairlead("stops", "--json").json == []


def test_what_makes_no_sense_is_refused_with_its_mend(live: Path, fairlead: Fairlead) -> None:
    for line, told in [
        (["stop", "agnet", "x", "--reason", "y"], "did you mean `agent`?"),
        (["stop", "agent", "--reason", "y"], "needs a name"),
        (["stop", "organisation", "x", "--reason", "y"], "needs no name"),
        (["stop", "agent", "x"], "needs a reason"),
        (["stop", "agent", "x", "--reason", "y", "--until", "2020-01-01"], "that is over"),
        (["resume", "agent", "x"], "is not stopped"),
    ]:
        said = fairlead(*line)
        assert said.status != 0
        assert told in said.err, said.err


def test_whom_no_key_names_is_stopped_all_the_same_with_a_note(live: Path, fairlead: Fairlead) -> None:
    said = fairlead("stop", "agent", "nightly", "--reason", "loops")
    assert said.status == 0
    assert "no key names" in said.err


def test_bytes_that_are_no_text_are_refused_and_json_drives_no_terminal(live: Path, fairlead: Fairlead) -> None:
    said = fairlead("stop", "department", "\udcff", "--reason", "x")
    assert (said.status, "is not UTF-8" in said.err) == (2, True)
    assert fairlead("stop", "department", "a\x9b31m\u202e", "--reason", "x").status == 0
    listed = fairlead("stops", "--json")
    assert "\x9b" not in listed.out
    assert listed.json[0]["name"] == "a\x9b31m\u202e"
