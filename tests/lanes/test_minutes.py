"""What deployments are sent in a minute: never more than was declared, by however many workers of a machine."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.world import FixedClock

from fairlead.lanes.minutes import Minutes, Sent
from fairlead.models.types import PerMinute

LIMIT = PerMinute(requests=5, tokens=100)
CALLS = st.lists(
    st.tuples(st.floats(0, 25), st.integers(0, 1), st.integers(1, 60), st.integers(0, 60)), min_size=5, max_size=40
)


@settings(max_examples=40)
@given(CALLS)
def test_no_sixty_seconds_hold_more_than_was_declared_whoever_sends(calls: list[tuple[float, int, int, int]]) -> None:
    clock, sent = FixedClock(), list[tuple[float, int]]()
    with TemporaryDirectory() as folder:
        workers = [Minutes(Path(folder), clock) for _ in range(2)]
        for later, worker, expected, used in calls:
            clock.tick(later)
            taken = workers[worker].take("m/a", LIMIT, 1, expected)
            if isinstance(taken, Sent):
                workers[1 - worker].correct(taken, min(used, expected))
                sent.append((clock.seconds, min(used, expected)))
            else:
                clock.tick(taken)
                after = workers[1 - worker].take("m/a", LIMIT, 1, expected)
                assert isinstance(after, Sent), "what it says of when there is room is so"
                sent.append((clock.seconds, expected))
        for worker_minutes in workers:
            worker_minutes.close()
    for begin, _ in sent:
        within = [tokens for at, tokens in sent if begin <= at < begin + 60]
        assert len(within) <= 5
        assert sum(within) <= 100


def test_a_call_larger_than_a_minute_goes_alone_and_another_start_of_the_machine_counts_anew(tmp_path: Path) -> None:
    clock = FixedClock()
    minutes = Minutes(tmp_path, clock)
    assert isinstance(minutes.take("m", PerMinute(tokens=100), 1, 900), Sent)
    assert minutes.wait("m", PerMinute(tokens=100), 1, 1) > 60
    assert minutes.left("m", PerMinute(9, 100)) == (8, 0)
    clock.era = lambda: "another"  # type: ignore[method-assign]
    assert Minutes(tmp_path, clock).wait("m", PerMinute(tokens=100), 1, 1) == 0


def test_of_several_machines_each_has_its_part(tmp_path: Path) -> None:
    minutes = Minutes(tmp_path, FixedClock())
    minutes.part = 1 / 3
    assert [isinstance(minutes.take("m", PerMinute(requests=7), 1, 1), Sent) for _ in range(3)] == [True, True, False]
