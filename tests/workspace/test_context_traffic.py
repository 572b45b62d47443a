"""What records tell of how task types are asked for."""

from fairlead.costs.record import Record, RecordedError
from fairlead.workspace.context_traffic import traffic_of


def record(**said: object) -> Record:
    return Record(**{"v": 1, "run": "run", "at": 0, "kind": "call_model", "outcome": "done", "task": "refund", **said})  # type: ignore[arg-type]


def test_questions_are_counted_by_department_and_by_what_their_answers_rested_on() -> None:
    found = traffic_of(
        [
            record(department="sales", citations=("a/b@v1#x", "a/b@v1#y", "c@v2")),
            record(department="sales", required=(("terms", "met"), ("price", "stale"))),
            record(department="hr", outcome="refused", error=RecordedError("insufficient_context")),
            record(department="hr", outcome="refused", error=RecordedError("no_context"), task="chat"),
            record(department="hr", outcome="refused", error=RecordedError("denied"), required=(("terms", "met"),)),
        ]
    )
    assert found.calls == {("refund", "sales"): 2, ("refund", "hr"): 2, ("chat", "hr"): 1}
    assert found.lacked == {("refund", "sales"): 1}
    assert found.cited == {"refund": {"a/b": 1, "c": 1}}
    assert (found.uncited, found.refused) == ({"refund": 1}, {"refund": 1, "chat": 1})
    assert found.of_task("refund") == 4


def test_what_is_no_question_does_not_count() -> None:
    found = traffic_of(
        [
            record(outcome="estimated"),
            record(judges="run_1"),
            record(kind="attempt"),
            record(task=""),
            record(kind="call_tool", tool="shop.refund", task=""),
            record(kind="call_tool", tool="shop.refund", outcome="refused"),
        ]
    )
    assert (found.calls, found.tools) == ({}, {"shop.refund": 1})
