import copy

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fairlead.errors import CutOff, DeadlineExceeded, RateLimited, Rejected, Upstream
from fairlead.routing.breaker import Health
from fairlead.routing.settings import BreakerSettings

SETTINGS = BreakerSettings(failures=3, share=0.5, window=60.0, least=10, cool_down=5.0, longest_cool_down=40.0)
DOWN = Upstream("down")


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def health(time: Time) -> Health:
    return Health(time, SETTINGS)


def fail(health: Health, times: int = 1, error: Upstream = DOWN) -> None:
    for _ in range(times):
        health.failure("m", error)


def test_a_model_of_which_nothing_is_known_is_healthy(health: Health) -> None:
    assert health.reason("m") is None
    assert health.acquire("m")


@pytest.mark.parametrize(
    "error", [DOWN, CutOff("stopped"), DeadlineExceeded("slow"), Upstream("wrong key", retryable=False)]
)
def test_failures_in_a_row_open_the_breaker(health: Health, error: Upstream) -> None:
    fail(health, 2, error)
    assert health.reason("m") is None
    fail(health, 1, error)
    assert health.reason("m") == f"its last call failed ({error.code}); it is left alone for 5 more seconds"
    assert not health.acquire("m")


def test_a_success_between_failures_begins_the_count_again(health: Health) -> None:
    fail(health, 2)
    health.success("m")
    fail(health, 2)
    assert health.reason("m") is None


def test_too_large_a_share_of_failures_opens_the_breaker_though_some_succeed(health: Health) -> None:
    for _ in range(5):
        assert health.reason("m") is None
        health.success("m")
        fail(health)
    assert health.reason("m") is not None


def test_failures_long_ago_do_not_count_towards_the_share(health: Health, time: Time) -> None:
    for _ in range(4):
        health.success("m")
        fail(health)
    time.now += 120
    health.success("m")
    fail(health)
    assert health.reason("m") is None


def test_one_model_says_nothing_about_another(health: Health) -> None:
    fail(health, 3)
    assert health.reason("other") is None


def test_a_request_that_the_server_calls_wrong_says_nothing_about_its_health(health: Health) -> None:
    fail(health, 50, Rejected("wrong"))
    assert health.reason("m") is None


def test_after_the_cool_down_one_call_probes_while_the_others_wait(health: Health, time: Time) -> None:
    fail(health, 3)
    time.now += 5
    assert health.reason("m") is None
    assert health.acquire("m")
    assert not health.acquire("m")
    assert "finding out" in str(health.reason("m"))


def test_a_probe_that_succeeds_closes_the_breaker_for_all(health: Health, time: Time) -> None:
    fail(health, 3)
    time.now += 5
    health.acquire("m")
    health.success("m")
    assert health.acquire("m")
    assert health.acquire("m")


def test_each_probe_that_fails_doubles_the_cool_down_up_to_the_longest(health: Health, time: Time) -> None:
    fail(health, 3)
    for expected in (5, 10, 20, 40, 40):
        time.now += expected - 1
        assert not health.acquire("m")
        time.now += 1
        assert health.acquire("m")
        fail(health)


def test_a_model_that_is_well_again_starts_from_the_shortest_cool_down(health: Health, time: Time) -> None:
    fail(health, 3)
    time.now += 5
    fail(health)
    time.now += 10
    health.success("m")
    fail(health, 3)
    time.now += 5
    assert health.acquire("m")


@pytest.mark.parametrize("nothing_said", ["release", "rejected"])
def test_a_probe_that_says_nothing_leaves_the_next_call_to_probe(health: Health, time: Time, nothing_said: str) -> None:
    fail(health, 3)
    time.now += 5
    assert health.acquire("m")
    if nothing_said == "release":
        health.release("m")
    else:
        health.failure("m", Rejected("wrong"))
    assert health.acquire("m")


