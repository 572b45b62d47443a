"""What was turned away at a door, before there was an action: recorded, but never faster than a flood can be borne."""

import asyncio
import logging

from fairlead.clock import Clock, new_id
from fairlead.costs.record import RECORD_VERSION, Record, RecordedError, encode_record
from fairlead.errors import FairleadError, Overloaded
from fairlead.storage.journal import Journal
from fairlead.storage.types import Entry, Write

log = logging.getLogger("fairlead.refusals")

_PER_SECOND = 5.0
_BURST = 50.0
_PATIENCE = 1.0  # seconds for which the record is waited for where the database is what is missing


class Refusals:
    """Records refusals at up to five a second after a burst of fifty; the next record counts the ones left out."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._tokens = _BURST
        self._at = clock.monotonic()
        self._suppressed = 0
        self._under_way: set[asyncio.Task[None]] = set()

    async def record(self, door: str, error: FairleadError, credential: str = "") -> None:
        """Append one refusal to the log, or count it. `credential` names who was refused, where that is known. Whoever
        is refused because the database is away does not wait for as long as the journal tries to reach it."""
        if not self._take():
            self._suppressed += 1
            return
        now = self._clock.now()
        error.run = error.run or new_id(self._clock, "ref")
        record = Record(
            v=RECORD_VERSION,
            kind="refusal",
            run=error.run,
            at=now,
            door=door,
            credential=credential,
            outcome="refused",
            error=RecordedError(error.code, error.step or "authenticate"),
            suppressed=self._suppressed,
        )
        self._suppressed = 0
        recording = asyncio.create_task(self._append(record))
        self._under_way.add(recording)
        recording.add_done_callback(self._under_way.discard)
        away = type(error) is Overloaded  # its kinds are limits; it itself is this worker, which has lost touch
        await asyncio.wait([recording], timeout=_PATIENCE if away else None)

    async def _append(self, record: Record) -> None:
        try:
            await self._journal.commit(Write(entries=(Entry(record.run, record.at, encode_record(record)),)))
        except FairleadError as error:
            log.error("a refusal at %s could not be recorded: %s", record.door, error)

    def _take(self) -> bool:
        now = self._clock.monotonic()
        self._tokens = min(_BURST, self._tokens + (now - self._at) * _PER_SECOND)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
