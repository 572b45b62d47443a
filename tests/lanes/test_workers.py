"""What is limited is limited over several worker processes together, though nothing is shared between them."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable

import pytest
from evals.stage import Stage, chat, exchange, stage
from tests.storage.test_fleet import TestClock
from tests.world import until

from fairlead.lanes.figures import FOLDER, WorkerFigures, read
from fairlead.storage.fleet import Member
from fairlead.workspace.parts import live_among

LIMITED = {
    "budgets": {"organisation": {"total": 1000}},
    "limits": {"persons": {"kim": {"requests": 10}}},
    "lanes": {"names": {"all": {"running": 2, "wait": 60}}, "usual": "all"},
}


def said_by(made: Stage) -> Iterable[WorkerFigures]:
    folder = made.folder / "data" / FOLDER
    return read(folder, time.time_ns() // 1_000_000) if folder.exists() else ()


def have_counted_each_other(made: Stage) -> bool:
    return [lane.places for each in said_by(made) for lane in each.lanes] == [1, 1]


def busy(made: Stage) -> int:
    return sum(lane.running + lane.waiting for each in said_by(made) for lane in each.lanes)


@pytest.mark.usefixtures("forked_stage")
async def test_two_workers_let_no_more_through_than_one_would() -> None:
    async with stage(2, LIMITED) as made:
        url = f"http://127.0.0.1:{made.port}"
        await until(lambda: have_counted_each_other(made))
        replies = await asyncio.gather(*(exchange(url, chat("say 3")) for _ in range(40)))
        came = Counter(each.status for each in replies)
        assert came[200] + came[429] == 40
        assert 5 <= came[200] <= 10
        await made.behave("hang")
        before = len(await made.charges())
        asking = [asyncio.ensure_future(exchange(url, chat("say 3", person="lee", stream=True))) for _ in range(8)]
        await until(lambda: busy(made) == 8)
        assert 1 <= len(await made.charges()) - before <= 2
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await until(lambda: busy(made) == 0)


@pytest.mark.parametrize("wrong", [-(10**9), 0, 10**9])
def test_workers_are_counted_whatever_their_hosts_clocks_say(wrong: int) -> None:
    clock, seen = TestClock(), dict[str, tuple[int, float]]()

    def members(**renewals: int) -> tuple[Member, ...]:
        return tuple(
            Member(id=id, host="h", pid=1, started_at=0, seen_epoch=1, renewals=number, lease_until=wrong)
            for id, number in renewals.items()
        )

    assert live_among(members(a=1, b=1), seen, clock.monotonic()) == {"a", "b"}
    clock.sleep(3)
    assert live_among(members(a=2, b=1), seen, clock.monotonic()) == {"a", "b"}
    clock.sleep(3)
    assert live_among(members(a=3, b=1), seen, clock.monotonic()) == {"a"}
    assert live_among(members(a=3, b=2), seen, clock.monotonic()) == {"a", "b"}
    assert live_among(members(b=2), seen, clock.monotonic()) == {"b"}
    assert seen.keys() == {"b"}
