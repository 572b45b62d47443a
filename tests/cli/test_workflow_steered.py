"""Answering, copying and retrying runs from the command line, as an operator and as a person do."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead
from tests.world import key_of, served, settings, write_workspace

from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.place import find
from fairlead.cli.setting_up import set_up
from fairlead.clock import SystemClock
from fairlead.identity.types import Caller
from fairlead.workflows.opened import Started
from fairlead.workflows.runs import Runs
from fairlead.workflows.taking import Taking
from fairlead.workflows.walk import Place, Waiting

GREET = """
input: {properties: {name: {type: string}}, required: [name]}
steps:
  - id: say
    model: {prompt: "Greet ${input.name}.", model: small}
"""
APPROVALS = {"roles": {"boss": {"persons": ["lee"]}, "clerk": {"persons": ["lee", "max"]}}}


def test_a_question_is_answered_while_nothing_runs(
    tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = settings("http://127.0.0.1:9", approvals=APPROVALS)
    folder = write_workspace(tmp_path / "acme", whole, {"workflows/greet.yaml": GREET})
    monkeypatch.chdir(folder)
    place = find(folder)
    set_up(place)
    assert fairlead("apply").status == 0
    with closing(open_store(place)) as store:
        runs = Runs(store, open_vault(place, store), SystemClock())
        what = Started(workflow="greet", digest="d" * 64, body=b"{}", input={})
        run, _ = runs.begin(Caller(person="kim", credential="key:kim"), what)
        Taking(store, SystemClock(), runs, "worker").take(1)
        asked = Waiting(kind="approval", id="ask", role="boss", ask="Shall it?")
        both = Waiting(kind="approval", id="both", role="clerk", ask="Shall it?", quorum=2)
        waits = [(Place(run.id, (each.id,)), each) for each in (asked, both)]
        assert runs.park(runs.open(run.id), "worker", waits)
        # A voice counts while whose it is may still answer: by a key that is gone nobody may, as a server has it too.
        runs.agreed(runs.open(run.id), "both", Caller(person="max", credential="key:gone"))
        answer = ("workflow", "approve", run.id, "both", "--json", "--for")
        assert not fairlead(*answer, "lee").json["settled"]
        assert fairlead(*answer, "max").json["settled"]
        assert "would approve" in fairlead("workflow", "approve", run.id, "ask", "--for", "lee", "--dry-run").err
        own = fairlead("workflow", "approve", run.id, "ask", "--for", "kim")
        assert "your own run" in own.err
        done = fairlead("workflow", "approve", run.id, "ask", "--for", "lee", "--json")
        assert done.json == {"run": run.id, "at": "ask", "settled": True}
        assert runs.one(run.id).status == "accepted"


def test_a_run_is_copied_by_its_person(tmp_path: Path, fairlead: Fairlead) -> None:
    with served(tmp_path, {"workflows/greet.yaml": GREET}) as s:
        mine = ("--url", s.url, "--as", key_of("kim"))
        run = fairlead("workflow", "run", "greet", "--input", '{"name": "Ada"}', "--no-wait", *mine).out.strip()
        assert "cancel it first" in fairlead("workflow", "fork", run, "--from", "say", *mine).err
        fairlead("workflow", "pause", run, *mine)
        dry = fairlead("workflow", "fork", run, "--from", "say", "--model", "say=house", "--dry-run", *mine)
        assert "would take over: nothing" in dry.err
        assert "--set STEP=VALUE" in fairlead("workflow", "retry", run, "--set", "say", *mine).err
        copy = fairlead("workflow", "retry", run, "--from", "say", "--input", '{"name": "Eve"}', "--json", *mine).json
        assert (copy["parent"], copy["copy"]["edited"]) == (run, ["input"])
        shown = fairlead("workflow", "status", copy["id"], "--json", *mine).json
        assert (shown["input"], shown["copy"]["of"]) == ({"name": "Eve"}, run)
