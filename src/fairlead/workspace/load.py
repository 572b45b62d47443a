"""Reading a workspace from a folder. Only its own files are read; nothing outside the folder can be reached from it."""

import os
import stat
from pathlib import Path
from typing import Final

from fairlead.errors import BadInput, NotFound, closest
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.text import ENTRY, WorkspaceText, belongs

MOST_FILES: Final = 20_000
MOST_BYTES_A_FILE: Final = 5_000_000  # as much as a page of the context may have
MOST_BYTES: Final = 256 << 20

_FOLDERS: Final = ("policies", "rules", "tasks", "controls", "context", "systems", "workflows")
# What lies beside the text and is no part of it: numbers that change each day, and what templates bring.
_BESIDE: Final = ("drivers", "samples", "evaluation", "playbooks")
_COMPANIONS: Final = ("README.md", "README", "LICENSE", "Makefile", "CHANGELOG.md", "CODEOWNERS")


def read_folder(folder: Path) -> WorkspaceText:
    """The text of the workspace in `folder`. Hidden files are left out, unknown ones become a warning.

    Raises `NotFound` if there is no workspace, `InvalidWorkspace` for links that leave the folder and for files that
    are too large.
    """
    text, problems = read_what_can_be(folder)
    if problems:
        raise InvalidWorkspace(problems)
    return text


def read_what_can_be(folder: Path) -> tuple[WorkspaceText, tuple[Problem, ...]]:
    """The same, with what cannot be read told and not raised. Raises `NotFound`."""
    if not (folder / ENTRY).is_file():
        raise NotFound(
            f"there is no {ENTRY} in {folder}",
            why="a workspace is a folder with a fairlead.yaml",
            mend="make one with `fairlead init NAME`, or name its folder with --workspace",
        )
    reading = _Reading(folder.resolve())
    reading.take(folder.resolve(), "")
    text = WorkspaceText(dict(sorted(reading.files.items())), tuple(reading.warnings))
    return text, tuple(reading.problems)


class _Reading:
    """One walk through one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._bytes = 0
        self.files: dict[str, bytes] = {}
        self.warnings: list[str] = []
        self.problems: list[Problem] = []

    def take(self, folder: Path, prefix: str) -> None:
        try:
            entries = sorted(os.scandir(folder), key=lambda found: found.name)
        except OSError as error:
            self._note(prefix.rstrip("/"), f"cannot be read: {error.strerror}", "check the folder's permissions")
            return
        for entry in entries:
            path = prefix + entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_symlink() and not self._stays(entry.path):
                self._note(
                    path,
                    "a link that leads out of the workspace, to something hidden in it, or nowhere",
                    "copy the file into the workspace, or remove the link",
                )
            elif entry.is_dir(follow_symlinks=False):
                self._enter(entry, path)
            elif entry.is_dir():
                self._note(path, "a link to a folder", "put the folder itself in its place")
            elif belongs(path):
                self._read(entry, path)
            elif path not in _COMPANIONS:
                self.warnings.append(_unknown(path))

    def _stays(self, link: str) -> bool:
        try:
            target = Path(link).resolve(strict=True)
        except (OSError, RuntimeError):  # a circle of links, or one to nothing
            return False
        # The state and its master key lie in a hidden folder: no page may show them.
        return target.is_relative_to(self._root) and not any(
            part.startswith(".") for part in target.relative_to(self._root).parts
        )

    def _enter(self, entry: os.DirEntry[str], path: str) -> None:
        if path.partition("/")[0] in _FOLDERS:
            self.take(Path(entry.path), path + "/")
        elif path not in _BESIDE:
            self.warnings.append(f"{path}/ is not part of the workspace and was left out{_like(path, _FOLDERS)}")

    def _read(self, entry: os.DirEntry[str], path: str) -> None:
        try:
            content = _content(entry.path)
        except OSError as error:
            self._note(path, f"cannot be read: {error.strerror}", "check its permissions")
            return
        except BadInput as error:
            self._note(path, error.message, error.mend)
            return
        self._bytes += len(content)
        if self._bytes > MOST_BYTES or len(self.files) >= MOST_FILES:
            said = f"the workspace exceeds {MOST_FILES} files or {MOST_BYTES >> 20} MiB"
            raise InvalidWorkspace([Problem(file=path, message=said, mend="keep only what the workspace needs in it")])
        self.files[path] = content

    def _note(self, path: str, message: str, mend: str) -> None:
        self.problems.append(Problem(file=path, message=message, mend=mend))


def _content(path: str) -> bytes:
    """The bytes of a regular file, up to the limit. A pipe or a device is never opened for reading: it could block."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise BadInput("it is not a regular file", mend="put a file in its place")
        content = file.read(MOST_BYTES_A_FILE + 1) if about.st_size <= MOST_BYTES_A_FILE else b""
    if max(about.st_size, len(content)) > MOST_BYTES_A_FILE:
        size = max(about.st_size, len(content))
        raise BadInput(
            f"the file has {size:,} bytes: a file of a workspace may have {MOST_BYTES_A_FILE:,}",
            mend="split it into pages that one person would read at a sitting, or move it out of the workspace",
        )
    return content


def _unknown(path: str) -> str:
    if path in ("fairlead.yml", "fairlead.json"):
        return f"{path} was left out: did you mean `{ENTRY}`?"
    if path.endswith(".yml"):
        return f"{path} was left out: workspace files end in `.yaml`"
    return f"{path} is not part of the workspace and was left out{_like(path, (ENTRY,)) if '/' not in path else ''}"


def _like(path: str, known: tuple[str, ...]) -> str:
    mend = closest(path, known)
    return f": {mend}" if mend.startswith("did you mean") else ""
