"""What a person sees of a question that a run asks, and of a run that waits for one."""

import pytest

from fairlead.cli import workflow_questions, workflow_runs
from fairlead.errors import NotFound

QUESTION = {
    "run": "wf_1",
    "workflow": "invoice",
    "person": "root",
    "at": "settle[0].person",
    "until": None,
    "asked_at": 0,
    "role": "accounts-payable",
    "ask": "The invoice is of 480.00, and 360.00 are left.",
    "show": {"document": "one.pdf", "places": {"total": {"page": 1, "box": [1, 2], "text": "£480.00"}}},
    "answer": {
        "properties": {
            "accept": {"type": "boolean", "description": "Post it as it is."},
            "kind": {"enum": ["goods", "services"]},
        },
        "required": ["kind"],
    },
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    found = [QUESTION]
    monkeypatch.setattr(workflow_questions, "got", lambda *_: {"data": found})
    return found


def test_one_question_is_shown_whole_with_what_its_answer_may_hold(
    asked: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    workflow_questions.questions("wf_1", "key", "http://127.0.0.1:1")
    told = capsys.readouterr().out
    assert "360.00 are left" in told
    assert "box: [1, 2]" in told
    assert "text: £480.00" in told
    assert "  accept (boolean): Post it as it is." in told
    assert "  kind (one of goods, services, needed)" in told
    assert "fairlead workflow approve wf_1 'settle[0].person' --value JSON" in told
    with pytest.raises(NotFound, match="asks you nothing"):
        workflow_questions.questions("wf_2", "key", "http://127.0.0.1:1")


def test_a_choice_is_shown_as_one(asked: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    asked[:] = [{**QUESTION, "answer": {"enum": ["law", "shop"]}}]
    workflow_questions.questions("wf_1", "key", "http://127.0.0.1:1")
    told = capsys.readouterr().out
    assert 'the answer is:\n  one of "law", "shop"' in told
    assert """--value '"law"'""" in told


def test_all_are_listed_or_that_there_are_none(
    asked: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    workflow_questions.questions("", "key", "http://127.0.0.1:1")
    assert "settle[0].person  root   The invoice is of 480.00" in capsys.readouterr().out
    asked.clear()
    workflow_questions.questions("", "key", "http://127.0.0.1:1")
    assert "nothing waits for you" in capsys.readouterr().err


def test_a_run_that_waits_tells_who_is_asked_and_that_a_failed_step_did_not_end_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failed = {"at": "asked", "status": "failed", "run": None, "error": {"message": "no model"}}
    wait = {**QUESTION, "approval": None, "signal": None}
    workflow_runs._show({
        "id": "wf_1", "workflow": "invoice", "status": "waiting", "begun_at": 0, "steps": [failed], "waits": [wait],
        "cost": 0,
    })  # fmt: skip
    told = capsys.readouterr()
    assert "asked: failed, and the run went on  no model" in told.out
    assert "waits at settle[0].person for accounts-payable: The invoice is of 480.00" in told.out
    assert "fairlead workflow questions wf_1" in told.err
