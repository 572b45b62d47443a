"""Requests to owners, on both databases."""

import asyncio

import pytest
from tests.world import FixedClock

from fairlead.context.upkeep.requests import Need, Requests
from fairlead.costs.record import deed
from fairlead.errors import BadInput, NotFound
from fairlead.storage.store import Store

DAY = 86_400_000
RULES = Need(kind="missing", need="refund rules", task="support", owner="customer-care", weight=3)


@pytest.fixture
def requests(store: Store, clock: FixedClock) -> Requests:
    return Requests(store, clock)


def test_the_same_need_is_one_request_however_often_it_is_felt(requests: Requests, clock: FixedClock) -> None:
    ids = {requests.ask(RULES) for _ in range(3)}
    assert ids == {RULES.id}
    (found,) = requests.listed("open")
    assert (found.times, found.owner, found.due_at) == (3, "customer-care", clock.now() + 7 * DAY)
    other = Need(kind="missing", need="refund rules", task="sales")
    assert requests.ask(other) != RULES.id


def test_what_is_done_opens_again_when_it_comes_back_and_what_is_dismissed_does_not(
    requests: Requests, clock: FixedClock
) -> None:
    requests.ask(RULES)
    assert requests.end(RULES.id[:9], "done", deed(clock, "request_done", by="os:kim")).state == "done"
    with pytest.raises(BadInput, match="is not open"):
        requests.end(RULES.id, "dismissed", deed(clock, "request_dismissed", by="os:kim"))
    clock.tick(3 * DAY // 1000)
    requests.ask(RULES)
    found = requests.one(RULES.id)
    assert (found.state, found.times, found.asked_at, found.ended_at) == ("open", 2, clock.now(), 0)
    requests.end(RULES.id, "dismissed", deed(clock, "request_dismissed", by="os:kim"))
    requests.ask(RULES)
    assert requests.one(RULES.id).state == "dismissed"
    with pytest.raises(NotFound):
        requests.one("req_none")


def test_a_need_that_many_questions_feel_is_written_once_a_minute(requests: Requests, clock: FixedClock) -> None:
    async def feel(times: int) -> None:
        for _ in range(times):
            assert requests.note(RULES) == RULES.id
        await requests.settle()

    asyncio.run(feel(50))
    assert requests.one(RULES.id).times == 1
    clock.tick(61)
    asyncio.run(feel(1))
    assert requests.one(RULES.id).times == 51, "those in between were counted"


def test_a_database_that_is_away_fails_nobody_and_the_need_is_written_later(
    requests: Requests, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fairlead.storage.store import Away

    def away() -> None:
        raise Away("it is locked")

    async def feel() -> None:
        requests.note(RULES)
        await requests.settle()

    with monkeypatch.context() as patched:
        patched.setattr(store, "writing", away)
        asyncio.run(feel())
    assert requests.listed() == []
    asyncio.run(feel())
    assert requests.one(RULES.id).times == 1
