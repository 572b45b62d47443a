"""A result that did not pass its check is shown as what it is, though it is kept as it came."""

from pathlib import Path
from typing import Any

from tests.workflows.scripted import Scripted
from tests.workflows.walking import PAY, PRICE, shop

from fairlead.storage.workflow_step_rows import Result
from fairlead.workflows.unfit import not_fit

TOO_MUCH = {"rules": [{"that": "value < 40", "otherwise": "it is 40 or more"}]}


def states(told: dict[str, Any]) -> dict[str, str]:
    return {each["at"]: each["status"] for each in told["steps"]}


async def test_the_step_whose_check_failed_is_shown_failed_with_the_reason(tmp_path: Path) -> None:
    async with shop(tmp_path, {**PRICE, "check": TOO_MUCH}, PAY) as s:
        told = await s.walked(s.begin(article="lamp"))
        assert (told["status"], states(told)) == ("failed", {"price": "failed"})
        (step,) = told["steps"]
        assert "it is 40 or more" in step["error"]["message"]
        assert (step["error"]["kind"], step["value"]) == ("check", 40)
        replayed = await s.walked(s.order(told["id"], "fork", set={"price": 7})["id"])
        assert states(replayed) == {"price": "done", "pay": "done"}


async def test_each_reply_that_was_asked_for_anew_is_shown_failed_and_the_last_as_it_is(tmp_path: Path) -> None:
    ask = {"id": "say", "model": {"prompt": "How many?", "model": "house"}, "retry": {"errors": ["check"]}}
    ask["check"] = {"rules": [{"that": "text == 'two'", "otherwise": "say two"}]}
    async with shop(tmp_path, ask) as s:
        Scripted(s.w, ["one", "one", "two"])
        told = await s.walked(s.begin(article="lamp"))
        assert (told["status"], states(told)) == ("done", {"say": "failed", "say~1": "failed", "say~2": "done"})


def test_where_a_person_is_asked_the_reply_before_did_not_pass() -> None:
    rows = {place: _row(place, status) for place, status in (("a", "failed"), ("a#1", "done"), ("b", "done"))}
    assert not_fit(rows, [], None) == {}
    assert set(not_fit(rows, ["a.~expert"], None)) == {"a#1"}
    rows |= {place: _row(place, "done") for place in ("a.~expert", "b~2")}
    failure = {"kind": "check", "at": "a", "message": "no", "code": "check_failed", "mend": ""}
    assert {place: each["message"] for place, each in not_fit(rows, [], failure).items()} == {
        "a#1": "what it gave did not pass its check, and a person was asked",
        "a.~expert": "no",
        "b": "what it gave did not pass its check, and it was asked again",
    }


def test_an_answer_of_an_expert_who_is_asked_again_did_not_pass() -> None:
    rows = {place: _row(place, "done") for place in ("a", "a.~expert")}
    assert set(not_fit(rows, ["a.~expert~1"], None)) == {"a", "a.~expert"}
    rows["a.~expert~1"] = _row("a.~expert~1", "done")
    assert set(not_fit(rows, [], None)) == {"a", "a.~expert"}


def _row(place: str, status: str) -> Result:
    return Result(run="r", place=place, at=1, action="", status=status, cost=0, size=1, sealed=b"")
