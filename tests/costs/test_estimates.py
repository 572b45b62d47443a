from hypothesis import given
from hypothesis import strategies as st

from fairlead.costs.estimates import batch, estimate, summed
from fairlead.costs.histories import History
from fairlead.costs.prices import upper_bound
from fairlead.costs.types import Rate, Tier

RATE = Rate("list 1", (Tier(0, 1_000_000, 10_000_000, 100_000, 1_250_000),))


def seen(*outputs: int) -> History:
    history = History()
    for at, output in enumerate(outputs):
        history.note(1000, output, 1_700_000_000_000 + at)
    return history


def test_without_a_history_the_bounds_are_what_is_declared() -> None:
    found = estimate("small", 4000, 1000, 1, RATE, History())
    assert found.low == 1000 * 1000
    assert found.likely == 1000 * 1000 + 500 * 10_000
    assert found.high == 1000 * 1000 + 1000 * 10_000
    assert found.most == upper_bound(4000, 1000, 1, RATE)
    assert (found.model, found.price_version, found.outcomes) == ("small", "list 1", 0)


def test_with_a_history_it_is_what_replies_were() -> None:
    found = estimate("small", 4000, 1000, 1, RATE, seen(*range(100, 200)))
    assert 1000 * 1000 + 100 * 10_000 <= found.low < found.likely < found.high <= 1000 * 1000 + 200 * 10_000
    assert (found.outcomes, found.since) == (100, 1_700_000_000_000)


@given(st.integers(0, 10**6), st.integers(1, 10**5), st.integers(1, 8), st.lists(st.integers(0, 10**6), max_size=40))
def test_an_estimate_is_ordered_and_never_above_the_most(
    size: int, limit: int, choices: int, outputs: list[int]
) -> None:
    found = estimate("m", size, limit, choices, RATE, seen(*outputs))
    assert 0 <= found.low <= found.likely <= found.high <= found.most


@given(st.lists(st.tuples(st.integers(0, 10**5), st.integers(1, 10**4)), min_size=1, max_size=20))
def test_a_batch_is_ordered_with_and_without_a_history(calls: list[tuple[int, int]]) -> None:
    for history in (History(), seen(*range(200))):
        found = batch(calls, history, RATE)
        assert 0 <= found.low <= found.likely <= found.high
    assert summed([found, found]).high == 2 * found.high
