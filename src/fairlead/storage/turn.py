"""Whose turn it is to write. The database's own lock keeps writers apart; this one keeps them in a fair order.

SQLite lets waiting writers sleep and look again, so under load whoever has just written is the first to write again,
and others wait for hundreds of milliseconds. A file lock puts them in the kernel's queue. It is a courtesy: who does
without it is only impolite, and the kernel ends it with its holder.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turn:
    """One writer's place in the queue, for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(folder / "turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> None:
        """Waits for as long as it takes."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def is_free(self) -> bool:
        """Takes it if nobody has it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def give(self) -> None:
        """Lets the next one write. Safe if it was not taken."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def end(self) -> None:
        """Lets the next one write, and gives up the place. It cannot be taken again."""
        os.close(self._descriptor)


@contextmanager
def in_turn(folder: Path, patience: float) -> Iterator[None]:
    """Runs the block in turn, or after `patience` seconds out of turn: a holder that was stopped must not stop us."""
    turn = Turn(folder)
    if turn.is_free() or _wait(turn, patience):
        try:
            yield
        finally:
            turn.end()
    else:
        yield


def _wait(turn: Turn, patience: float) -> bool:
    """A blocked flock cannot be called off, so a thread waits for us; if it comes too late it gives up its turn."""
    decided, came, late = threading.Lock(), threading.Event(), threading.Event()

    def take() -> None:
        turn.take()
        with decided:
            came.set()
            if late.is_set():
                turn.end()

    threading.Thread(target=take, name="fairlead-turn", daemon=True).start()
    came.wait(patience)
    with decided:
        if not came.is_set():
            late.set()
    return came.is_set() and not late.is_set()
