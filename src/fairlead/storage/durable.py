"""Files that outlive a crash: on the disk before anybody is told of them, and read only where they are plain files."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path


def sync(path: Path) -> None:
    """Bring what is in a file to the disk; of a folder, which names it holds: a file that was renamed is not lost with
    the power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def open_plain(path: Path) -> Iterator[BufferedReader]:
    """The file, for reading. Raises OSError where there is none, or where it is a link, a pipe or a device: nobody is
    led elsewhere by what others have put there, and nobody hangs on it."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path} is not a plain file")
        yield file


def second_name(path: Path, at: int) -> Path:
    """Another name for a file, `until` a time in seconds, so that there is never a moment without it. None that is
    taken is written over."""
    while True:
        other = path.with_name(f"{path.name}.until-{at}")
        try:
            os.link(path, other)
        except FileExistsError:
            at += 1
        else:
            return other
