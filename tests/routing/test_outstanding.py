"""What is under way at deployments: counted while it is, and forgotten when it is not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.routing.outstanding import Outstanding

STEPS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["m/a", "m/b", "other", ""])), max_size=40)


@settings(max_examples=40)
@given(STEPS)
def test_what_is_counted_is_what_is_under_way_and_nothing_stays_behind(steps: list[tuple[int, str]]) -> None:
    outstanding = Outstanding()
    where = [""] * 5
    for number, name in steps:
        if where[number]:
            outstanding.end(where[number], 100 * number)
        if name:
            outstanding.begin(name, 100 * number)
        where[number] = name
        names = {name for name in where if name}
        assert outstanding.busy == {
            name: (where.count(name), sum(100 * at for at, each in enumerate(where) if each == name)) for name in names
        }
    for number, name in enumerate(where):
        if name:
            outstanding.end(name, 100 * number)
    assert outstanding.busy == {}
