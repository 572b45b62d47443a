from hypothesis import given
from hypothesis import strategies as st

from fairlead.costs.estimates import estimate
from fairlead.costs.prices import upper_bound
from fairlead.costs.types import Rate, Tier

RATE = Rate("list 1", (Tier(0, 1_000_000, 10_000_000, 100_000, 1_250_000),))


def test_the_likely_cost_is_a_token_for_four_bytes_and_half_of_the_output() -> None:
    found = estimate("small", 4000, 1000, 1, RATE)
    assert found.likely == 1000 * 1000 + 500 * 10_000
    assert found.most == upper_bound(4000, 1000, 1, RATE)
    assert (found.model, found.price_version) == ("small", "list 1")


@given(st.integers(0, 10**6), st.integers(1, 10**5), st.integers(1, 8))
def test_the_likely_cost_is_never_above_the_most(size: int, limit: int, choices: int) -> None:
    found = estimate("m", size, limit, choices, RATE)
    assert 0 <= found.likely <= found.most
