"""A lock that a worker holds for as long as it lives, and that the kernel lets go of when it dies, however it dies.

One empty file per worker in the `locks` folder beside the database. Process ids play no part, so their reuse cannot
deceive anybody. Whoever has a worker's lock knows that the worker is dead.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final, Protocol

from fairlead.errors import Broken

_SUFFIX: Final = ".lock"
_TRIES: Final = 50
_PAUSE: Final = 0.02


class WorkerLock:
    """A held lock. A forked child would share it, so take it after forking."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path, worker: str) -> "WorkerLock":
        """For the worker itself, when it starts. Raises Broken if another process lives under the same id."""
        for _ in range(_TRIES):
            lock = cls.seize(folder, worker)
            if lock is not None:
                return lock
            time.sleep(_PAUSE)  # somebody may just be looking whether we are dead
        raise Broken(
            f"the lock of worker {worker} is held by another process",
            why="worker ids are unique, and each has one journal",
            mend="start the worker anew; if it lasts, `fairlead doctor` shows who lives",
            subject=worker,
        )

    @classmethod
    def seize(cls, folder: Path, worker: str) -> "WorkerLock | None":
        """For others: the lock of a worker that is dead, None of one that lives."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{worker}{_SUFFIX}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have removed the file: a lock on a removed file guards nothing.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return cls(path, descriptor)
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        return None

    def release(self) -> None:
        """Removes the file and lets go. Safe to call twice."""
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


class Lock(Protocol):
    """The lock of a dead worker, held by who settles for it."""

    def release(self) -> None:
        """Let go of it, once all is settled."""


class WorkerLocks(Protocol):
    """Who lives, as others see it. Blocking: call it in a thread."""

    def known(self) -> list[str]:
        """The workers that have, or had when they died, a lock."""

    def seize(self, worker: str, now: float) -> Lock | None:
        """The lock of a worker that is dead, None of one that lives or may do so yet. `now` in monotonic seconds."""


class FileLocks:
    """Locks that are files on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def known(self) -> list[str]:
        return known_workers(self._folder)

    def seize(self, worker: str, now: float) -> Lock | None:
        """The kernel says who is dead, so `now` is not looked at."""
        return WorkerLock.seize(self._folder, worker)


def known_workers(folder: Path) -> list[str]:
    """The workers that have, or had when they died, a lock."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
