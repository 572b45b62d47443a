"""Walking one segment of a run: from its row to its end, to where it waits, or to where another has taken it over."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from fairlead.errors import BadInput, FairleadError, Overloaded
from fairlead.execution import Fairlead
from fairlead.storage.store import Away
from fairlead.storage.workflow_rows import CANCELLED, CANCELLING, FAILED, FAULT, LOST, PAUSED
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.effects import Governed
from fairlead.workflows.interpreter import walked
from fairlead.workflows.once import Watch
from fairlead.workflows.opened import Opened, packed
from fairlead.workflows.programs import Programs
from fairlead.workflows.recorded import Lost, Recorded
from fairlead.workflows.resuming import Resuming
from fairlead.workflows.room import LONGEST_RESULT
from fairlead.workflows.runs import Runs
from fairlead.workflows.sealing import encoded
from fairlead.workflows.standing import given_up
from fairlead.workflows.taking import Taking
from fairlead.workflows.walk import Cancelled, Parked, Place, RunFailed, Waiting

log = logging.getLogger("fairlead.workflows")

_FIRST_PAUSE: Final = 2.0  # seconds before what failed by a fault is walked again, doubled each time
_LONGEST_PAUSE: Final = 300.0
_AWAY: Final = 5.0  # seconds before what found no database is walked again
_PATIENCE: Final = 20  # faults in a row before a run is left alone until somebody resumes it, or not undone any more


class Segments:
    """Walks segments for one worker, many at once in its loop. `freed` is set whenever one is over."""

    def __init__(self, fairlead: Fairlead, runs: Runs, taking: Taking, worker: str) -> None:
        self.under_way: set[str] = set()
        """The runs that this worker has taken, and that it walks or is about to."""
        self.freed = asyncio.Event()
        self._fairlead = fairlead
        self._runs = runs
        self._taking = taking
        self._worker = worker
        self._programs = Programs()
        self._walked: dict[str, Governed] = {}
        self._resting = False
        self._idle = asyncio.Event()

    def tell(self, run: str, status: str) -> None:
        """What people have made of a run that is walked here: a cancelled one begins no further effect but those that
        undo what was done, a paused one none until it is resumed."""
        if run in self._walked:
            self._walked[run].cancelled = status == CANCELLING
            self._walked[run].paused = status == PAUSED

    async def rest(self, seconds: float) -> None:
        """Have what is walked here go no further than it must, and what was taken be let go, and wait for that at most
        so long."""
        for each in self._walked.values():
            each.paused = True
        self._resting = True
        self._notice_rest()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    async def walk(self, run: str, number: int) -> None:
        """One segment of a run that this worker has taken. Raises nothing but the end of the process."""
        try:
            opened = await asyncio.to_thread(self._runs.open, run)
            if (opened.run.owner, opened.run.segment) != (self._worker, number):
                return
            if self._resting:
                await asyncio.to_thread(self._taking.let_go, [run])
            else:
                await self._walk(opened)
        except Lost:
            log.warning("run %s goes on elsewhere", run)
        except FairleadError as error:
            log.error("run %s could not be walked: %s", run, error)
            away = isinstance(error, Away | Overloaded)  # it comes back, and nobody shall wait much longer then
            await self._let_go(run, _AWAY if away else _LONGEST_PAUSE)
        finally:
            self.over(run)

    def over(self, run: str) -> None:
        """It is walked here no more."""
        self.under_way.discard(run)
        self.freed.set()
        self._notice_rest()

    def _notice_rest(self) -> None:
        if self._resting and not self.under_way and not self._walked:
            self._idle.set()

    async def _let_go(self, run: str, seconds: float) -> None:
        """What could not be opened or written is tried again later, wherever that is. Where even this cannot be
        written, `Dispatch` finds what nobody walks."""
        until = self._fairlead.clock.now() + int(seconds * 1000)
        with contextlib.suppress(FairleadError):
            await asyncio.to_thread(partial(self._taking.let_go, [run], until=until))

    async def walk_here(self, opened: Opened, watch: Watch) -> None:
        """All of a run that is kept in memory only, as far as it goes."""
        try:
            await self._walk(opened, watch)
        except Lost:
            log.warning("run %s was taken from here", opened.run.id)
        finally:
            self._fairlead.flows.forget(opened.run.id)

    async def lose(self, opened: Opened) -> None:
        """What is kept in memory only goes no further, since its process stops. Raises `Lost`."""
        await self._write(self._runs.failed, opened, LOST, "stopped", {"message": "the server was stopped"})

    async def _walk(self, opened: Opened, watch: Watch | None = None) -> None:
        run, journal = opened.run.id, self._fairlead.ledger.journal
        loaded = self._programs.known(opened.definition)
        if loaded is None:
            loaded = await asyncio.to_thread(self._programs.of, opened.definition)
        recorded = Recorded(self._runs, opened, self._worker, journal)
        rule = loaded.program.bundle.definition.changed
        resuming = None if opened.run.unkept else Resuming(self._fairlead, recorded, self._runs.store, rule)
        effects = Governed(self._fairlead, recorded, loaded, watch, resuming)
        effects.cancelled = opened.run.status == CANCELLING
        effects.paused = self._resting  # it may have begun to rest while this was loaded
        self._walked[run] = effects
        try:
            given = await walked(loaded.program, effects, run, opened.begun.input, about=about_of(opened))
        except Parked as parked:
            if opened.run.unkept:  # the process is to stop
                await self.lose(opened)
            else:
                await self._write(self._runs.park, opened, parked.waiting)
        except Cancelled as cancelled:
            await self._write(self._runs.failed, opened, CANCELLED, "", told_of_end(cancelled))
        except RunFailed as error:
            failed = error.failure
            code = f"{failed.kind} {failed.code} {failed.at}".strip()
            await self._write(self._runs.failed, opened, FAILED, code, told_of(error))
        except Lost:
            raise
        except Exception as fault:  # noqa: BLE001 the walk's door: nobody stands above it who could be told
            await self._faulted(opened, fault, loaded.program.bundle if effects.cancelled else None)
        else:
            await self._done(opened, packed(given))
        finally:
            if self._walked.get(run) is effects:
                del self._walked[run]
            self._notice_rest()

    async def _done(self, opened: Opened, given: Any) -> None:
        try:
            size = len(encoded(given))
        except BadInput as error:
            told = {"kind": "error", "message": f"what the run gives: {error.message}", "mend": error.mend}
            await self._write(self._runs.failed, opened, FAILED, "error not_kept", told)
            return
        if size <= LONGEST_RESULT:
            await self._write(self._runs.done, opened, given)
            return
        told = {
            "kind": "error",
            "message": f"the run gives {size:,} bytes, and at most {LONGEST_RESULT:,} are kept",
            "mend": "give less by `output`: where the data is, in place of all of it",
        }
        await self._write(self._runs.failed, opened, FAILED, "error too_large", told)

    async def _faulted(self, opened: Opened, fault: Exception, cancelled: Bundle | None) -> None:
        """Walk it again a little later: nothing that was recorded is done again. What cannot be undone after all of
        these, of a run that was cancelled (with its bundle), is told."""
        faults = _faults(opened) + 1
        log.error("run %s met a fault (%d in a row)", opened.run.id, faults, exc_info=fault)
        if opened.run.unkept:
            told = {"message": "Fairlead itself failed", "why": "an unforeseen fault; its log says where"}
            await self._write(self._runs.failed, opened, LOST, "fault", told)
            return
        if cancelled is not None and faults >= _PATIENCE:
            told = given_up(opened, cancelled, faults)
            await self._write(self._runs.failed, opened, CANCELLED, "error not_undone", told)
            return
        seconds = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (faults - 1))
        until = self._fairlead.clock.now() + int(seconds * 1000) if faults < _PATIENCE else None
        waiting = Waiting(kind="time", id=f"{FAULT}{faults}", until=until)
        await self._write(self._runs.park, opened, ((Place(opened.run.id, (waiting.id,)), waiting),))

    async def _write(self, write: Callable[..., bool], opened: Opened, *given: Any) -> None:
        if not await asyncio.to_thread(write, opened, self._worker, *given):
            raise Lost


def _faults(opened: Opened) -> int:
    """How many faults in a row the run has met, by what it waited for last."""
    place = opened.waited.removeprefix(FAULT)
    return int(place) if place.isdigit() and opened.waited.startswith(FAULT) else 0


def about_of(opened: Opened) -> dict[str, Any]:
    """What expressions see as `run`."""
    run, caller = opened.run, opened.begun.caller
    return {
        "id": run.id,
        "workflow": run.workflow,
        "person": caller.person,
        "department": caller.department,
        "began": run.made_at,
    }


def told_of_end(cancelled: Cancelled) -> dict[str, Any]:
    """What people are told of a run that was cancelled."""
    return {"message": "cancelled", "undone": cancelled.undone, "not_undone": cancelled.not_undone}


def told_of(error: RunFailed) -> dict[str, Any]:
    """What people are told of a failure."""
    failed = error.failure
    return {
        "kind": failed.kind,
        "message": failed.message,
        "at": failed.at,
        "code": failed.code,
        "why": failed.why,
        "mend": failed.mend,
        "run": failed.run,
        "undone": error.undone,
        "not_undone": error.not_undone,
    }
