"""Walks runs that are kept in memory only, each for whoever began it and waits: in the process that answers them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from fairlead.errors import FairleadError, Overloaded
from fairlead.execution import Fairlead
from fairlead.identity.types import Caller
from fairlead.storage.workflow_rows import Run
from fairlead.workflows import told
from fairlead.workflows.opened import Opened, Started
from fairlead.workflows.recorded import Lost
from fairlead.workflows.runs import Runs
from fairlead.workflows.taking import Taking
from fairlead.workflows.unkept import UnkeptRuns

if TYPE_CHECKING:
    from fairlead.workflows.segments import Segments

log = logging.getLogger("fairlead.workflows")

KEPT: Final = 300.0
"""Seconds for which what came of a run is told again to whoever began it, in the same process."""

_LOOK: Final = 0.5  # seconds between two looks at whether one was cancelled
_BEAT: Final = 15.0  # seconds after which whoever watches hears that it still goes on
_GRACE: Final = 10.0  # seconds for what is under way when the process stops


class Here:
    """A run in this process: under way, or over since a short while."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.over = asyncio.Event()
        self.steps: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def note(self, at: str, state: str) -> None:
        """A step has come to this."""
        self.steps.append((at, state))
        self.wake()

    def wake(self) -> None:
        """Something has happened: whoever follows the run looks."""
        self._news.set()

    async def progress(self) -> AsyncIterator[tuple[str, str] | None]:
        """Each step as it begins and ends, until the run is over; None where nothing happened for a while."""
        told = 0
        while told < len(self.steps) or not self.over.is_set():
            if told < len(self.steps):
                told += 1
                yield self.steps[told - 1]
                continue
            self._news.clear()
            try:
                async with asyncio.timeout(_BEAT):
                    await self._news.wait()
            except TimeoutError:
                yield None


class Waited:
    """At most `at_once` of them in this process."""

    def __init__(
        self,
        fairlead: Fairlead,
        runs: Runs,
        taking: Taking,
        rows: UnkeptRuns,
        *,
        at_once: int,
    ) -> None:
        self._fairlead = fairlead
        self._taking = taking
        self._runs = runs
        self._rows = rows
        self._at_once = at_once
        self._beginning = 0
        self._here: dict[str, Here] = {}
        self._walks: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._segments: Segments | None = None

    async def begin(self, caller: Caller, what: Started) -> tuple[Run, Here | None]:
        """Begin a run, or find the one that was begun under this name before: where it is not in this process, with
        None. Raises `Overloaded` while this process walks as many as it may."""
        if len(self._walks) + self._beginning >= self._at_once:
            raise Overloaded(
                f"{self._at_once} runs are under way in the memory of this process, the most that it takes",
                why="`workflows.at_once` bounds them",
                mend="begin it a little later, or raise `workflows.at_once` or `server.workers`",
            )
        worker = self._fairlead.ledger.journal.worker
        self._beginning += 1
        try:
            run, opened = await asyncio.to_thread(self._rows.begin, caller, what, worker)
        finally:
            self._beginning -= 1
        if opened is None:
            return run, self._here.get(run.id)
        if (taken := self._walks.get(run.id)) is not None:  # it was lost, though it is still walked here
            taken.cancel()
        here = self._here[run.id] = Here(opened)
        self._walks[run.id] = asyncio.create_task(self._walk(here))
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return run, here

    def told(self, run: Run) -> dict[str, Any]:
        """What is known of a run: all of it in the process that walked it, while that still knows. Reads the database:
        call it in a thread."""
        here = self._here.get(run.id)
        if here is None:
            return told.remaining(run, self._rows.steps(run))
        return told.whole(self._runs, replace(here.opened, run=run))

    async def stop(self) -> None:
        """What is under way comes to its next effect, and is lost there; what does not in time is lost where it is."""
        if self._looking is not None:
            self._looking.cancel()
        if self._segments is not None:
            await self._segments.rest(_GRACE)
        walks = list(self._walks.values())
        for walk in walks:
            walk.cancel()
        if walks:
            await asyncio.wait(walks, timeout=_GRACE)

    async def _walk(self, here: Here) -> None:
        run = here.opened.run.id
        try:
            await self._walking().walk_here(here.opened, here.note)
        except asyncio.CancelledError:
            if self._walks.get(run) is asyncio.current_task():  # nobody has begun it again here
                with contextlib.suppress(
                    FairleadError, Lost
                ):  # where the database is away, others find that we are gone
                    await self._walking().lose(here.opened)
            raise
        finally:
            if self._walks.get(run) is asyncio.current_task():
                del self._walks[run]
            here.over.set()
            here.wake()
            asyncio.get_running_loop().call_later(KEPT, self._forget, run, here)

    def _forget(self, run: str, here: Here) -> None:
        if self._here.get(run) is here:
            del self._here[run]

    def _walking(self) -> "Segments":
        if self._segments is None:
            from fairlead.workflows.segments import Segments  # what only some processes need

            worker = self._fairlead.ledger.journal.worker
            self._segments = Segments(self._fairlead, self._runs, self._taking, worker)
        return self._segments

    async def _look(self) -> None:
        """Tell the walks what people have made of their runs, for as long as there are any."""
        try:
            while self._walks:
                try:
                    statuses = await asyncio.to_thread(self._rows.statuses, tuple(self._walks))
                except FairleadError as error:  # the database is away: it is looked at again
                    log.error("cannot look how runs stand: %s (%s)", error, error.why)
                    statuses = {}
                for run, status in statuses.items():
                    self._walking().tell(run, status)
                await asyncio.sleep(_LOOK)
        finally:
            self._looking = None
