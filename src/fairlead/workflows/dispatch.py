"""What every worker that walks runs does beside walking: hands what is due to the carriage, ends what was cancelled,
and takes over from workers that have died."""

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from fairlead.clock import Clock
from fairlead.storage.store import Store
from fairlead.workflows.carriage import Carriage
from fairlead.workflows.segments import Segments

if TYPE_CHECKING:
    from fairlead.storage.workflow_rows import Run

log = logging.getLogger("fairlead.workflows")

LOOK_EVERY: Final = 0.2
"""Seconds between two looks for what is due."""
TAKE_OVER_EVERY: Final = 3.0
_OFFICE: Final = "workflows.takeover"
_AT_ONCE: Final = 200


class Dispatch:
    """The chores of one worker."""

    def __init__(self, store: Store, clock: Clock, carriage: Carriage, segments: Segments) -> None:
        self._store = store
        self._clock = clock
        self._carriage = carriage
        self._segments = segments

    async def look(self) -> None:
        """Give the carriage what is due, and tell the walks what people have done to their runs."""
        if not self._carriage.carries:
            return
        due, walked = await asyncio.to_thread(self._due)
        for run, status in walked.items():
            self._segments.tell(run, status)
        for each in due:
            await self._carriage.enqueue(each.id, each.segment, each.priority)
        if due:
            await asyncio.to_thread(self._handed_over, due)

    async def take_over(self) -> None:
        """Have the runs of the dead walked by others, by one of the living. What the dead owe is settled elsewhere."""
        with self._store.database.elected(_OFFICE) as mine:
            if not mine or not self._carriage.carries:
                return
            carried = await self._carriage.under_way()
            owners = await asyncio.to_thread(self._owners)
            for dead in await asyncio.to_thread(self._dead, owners | carried.keys()):
                segments = carried.get(dead, [])
                count = await asyncio.to_thread(self._let_go, dead, segments)
                await self._carriage.drop(segments)
                log.warning("took over %d runs of the dead worker %s", count, dead)
            for each in await asyncio.to_thread(self._queued):
                await self._carriage.enqueue(each.id, each.segment, each.priority)  # nothing, if it is there
            await self._carriage.forget()

    def _due(self) -> "tuple[list[Run], dict[str, str]]":
        from fairlead.storage import workflow_rows as table

        walked = self._segments.under_way
        with self._store.reading() as connection:
            due = table.due(connection, self._clock.now(), _AT_ONCE)
            statuses = table.statuses(connection, walked)
        if waiting := [each.id for each in due if each.status == table.WAITING]:
            with self._store.writing() as connection:
                table.wake(connection, waiting)
        return due, statuses

    def _handed_over(self, due: "list[Run]") -> None:
        from fairlead.storage import workflow_rows as table

        with self._store.writing() as connection:
            for each in due:
                table.hand_over(connection, each.id, each.segment)

    def _queued(self) -> "list[Run]":
        from fairlead.storage import workflow_rows as table

        with self._store.reading() as connection:
            return table.queued(connection, _AT_ONCE)

    def _owners(self) -> set[str]:
        from fairlead.storage import workflow_rows as table

        with self._store.reading() as connection:
            return table.owners(connection)

    def _dead(self, workers: Iterable[str]) -> list[str]:
        """Those whose lock is free: whoever has it lives."""
        now, dead = self._clock.monotonic(), []
        for worker in workers:
            lock = self._store.workers.seize(worker, now)
            if lock is not None:
                lock.release()
                dead.append(worker)
        return dead

    def _let_go(self, dead: str, segments: list[tuple[str, int]]) -> int:
        from fairlead.storage import workflow_rows as table

        with self._store.writing() as connection:
            walked = [(each.id, each.segment) for each in table.walked_by(connection, dead)]
            return sum(table.let_go(connection, *each) for each in {*walked, *segments})
