"""Processes that walk workflows, to be killed at random. None outlives the process that began it."""

import asyncio
import multiprocessing
import os
import random
import signal
import threading
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from tests.world import MASTER_KEY, secret_of

from evals.stage import say
from fairlead.clock import SystemClock
from fairlead.storage.database import Where
from fairlead.storage.store import Store


def walk(where: str, folder: str, ready: Event) -> None:
    """A walker, until it is killed, or whoever began it is."""
    import faulthandler

    from fairlead.workspace.assemble import assemble
    from fairlead.workspace.surroundings import Surroundings

    faulthandler.enable()
    threading.Thread(target=_end_with_parent, daemon=True).start()

    async def forever() -> None:
        store = Store.open(_database(where), beside=Path(folder))
        around = Surroundings(store=store, master_key=MASTER_KEY, secrets=secret_of, clock=SystemClock(), walks=8)
        await assemble(around)
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(forever())


def _end_with_parent() -> None:
    """Die once the process that began this one is gone, however that came: it alone holds the other end of a pipe. In a
    thread of its own, since whoever sets an event for a dead process may wait for it for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)


def _database(where: str) -> Where:
    return where if "://" in where else Path(where)


class Walkers:
    """So many processes at once; one that is killed is replaced."""

    def __init__(self, count: int, where: str, folder: Path) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["dbos", "cel_expr_python", "fairlead.workspace.assemble", __name__])
        self._where, self._folder = where, str(folder)
        self._living = [self._another() for _ in range(count)]
        self.died = 0  # by themselves

    def _another(self) -> tuple[ForkServerProcess, Event]:
        ready = self._context.Event()
        process = self._context.Process(target=walk, args=(self._where, self._folder, ready))
        process.start()
        return process, ready

    def until_ready(self) -> None:
        """All of them walk. One that has died by itself is replaced, and counted."""
        for at in range(len(self._living)):
            while not self._living[at][1].wait(0.1):
                process = self._living[at][0]
                if not process.is_alive():
                    say(f"a walker died by itself: {process.exitcode}")
                    self.died += 1
                    self._living[at] = self._another()

    def kill_one(self, rng: random.Random) -> None:
        """One of them, by SIGKILL, and another in its place. One that was dead before is counted."""
        at = rng.randrange(len(self._living))
        process, _ = self._living[at]
        process.kill()
        process.join()
        if process.exitcode != -signal.SIGKILL:
            say(f"a walker died by itself: {process.exitcode}")
            self.died += 1
        self._living[at] = self._another()

    def end(self) -> None:
        """Kill all of them."""
        for process, _ in self._living:
            process.kill()
            process.join()
