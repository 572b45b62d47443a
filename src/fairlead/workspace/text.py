"""The text of a workspace: its files as bytes, however they were read, and nothing else."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from msgspec import Struct

ENTRY: Final = "fairlead.yaml"
POLICY_TESTS: Final = "policies/tests.yaml"
SOURCES: Final = "context/sources.yaml"
PRICES: Final = ".prices.json"  # made at publish, never by a person

_NOT_DECIDING: Final = ("context/", "workflows/", "tasks/")
_SUFFIXES: Final = {
    "policies": (".cedar",),
    "rules": (".yaml", ".csv", ".txt"),
    "tasks": (".yaml",),
    "controls": (".yaml",),
    "systems": (".yaml", ".json", ".py"),
    "workflows": (".yaml", ".py"),
}


class WorkspaceText(Struct, frozen=True):
    """Relative path (with `/`) to content. `warnings` tell what lies in the folder and is not part of it."""

    files: Mapping[str, bytes]
    warnings: tuple[str, ...] = ()

    @property
    def deciding(self) -> str:
        """The SHA-256 of all that decides what may be done in systems: of everything but the pages, the workflows, the
        task types and the price list."""
        found = sha256()
        for path in sorted(self.files):
            if path != PRICES and not path.startswith(_NOT_DECIDING):
                found.update(f"{path}\0{len(self.files[path])}\0".encode() + self.files[path])
        return found.hexdigest()

    def below(self, folder: str, suffix: str) -> Iterator[tuple[str, bytes]]:
        """The files of one folder and its subfolders, in the order of their paths."""
        for path in sorted(self.files):
            if path.startswith(f"{folder}/") and path.endswith(suffix) and path != POLICY_TESTS:
                yield path, self.files[path]


def belongs(path: str) -> bool:
    """Whether a file with this path is part of a workspace's text."""
    folder, _, name = path.rpartition("/")
    if path in (ENTRY, POLICY_TESTS):
        return True
    if folder.partition("/")[0] == "context":
        return name.endswith(".md") or path == SOURCES
    return name.endswith(_SUFFIXES.get(folder, ()))


def is_page(path: str) -> bool:
    """Whether a file of a workspace is a page of its context."""
    return path.startswith("context/") and path != SOURCES


def task_name(path: str) -> str:
    """The name of the task type that a file of `tasks/` declares."""
    return path.rpartition("/")[2].removesuffix(".yaml")
