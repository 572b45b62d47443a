"""Settles for the dead: holds that a worker left open are billed at the reserved amount, and recorded so.

Nobody can know what a dead worker's provider has charged; the whole hold is the bound that was promised. Any number of
workers may recover at once: the worker's lock admits one at a time, and a hold that is settled twice is not there the
second time.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from fairlead.errors import FairleadError
from fairlead.storage.journal import Journal
from fairlead.storage.store import Store
from fairlead.storage.types import Entry, Hold, ScopeLimit, Write

log = logging.getLogger("fairlead.recover")

_limits: Final = msgspec.msgpack.Decoder(tuple[ScopeLimit, ...])


async def recover(store: Store, journal: Journal, orphaned: Callable[[Hold], Entry]) -> int:
    """Settles the open holds of all dead workers, and returns how many. Call it at start and every few seconds.

    `orphaned` writes the record of an attempt that nobody saw the end of, from the intent kept with its hold. A hold
    whose intent cannot be read stays open, so that its money stays held, and is reported each time.
    """
    settled = 0
    for worker in await asyncio.to_thread(_suspects, store):
        if worker == journal.worker:
            continue  # we live, whatever has become of our lock
        lock = await asyncio.to_thread(store.workers.seize, worker, asyncio.get_running_loop().time())
        if lock is None:
            continue  # it lives or may do so yet, or somebody else is at it
        try:
            settled += await _settle(await asyncio.to_thread(open_holds, store, worker), journal, orphaned)
        finally:
            await asyncio.to_thread(lock.release)
    return settled


def open_holds(store: Store, worker: str) -> list[Hold]:
    """The holds that this worker has opened and nobody has settled, oldest first."""
    from sqlalchemy import select

    from fairlead.storage.schema import hold

    query = select(hold).where(hold.c.worker == worker).order_by(hold.c.opened_at, hold.c.id)
    with store.reading() as connection:
        return [
            Hold(row.id, row.amount, _limits.decode(bytes(row.limits)), bytes(row.intent))
            for row in connection.execute(query)
        ]


def _suspects(store: Store) -> list[str]:
    """Every worker with open holds, and those that left only their lock: whoever takes it clears it away."""
    from sqlalchemy import select

    from fairlead.storage.schema import hold

    with store.reading() as connection:
        holding = connection.execute(select(hold.c.worker).distinct()).scalars().all()
    return sorted({*holding, *store.workers.known()})


async def _settle(holds: list[Hold], journal: Journal, orphaned: Callable[[Hold], Entry]) -> int:
    waiting = []
    for hold in holds:
        try:
            entry = orphaned(hold)
        except (msgspec.MsgspecError, ValueError, FairleadError) as error:
            log.error("hold %s of a dead worker stays open, its intent cannot be read: %s", hold.id, error)
            continue
        waiting.append(journal.commit(Write(close=hold, spent=hold.amount, entries=(entry,))))
    settled = sum(receipt.closed for receipt in await asyncio.gather(*waiting))
    if settled:
        log.warning("settled %d holds of a dead worker at the amount reserved: reconcile them", settled)
    return settled
