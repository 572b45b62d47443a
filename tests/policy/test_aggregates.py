"""What is told of groups, and that it tells of nobody alone."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.policy.aggregates import gathered, judged, released
from fairlead.policy.declassify_settings import AggregateSetting, ValueSetting
from fairlead.policy.periods import Window, last_over

DAY = 86_400_000


def rule(**more: Any) -> AggregateSetting:
    known: dict[str, Any] = {
        "name": "trend", "source": "shop.lines", "arguments": {}, "subject": "customer", "by": ("region",),
        "at_least": 3, "values": {"spent": ValueSetting(within=(0, 100), gives=("sum", "mean"))},
    }  # fmt: skip
    return AggregateSetting(**(known | more))


def rows(**groups: list[float]) -> list[dict[str, Any]]:
    """A customer of its own for each value."""
    return [
        {"region": region, "customer": f"{region}{number}", "spent": value}
        for region, values in groups.items()
        for number, value in enumerate(values)
    ]


def first(below: int) -> int:
    return 0


def test_groups_of_enough_people_are_told_with_what_each_has_kept_within_bounds() -> None:
    lines = [*rows(north=[25, 30, 35], south=[60, 60, 400]), {"region": "north", "customer": "north0", "spent": 5}]
    found = released(rule(), lines, first)
    assert found.columns == ("region", "subjects", "spent_sum", "spent_mean")
    assert found.rows == (("north", 3, 95, 31.666667), ("south", 3, 220, 73.333333))


def test_one_person_is_not_counted_twice_by_how_a_column_writes_them() -> None:
    spent = [(1, 10), ("1", 10), (1.0, 10), (2, 30), (3, 30)]
    lines = [{"region": "north", "customer": who, "spent": much} for who, much in spent]
    assert released(rule(at_least=4), lines, first).rows == ()
    assert released(rule(), lines, first).rows == (("north", 3, 90, 30),)


def test_a_small_group_takes_another_with_it_and_the_total_goes() -> None:
    lines = rows(north=[10, 20, 30], south=[40, 40, 40], west=[1, 1])
    setting = rule(totals=True)
    found = released(setting, lines, first)
    assert [row[0] for row in found.rows] == ["south"]
    assert (found.groups, found.suppressed) == (1, 2)
    members, _ = gathered(setting, lines)
    assert [(each.group, each.why) for each in judged(setting, members, first)] == [
        (("north",), "protects"),
        (("west",), "few"),
    ]
    whole = released(setting, rows(north=[10, 20, 30], south=[40, 40, 40]), first)
    assert whole.rows[-1] == (None, 6, 180, 30)


def test_a_group_that_one_subject_dominates_is_not_told() -> None:
    found = released(rule(), rows(north=[90, 10, 10], south=[1, 1, 1], west=[2, 2, 2]), first)
    assert "north" not in {row[0] for row in found.rows}
    assert found.suppressed == 2


def test_thirds_share_nobody_and_need_enough_people_each() -> None:
    setting = rule(values={"spent": ValueSetting(within=(0, 100), gives=("thirds",))})
    found = released(setting, rows(north=[float(n) for n in range(1, 11)], south=[1, 2, 3, 4]), first)
    assert found.rows == (("north", 10, 2, 5.5, 9), ("south", 4, None, None, None))


def test_who_is_nobody_counts_for_nothing_and_what_is_no_number_is_refused() -> None:
    nobody = {"region": "north", "customer": None, "spent": 5}
    found = released(rule(), [*rows(north=[10, 10, 10]), nobody], first)
    assert (found.rows, found.nameless) == ((("north", 3, 30, 10),), 1)
    for wrong in ("much", float("nan"), True, "1e999999999"):
        with pytest.raises(BadInput):
            released(rule(), [{"region": "n", "customer": 1, "spent": wrong}], first)
    with pytest.raises(BadInput, match="no column 'spent'"):
        released(rule(), [{"region": "n", "customer": 1}], first)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 12), st.integers(-50, 500))),
    st.integers(0),
    st.booleans(),
)
def test_whatever_the_rows_no_group_of_too_few_is_told(
    lines: list[tuple[str, str, int, int]], seed: int, totals: bool
) -> None:
    setting = rule(by=("region", "month"), totals=totals)
    found = released(
        setting,
        [{"region": r, "month": m, "customer": c, "spent": v} for r, m, c, v in lines],
        lambda below: seed % below,
    )
    people = Counter((r, m) for r, m, _ in {(r, m, c) for r, m, c, _ in lines})
    told = [row for row in found.rows if row[0] is not None]
    assert all(people[row[0], row[1]] == row[2] >= 3 for row in told)
    assert all(0 <= row[3] <= 100 * row[2] for row in found.rows)
    assert len(found.rows) == len(told) or not found.suppressed
    assert found.suppressed != 1 or not told


def test_a_period_is_the_last_that_is_over() -> None:
    now = 1_795_000_000_000  # 2026-11-18
    assert last_over("day", now) == Window("2026-11-17", "2026-11-18")
    assert last_over("week", now) == Window("2026-11-09", "2026-11-16")
    assert last_over("month", now) == Window("2026-10-01", "2026-11-01")
    assert last_over("quarter", now) == Window("2026-07-01", "2026-10-01")
    assert last_over("year", now) == Window("2025-01-01", "2026-01-01")
    assert last_over("month", now - 50 * DAY) == Window("2026-08-01", "2026-09-01")
