from hypothesis import given
from hypothesis import strategies as st

from fairlead.costs.conformal import decayed, effective, student, weighted_quantile

values = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50)


@given(values, st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_quantiles_grow_with_their_share_and_are_values_of_the_sample(past: list[float], a: float, b: float) -> None:
    low, high = sorted((a, b))
    pairs = [(value, 1.0) for value in past]
    assert weighted_quantile(pairs, low) <= weighted_quantile(pairs, high)
    assert weighted_quantile(pairs, low) in past


def test_what_weighs_nothing_moves_nothing() -> None:
    assert weighted_quantile([(1.0, 1.0), (2.0, 1.0), (99.0, 0.0)], 0.9) == 2.0
    assert weighted_quantile([], 0.5) == 0.0


def test_old_errors_count_less_and_those_of_a_clock_that_went_back_as_new_ones() -> None:
    assert decayed([0, 10, 20, -5], 10) == [1.0, 0.5, 0.25, 1.0]
    assert effective([1, 1, 1, 1]) == 4
    assert 1 < effective([1, 0.5, 0.25]) < 3


def test_few_degrees_of_freedom_widen_a_quantile() -> None:
    assert abs(student(1.2816, 9) - 1.383) < 0.005
    assert abs(student(1.645, 5) - 2.015) < 0.01
    assert abs(student(1.2816, 1e9) - 1.2816) < 1e-6
