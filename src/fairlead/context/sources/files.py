"""Files of this machine: listed without following links out of their folder, read only where they are files."""

import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fairlead.context.sources.globs import chosen
from fairlead.context.sources.reading import kind_of, most_bytes, too_large
from fairlead.context.sources.settings import DocumentsSource, FolderSource
from fairlead.context.sources.types import MOST_ENTRIES, Entry, Failure, Listing, Reach, Seen
from fairlead.errors import BadInput, NotFound

USUAL: Final = ("**/*.md", "**/*.markdown", "**/*.mdx")
DOCUMENTS: Final = ("**/*.pdf", "**/*.docx")
_DEEPEST: Final = 40
_FRESH: Final = 2_000_000_000  # ns within which a file may change again without another time


class Folder:
    """A folder of Markdown or documents. The mark of a file is its size and the time of its last change."""

    def __init__(self, name: str, settings: FolderSource | DocumentsSource, reach: Reach) -> None:
        self._key = f"sources.{name}"
        self._settings = settings
        self._folder = reach.workspace / Path(settings.path).expanduser()
        self._workspace = reach.workspace
        self._now = reach.now * 1_000_000

    def listing(self, seen: Seen) -> Listing:
        """Goes through the whole folder. What changed within the last moments has no mark, so that the next sync reads
        it again; links and files that are too large are skipped. Raises `NotFound` where there is no folder, `BadInput`
        for too many files."""
        folder = self._checked()
        usual = DOCUMENTS if isinstance(self._settings, DocumentsSource) else USUAL
        takes = chosen(self._settings.include or usual, self._settings.exclude)
        entries, skipped = [], {}
        for path, found in walk(folder):
            if not takes(path):
                continue
            if isinstance(found, Failure):
                skipped[path] = found
            elif found.st_size > most_bytes(kind_of(path)):
                skipped[path] = too_large(found.st_size, kind_of(path))
            else:
                fresh = self._now - found.st_mtime_ns < _FRESH
                mark = "" if fresh else f"{found.st_size}-{found.st_mtime_ns}"
                entries.append(Entry(path=path, mark=mark, origin=path))
            if len(entries) > MOST_ENTRIES:
                raise too_many(self._key)
        return Listing(entries=tuple(entries), skipped=skipped)

    def read(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, bytes | Failure]]:
        for entry in entries:
            yield entry, read_file(self._folder / entry.path, most_bytes(kind_of(entry.path)))

    def _checked(self) -> Path:
        try:
            folder = self._folder.resolve(strict=True)
            is_folder = folder.is_dir()
        except (OSError, RuntimeError):
            is_folder = False
        if not is_folder:
            raise NotFound(
                f"{self._key}: there is no folder {self._settings.path}",
                why="it was moved, or what it lies on is not mounted here",
                mend=f"put it back, or say in context/sources.yaml where it is: `{self._key}.path`",
                subject=self._key,
            )
        context = (self._workspace / "context").resolve()
        if folder.is_relative_to(context) or context.is_relative_to(folder):
            raise BadInput(
                f"{self._key}.path: {self._settings.path} and context/ lie within one another",
                why="pages would be brought in from themselves",
                mend="name a folder outside of the workspace's context/",
                subject=self._key,
            )
        return folder


def walk(root: Path) -> Iterator[tuple[str, os.stat_result | Failure]]:
    """Each file below a folder by its path from there, in order; hidden ones are passed over. What cannot be looked
    at, or is no file, is a failure. Links to folders are not followed, so that no circle has to be found."""
    waiting: list[tuple[Path, str, int]] = [(root, "", 0)]
    while waiting:
        folder, prefix, depth = waiting.pop()
        try:
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda each: each.name)
        except OSError as error:
            yield prefix.rstrip("/") or ".", Failure(why=f"the folder cannot be read: {error.strerror}", lasting=False)
            continue
        below = []
        for entry in entries:
            if not entry.name.isascii() and _is_no_text(entry.name):
                shown = prefix + entry.name.encode("utf-8", "replace").decode()
                yield shown, Failure(why="its name is not UTF-8", mend="rename it")
                continue
            path = prefix + entry.name  # as it is written there: another form of it may name no file
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEEPEST:
                    below.append((Path(entry.path), path + "/", depth + 1))
                else:
                    yield path, Failure(why=f"it lies more than {_DEEPEST} folders deep")
            else:
                yield path, _looked_at(entry, root)
        waiting += reversed(below)


def _is_no_text(name: str) -> bool:
    """Whether a name holds bytes that are not UTF-8. No page, memory or report could hold it."""
    return any("\ud800" <= each <= "\udfff" for each in name)


def _looked_at(entry: "os.DirEntry[str]", root: Path) -> os.stat_result | Failure:
    try:
        if entry.is_symlink():
            target = Path(entry.path).resolve(strict=True)
            if target.is_dir():
                return Failure(why="it is a link to a folder", mend="put the folder itself in its place")
            top = root.resolve()
            if not target.is_relative_to(top):
                return Failure(why="it is a link that leads out of the folder", mend="put the file itself in its place")
            if any(part.startswith(".") for part in target.relative_to(top).parts):
                return Failure(why="it is a link to a hidden file", mend="put the file itself in its place")
        found = entry.stat()
    except (OSError, RuntimeError) as error:
        return Failure(why=f"it cannot be looked at: {getattr(error, 'strerror', '') or 'it is a link to itself'}")
    if not stat.S_ISREG(found.st_mode):
        return Failure(why="it is no file but a pipe, a socket or a device", mend="move it away")
    return found


def read_file(path: Path, most: int) -> bytes | Failure:
    """The bytes of a file, up to one more than `most`. A pipe or a device is never waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Failure(why="it is no file", mend="move it away")
            return file.read(most + 1)
    except PermissionError:
        return Failure(
            why="nobody but its owner may read it", mend="give whoever runs this the right to", lasting=False
        )
    except OSError as error:
        return Failure(why=f"it cannot be read: {error.strerror}", lasting=False)


def day_of(seconds: float) -> str:
    """The day of a time in seconds since 1970, in UTC; "" for one that no calendar has."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}" if seconds > 0 else ""
    except (ValueError, OverflowError, OSError):
        return ""


def too_many(key: str) -> BadInput:
    """For a source that has more files than a workspace may have; `key` is where it is declared."""
    return BadInput(
        f"{key} has more than {MOST_ENTRIES:,} pages",
        why="a workspace may have as many files",
        mend=f"name by `include` and `exclude` under `{key}` which of them matter",
        subject=key,
    )
