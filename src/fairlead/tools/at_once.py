"""How many calls of one system go on at once in a worker: `at_once` of the system."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fairlead.clock import Clock
from fairlead.errors import DeadlineExceeded
from fairlead.tools.types import SystemCall


class AtOnce:
    """Lets `most` calls go on. Others wait for their turn, in the order in which they came."""

    def __init__(self, name: str, most: int, clock: Clock) -> None:
        self._name = name
        self._places = asyncio.Semaphore(most)
        self._clock = clock

    @asynccontextmanager
    async def turn(self, call: SystemCall) -> AsyncIterator[None]:
        """A place for a call. Raises `DeadlineExceeded`, with nothing done, if none comes free before its deadline."""
        if self._places.locked():
            await self._wait(call)
        else:
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()

    async def _wait(self, call: SystemCall) -> None:
        try:
            async with asyncio.timeout(call.deadline - self._clock.monotonic()):
                await self._places.acquire()
        except TimeoutError:
            raise DeadlineExceeded(
                f"{self._name}.{call.tool.name} had no turn within the deadline",
                why="as many calls of this system as may go on at once already do",
                mend="call again later, or raise the system's `at_once`",
                subject=self._name,
                retryable=False,
                charged="no",
            ) from None
