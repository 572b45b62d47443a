from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fairlead.costs.histories import LEAST, Histories, History

replies = st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 10**5), st.integers(0, 10**13)), max_size=60)


@given(replies, st.integers(0, 10**6))
def test_an_interval_is_ordered_lies_within_what_was_seen_and_is_always_the_same(
    past: list[tuple[int, int, int]], size: int
) -> None:
    first, second = History(), History()
    for each in past:
        first.note(*each)
        second.note(*each)
    said = first.one(size)
    assert said == second.one(size)
    assert (said is None) == (len(past) < LEAST)
    if said is not None:
        outputs = [output for _, output, _ in past]
        assert min(outputs) <= said.low <= said.likely <= said.high <= max(outputs)
        assert (said.outcomes, said.since) == (len(past), min(at for *_, at in past))


def test_four_of_five_replies_and_batches_lie_within() -> None:
    drawn, history = Random(5), History()
    hits, sums = [], []
    outputs = [round(drawn.lognormvariate(5, 1)) for _ in range(700)]
    for at, output in enumerate(outputs):
        if at >= 200 and at % 4 == 0 and (said := history.one(100)):
            hits.append(said.low <= output <= said.high)
        if at >= 300 and at % 20 == 0 and at <= 660 and (all_ := history.together([100] * 40)):
            expected = sum(all_.each)
            sums.append(all_.low * expected <= sum(outputs[at : at + 40]) <= all_.high * expected)
        history.note(100, output, at)
    assert 0.7 < sum(hits) / len(hits) < 0.9
    assert 0.65 < sum(sums) / len(sums) <= 1


def test_the_interval_of_a_sum_is_narrower_than_the_sum_of_intervals() -> None:
    drawn, history = Random(7), History()
    for at in range(600):
        history.note(100, round(drawn.lognormvariate(5, 1)), at)
    one, together = history.one(100), history.together([100] * 100)
    assert one is not None
    assert together is not None
    assert sum(together.each) * (together.high - together.low) < 50 * (one.high - one.low)


def test_an_interval_follows_where_the_work_drifts() -> None:
    history = History()
    for at in range(400):
        history.note(100, 50 + at % 5, at)
    for at in range(400, 1000):
        history.note(100, 500 + at % 5, at)
    said = history.one(100)
    assert said is not None
    assert said.low >= 500


def test_what_is_kept_is_bounded() -> None:
    histories = Histories()
    for number in range(600):
        histories.note(f"task {number}", "m", 10, 10, 0)
    for at in range(2000):
        histories.note("busy", "m", 10, at, at)
    assert histories.of("task 0", "m").one(10) is None
    assert len(histories._of) == 500
    assert len(histories.of("busy", "m")._seen) == 1000
