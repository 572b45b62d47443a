"""What a walk remembers of a run: where something was begun, told quickly and exactly."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.storage.types import NewResult
from fairlead.workflows.functions import plain
from fairlead.workflows.nodes import PythonNode
from fairlead.workflows.recorded import Recorded, failure_in
from fairlead.workflows.sealing import encoded
from fairlead.workflows.walk import Place, StepFailed, StepResult

_part = st.one_of(st.integers(0, 2), st.sampled_from(["a", "ab", "a~1", "~undo", "~begun"]))
_places = st.lists(
    st.builds(Place, st.just("wf_1"), st.lists(_part, min_size=1, max_size=3).map(tuple), st.integers(0, 1))
)


_ROW = NewResult(run="wf_1", place="", owner="", at=1, action="", status="", cost=0, size=0, sealed=b"")


def recorded(known: list[Place]) -> Recorded:
    runs: Any = SimpleNamespace(row=lambda *given: _ROW)
    opened: Any = SimpleNamespace(results={each.record: _ROW for each in known}, run=SimpleNamespace(unkept=False))
    return Recorded(runs, opened, "worker_1", None)  # type: ignore[arg-type]


@given(_places, _places, _places)
def test_an_effect_was_begun_where_it_stands_or_its_mark_or_a_turn_of_it_does(
    before: list[Place], since: list[Place], asked: list[Place]
) -> None:
    memory, known = recorded(before), [each.record for each in before]
    for new in (None, *since):
        if new is not None:
            memory.row(new, StepResult())
            known.append(new.record)
        for at in (*asked, *before):
            mine = (at.record, Place(at.run, (*at.path, "~begun"), at.attempt).record)
            assert memory.begun(at) is any(each in mine or each.startswith(f"{at.text}[") for each in known)


def test_a_failure_is_kept_with_the_reply_and_with_whether_an_earlier_walk_was_cut_off() -> None:
    kept: dict[str, Any] = {}
    key: Any = SimpleNamespace(seal=lambda place, value: kept.setdefault(place, value) and b"")
    run: Any = SimpleNamespace(unkept=False)
    cut_off = Place("wf_1", ("pay", "~sent"), 1).record
    opened: Any = SimpleNamespace(results={cut_off: _ROW}, run=run, key=key)
    runs: Any = SimpleNamespace(row=lambda *given: _ROW)
    memory = Recorded(runs, opened, "worker_1", None)  # type: ignore[arg-type]
    for attempt in (0, 1):
        failed = StepFailed("check", "no JSON", result=StepResult(value=[1]))
        memory.failure_row(Place("wf_1", ("pay",), attempt), failed)
    first, second = failure_in(kept["pay"]), failure_in(kept["pay#1"])
    assert [each.may_be_done for each in (first, second)] == [False, True]
    assert first.result == StepResult(text="[1]")


@pytest.mark.parametrize("value", [1 << 70, -(1 << 64), {"a": [1 << 64]}, object()])
def test_what_cannot_be_kept_fails_its_step_and_is_not_tried_again(value: Any) -> None:
    runs: Any = SimpleNamespace(row=lambda opened, worker, place, result: encoded(result.value))
    opened: Any = SimpleNamespace(results={}, run=SimpleNamespace(unkept=False))
    memory, at = Recorded(runs, opened, "worker_1", None), Place("wf_1", ("a",))  # type: ignore[arg-type]
    with pytest.raises(StepFailed) as failed:
        memory.row(at, StepResult(value=value), writes=True)
    assert (failed.value.code, failed.value.in_doubt, memory.knows(at)) == ("not_kept", True, False)
    with pytest.raises(StepFailed, match="cannot be kept"):
        plain(at, PythonNode(function="x:y", effect="write"), value)
