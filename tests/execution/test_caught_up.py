"""A lease that lapsed is waited for, a moment at most: whoever asks just after a machine stood still is answered."""

import asyncio
from pathlib import Path
from unittest.mock import Mock

import pytest
from tests.world import FixedClock, until, world

from fairlead.errors import Overloaded
from fairlead.execution import deployment
from fairlead.storage.fleet import LEASE


async def test_who_asks_before_a_lapsed_lease_is_renewed_is_answered_once_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "_LOOKS", 100_000)
    clock = FixedClock()
    async with world(tmp_path, clock=clock) as w:
        lease = w.fairlead.lease
        extend = lease.extend
        lease.extend = lambda started: None  # type: ignore[method-assign]  # until somebody asks
        clock.tick(LEASE + 1)
        assert lease.lapsed()
        looks = Mock(side_effect=lease.valid)
        monkeypatch.setattr(lease, "valid", looks)
        asking = asyncio.ensure_future(w.ask())
        await until(lambda: looks.call_count >= 3)
        assert not asking.done()
        assert w.provider.received == []
        lease.extend = extend  # type: ignore[method-assign]
        assert (await asking).model.name == "small"
        assert lease.valid()


async def test_after_one_wait_in_vain_nobody_else_waits_until_the_lease_is_held_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "_LOOKS", 3)
    clock = FixedClock()
    async with world(tmp_path, clock=clock) as w:
        lease = w.fairlead.lease
        extend = lease.extend
        lease.extend = lambda started: None  # type: ignore[method-assign]  # renewals fail from now on
        clock.tick(LEASE + 1)
        looks = Mock(side_effect=lease.valid)
        monkeypatch.setattr(lease, "valid", looks)
        for expected in (5, 2):  # at first, three times while it waits, and before it refuses
            looks.reset_mock()
            with pytest.raises(Overloaded):
                await w.fairlead.caught_up()
            assert looks.call_count == expected
        lease.extend = extend  # type: ignore[method-assign]
        lease.extend(clock.monotonic())
        assert await w.fairlead.caught_up() is w.fairlead.deployment


async def test_a_worker_that_stops_lets_nobody_wait(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.fairlead.lease.end()
        assert not w.fairlead.lease.lapsed()
        with pytest.raises(Overloaded):
            await w.ask()
