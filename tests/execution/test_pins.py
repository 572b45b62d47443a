"""What a process knows of pinned work."""

import asyncio
from types import SimpleNamespace
from typing import Any

from tests.world import FixedClock

from fairlead.execution.pins import Pins
from fairlead.storage.pin_rows import Pin


async def test_a_pin_that_is_ended_while_it_is_read_is_not_remembered() -> None:
    asked: list[str] = []

    class Read(Pins):
        def _kept(self, pin: Pin) -> Pin:
            asked.append(pin.id)
            loop.call_soon_threadsafe(self.forget)
            return pin

    loop = asyncio.get_running_loop()
    store: Any = None
    deployment: Any = SimpleNamespace(context=SimpleNamespace(snapshot="ctx_1"), revision="rev_1")
    pins = Read(store, FixedClock())
    await pins.of("work_1", deployment)
    await pins.of("work_1", deployment)
    assert asked == ["work_1", "work_1"]
