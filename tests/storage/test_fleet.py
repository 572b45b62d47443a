"""After an announcement has been waited for, no worker decides by what was in force before."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.storage import fleet as module
from fairlead.storage.fleet import LEASE, Epoch, Fleet, Lease
from fairlead.storage.store import Store


class TestClock:
    """Seconds that pass when told; the wall clock jumps about."""

    __test__ = False

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.wall = 1_700_000_000_000

    def now(self) -> int:
        self.wall = 3_400_000_000_000 - self.wall
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def era(self) -> str:
        return "test"

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> TestClock:
    clock = TestClock()
    monkeypatch.setattr(module.time, "sleep", clock.sleep)
    return clock


@pytest.fixture
def fleet(store: Store, clock: TestClock) -> Fleet:
    return Fleet(store, clock)


def renew(fleet: Fleet, lease: Lease, worker: str, seen: int) -> Epoch:
    return fleet.renew(lease, worker, host="host", pid=1, seen=seen)


def announce(store: Store, fleet: Fleet, revision: str | None = None) -> int:
    with store.writing() as connection:
        return fleet.announce(connection, revision)


def test_an_announcement_raises_the_epoch_and_keeps_the_revision_unless_one_is_given(
    store: Store, fleet: Fleet
) -> None:
    assert fleet.current() == Epoch(0, "")
    assert announce(store, fleet, "rev_1") == 1
    assert announce(store, fleet) == 2
    assert fleet.current() == Epoch(2, "rev_1")


def test_an_announcement_is_undone_with_what_it_announces(store: Store, fleet: Fleet) -> None:
    with pytest.raises(KeyError), store.writing() as connection:
        fleet.announce(connection, "rev_1")
        raise KeyError
    assert fleet.current() == Epoch(0, "")


def test_a_lease_lapses_five_seconds_after_the_start_of_its_last_renewal(fleet: Fleet, clock: TestClock) -> None:
    lease = Lease(clock)
    assert not lease.valid()
    renew(fleet, lease, "w", 0)
    clock.seconds += LEASE - 0.01
    assert lease.valid()
    clock.seconds += 0.01
    assert not lease.valid()
    renew(fleet, lease, "w", 0)
    assert lease.valid()
    lease.end()
    assert not lease.valid()


def test_a_worker_that_is_behind_gets_no_renewal_until_it_has_caught_up(
    store: Store, fleet: Fleet, clock: TestClock
) -> None:
    lease = Lease(clock)
    renew(fleet, lease, "w", 0)
    announce(store, fleet, "rev_1")
    clock.seconds += 3
    assert renew(fleet, lease, "w", 0) == Epoch(1, "rev_1")
    clock.seconds += 3
    assert not lease.valid()
    renew(fleet, lease, "w", 1)
    assert lease.valid()
    assert [(m.id, m.seen_epoch, m.renewals) for m in fleet.members()] == [("w", 1, 2)]


def test_waiting_ends_at_once_when_nobody_lives_or_all_have_seen_it(
    store: Store, fleet: Fleet, clock: TestClock
) -> None:
    epoch = announce(store, fleet)
    assert fleet.wait_until_seen(epoch).missing == ()
    renew(fleet, Lease(clock), "w", epoch)
    begun = clock.seconds
    assert fleet.wait_until_seen(epoch).acknowledged == ("w",)
    assert clock.seconds == begun
    fleet.leave("w")
    assert fleet.members() == ()


def test_a_silent_worker_is_waited_for_until_its_lease_must_have_lapsed(
    store: Store, fleet: Fleet, clock: TestClock
) -> None:
    lease = Lease(clock)
    renew(fleet, lease, "silent", 0)
    epoch = announce(store, fleet)
    seen = fleet.wait_until_seen(epoch)
    assert (seen.lapsed, seen.missing) == (("silent",), ())
    assert not lease.valid()


def test_a_publisher_that_has_no_time_says_who_is_missing(store: Store, fleet: Fleet, clock: TestClock) -> None:
    renew(fleet, Lease(clock), "slow", 0)
    assert fleet.wait_until_seen(announce(store, fleet), timeout=1.0).missing == ("slow",)


def test_a_worker_that_catches_up_while_it_is_being_forgotten_stays(
    store: Store, fleet: Fleet, clock: TestClock
) -> None:
    lease = Lease(clock)
    renew(fleet, lease, "w", 0)
    epoch = announce(store, fleet)
    before = fleet.members()[0]
    renew(fleet, lease, "w", epoch)
    assert not fleet._forget(before)
    assert fleet.wait_until_seen(epoch).acknowledged == ("w",)


@given(
    renewals=st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 3.0)), max_size=5),
    polls=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=30),
)
def test_a_worker_that_a_publisher_takes_for_lapsed_has_lapsed(
    renewals: list[tuple[float, float]], polls: list[float]
) -> None:
    """Renewals start after a pause and take a while to commit; the publisher looks whenever it looks."""
    clock = TestClock()
    lease, quiet = Lease(clock), module._Quiet()
    commits, at = [], clock.seconds
    for pause, duration in renewals:
        started = at + pause
        at = started + duration
        commits.append((at, started))
    for poll in polls:
        clock.seconds += poll
        done = [started for committed, started in commits if committed <= clock.seconds]
        for started in done:
            lease.extend(started)
        member = module.Member("w", "host", 1, 0, 0, len(done), 0)
        if quiet.seconds(member, clock.seconds) >= LEASE:
            assert not lease.valid()


def test_real_workers_in_threads_follow_and_the_publisher_sees_them(store: Store) -> None:
    from fairlead.clock import SystemClock

    fleet, clock, stop = Fleet(store, SystemClock()), SystemClock(), threading.Event()

    def worker(name: str) -> None:
        lease, seen = Lease(clock), 0
        while not stop.is_set():
            seen = renew(fleet, lease, name, seen).number
            stop.wait(0.02)

    threads = [threading.Thread(target=worker, args=(f"w{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    while len(fleet.members()) < 3:
        stop.wait(0.01)
    seen = fleet.wait_until_seen(announce(store, fleet, "rev_2"))
    stop.set()
    for thread in threads:
        thread.join()
    assert set(seen.acknowledged) == {"w0", "w1", "w2"}
