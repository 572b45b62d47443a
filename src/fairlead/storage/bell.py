"""Bells between the processes of one machine: a file cannot call, but whoever listens sees cheaply that it has grown.

A bell only wakes whoever would look soon anyway: one that is not heard delays something, and loses nothing.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

_LOOK: Final = 0.05  # seconds between two looks at a file's size
_LONGEST: Final = 1 << 16  # bytes, one for each time that it rang


def ring(folder: Path, bell: str) -> None:
    """Wake all that listen."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(_file(folder, bell), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(file).st_size >= _LONGEST:
            os.ftruncate(file, 0)
        else:
            os.write(file, b".")
    finally:
        os.close(file)


def hear(folder: Path, bell: str, woken: Callable[[], None]) -> Callable[[], None]:
    """Calls `woken`, from a thread of its own, whenever it rings. What is returned ends it."""
    ended = threading.Event()
    thread = threading.Thread(
        target=_listen, args=(_file(folder, bell), woken, ended), name=f"bell {bell}", daemon=True
    )
    thread.start()
    return ended.set


def _listen(file: Path, woken: Callable[[], None], ended: threading.Event) -> None:
    heard = _size(file)
    while not ended.wait(_LOOK):
        size = _size(file)
        if size != heard:
            heard = size
            woken()


def _size(file: Path) -> int:
    try:
        return os.stat(file).st_size
    except OSError:
        return -1


def _file(folder: Path, bell: str) -> Path:
    return folder / f"{bell}.bell"
