"""What a process knows of pinned work."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tests.world import FixedClock

from fairlead.errors import Overloaded
from fairlead.execution.pins import Pins
from fairlead.storage.pin_rows import Pin, release
from fairlead.storage.store import Store


async def test_a_pin_that_is_ended_while_it_is_read_is_not_remembered() -> None:
    asked: list[str] = []

    class Read(Pins):
        def _kept(self, pin: Pin, decides: Callable[[], bool]) -> Pin:
            asked.append(pin.id)
            loop.call_soon_threadsafe(self.forget)
            return pin

    loop = asyncio.get_running_loop()
    store: Any = None
    deployment: Any = SimpleNamespace(context=SimpleNamespace(snapshot="ctx_1"), revision="rev_1")
    pins = Read(store, FixedClock())
    await pins.of("work_1", deployment, decides=lambda _: True)
    await pins.of("work_1", deployment, decides=lambda _: True)
    assert asked == ["work_1", "work_1"]


async def test_work_whose_pin_is_ended_is_not_pinned_again_by_what_is_under_way(store: Store) -> None:
    """Two workers, a publish and the end of all pins, in the midst of calls that began before."""
    old, new = (SimpleNamespace(context=SimpleNamespace(snapshot=f"ctx_{n}"), revision=f"rev_{n}") for n in (1, 2))
    workers: list[Any] = [Pins(store, FixedClock()) for _ in range(2)]
    in_force = [old, old]

    async def ask(at: int, deployment: Any) -> str:
        try:
            pin = await workers[at].of("work_1", deployment, decides=lambda each: each is in_force[at])
        except Overloaded:
            return "again"
        return pin.snapshot

    assert set(await asyncio.gather(*(ask(n % 2, old) for n in range(6)))) == {"ctx_1"}
    in_force[0] = new  # the other follows later: what is pinned stays, whichever of them is asked
    assert set(await asyncio.gather(*(ask(n % 2, in_force[n % 2]) for n in range(6)))) == {"ctx_1"}
    in_force[1] = new
    with store.writing() as connection:
        assert release(connection, ["work_1"]) == 1
    for each in workers:
        each.forget()
    late = await asyncio.gather(ask(0, old), ask(1, old))
    assert late == ["again", "again"]
    assert set(await asyncio.gather(*(ask(n % 2, new) for n in range(6)))) == {"ctx_2"}
    assert set(await asyncio.gather(ask(0, old), ask(1, old))) == {"ctx_2"}
