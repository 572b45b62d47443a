"""Whole numbers side by side in one integer come out as if each had been reckoned with alone."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.tasks.lanes import BITS, Lanes

numbers = st.integers(-(1 << 40), 1 << 40)


@given(
    st.integers(1, 5).flatmap(
        lambda count: st.lists(
            st.tuples(st.lists(numbers, min_size=count, max_size=count), st.integers(-(1 << 20), 1 << 20)), min_size=1
        )
    )
)
def test_sums_and_multiples_stay_in_their_lanes(terms: list[tuple[list[int], int]]) -> None:
    count = len(terms[0][0])
    lanes = Lanes(count)
    packed = sum(lanes.packed(each) * times for each, times in terms)
    assert lanes.unpacked(packed) == tuple(sum(each[lane] * times for each, times in terms) for lane in range(count))


def test_a_lane_holds_what_its_bits_hold() -> None:
    lanes, edge = Lanes(3), 1 << (BITS - 1)
    assert lanes.unpacked(lanes.packed([edge - 1, -edge, 0])) == (edge - 1, -edge, 0)
