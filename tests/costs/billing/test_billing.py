"""Bills: everything adds up to the ledger, and FOCUS gets what it asks for."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.costs.billing.bill import bill, within
from fairlead.costs.billing.charges import Sold, charges
from fairlead.costs.billing.files import csv_lines, harmless, write_parquet
from fairlead.costs.billing.focus import COLUMNS, focus_rows, validated
from fairlead.costs.billing.focus_rules import MANDATORY, broken
from fairlead.costs.billing.periods import month_of, period_of, spelled
from fairlead.costs.kinds import WHOLE
from fairlead.costs.parts import allot, parts_of
from fairlead.costs.prices import cost
from fairlead.costs.record import Record, RecordedUsage, encode_record
from fairlead.costs.types import Rate, Tier
from fairlead.errors import BadInput
from fairlead.models.types import Usage

NOON = int(datetime(2026, 11, 21, 12, 30, tzinfo=UTC).timestamp() * 1000)
NOVEMBER = period_of("2026-11")
PRICE = Rate("list", (Tier(0, 300, 1500, 30, 375, 600, 900, None),), 7, {"flex": 5000})
counts = st.integers(0, 3000)


def row(**known: object) -> bytes:
    fields = {"v": 1, "kind": "call_model", "outcome": "done", "run": "run_1", "at": NOON, "attempt": 1} | known
    return encode_record(Record(**fields))  # type: ignore[arg-type]


def sold(revision: str, model: str) -> Sold:
    return Sold("acme-cloud", f"{model}-2026", "eu", PRICE) if model == "big" else Sold()


@given(
    st.builds(
        Usage,
        input=counts,
        output=counts,
        cached_input=counts,
        cache_write=counts,
        reasoning=counts,
        cache_write_1h=counts,
        audio_input=counts,
        audio_output=counts,
        tier=st.sampled_from(["", "flex", "odd"]),
    )
)
@settings(max_examples=80)
def test_the_parts_of_a_call_make_up_its_price(usage: Usage) -> None:
    parts = parts_of(usage, PRICE)
    pico = -(-sum(part.weight for part in parts if part.kind != "request") // WHOLE)
    assert (pico + 500) // 1000 + PRICE.per_request == cost(usage, PRICE)


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1, max_size=6))
@settings(max_examples=50)
def test_what_is_allotted_adds_up_and_follows_the_weights(whole: int, weights: list[int]) -> None:
    shares = allot(whole, weights)
    assert sum(shares) == whole
    if total := sum(weights):
        assert all(abs(share * total - whole * weight) < total for share, weight in zip(shares, weights, strict=True))


def test_periods_are_named_as_people_name_them() -> None:
    assert [spelled(at) for at in (period_of("2026-Q4").start, period_of("2026-Q4").end)] == [
        "2026-10-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    ]
    assert spelled(period_of("2028-02").end) == "2028-03-01T00:00:00Z"
    assert month_of(NOON) == NOVEMBER
    for wrong in ("2026-13", "November", "2026-11-31", "9999", ""):
        with pytest.raises(BadInput):
            period_of(wrong)


def test_a_piece_of_work_has_its_runs_their_tools_and_their_judges() -> None:
    rows = [
        row(run="run_1", within="work_1", cost=5),
        row(run="run_2", kind="call_tool", tool="hr.book", within="run_1", cost=3),
        row(run="run_3", judges="run_1", cost=1),
        row(run="run_4", cost=9),
        row(run="run_5", kind="attempt", outcome="failed", cost=2, at=NOVEMBER.start - 1),
    ]
    found = {line.group: line.cost for line in bill(lambda: rows, NOVEMBER, ["work"])}
    assert found == {("work_1",): 9, ("",): 9}
    assert {line.group for line in bill(lambda: rows, NOVEMBER, ["run", "tool"])} >= {("run_2", "hr.book")}


RECORDS = [
    row(model="big", revision="r", department="sales", person="p1", cost=cost(Usage(333, 71, 100), PRICE),
        usage=RecordedUsage(input=333, output=71, cached_input=100)),
    row(model="big", revision="r", kind="attempt", outcome="failed", cost=12_345, flags=("failed", "reconcile")),
    row(model="gone", revision="r", cost=77, usage=RecordedUsage(input=5, output=6, estimated=True)),
    row(model="home", revision="r", usage=RecordedUsage(input=5, output=6)),
    row(kind="call_tool", tool="hr.book", run="run_2", cost=2_000_000_000, department='=A1,"x"\ny'),
    row(kind="refusal", outcome="refused", attempt=0, suppressed=3),
    row(kind="late", cost=99),
]  # fmt: skip


def test_charges_add_up_to_the_ledger_and_are_focus() -> None:
    for per in ("hour", "run"):
        found = charges(within(RECORDS, NOVEMBER), sold, per)  # type: ignore[arg-type]
        rows = list(focus_rows(found, "acme", "EUR"))
        assert validated(rows) == []
        assert list(rows[0]) == list(COLUMNS)
        total = sum(Decimal(each["BilledCost"] or "") for each in rows)
        assert total * 10**9 == sum(line.cost for line in bill(lambda: RECORDS, NOVEMBER, []))
    kinds = {each["x_TokenKind"]: each for each in rows if each["x_Model"] == "big"}
    assert set(kinds) == {"input", "cached_input", "output", "request", "unmetered"}
    assert kinds["input"]["ConsumedQuantity"] == "233"
    assert kinds["unmetered"]["x_Estimated"] == "true"
    assert kinds["input"]["ProviderName"] == "acme-cloud"
    assert {each["x_RunId"] for each in rows} == {"run_1", "run_2"}


def test_what_is_not_focus_is_told() -> None:
    (good, *_) = focus_rows(charges(RECORDS, sold), "acme", "EUR")
    assert list(broken(good)) == []
    for name in MANDATORY:
        assert list(broken({key: value for key, value in good.items() if key != name})), name
    for wrong in (
        {"BilledCost": "1,5"}, {"BilledCost": None}, {"ChargeCategory": "Fee"}, {"BillingCurrency": "euro"},
        {"ChargePeriodEnd": "2026-11-21"}, {"Tags": '{"a": {}}'}, {"SkuId": ""}, {"ConsumedUnit": None},
        {"EffectiveCost": "99"}, {"x-run": "1"}, {"ChargePeriodStart": "2025-01-01T00:00:00Z"},
    ):  # fmt: skip
        assert list(broken(good | wrong)), wrong


def test_csv_and_parquet_hold_the_same_exact_decimals(tmp_path: Path) -> None:
    import csv

    import duckdb

    rows = list(focus_rows(charges(RECORDS, sold), "acme", "EUR"))
    read = list(csv.DictReader("".join(csv_lines(list(COLUMNS), rows)).splitlines(keepends=True)))
    assert [{name: value or None for name, value in each.items()} for each in read] == rows
    file = tmp_path / "it's.parquet"
    write_parquet(COLUMNS, rows, file)
    with duckdb.connect() as database:
        table = database.read_parquet(str(file))
        assert str(table.types[0]) == "DECIMAL(38,9)"
        costs = table.project("BilledCost, SubAccountName").fetchall()
    assert costs == [(Decimal(each["BilledCost"] or ""), each["SubAccountName"]) for each in rows]
    assert [each.name for each in tmp_path.iterdir()] == ["it's.parquet"]


def test_a_spreadsheet_finds_no_formula() -> None:
    assert [harmless(each) for each in ("=1+1", "-2", "sales", "")] == ["'=1+1", "'-2", "sales", ""]
