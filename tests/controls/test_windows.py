"""What is counted as records come is what a count of all of them would give, however often it is interrupted."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fairlead.controls.compile import BUCKETS, Control, compile_controls
from fairlead.controls.settings import ControlSettings
from fairlead.controls.windows import Change, State, fold, settle, value_of
from fairlead.costs.record import Record

AGENTS = ("", "a", "b")
START = 1_795_000_000_000
records = st.lists(
    st.tuples(
        st.integers(-400_000, 400_000),  # how far its clock is off, or how long nothing came
        st.sampled_from(AGENTS),
        st.sampled_from(("done", "refused")),
        st.integers(0, 5),
    ),
    max_size=60,
)
settings = st.builds(
    dict,
    measure=st.sampled_from(("count", "share", "cost")),
    by=st.sampled_from((None, "agent")),
    most=st.sampled_from((0, 0.3, 2)),
    least=st.sampled_from((1, 3)),
    window=st.sampled_from(("1m", "5m")),
    where=st.just({"outcome": ["refused"]}),
)


def control_of(given: dict[str, object]) -> Control:
    made = msgspec.convert({"title": "t", **given}, ControlSettings)
    return compile_controls({"c": made}, {}, lambda _: None).controls["c"]


def rows_of(drawn: Sequence[tuple[int, str, str, int]]) -> list[tuple[int, Record]]:
    rows, at = [], START
    for number, (step, agent, outcome, cost) in enumerate(drawn):
        at += 2_000
        record = Record(
            v=1, kind="call_model", run=f"run_{number}", at=at, agent=agent, outcome=outcome, cost=cost * 10**9
        )
        rows.append((at + step, record))
    return rows


@given(settings, records)
def test_incremental_windows_are_a_count_of_everything(
    given: dict[str, object], drawn: list[tuple[int, str, str, int]]
) -> None:
    control, rows = control_of(given), rows_of(drawn)
    states = {"c": State(control.digest)}
    limit = START + 1_000_000
    time, _ = fold([control], states, START, rows, limit)
    settle([control], states, time)
    for name in AGENTS:
        expected = brute(control, rows, name, time, limit)
        group = states["c"].groups.get(name)
        found = (group.counted, group.whole) if group is not None else (0, 0)
        assert found == expected


def brute(control: Control, rows: list[tuple[int, Record]], name: str, end: int, limit: int) -> tuple[int, int]:
    counted = whole = 0
    time = START
    for at, record in rows:
        time = max(time, min(at, limit))
        group = record.agent if control.by else ""
        if group != name or (control.by and not group) or time // control.bucket <= end // control.bucket - BUCKETS:
            continue
        counts = control.counted(record)
        if control.measure == "share" or counts:
            whole += 1
            counted += (record.cost if control.measure == "cost" else 1) if counts else 0
    return counted, whole


@given(settings, records, st.lists(st.integers(0, 60), max_size=6))
def test_being_stopped_and_started_anywhere_changes_nothing(
    given: dict[str, object], drawn: list[tuple[int, str, str, int]], cuts: list[int]
) -> None:
    control, rows = control_of(given), rows_of(drawn)
    limit = START + 1_000_000
    whole: dict[str, State] = {"c": State(control.digest)}
    expected = fold([control], whole, START, rows, limit)
    state, time, changes, before = State(control.digest), START, list[Change](), 0
    for cut in [*sorted(cuts), len(rows)]:
        stored = msgspec.msgpack.encode(state)
        fold([control], {"c": state}, time, rows[before:], limit)  # died before it was written: forgotten
        state = msgspec.msgpack.decode(stored, type=State)
        time, more = fold([control], {"c": state}, time, rows[before:cut], limit)
        changes += more
        before = max(before, cut)
    assert (time, changes) == expected
    assert state == whole["c"]


@given(settings, records)
def test_a_breach_opens_before_it_closes_and_never_twice(
    given: dict[str, object], drawn: list[tuple[int, str, str, int]]
) -> None:
    control, rows = control_of(given), rows_of(drawn)
    states = {"c": State(control.digest)}
    time, changes = fold([control], states, START, rows, START + 1_000_000)
    changes += settle([control], states, time + 10 * 300_000)
    for name in AGENTS:
        kinds = [each.kind for each in changes if each.group == name]
        assert kinds == [("breach", "breach_over")[number % 2] for number in range(len(kinds))]
        assert len(kinds) % 2 == 0


def test_a_breach_stays_open_until_the_measure_is_well_again() -> None:
    control = control_of({"most": 2, "well_at": 1, "window": "1m", "where": {"outcome": ["refused"]}})
    states = {"c": State(control.digest)}
    rows = rows_of([(0, "", "refused", 0)] * 4)
    time, changes = fold([control], states, START, rows, START + 1_000_000)
    assert [(each.kind, each.value, len(each.runs)) for each in changes] == [("breach", 3, 3)]
    group = states["c"].groups[""]
    assert settle([control], states, time + 53_000) == []
    assert value_of(control, group) == 4
    assert [each.kind for each in settle([control], states, time + 59_000)] == ["breach_over"]


def test_a_record_from_the_future_counts_as_now() -> None:
    control = control_of({"most": 5, "window": "1m"})
    states = {"c": State(control.digest)}
    time, _ = fold([control], states, START, rows_of([(10**9, "", "done", 0)]), START + 1000)
    assert time == START + 1000
