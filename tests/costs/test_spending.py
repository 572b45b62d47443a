from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.costs.record import Record, RecordedUsage, encode_record
from fairlead.costs.spending import DIMENSIONS, summarise
from fairlead.errors import BadInput, Broken
from fairlead.models.types import Usage

NOON = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp() * 1000)


def row(kind: str = "call_model", outcome: str = "done", **known: object) -> bytes:
    fields = {"v": 1, "run": "run_1", "at": NOON, "attempt": 1} | known
    return encode_record(Record(kind=kind, outcome=outcome, **fields))  # type: ignore[arg-type]


def test_spending_is_summed_by_department_the_dearest_first() -> None:
    rows = summarise(
        [
            row(department="sales", cost=5, usage=RecordedUsage(input=10, output=1)),
            row(department="legal", cost=100, usage=RecordedUsage(input=7, cached_input=3)),
            row(department="sales", cost=6, usage=RecordedUsage(input=20, output=2, reasoning=1)),
        ],
        ["department"],
    )
    assert [(one.group, one.runs, one.cost) for one in rows] == [(("legal",), 1, 100), (("sales",), 2, 11)]
    assert rows[1].usage == Usage(input=30, output=3, reasoning=1)


def test_a_failed_attempt_costs_money_and_is_no_run_of_its_own() -> None:
    (found,) = summarise([row("attempt", "failed", cost=3, model="a"), row(cost=4, attempt=2, model="b")], [])
    assert (found.runs, found.attempts, found.done, found.failed, found.cost) == (1, 2, 1, 0, 7)


def test_refusals_at_a_door_are_counted_with_those_that_were_left_out_of_the_log() -> None:
    (found,) = summarise([row("refusal", "refused", attempt=0, suppressed=4), row(outcome="refused", attempt=0)], [])
    assert (found.runs, found.refused, found.attempts, found.cost) == (6, 6, 0, 0)


def test_worst_cases_and_own_counts_are_told_apart_from_the_providers() -> None:
    (found,) = summarise(
        [
            row(outcome="orphaned", cost=50, flags=("orphaned", "reconcile")),
            row(cost=7, usage=RecordedUsage(input=1, estimated=True)),
            row(cost=1, usage=RecordedUsage(input=1)),
        ],
        [],
    )
    assert (found.cost, found.unsure, found.orphaned) == (58, 57, 1)
    assert found.usage == Usage(input=2, estimated=True)


def test_what_came_after_recovery_had_settled_moves_no_money() -> None:
    assert summarise([row("late", cost=9, held=9), b'{"kind":"publish","whatever":1}'], []) == []


def test_every_dimension_can_be_asked_for_together() -> None:
    (found,) = summarise(
        [row(person="sub_1", task="t", agent="bot", door="openai", tenant="x", revision="r")], DIMENSIONS
    )
    assert dict(zip(DIMENSIONS, found.group, strict=True))["day"] == "2026-11-21"
    assert dict(zip(DIMENSIONS, found.group, strict=True))["month"] == "2026-11"


def test_a_dimension_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadInput) as caught:
        summarise([], ["colour"])
    assert "department" in caught.value.mend


@pytest.mark.parametrize("broken", [b"", b"{", b'{"kind":"call_model"}', b"\xff"])
def test_a_record_that_cannot_be_read_is_never_left_out_of_a_sum_in_silence(broken: bytes) -> None:
    with pytest.raises(Broken, match="record 1"):
        summarise([row(), broken], [])


actions = st.builds(
    row,
    st.sampled_from(["call_model", "attempt"]),
    st.sampled_from(["done", "failed", "abandoned"]),
    department=st.sampled_from(["", "a", "b"]),
    model=st.sampled_from(["x", "y"]),
    cost=st.integers(0, 10**15),
)


@given(st.lists(actions), st.lists(st.sampled_from(DIMENSIONS), unique=True))
def test_groups_add_up_to_the_whole_whatever_they_are_grouped_by(records: list[bytes], by: list[str]) -> None:
    whole = summarise(records, [])
    parts = summarise(records, by)
    assert sum(part.cost for part in parts) == sum(one.cost for one in whole)
    assert sum(part.runs for part in parts) == sum(one.runs for one in whole)


def test_what_only_asked_for_a_price_is_counted_apart() -> None:
    (found,) = summarise([row(outcome="estimated", attempt=0), row(cost=1)], [])
    assert (found.runs, found.estimated, found.done, found.unsure) == (2, 1, 1, 0)
    assert not found.usage.estimated


def test_further_counts_are_summed() -> None:
    counted = RecordedUsage(input=9, output=4, cache_write=5, cache_write_1h=3, audio_input=2, audio_output=1)
    (found,) = summarise([row(usage=counted), row(usage=counted)], [])
    assert found.usage == Usage(input=18, output=8, cache_write=10, cache_write_1h=6, audio_input=4, audio_output=2)
