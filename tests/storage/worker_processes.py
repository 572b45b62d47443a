"""What the processes do that tests start, race and kill."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from tests.storage.books_of import a_hold, entry, limit

from fairlead.clock import SystemClock
from fairlead.errors import OverBudget
from fairlead.storage import rotation
from fairlead.storage.database import Where
from fairlead.storage.journal import Journal
from fairlead.storage.master_key import load_master_key
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import Write
from fairlead.storage.vault import Vault
from fairlead.storage.worker_lock import WorkerLock

# Processes are forked from one that has imported all this and runs no thread: most of a new one's time goes into that.
FRESH: Final = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload([__name__, "sqlalchemy", "psycopg"])
RACE_CAP = 20_000


@contextmanager
def started(job: Callable[..., None], *given: object) -> Iterator[BaseProcess]:
    """A process that does the job until it is done with, or until the block ends and it is killed."""
    process = FRESH.Process(target=job, args=given, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def work_until_killed(path: Where, worker: str, told: Path) -> None:
    """Reserves and settles without end, and notes in `told` what it was told is durable."""
    asyncio.run(_work(path, worker, told))


async def _work(path: Where, worker: str, told: Path) -> None:
    journal = Journal(Store.open(path), worker, SystemClock(), JournalSettings())
    notes = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    await journal.commit(Write(open=a_hold(f"{worker}-kept", 100, limit(10**15))))  # whenever the kill comes

    async def lane(lane: int) -> None:
        number = 0
        while True:
            number += 1
            hold = a_hold(f"{worker}-{lane}-{number}", 100, limit(10**15))
            await journal.commit(Write(open=hold))
            os.write(notes, f"held {hold.id}\n".encode())
            await journal.commit(Write(close=hold, spent=7, entries=(entry(hold.id),)))
            os.write(notes, f"settled {hold.id}\n".encode())

    await asyncio.gather(*(lane(number) for number in range(16)))


def spend_what_is_left(path: Where, worker: str) -> None:
    """Reserves more than it then spends, and tries again when refused, until hardly anything is left."""
    asyncio.run(_spend(path, worker))


async def _spend(path: Where, worker: str) -> None:
    journal = Journal(Store.open(path), worker, SystemClock(), JournalSettings(synchronous="normal"))

    async def lane(lane: int) -> None:
        refusals = number = 0
        while refusals < 50:
            number += 1
            hold = a_hold(f"{worker}-{lane}-{number}", 90, limit(RACE_CAP), limit(10**6, f"person/{worker}"))
            try:
                await journal.commit(Write(open=hold))
            except OverBudget:
                refusals += 1
                await asyncio.sleep(0.002)
                continue
            refusals = 0
            await journal.commit(Write(close=hold, spent=60, entries=(entry(hold.id),)))

    await asyncio.gather(*(lane(number) for number in range(8)))
    journal.close()


def hold_and_wait(path: Where, worker: str, told: Path) -> None:
    """Opens holds and then does nothing."""
    asyncio.run(_hold(path, worker, told))


async def _hold(path: Where, worker: str, told: Path) -> None:
    journal = Journal(Store.open(path), worker, SystemClock(), JournalSettings())
    await asyncio.gather(*(journal.commit(Write(open=a_hold(f"{worker}.{n}", 10, limit(10**6)))) for n in range(20)))
    told.write_text("ready")
    await asyncio.sleep(60)


def hold_lock(folder: Path, told: Connection) -> None:
    lock = WorkerLock.take(folder, "w")
    told.send("held")
    told.recv()
    lock.release()


def meet_strangers(where: Where, master_key: bytes, ids: "multiprocessing.Queue[tuple[list[str], str]]") -> None:
    vault = Vault(master_key, StoredSubjects(Store(where)), SystemClock())
    made = [vault.subject_for(f"person {number}").id for number in range(10)]
    ids.put((made, vault.verifier_key("audit.example")))


def rotate_and_die(where: Where, key_file: Path, step: str, when: str) -> None:
    """Changes the master key, and dies right before or right after a step of it."""
    owner: Any = {"rewrap": Vault, "replace": type(key_file)}.get(step, rotation)
    real = getattr(owner, step)

    def dying(*given: object) -> None:
        if when == "after":
            real(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, step, dying)
    vault = Vault(load_master_key(None, key_file), StoredSubjects(Store(where)), SystemClock())
    rotation.rotate(key_file, vault, "fairlead/acme", SystemClock())
