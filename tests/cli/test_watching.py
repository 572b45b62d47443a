"""Controls from the command line."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import HOTEL, Fairlead, ask

from fairlead.cli.opening import open_store
from fairlead.cli.place import find
from fairlead.controls import alarm_rows, rows
from fairlead.controls.course import Course

ONE = {"title": "Not more than one answer a day", "why": "a drill", "measure": "count", "window": "24h", "most": 1}


@pytest.fixture
def watched(live: Path, fairlead: Fairlead) -> Path:
    (live / "controls").mkdir()
    (live / "controls" / "few.yaml").write_text(json.dumps(ONE))
    assert fairlead("apply", "--yes").status == 0
    return live


def test_a_dry_evaluation_tells_what_the_past_would_have_said(watched: Path, fairlead: Fairlead) -> None:
    ask(watched, HOTEL, HOTEL)
    [breach] = fairlead("controls", "test", "--json").json
    assert (breach["kind"], breach["control"], breach["value"], len(breach["runs"])) == ("breach", "few", "2", 2)
    assert "few" in fairlead("controls", "test").out


def test_every_control_is_listed_with_its_threshold(watched: Path, fairlead: Fairlead) -> None:
    [standing] = fairlead("controls", "--json").json["controls"]
    assert (standing["control"], standing["state"], standing["most"], standing["window"]) == ("few", "well", 1.0, "24h")
    assert "a drill" in fairlead("controls", "show", "few").out
    assert "there is no control" in fairlead("controls", "show", "fwe").err


def test_records_that_could_not_be_read_are_told(watched: Path, fairlead: Fairlead) -> None:
    with closing(open_store(find(watched))) as store, store.writing() as connection:
        rows.keep(connection, rows.Position(9, Course(0, 0), unread=2, unread_seq=7), {})
    assert "2 records could not be read" in fairlead("controls").err
    assert fairlead("controls", "--json").json["unread"] == {"records": 2, "last": 7}


def test_alarms_that_do_not_arrive_are_told(watched: Path, fairlead: Fairlead) -> None:
    with closing(open_store(find(watched))) as store, store.writing() as connection:
        rows.keep(connection, rows.Position(9, Course(0, 0), unposted={"few": 3}), {})
        for number in range(4):
            alarm_rows.post(connection, f"msg_{number}", "few", "ops", b"", 0)
        alarm_rows.failed(connection, "msg_0", "status 500", 9)
        alarm_rows.failed(connection, "msg_1", "status 500", None)
        alarm_rows.failed(connection, "msg_2", "status 404", None)
    said = fairlead("controls").err
    assert "3 alarms of few were not posted" in said
    assert "given up: 2 alarms of few to ops" in said
    assert "status 404" in said
    found = fairlead("controls", "--json").json
    assert [(each["state"], each["alarms"]) for each in found["undelivered"]] == [
        ("tried again", 1), ("given up", 2), ("waiting", 1),
    ]  # fmt: skip
    assert found["unposted"] == {"few": 3}


def test_a_control_that_names_no_alarm_is_told_with_its_line(live: Path, fairlead: Fairlead) -> None:
    (live / "controls").mkdir()
    (live / "controls" / "few.yaml").write_text(json.dumps({**ONE, "on_breach": {"alarm": ["ops"]}}))
    said = fairlead("check")
    assert said.status != 0
    assert "controls/few.yaml" in said.err + said.out
    assert "there is no alarm" in said.err + said.out
