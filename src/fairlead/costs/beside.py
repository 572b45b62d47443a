"""Attempts of one action beside the one in flight: each has a hold of its own, and is settled by itself."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from fairlead.costs.attempt import Held, failed, outrun
from fairlead.costs.record import Record, encode_record
from fairlead.costs.told import Release
from fairlead.errors import FairleadError, Upstream
from fairlead.storage.journal import Journal
from fairlead.storage.types import Entry, Receipt, Write

log = logging.getLogger("fairlead.ledger")

Named = Callable[[Record], tuple[tuple[str, int], ...]]


class Beside:
    """By the numbers of the attempts. `warn` is told what settling them gave."""

    def __init__(self, journal: Journal, now: Callable[[], int], warn: Callable[[Receipt], None]) -> None:
        self._journal: Final = journal
        self._now = now
        self._warn = warn
        self._attempts: dict[int, tuple[Held, Release | None]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._attempts

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those that are not settled yet."""
        return tuple(self._attempts)

    async def hold(self, held: Held) -> None:
        """Hold what an attempt may cost. Raises `OverBudget`, `Overloaded`; who is cancelled meanwhile gives it up."""
        number = held.record.attempt
        self._attempts[number] = held, None
        try:
            await self._journal.commit(Write(open=held.hold))
        except FairleadError:
            del self._attempts[number]
            raise

    def sending(self, number: int, release: Release) -> None:
        """From here on its provider may work and charge."""
        self._attempts[number] = self._attempts[number][0], release

    def swapped(self, number: int, held: Held, release: Release | None) -> tuple[Held, Release | None]:
        """The attempt of this number, which is in flight from now on; another one has taken its place here."""
        found = self._attempts.pop(number)
        self._attempts[held.record.attempt] = held, release
        return found

    def give_up(self, number: int, error: Upstream | None, named: Named) -> int:
        """Settle an attempt that failed with this, or that another one has outrun. Gives what it cost. `named` tells
        what was sent under pseudonyms.

        The commit is queued, and carried out whoever waits; what is recorded after it is committed after it.
        """
        held, sent = self._attempts.pop(number)
        record = outrun(held, sent) if error is None else failed(held, sent, error)
        if sent is not None and record.redacted:
            record = msgspec.structs.replace(record, pseudonyms=named(record))
        entry = Entry(record.run, self._now(), encode_record(record))
        noted = self._journal.commit(Write(close=held.hold, spent=record.cost, entries=(entry,)))
        noted.add_done_callback(self._noted)
        return record.cost

    def _noted(self, noted: "asyncio.Future[Receipt]") -> None:
        if noted.cancelled():
            return
        if (error := noted.exception()) is not None:  # nothing is lost: recovery settles an open hold
            log.error("an attempt beside another one could not be recorded: %s", error)
        else:
            self._warn(noted.result())
