"""What is under way at deployments: counted while it is, and forgotten when it is not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.execution.balancing import Load
from fairlead.routing.outstanding import Outstanding

STEPS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["m/a", "m/b", "other", ""])), max_size=40)


@settings(max_examples=40)
@given(STEPS)
def test_what_is_counted_is_what_is_under_way_and_nothing_stays_behind(steps: list[tuple[int, str]]) -> None:
    outstanding = Outstanding()
    loads = [Load(outstanding, 100 * number) for number in range(5)]
    where = [""] * 5
    for number, name in steps:
        if name:
            loads[number].at(name)
        else:
            loads[number].leave()
        where[number] = name
        names = {name for name in where if name}
        assert outstanding.busy == {
            name: (where.count(name), sum(100 * at for at, each in enumerate(where) if each == name)) for name in names
        }
    for load in loads:
        load.leave()
        load.leave()
    assert outstanding.busy == {}
