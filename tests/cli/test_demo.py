"""The demonstration is a test as well: every scene has to come out as it should, on any machine."""

import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from tests import programs
from tests.cli.conftest import Fairlead, Said, program

from fairlead.cli.demonstration.company import VISITOR, found
from fairlead.cli.demonstration.stand_in import StandIn, playing
from fairlead.cli.place import find
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import checked

SCENES = ("handbook", "rights", "honesty", "cards", "discounts", "outage", "budget", "own_models", "proof")
CARD = "4111 1111 1111 1111"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """One day, with a key in the environment that no scene may use."""
    folder = tmp_path_factory.mktemp("demo") / "northlight"
    return program("demo", "--json", "--folder", folder, ANTHROPIC_API_KEY="sk-not-a-key")


def scene(day: Said, name: str) -> Any:
    return next(each for each in day.json["steps"] if each["name"] == name)


def test_the_day_comes_out_as_it_should(day: Said) -> None:
    wrong = [check for each in day.json["steps"] for check in each["checks"] if not check["ok"]]
    assert not wrong, wrong
    assert day.status == 0, day.err
    assert day.json["ok"]
    assert "Traceback" not in day.err


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_is_played_and_checked(day: Said, name: str) -> None:
    played = scene(day, name)
    assert played["ok"]
    assert played["checks"]


def test_what_went_wrong_and_what_was_paid_is_told_with_the_run(day: Said) -> None:
    codes = {each["code"] for step in day.json["steps"] for each in step["asked"]}
    assert codes == {"", "denied", "withheld", "over_budget"}
    for step in day.json["steps"]:
        for each in step["asked"]:
            assert each["run"].startswith("run_")
            assert each["code"] or each["cost"], each


def test_the_card_number_is_in_nothing_that_left(day: Said) -> None:
    (received,) = (line for line in scene(day, "cards")["told"] if "word for word" in line)
    assert "[PAYMENT_CARD_1]" in received
    assert CARD not in received


def test_models_of_the_visitor_are_named_and_not_asked(day: Said) -> None:
    told = " ".join(scene(day, "own_models")["told"])
    assert "own-large" in told
    assert "own-small" not in told  # no key for that one
    assert not scene(day, "own_models")["asked"]
    asked = [each["model"] for step in day.json["steps"] for each in step["asked"]]
    assert not [model for model in asked if model.startswith("own-")]


def test_spending_is_summed_by_department(day: Said) -> None:
    spent = {row["department"]: row["cost"] for row in day.json["spending"]}
    assert set(spent) == {"stores", "people", "management", "marketing", "visitors"}
    assert spent["people"] == "0"
    assert float(spent["marketing"]) > float(spent["stores"]) > 0


def test_a_folder_that_was_named_stays_and_can_be_looked_into(day: Said, fairlead: Fairlead) -> None:
    folder = day.json["folder"]
    assert fairlead("audit", "verify", "-w", folder).status == 0
    assert fairlead("trace", day.json["trace"], "-w", folder).status == 0
    assert fairlead("check", folder).status == 0


def test_the_story_reads_plainly_where_nobody_watches(
    tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = fairlead("demo")
    assert said.status == 0, said.err
    assert "\x1b" not in said.out + said.err
    for number in range(1, len(SCENES) + 1):
        assert f"\n{number}. " in said.out
    assert "✗" not in said.out
    assert "settle" in said.out  # the trace is drawn
    assert "everything is stopped" in said.err
    assert not list(tmp_path.iterdir()), "the temporary folder is removed"


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path: Path, fairlead: Fairlead) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    said = fairlead("demo", "--folder", tmp_path)
    assert said.status == 2
    assert "help: choose another name" in said.err
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_stops_what_it_has_started(number: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "northlight"
    command = programs.command("-m", "fairlead", "demo", "--folder", str(folder))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        port = _port_of_server(folder / ".fairlead" / "serve.log")
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted; everything that was started is stopped" in err
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def _port_of_server(log: Path) -> int:
    for _ in range(2400):
        said = re.search(r"answering at http://127\.0\.0\.1:(\d+)", log.read_text()) if log.exists() else None
        if said:
            return int(said[1])
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def test_the_company_is_a_sound_workspace_that_holds_no_key(tmp_path: Path) -> None:
    folder = tmp_path / "northlight"
    with playing(StandIn("Nimbus")) as small, playing(StandIn("Cumulus")) as large:
        company = found(folder, (small, large), {"own-small": "local/extractive"})
    compiled = checked(read_folder(folder), lambda reference: None, SystemClock())
    assert {"local", "small", "large", "own-small"} == set(compiled.models.models)
    assert all(compiled.models.models[name].placement.kind == "cloud" for name in ("small", "large"))
    assert VISITOR in company.keys
    text = (folder / "fairlead.yaml").read_text()
    assert not [key for key in company.keys.values() if key in text]
    assert find(folder).database.exists()


def test_the_company_is_never_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "fairlead.yaml").write_text("organisation: mine")
    with pytest.raises(BadInput):
        found(tmp_path, (StandIn("Nimbus"), StandIn("Cumulus")), {})
    assert (tmp_path / "fairlead.yaml").read_text() == "organisation: mine"


def test_a_stand_in_that_is_down_answers_503_and_keeps_nothing() -> None:
    stand_in = StandIn("Nimbus")
    stand_in.down = True
    status, said = stand_in.answer(b"{}")
    assert status == 503
    assert "outage" in said["error"]["message"]
    assert not stand_in.received
