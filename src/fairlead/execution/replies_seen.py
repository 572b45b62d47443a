"""What replies came to before, for estimates: read from the log when an estimate is asked for, and never on the path.

The first question reads the newest records, each later one those that have come since; what is read is at most five
seconds old. Nothing is stored: a worker that starts reads anew.
"""

import asyncio
from threading import Lock
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.costs.histories import Histories
from fairlead.storage.store import Store

_MOST: Final = 20_000  # records
_FRESH: Final = 5.0  # seconds


class _Usage(Struct):
    input: int = 0
    output: int = 0


class _Settled(Struct):
    kind: str = ""
    outcome: str = ""
    task: str = ""
    model: str = ""
    at: int = 0
    usage: _Usage | None = None


_decoder = msgspec.json.Decoder(_Settled)


class RepliesSeen:
    """The histories of one process. Read in threads, one at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._histories = Histories()
        self._last = -1
        self._read_at: float | None = None
        self._reading = Lock()

    async def histories(self) -> Histories:
        """What is known of replies by now."""
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at >= _FRESH:
            await asyncio.to_thread(self.read)
            self._read_at = now
        return self._histories

    def read(self) -> Histories:
        """Take in what has been recorded since. Blocking."""
        from fairlead.storage.log import Log

        with self._reading:
            for seq, record in Log(self._store).newest_after(self._last, _MOST):
                self._last = seq
                self._note(record)
        return self._histories

    def _note(self, record: bytes) -> None:
        try:
            settled = _decoder.decode(record)
        except msgspec.DecodeError:
            return  # a damaged record is the audit's to tell
        if settled.kind == "call_model" and settled.outcome == "done" and settled.usage is not None:
            used = settled.usage
            self._histories.note(settled.task, settled.model, used.input, used.output, settled.at)