def test_a_probe_that_never_reports_does_not_shut_the_model_out_for_ever(health: Health, time: Time) -> None:
    fail(health, 3)
    time.now += 5
    assert health.acquire("m")
    time.now += 40
    assert health.acquire("m")


def test_a_server_that_asks_for_a_pause_gets_it_at_once(health: Health, time: Time) -> None:
    fail(health, 1, RateLimited("slow down", retry_after=12))
    assert health.reason("m") == "its server asked for a pause; it is left alone for 12 more seconds"
    time.now += 12
    assert health.acquire("m")


def test_a_pause_without_a_length_is_one_cool_down_and_none_is_longer_than_the_longest(
    health: Health, time: Time
) -> None:
    fail(health, 1, RateLimited("slow down"))
    time.now += 5
    assert health.acquire("m")
    fail(health, 1, RateLimited("slow down", retry_after=1e9))
    time.now += 40
    assert health.acquire("m")


def test_news_from_calls_begun_before_the_breaker_opened_neither_close_nor_prolong_it(
    health: Health, time: Time
) -> None:
    fail(health, 3)
    health.success("m")
    fail(health, 10)
    assert not health.acquire("m")
    time.now += 5
    assert health.acquire("m")


def test_a_longer_pause_asked_for_while_open_is_kept(health: Health, time: Time) -> None:
    fail(health, 3)
    fail(health, 1, RateLimited("slow down", retry_after=20))
    time.now += 19
    assert not health.acquire("m")


class BreakerMachine(RuleBasedStateMachine):
    """Any order of calls, results and time: a model is never shut for ever, never probed twice at once, and what
    `reason` says is what `acquire` does."""

    def __init__(self) -> None:
        super().__init__()
        self.time = Time()
        self.health = Health(self.time, SETTINGS)
        self.in_a_row = 0
        self.probing_since: float | None = None

    def is_open(self) -> bool:
        breaker = self.health._breakers.get("m")
        return breaker is not None and breaker.until is not None

    @rule(seconds=st.floats(0, 50))
    def pass_time(self, seconds: float) -> None:
        self.time.now += seconds

    @rule()
    def call(self) -> None:
        was_open = self.is_open()
        if self.health.acquire("m") and was_open:
            assert self.probing_since is None or self.time.now - self.probing_since >= SETTINGS.longest_cool_down
            self.probing_since = self.time.now

    @rule()
    def succeed(self) -> None:
        self.health.success("m")
        if self.health.reason("m") is None:
            assert not self.is_open()
            self.in_a_row, self.probing_since = 0, None

    @rule(retry_after=st.one_of(st.none(), st.floats(-1, 1e6)), limited=st.booleans())
    def fail(self, retry_after: float | None, limited: bool) -> None:
        shut = self.health.reason("m") is not None and not self.probing()
        error = RateLimited("slow down", retry_after=retry_after) if limited else Upstream("down")
        self.health.failure("m", error)
        if not shut:
            self.in_a_row += 1
            self.probing_since = None
        if self.in_a_row >= SETTINGS.failures:
            assert self.is_open()

    @rule()
    def leave(self) -> None:
        self.health.release("m")
        self.probing_since = None

    @precondition(lambda self: self.is_open())
    @rule()
    def wait_out(self) -> None:
        self.time.now += SETTINGS.longest_cool_down
        assert self.health.reason("m") is None

    def probing(self) -> bool:
        breaker = self.health._breakers.get("m")
        return breaker is not None and breaker.probing(self.time.now)

    @invariant()
    def what_it_says_is_what_it_does(self) -> None:
        assert copy.deepcopy(self.health).acquire("m") == (self.health.reason("m") is None)

    @invariant()
    def no_cool_down_is_longer_than_the_longest(self) -> None:
        breaker = self.health._breakers.get("m")
        if breaker is not None and breaker.until is not None:
            assert breaker.until <= self.time.now + SETTINGS.longest_cool_down


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBreaker = BreakerMachine.TestCase
