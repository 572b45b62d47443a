"""Bells between the processes of one machine: a file cannot call, but whoever listens is told by the kernel that it has
grown (Linux, inotify(7)), or sees so cheaply.

A bell only wakes whoever would look soon anyway: one that is not heard delays something, and loses nothing.
"""

import ctypes
import os
import select
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

_LOOK: Final = 0.05  # seconds between two looks at a file's size
_ATTENTIVE: Final = 1.0  # where the kernel tells of it: for file systems of which it knows nothing
_LONGEST: Final = 1 << 16  # bytes, one for each time that it rang
_IN_MODIFY: Final = 0x2


def ring(folder: Path, bell: str) -> None:
    """Wake all that listen."""
    file = _open(folder, bell)
    try:
        if os.fstat(file).st_size >= _LONGEST:
            os.ftruncate(file, 0)
        else:
            os.write(file, b".")
    finally:
        os.close(file)


def hear(folder: Path, bell: str, woken: Callable[[], None]) -> Callable[[], None]:
    """Calls `woken`, from a thread of its own, whenever it rings. What is returned ends it."""
    os.close(_open(folder, bell))
    file, ended = _file(folder, bell), threading.Event()
    given = file, _watch(file), _size(file), woken, ended
    threading.Thread(target=_listen, args=given, name=f"bell {bell}", daemon=True).start()
    return ended.set


def _listen(file: Path, watch: int | None, heard: int, woken: Callable[[], None], ended: threading.Event) -> None:
    changes = select.poll()
    if watch is not None:
        changes.register(watch, select.POLLIN)
    try:
        while not ended.is_set():
            if watch is None:
                ended.wait(_LOOK)
            elif changes.poll(_ATTENTIVE * 1000):
                os.read(watch, 4096)
            size = _size(file)
            if size != heard:
                heard = size
                woken()
    finally:
        if watch is not None:
            os.close(watch)


def _watch(file: Path) -> int | None:
    """A descriptor that can be read when the file was changed; None where the system has no such thing."""
    try:
        system = ctypes.CDLL(None, use_errno=True)
        watch = int(system.inotify_init1(os.O_CLOEXEC))
    except (OSError, AttributeError):
        return None
    if watch >= 0 and system.inotify_add_watch(watch, os.fsencode(file), _IN_MODIFY) >= 0:
        return watch
    if watch >= 0:
        os.close(watch)
    return None


def _open(folder: Path, bell: str) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(_file(folder, bell), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _size(file: Path) -> int:
    try:
        return os.stat(file).st_size
    except OSError:
        return -1


def _file(folder: Path, bell: str) -> Path:
    return folder / f"{bell}.bell"
