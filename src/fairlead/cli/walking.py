"""A process that walks runs of workflows: what `fairlead serve` starts beside its workers, and `fairlead workflow work`
is by itself."""

import asyncio
import signal

from fairlead.cli.place import Place
from fairlead.cli.surroundings import surroundings
from fairlead.cli.undumped import leave_no_dump
from fairlead.storage.store import Store
from fairlead.workspace.assemble import assemble


def walk_until_told(place: Place, synchronous: str, at_once: int) -> int:
    """Walk what is due, at most so many runs at the same time, until SIGTERM or SIGINT. Returns the exit status.
    The log is the caller's to start: a process that was forked goes on with its parent's."""
    leave_no_dump()
    asyncio.run(_walk(place, synchronous, at_once))
    return 0


async def _walk(place: Place, synchronous: str, at_once: int) -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    store = Store.open(place.database, synchronous=synchronous, beside=place.beside)
    running = await assemble(surroundings(place, store, walks=at_once))
    await told.wait()
    await running.stop()
    store.close()
