"""A worker's part of what all workers share: limits are divided by the number of those that live."""

import asyncio
from pathlib import Path

from fairlead.clock import Clock
from fairlead.execution import Fairlead
from fairlead.lanes.figures import WorkerFigures, figures_of, write
from fairlead.storage.fleet import Fleet


class Turns:
    """A chore: counts the workers, takes this one's part of every limit, and tells how things stand. Does nothing where
    nothing is limited."""

    def __init__(self, fairlead: Fairlead, fleet: Fleet, worker: str, clock: Clock, folder: Path) -> None:
        self._fairlead = fairlead
        self._fleet = fleet
        self._worker = worker
        self._clock = clock
        self._folder = folder

    async def __call__(self) -> None:
        lanes, rates = self._fairlead.lanes, self._fairlead.rates
        if lanes.rules is None and rates.limits is None:
            return
        workers, rank = await asyncio.to_thread(self._counted)
        if (workers, rank) != (lanes.workers, lanes.rank):
            lanes.take_up(lanes.rules, workers, rank)
            rates.workers = workers
        figures = figures_of(lanes, self._clock.monotonic())
        said = WorkerFigures(worker=self._worker, at=self._clock.now(), lanes=figures)
        await asyncio.to_thread(write, self._folder, said)

    def _counted(self) -> tuple[int, int]:
        now = self._clock.now()
        live = sorted({m.id for m in self._fleet.members() if m.lease_until > now} | {self._worker})
        return len(live), live.index(self._worker)
