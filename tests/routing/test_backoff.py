import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import CutOff, RateLimited, Rejected, Upstream
from fairlead.routing.backoff import pause_before_retry
from fairlead.routing.settings import RetrySettings

SETTINGS = RetrySettings(tries=4, first_wait=1.0, longest_wait=3.0)


class Dice:
    """A clock that stands still, and draws the given share of what can be drawn."""

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 100.0

    def era(self) -> str:
        return "test"

    def random_bytes(self, count: int) -> bytes:
        return int(self.share * (256**count - 1)).to_bytes(count, "big")


def pause(error: Upstream, tries: int = 1, share: float = 0.5, deadline: float = 1000.0) -> float | None:
    return pause_before_retry(error, tries, SETTINGS, Dice(share), deadline)


def test_the_bound_doubles_up_to_the_longest_wait() -> None:
    waits = [pause(Upstream("down"), tries, share=1.0) for tries in (1, 2, 3)]
    assert waits == pytest.approx([1.0, 2.0, 3.0])


def test_the_wait_is_drawn_from_nothing_up_to_the_bound() -> None:
    assert [pause(Upstream("down"), share=share) for share in (0.0, 0.5)] == pytest.approx([0.0, 0.5])


def test_a_pause_that_the_server_asks_for_is_never_shortened() -> None:
    for share in (0.0, 0.5, 1.0):
        wait = pause(RateLimited("slow down", retry_after=2.0), share=share)
        assert wait is not None
        assert 2.0 <= wait <= 3.0


def test_a_server_that_asks_for_a_longer_pause_than_allowed_is_not_asked_again() -> None:
    assert pause(RateLimited("slow down", retry_after=3.1)) is None


@pytest.mark.parametrize(
    "error",
    [
        Rejected("wrong"),
        CutOff("stopped", charged="part"),
        Upstream("wrong key", retryable=False),
        Upstream("broke off", charged="part"),
        RateLimited("slow down", retry_after=float("nan")),
        RateLimited("slow down", retry_after=float("inf")),
    ],
)
def test_what_another_try_would_not_help_is_not_tried(error: Upstream) -> None:
    assert pause(error) is None


def test_the_tries_come_to_an_end() -> None:
    assert pause(Upstream("down"), tries=4) is None


@given(
    st.integers(1, 5),
    st.floats(0, 1),
    st.floats(100, 110),
    st.one_of(st.none(), st.floats(-5, 10)),
)
def test_no_wait_ends_after_the_deadline_or_is_negative(
    tries: int, share: float, deadline: float, asked: float | None
) -> None:
    wait = pause(Upstream("down", retry_after=asked), tries, share, deadline)
    assert wait is None or (wait >= 0 and 100.0 + wait < deadline)
