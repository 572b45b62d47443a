"""The pages of one source as they lie in the workspace: read, written whole or not at all, and never outside.

Whoever holds a `Pages` is alone with the folder: it is locked for as long as that process lives.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fairlead.context.sources.memory import FILE as MEMORY
from fairlead.errors import BadInput

_DRAFT: Final = ".sync.tmp"  # what a crash may leave; the next write begins it anew
_MOST_BYTES: Final = 256 << 20  # of a memory


class Pages:
    """The folder `context/NAME`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, page: str) -> str | None:
        """A page's text with `\\n` line ends, None where there is none. What is not UTF-8 comes as it can."""
        data = self._bytes(page)
        if not data:
            return None
        return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")

    def memory(self) -> bytes | None:
        """What the last sync kept for this one; None before the first."""
        return self._bytes(MEMORY)

    def exists(self, page: str) -> bool:
        """Whether a page stands there: an empty file counts as not written."""
        try:
            found = os.lstat(self._folder / page)
            return stat.S_ISREG(found.st_mode) and found.st_size > 0
        except OSError:
            return False

    def files(self) -> Iterator[str]:
        """All pages that lie here, whoever wrote them."""
        for folder, _, names in os.walk(self._folder):
            at = Path(folder).relative_to(self._folder)
            yield from ((at / name).as_posix() for name in names if name.endswith(".md"))

    def write(self, page: str, data: bytes, *, lasting: bool = False) -> None:
        """Put these bytes in the place of what is there. Either all of them stand there afterwards, or none.

        Only what is `lasting` is waited for: a machine that loses its power may leave others empty, which counts as not
        written, since a thousand pages would take half a minute.
        """
        target = self._place(page)
        draft = self._folder / _DRAFT
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(descriptor)
        draft.replace(target)

    def write_memory(self, data: bytes) -> None:
        """Keep what the next sync must know. On the disk when this returns."""
        self.write(MEMORY, data, lasting=True)

    def move(self, page: str, to: str) -> None:
        """Give a page another name. Folders that it leaves empty go."""
        os.replace(self._folder / page, self._place(to))
        folder = (self._folder / page).parent
        while folder != self._folder:
            try:
                folder.rmdir()
            except OSError:
                return  # something else lies in it
            folder = folder.parent

    def _place(self, page: str) -> Path:
        """Where a page is to stand, in folders that are really below ours. Raises `BadInput`."""
        folder = self._folder
        for part in Path(page).parts[:-1]:
            folder = folder / part
            folder.mkdir(exist_ok=True) if not folder.is_symlink() else None
            if folder.is_symlink() or not folder.is_dir():
                raise _in_the_way(folder)
        target = self._folder / page
        if target.is_symlink() or target.is_dir():
            raise _in_the_way(target)
        return target

    def _bytes(self, name: str) -> bytes | None:
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _in_the_way(self._folder / name, str(error)) from None
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _in_the_way(self._folder / name)
            return file.read(_MOST_BYTES)


@contextmanager
def pages_of(context: Path, name: str, *, dry_run: bool = False) -> Iterator[Pages]:
    """The pages of a source, for one process at a time. Raises `BadInput` where another one works on them."""
    folder = context
    for part in ("", *Path(name).parts):  # a link anywhere on the way may lead out of the workspace
        folder = folder / part
        if folder.is_symlink():
            raise _in_the_way(folder)
    if dry_run:
        yield Pages(folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"context/{name} is being written by another sync",
                why="two at once would take each other's pages for edits",
                mend="wait until it has ended, and run this again",
                subject=name,
            ) from None
        try:
            yield Pages(folder)
        finally:
            (folder / _DRAFT).unlink(missing_ok=True)
    finally:
        os.close(descriptor)
        _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return


def _in_the_way(path: Path, said: str = "") -> BadInput:
    return BadInput(
        f"context/…/{path.name} is in the way",
        why=said or "it is a link, or no file or folder as it should be",
        mend=f"move {path.name} away",
        subject=path.name,
    )
