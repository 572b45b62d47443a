"""Watching beside the requests: controls are evaluated and their alarms delivered, once a second; where a workspace
declares none, nothing is done."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from fairlead.clock import Clock
from fairlead.controls.compile import Controls
from fairlead.controls.deliver import Delivery, Post
from fairlead.controls.evaluate import Evaluator
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store

_EVERY: Final = 1.0  # seconds
NO_OTHERS: Final[Mapping[str, Post]] = MappingProxyType({})


class Watch:
    """A process's part in it. `name_of` gives the name behind a subject id."""

    def __init__(self, store: Store, fleet: Fleet, clock: Clock, name_of: Callable[[str], str | None]) -> None:
        self._evaluator = Evaluator(store, fleet, clock, name_of)
        self._delivery = Delivery(store, clock)

    def take_up(self, controls: Controls, others: Mapping[str, Post] = NO_OTHERS) -> None:
        """Go on by these, and by other ways of delivery: another revision has come into force."""
        self._evaluator.controls = self._delivery.controls = controls
        self._delivery.others = others

    def chores(self) -> tuple[tuple[float, Callable[[], Awaitable[object]]], ...]:
        """What is to be done, with its period in seconds."""

        async def evaluate_controls() -> None:
            await asyncio.to_thread(self._evaluator.run)

        async def deliver_alarms() -> None:
            await self._delivery.run()

        return (_EVERY, evaluate_controls), (_EVERY, deliver_alarms)

    async def close(self) -> None:
        """Breaks off what is being delivered; it is tried again by whoever serves next."""
        await self._delivery.close()
