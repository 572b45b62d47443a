"""Nobody can reckon a group that is not told of: shown by trying every small table that there is, with everything that
could be drawn, and with sums known that somebody may know from elsewhere."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.policy.suppression import Draw, Group, left_out

LEAST = 2
Table = dict[Group, int]


def outcomes(run: Callable[[Draw], frozenset[Group]]) -> Iterator[frozenset[Group]]:
    """What comes out for every sequence of draws."""
    prefixes: list[tuple[int, ...]] = [()]
    while prefixes:
        prefix = prefixes.pop()
        asked: list[int] = []

        def draw(below: int, prefix: tuple[int, ...] = prefix, asked: list[int] = asked) -> int:
            asked.append(below)
            return prefix[len(asked) - 1] if len(asked) <= len(prefix) else 0

        found = run(draw)
        if len(asked) > len(prefix):
            chosen = (*prefix, *[0] * (len(asked) - len(prefix)))
            for at in range(len(prefix), len(asked)):
                prefixes += [(*chosen[:at], other) for other in range(1, asked[at])]
        yield found


def seen_of(table: Table) -> Iterator[tuple[object, frozenset[Group]]]:
    """All that may be seen of a table, with the sum of all, and what is hidden in it."""
    there = {group: count for group, count in table.items() if count}
    unfit = {group for group, count in there.items() if count < LEAST}
    for hidden in outcomes(lambda draw: left_out(there.keys(), unfit, draw)):
        shown = tuple(sorted((group, count) for group, count in there.items() if group not in hidden))
        yield (shown, sum(table.values())), hidden


ONE = [("a",), ("b",), ("c",), ("d",)]
TWO = [(row, column) for row in "ab" for column in "xyz"]


@pytest.mark.parametrize(("groups", "most"), [(ONE[:3], 4), (ONE, 3), (TWO, 2)])
def test_no_small_group_follows_from_what_is_told_and_the_sum_of_all(groups: list[Group], most: int) -> None:
    alike: dict[object, list[Table]] = defaultdict(list)
    for counts in product(range(most + 1), repeat=len(groups)):
        table = dict(zip(groups, counts, strict=True))
        for seen, hidden in seen_of(table):
            if hidden and hidden != {group for group in groups if table[group]}:  # else nothing is told
                alike[seen].append(table)
    assert alike
    for seen, tables in alike.items():
        for group in groups:
            sizes = {table[group] for table in tables}
            assert not (len(sizes) == 1 and 0 < min(sizes) < LEAST), (seen, group)


def reckonable(hidden: list[Group]) -> set[Group]:
    """Those that follow from the sums of rows and columns, by solving the equations."""
    ends = sorted({(at, group[at]) for group in hidden for at in (0, 1)})
    rows = [[Fraction(group[at] == value) for group in hidden] for at, value in ends]
    done = 0
    for column in range(len(hidden)):
        pivot = next((row for row in range(done, len(rows)) if rows[row][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        rows[done] = [each / rows[done][column] for each in rows[done]]
        for other in range(len(rows)):
            if other != done and rows[other][column]:
                by = rows[other][column]
                rows[other] = [one - by * two for one, two in zip(rows[other], rows[done], strict=True)]
        done += 1
    return {hidden[row.index(1)] for row in rows if sum(1 for each in row if each) == 1}


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), st.integers(1, 6)), st.integers(0))
def test_sums_of_rows_and_columns_tell_no_group_that_others_could_protect(table: Table, seed: int) -> None:
    groups, small = set(table), {group for group, count in table.items() if count < 3}
    hidden = left_out(groups, small, lambda below: seed % below)
    assert small <= hidden
    for row, column in reckonable(sorted(hidden)):
        assert not any((row, y) in groups and (x, column) in groups for x, y in groups if x != row and y != column)
        for at in (0, 1):
            line = {group for group in groups if group[at] == (row, column)[at]}
            assert len(line & hidden) > 1 or line <= hidden


def test_where_all_may_be_told_all_are() -> None:
    assert left_out([("a",), ("b",)], [], lambda below: 0) == frozenset()
    assert left_out([("a",)], [("a",)], lambda below: 0) == {("a",)}
