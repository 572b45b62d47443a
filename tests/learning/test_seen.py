"""What the log tells of runs by itself: each hint once, only where it is asked for, whatever the clock does."""

from typing import Any, get_args

from fairlead.costs.record import Record, RecordedError
from fairlead.learning.asked import asked, fits
from fairlead.learning.seen import Row, Seeing
from fairlead.learning.settings import OutcomesSettings, Seen

EVERY = OutcomesSettings(seen=get_args(Seen))
MINUTE = 60_000


def row(run: str, at: int = 0, *, question: str = "", fit: bool | None = None, **more: Any) -> Row:
    about = {"kind": "call_model", "outcome": "done", "model": "m", "task": "chat", "person": "kim", **more}
    return Row(record=Record(v=1, run=run, at=at, **about), question=question, reply="r", fits=fit)


def told(*rows: Row, settings: OutcomesSettings = EVERY) -> list[tuple[str, str, int]]:
    seeing = Seeing()
    found = [each for one in rows for each in seeing.look(one, settings)]
    return [(each.run, each.by, each.score) for each in found if each.by != "check" or not each.score]


def test_judgements_count_by_rule_and_what_a_judge_kept_back_counts_once() -> None:
    passed = row("run_1", judged=(("kind", "run_j", "passed"), ("short", "run_k", "unjudged")))
    kept = row(
        "run_2", outcome="refused", error=RecordedError("withheld"), judged=(("kind", "run_l", "failed"),)
    )  # fmt: skip
    assert told(passed, kept) == [("run_1", "judge/kind", 10_000), ("run_2", "judge/kind", 0)]
    assert told(row("run_3", judges="run_1")) == []  # a judgement is no answer to anybody


def test_what_was_withheld_or_does_not_fit_its_form_was_not_well_done() -> None:
    withheld = row("run_1", outcome="refused", error=RecordedError("withheld"))
    denied = row("run_2", outcome="refused", model="", error=RecordedError("denied"))
    assert told(withheld, denied, row("run_3", fit=False), row("run_4", fit=True)) == [
        ("run_1", "check", 0),
        ("run_3", "check", 0),
    ]


def test_the_same_question_again_within_minutes_speaks_against_the_first_answer() -> None:
    again = [row(f"run_{at}", at * MINUTE, question="q") for at in (1, 2, 3, 4, 5)]
    assert told(*again) == [("run_1", "retry", 0), ("run_2", "retry", 0)]  # and who asks on and on has a habit
    assert told(row("run_1", 0, question="q"), row("run_2", 60 * MINUTE, question="q")) == []
    assert told(row("run_1", 0, question="q"), row("run_2", MINUTE, question="q", person="lee")) == []
    assert told(row("run_1", 60 * MINUTE, question="q"), row("run_2", 0, question="q")) == []  # the clock went back


def test_a_tool_that_did_it_speaks_for_the_model_and_one_that_was_down_for_nobody() -> None:
    asks = row("run_1", within="work")
    for more, score in (
        ({"outcome": "done"}, 10_000),
        ({"outcome": "refused", "error": RecordedError("bad_input")}, 0),
        ({"outcome": "refused", "error": RecordedError("denied")}, None),
        ({"outcome": "failed", "error": RecordedError("upstream")}, None),
    ):
        call = row("run_2", kind="call_tool", within="work", model="", **more)
        assert told(asks, call) == ([] if score is None else [("run_1", "tool", score)])


def test_an_attempt_that_another_model_took_over_was_not_well_done() -> None:
    attempt = row("run_1", kind="attempt", outcome="failed", attempt=1, model="small", flags=("escalated",))
    assert told(attempt, row("run_1", attempt=2)) == [("run_1", "escalation/1", 0)]


def test_what_is_not_named_is_not_looked_for() -> None:
    rows = [row("run_1", judged=(("kind", "j", "passed"),)), row("run_2", MINUTE, fit=False)]
    assert told(*rows, settings=OutcomesSettings(seen=("retry",))) == []


def test_questions_and_forms_are_read_from_any_protocol() -> None:
    schema = b'{"type": "object", "required": ["a"]}'
    body = b'{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "response_format":'
    wanted = asked(body + b' {"type": "json_schema", "json_schema": {"schema": ' + schema + b"}}}")
    assert (wanted.text, fits('{"a": 1}', wanted), fits("{}", wanted), fits("no", wanted)) == ("Hi", True, False, False)
    assert asked(b'{"input": "Hi"}').text == asked(b'{"prompt": "Hi"}').text == "Hi"
    for odd in (b"", b"[" * 100_000, b"[]", b'{"messages": 3}', b'{"messages": [{"role": "user"}]}'):
        assert asked(odd).text == ""
