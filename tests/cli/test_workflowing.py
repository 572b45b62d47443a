"""`fairlead workflow`: what is said of a workflow, and what it would do and cost, without anything being done."""

import logging
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.cli.conftest import Fairlead
from tests.world import key_of, settings, write_workspace

from fairlead.cli import walking
from fairlead.cli.place import find
from fairlead.cli.setting_up import set_up

_WORKFLOW = """
description: Read a text, and polish what was read.
input: {properties: {text: {type: string}, strict: {type: boolean, default: false}}, required: [text]}
steps:
  - id: read
    model: {prompt: "Read ${input.text}", model: house, gives: {type: object, properties: {parts: {type: array, items:
      {type: string}}}, required: [parts]}}
  - id: each
    map: {over: steps.read.value.parts, at_most: 3, steps: [{id: polish, model: {prompt: "Polish ${item}",
      model: house, max_output: 100}}]}
  - id: ask
    when: input.strict
    approval: {role: manager, ask: "Is it good?"}
    timeout: 2d
output: ${steps.each.value}
"""


@pytest.fixture
def acme(tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_workspace(tmp_path / "acme", settings("http://127.0.0.1:9"), {"workflows/polish.yaml": _WORKFLOW})
    monkeypatch.chdir(folder)
    return folder


def test_a_workflow_is_checked_shown_drawn_and_walked_without_doing_anything(acme: Path, fairlead: Fairlead) -> None:
    assert fairlead("workflow", "check").out == "sound: polish\n"
    (row,) = fairlead("workflow", "list", "--json").json
    assert (row["workflow"], row["steps"]) == ("polish", 4)
    assert fairlead("workflow", "show", "polish", "--json").json["digest"] == row["digest"]
    shown = fairlead("workflow", "show", "polish").out
    assert "  polish: model house" in shown
    assert "takes text (string, needed)" in shown
    svg = ElementTree.fromstring(fairlead("workflow", "graph", "polish").out)
    assert "polish: model house" in [each.text for each in svg.iter("{http://www.w3.org/2000/svg}title")]
    assert "read_ --> each_" in fairlead("workflow", "graph", "polish", "--format", "mermaid").out
    said = ("--input", '{"text": "it", "strict": true}', "--with", 'read={"parts": ["a", "b"]}')
    walked = fairlead("workflow", "dry-run", "polish", *said, "--json").json
    assert [each["at"] for each in walked["effects"]] == ["read", "each[0].polish", "each[1].polish", "ask"]
    assert walked["output"] == ["…", "…"]
    failed = fairlead("workflow", "dry-run", "polish", "--with", 'read={"parts": ["a", "b", "c", "d"]}')
    assert failed.status == 1
    assert "4 items" in failed.err
    assert "no workflow 'polsh'" in fairlead("workflow", "show", "polsh").err


def test_a_first_workflow_passes_the_check_and_walks_dry(acme: Path, fairlead: Fairlead) -> None:
    assert fairlead("workflow", "new", "first", "--dry-run").status == 0
    assert not (acme / "workflows" / "first.yaml").exists()
    assert fairlead("workflow", "new", "first").status == 0
    assert fairlead("workflow", "new", "first").status != 0
    assert fairlead("workflow", "new", "First one").status != 0
    assert fairlead("workflow", "check").out == "sound: first, polish\n"
    assert '"read_by_a_person":true' in fairlead("workflow", "dry-run", "first").err
    assert "prompt: Read ${input.text}" in fairlead("workflow", "show", "polish", "--yaml").out


def test_every_problem_has_its_line(acme: Path, fairlead: Fairlead) -> None:
    (acme / "workflows" / "polish.yaml").write_text(_WORKFLOW.replace("steps.each.value", "steps.eech.value"))
    wrong = fairlead("workflow", "check")
    assert wrong.status == 1
    assert "workflows/polish.yaml:15:1: there is no step `eech`" in wrong.out + wrong.err
    assert "did you mean `each`?" in wrong.out + wrong.err


def test_a_whole_run_is_estimated_from_least_to_most(acme: Path, fairlead: Fairlead) -> None:
    set_up(find(acme))
    assert fairlead("apply").status == 0
    given = ("--input", '{"text": "it"}', "--with", 'read={"parts": ["a", "b"]}', "--as", key_of("kim"))
    found = fairlead("workflow", "estimate", "polish", *given, "--json").json
    least, likely, most = (float(found[name]) for name in ("least", "likely", "most"))
    assert 0 < least < likely < most
    assert found["steps"]["each"]["calls"] == 2
    assert float(found["steps"]["each"]["least"]) == 0
    assert "a run costs" in fairlead("workflow", "estimate", "polish", *given).err


def test_a_walker_that_was_forked_logs_each_line_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(*given: object) -> None:
        assert given

    monkeypatch.setattr(walking, "_walk", at_once)
    monkeypatch.setattr(walking, "leave_no_dump", lambda: None)
    before = list(logging.getLogger().handlers)
    assert walking.walk_until_told(None, "off", 1) == 0  # type: ignore[arg-type]
    assert logging.getLogger().handlers == before  # its parent's: another one would write the same again


def test_what_cannot_be_asked_or_given_is_said_before_anybody_is_asked(acme: Path, fairlead: Fairlead) -> None:
    given = fairlead("workflow", "run", "greet", "--input", "[]")
    assert (given.status, "--input is no JSON object" in given.err) == (2, True)
    asked = fairlead("ask", " ")
    assert (asked.status, "the question is empty" in asked.err) == (2, True)
