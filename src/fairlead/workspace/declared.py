"""The sources of a folder's workspace, compiled by themselves: pages can be brought in while one is broken."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from fairlead.context import ContextSettings
from fairlead.context.sources.settings import AnySource, SourcesFile, compile_sources
from fairlead.errors import BadInput
from fairlead.workspace.places import placed
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.text import ENTRY, SOURCES
from fairlead.workspace.typed import read
from fairlead.workspace.yaml_lines import parse_yaml

_File = TypeVar("_File", bound=Struct)


class Declared(Struct, frozen=True):
    """The synced sources by name, and what holds for pages that do not say it."""

    sources: Mapping[str, AnySource]
    defaults: ContextSettings


def declared_in(folder: Path) -> Declared:
    """Raises `InvalidWorkspace` with what is wrong in the two files that are read."""
    path = folder / SOURCES
    return declared(
        (folder / ENTRY).read_bytes(), path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    )


def declared(entry: bytes, sources: bytes) -> Declared:
    """The same, of their texts."""
    problems: list[Problem] = []
    settings = _read(ENTRY, entry, WorkspaceSettings, problems)
    file = _read(SOURCES, sources, SourcesFile, problems)
    if settings is None or file is None:
        raise InvalidWorkspace(problems)
    systems = {name: "resources" in getattr(each, "offers", ()) for name, each in settings.systems.items()}
    try:
        found = compile_sources(file, systems)
    except BadInput as error:
        document = parse_yaml(SOURCES, sources)
        assert not isinstance(document, Problem)
        raise InvalidWorkspace([placed(error, document)]) from None
    return Declared(found, settings.context)


def _read(path: str, data: bytes, kind: type[_File], problems: list[Problem]) -> _File | None:
    document = parse_yaml(path, data)
    if isinstance(document, Problem):
        problems.append(document)
        return None
    return read(document, kind, problems)
