"""What a worker that walks runs does beside walking: takes up what is due as far as it has room, tells walks what
people have done to their runs, and takes over from workers that have died."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from fairlead.clock import Clock
from fairlead.errors import FairleadError
from fairlead.storage.store import Store
from fairlead.workflows.carriage import Carriage
from fairlead.workflows.runs import BELL
from fairlead.workflows.segments import Segments
from fairlead.workflows.taking import Looked, Taking

if TYPE_CHECKING:
    from fairlead.storage.workflow_taking_rows import Ready

log = logging.getLogger("fairlead.workflows")

TAKE_OVER_EVERY: Final = 3.0
_LOOK_EVERY: Final = 1.0  # seconds between two looks where nothing rings
_SHORTLY: Final = 0.02  # seconds at least between two looks
_OFFICE: Final = "workflows.takeover"


class Dispatch:
    """For one worker, which walks at most `at_once` runs."""

    def __init__(
        self, store: Store, clock: Clock, carriage: Carriage, segments: Segments, taking: Taking, *, at_once: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriage = carriage
        self._segments = segments
        self._taking = taking
        self._at_once = at_once
        self._news = segments.freed
        self._ending = False
        self._taking_over = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._deafen = _nothing

    async def start(self) -> None:
        """Look for what is due from now on, whenever something is heard of and every second."""
        loop = asyncio.get_running_loop()

        def heard() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._news.set)

        self._deafen = await asyncio.to_thread(self._store.database.hear, BELL, heard)
        self._looking = asyncio.ensure_future(self._look())

    async def stop(self) -> None:
        """Take up nothing more, and ask nothing more of the carriage."""
        self._ending = True
        self._news.set()
        if self._looking is not None:
            await self._looking
        async with self._taking_over:  # what asks the carriage has heard its answer by then
            self._deafen()

    async def take_over(self) -> None:
        """Have the runs of the dead walked by others, by one of the living. What the dead owe is settled elsewhere."""
        async with self._taking_over:
            await self._take_over()

    async def _take_over(self) -> None:
        with self._store.database.elected(_OFFICE) as mine:
            if not mine or self._ending or not self._carriage.carries:
                return
            carried = await self._carriage.under_way()
            owners = await asyncio.to_thread(self._taking.owners)
            others = (owners | carried.keys()) - {self._taking.worker}
            for dead in await asyncio.to_thread(self._dead, others):
                runs = await asyncio.to_thread(self._taking.walked_by, dead)
                count = await asyncio.to_thread(self._taking.bury, runs, dead)
                await self._carriage.drop(carried.get(dead, []))
                log.warning("took over %d runs of the dead worker %s", count, dead)
                self._news.set()
            if strays := await asyncio.to_thread(self._taking.strays):
                log.warning("took up %d runs that nobody walked", len(strays))
                await asyncio.to_thread(self._taking.let_go, strays, "")
            await self._carriage.forget()

    async def _look(self) -> None:
        while not self._ending:
            self._news.clear()
            pause = _LOOK_EVERY
            try:
                while (looked := await self._looked()).taken:
                    for each in looked.taken:
                        await self._begin(each)
                pause = await self._tell(looked)
            except FairleadError as error:
                log.error("cannot look for runs that are due: %s (%s)", error, error.why)
            except Exception:  # nobody stands above this loop: if it ended, no run would be taken up any more
                log.exception("cannot look for runs that are due")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause)
                await asyncio.sleep(_SHORTLY)

    async def _looked(self) -> Looked:
        walked = tuple(self._segments.under_way)
        room = 0 if self._ending else self._at_once - len(walked)
        looked = await asyncio.to_thread(self._taking.look, room, walked)
        self._segments.under_way.update(each.id for each in looked.taken)
        return looked

    async def _begin(self, ready: "Ready") -> None:
        try:
            await self._carriage.begin(ready.id, ready.segment)
        except Exception as error:  # noqa: BLE001 of DBOS: the run's own row says that it is ours, and shall not any more
            log.error("run %s could not be begun: %s", ready.id, error)
            self._segments.over(ready.id)
            await asyncio.to_thread(self._taking.let_go, [ready.id])

    async def _tell(self, looked: Looked) -> float:
        """Tell the walks what people have done to their runs, and let go of what is ours and not walked. Seconds until
        there may be something to do."""
        if looked.lost:
            log.error("let go of %d runs that nobody walked", len(looked.lost))
            await asyncio.to_thread(self._taking.let_go, looked.lost)
        for run, status in looked.statuses.items():
            self._segments.tell(run, status)
        left = (looked.next_at - self._clock.now()) / 1000 if looked.next_at else _LOOK_EVERY
        return min(_LOOK_EVERY, max(_SHORTLY, left))

    def _dead(self, workers: Iterable[str]) -> list[str]:
        """Those whose lock is free: whoever has it lives."""
        now, dead = self._clock.monotonic(), []
        for worker in workers:
            lock = self._store.workers.seize(worker, now)
            if lock is not None:
                lock.release()
                dead.append(worker)
        return dead


def _nothing() -> None:
    """Nothing is listened to."""
