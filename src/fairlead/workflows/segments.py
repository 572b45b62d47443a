"""Walking one segment of a run: from its row to its end, to where it waits, or to where another has taken it over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from fairlead.errors import FairleadError
from fairlead.execution import Fairlead
from fairlead.storage.workflow_rows import CANCELLED, CANCELLING, FAILED, PAUSED
from fairlead.workflows.effects import Functions, Governed
from fairlead.workflows.recorded import Lost, Recorded
from fairlead.workflows.runs import Opened, Runs
from fairlead.workflows.walk import Cancelled, Effects, Parked, Place, StepFailed, Waiting

log = logging.getLogger("fairlead.workflows")

Interpret = Callable[[bytes, Any, Effects, str], Awaitable[Any]]
"""Walks a definition (its body) from an input: what it gives. The last is the run's id."""

_FIRST_PAUSE: Final = 2.0  # seconds before what failed by a fault is walked again, doubled each time
_LONGEST_PAUSE: Final = 300.0
_PATIENCE: Final = 20  # faults in a row before a run is left alone until somebody resumes it
_GLANCE: Final = 0.05
_FAULT: Final = "(fault)"


class Segments:
    """Walks segments for one worker, many at once in its loop."""

    def __init__(self, fairlead: Fairlead, runs: Runs, worker: str, interpret: Interpret, functions: Functions) -> None:
        self._fairlead = fairlead
        self._runs = runs
        self._worker = worker
        self._interpret = interpret
        self._functions = functions
        self._walked: dict[str, Governed] = {}

    @property
    def under_way(self) -> tuple[str, ...]:
        """The runs that are walked here now."""
        return tuple(self._walked)

    def tell(self, run: str, status: str) -> None:
        """What people have made of a run that is walked here: a cancelled one begins no further effect but those that
        undo what was done, a paused one none until it is resumed."""
        if run in self._walked:
            self._walked[run].cancelled = status == CANCELLING
            self._walked[run].paused = status == PAUSED

    async def rest(self, seconds: float) -> None:
        """Have what is walked here go no further than it must, and wait for that at most so long."""
        for each in self._walked.values():
            each.paused = True
        deadline = self._fairlead.clock.monotonic() + seconds
        while self._walked and self._fairlead.clock.monotonic() < deadline:
            await asyncio.sleep(_GLANCE)

    async def walk(self, run: str, number: int) -> None:
        """One segment, if this worker may. Raises nothing but the end of the process."""
        try:
            if not await asyncio.to_thread(self._runs.take, run, number, self._worker):
                return
            opened = await asyncio.to_thread(self._runs.open, run)
            await self._walk(opened)
        except Lost:
            log.warning("run %s goes on elsewhere", run)
        except FairleadError as error:
            log.error("run %s could not be walked: %s", run, error)

    async def _walk(self, opened: Opened) -> None:
        run = opened.run.id
        effects = Governed(
            self._fairlead, Recorded(self._runs, opened, self._worker, self._fairlead.ledger.journal), self._functions
        )
        effects.cancelled = opened.run.status == CANCELLING
        self._walked[run] = effects
        try:
            value = await self._interpret(opened.definition, opened.begun.input, effects, run)
        except Parked as parked:
            await self._write(self._runs.park, opened, parked.waiting)
        except Cancelled:
            await self._ended(opened, CANCELLED, "", {"message": "cancelled"})
        except StepFailed as failed:
            await self._ended(opened, FAILED, f"{failed.kind} {failed.code} {failed.at}".strip(), _told(failed))
        except Lost:
            raise
        except Exception as fault:  # noqa: BLE001 the walk's door: nobody stands above it who could be told
            await self._faulted(opened, fault)
        else:
            await self._write(self._runs.done, opened, value)
        finally:
            self._walked.pop(run, None)

    async def _ended(self, opened: Opened, status: str, error: str, told: dict[str, str]) -> None:
        await self._write(self._runs.failed, opened, status, error, told)

    async def _faulted(self, opened: Opened, fault: Exception) -> None:
        """Walk it again a little later: nothing that was recorded is done again."""
        faults = _faults(opened) + 1
        log.error("run %s met a fault (%d in a row): %s", opened.run.id, faults, fault, exc_info=fault)
        seconds = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (faults - 1))
        until = self._fairlead.clock.now() + int(seconds * 1000) if faults < _PATIENCE else None
        waiting = Waiting(kind="time", id=f"{_FAULT}{faults}", until=until)
        await self._write(self._runs.park, opened, ((Place(opened.run.id, (waiting.id,)), waiting),))

    async def _write(self, write: Callable[..., bool], opened: Opened, *given: Any) -> None:
        if not await asyncio.to_thread(write, opened, self._worker, *given):
            raise Lost


def _faults(opened: Opened) -> int:
    """How many faults in a row the run has met, by what it waited for last."""
    place = opened.waited.removeprefix(_FAULT)
    return int(place) if place.isdigit() and opened.waited.startswith(_FAULT) else 0


def _told(failed: StepFailed) -> dict[str, str]:
    """What people are told of a failure."""
    return {
        "kind": failed.kind,
        "message": failed.message,
        "at": failed.at,
        "code": failed.code,
        "why": failed.why,
        "mend": failed.mend,
        "run": failed.run,
    }
