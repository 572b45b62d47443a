"""A provider's export against our records: what differs is found, and nothing else."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.costs.billing.charges import Sold
from fairlead.costs.billing.reconcile import Compared, calls_of, reconcile
from fairlead.costs.billing.usage_export import read_export
from fairlead.costs.record import Record, RecordedUsage, encode_record
from fairlead.errors import BadInput

NOON = int(datetime(2026, 11, 21, 12, 30, tzinfo=UTC).timestamp() * 1000)


def row(run: str, cost: int, given: int, said: int, **known: object) -> bytes:
    usage = RecordedUsage(input=given, output=said, estimated=bool(known.pop("estimated", False)))
    fields = {"v": 1, "kind": "call_model", "outcome": "done", "at": NOON, "attempt": 1, "model": "big"} | known
    return encode_record(Record(run=run, cost=cost, usage=usage, placement="cloud", **fields))  # type: ignore[arg-type]


def sold(revision: str, model: str) -> Sold:
    return Sold("acme-cloud", f"{model}-2026")


RECORDS = [
    row("run_1", 1_500_000_000, 100, 10),
    row("run_2", 200_000_000, 20, 2, estimated=True),
    row("run_3", 300_000_000, 30, 3),
    row("run_4", 40_000_000, 4, 1),
    row("run_4", 10_000_000, 4, 0, kind="attempt", outcome="failed", attempt=2),
]


def compared(export: str, **columns: str) -> Compared:
    lines = read_export(export.encode(), columns)
    return reconcile(calls_of(RECORDS, sold, "acme-cloud", frozenset(line.model for line in lines)), lines)


def test_requests_are_compared_one_by_one_where_the_export_has_our_ids() -> None:
    found = compared(
        "date,model,prompt_tokens,completion_tokens,cost,idempotency_key\n"
        "2026-11-21,big-2026,100,10,1.50,run_1.1\n"
        "2026-11-21,big-2026,25,2,0.25,run_2.1\n"
        "2026-11-21,big-2026,31,3,0.30,run_3.1\n"
        "2026-11-21,big-2026,4,1,0.14,run_4.1\n"
        "2026-11-21,big-2026,9,9,0.90,run_9.1\n"
    )
    assert found.by == "request"
    assert found.matched == 1
    assert {(each.kind, each.what, int(each.cost)) for each in found.differences} == {
        ("our estimates", "run_2.1", 50_000_000),
        ("tokens differ", "run_3.1", 0),
        ("price differs", "run_4.1", 100_000_000),
        ("theirs only", "run_9.1", 900_000_000),
        ("ours only", "run_4.2", -10_000_000),
    }
    assert found.ours.cost == 2_050_000_000
    assert found.share == Decimal("1.06") / Decimal("3.09")


def test_without_ids_days_and_models_are_compared() -> None:
    export = (
        '{"timestamp": 1795262400, "model": "big-2026", "fresh": 150, "cached": 8, "output_tokens": 16, "cost": 2.05}\n'
        '{"timestamp": "2026-11-22T00:00:00Z", "model": "other", "fresh": 1, "cached": 0, "output_tokens": 1}\n'
    )
    found = compared(export, input="fresh+cached")
    assert found.by == "day and model"
    assert [(each.kind, each.what) for each in found.differences] == [("theirs only", "2026-11-22 other")]
    assert found.matched == 1
    assert not found.theirs.priced


@given(st.permutations(range(4)))
@settings(max_examples=10)
def test_the_order_of_lines_does_not_matter(order: list[int]) -> None:
    lines = [
        "2026-11-21,big-2026,50,5,0.5",
        "2026-11-20,big-2026,1,1,0.1",
        "2026-11-21,x,2,2,0.2",
        "2026-11-21,big-2026,8,1,1",
    ]
    head = "time,model,input,output,cost\n"
    assert compared(head + "\n".join(lines[n] for n in order)) == compared(head + "\n".join(lines))


@pytest.mark.parametrize(
    ("export", "word"),
    [
        ("", "no lines"),
        ("time,model,input,output\n2026-11-21,big,-5,1\n", "-5"),
        ("time,model,input,output\n2026-11-21,big,1e99,1\n", "1e99"),
        ("time,model,input,output\nyesterday,big,1,1\n", "yesterday"),
        ("time,model,input,output,cost\n2026-11-21,big,1,1,$2\n", "$2"),
        ("time,model,input\n2026-11-21,big,1\n", "--columns output"),
        ('{"time": "2026-11-21"\n', "line 1"),
        ("\xff\xfe", ""),
    ],
)
def test_an_export_that_makes_no_sense_is_refused_with_its_line(export: str, word: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_export(export.encode("latin-1"), {})
    assert word in f"{refused.value} {refused.value.mend}"


def test_what_was_estimated_in_a_day_explains_no_more_than_it_came_to() -> None:
    head = "day,model,input_tokens,output_tokens,cost\n"
    for cost, kind in (("2.20", "our estimates"), ("2.90", "price differs")):
        (found,) = compared(f"{head}2026-11-21,big-2026,158,16,{cost}\n").differences
        assert found.kind == kind
