"""Writing an entry of `context/sources.yaml` for a folder or repository, among what is there."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fairlead.context.sources.settings import AnySource, FolderSource, GitSource, SourceSettings, is_address


def source_for(path: str, workspace: Path, usual: SourceSettings) -> AnySource:
    """The source that a path or address is: a git repository where it is one or lies in one, else a folder."""
    said = {name: getattr(usual, name) for name in SourceSettings.__struct_fields__}
    if is_address(path):
        return GitSource(url=path, **said)
    folder = Path(path).resolve()
    top = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    if top is None:
        return FolderSource(path=_shown(folder, workspace), **said)
    inner = folder.relative_to(top).as_posix()
    return GitSource(url=_shown(top, workspace), folder="" if inner == "." else inner, **said)


def _shown(folder: Path, workspace: Path) -> str:
    """Relative to the workspace where they lie near each other, so that the text holds on other machines."""
    way = os.path.relpath(folder, workspace.resolve())
    return str(folder) if way.count("..") > 2 else way


def entry_lines(name: str, source: AnySource) -> str:
    """The entry as YAML. What is as usual is left out."""
    given: Mapping[str, object] = msgspec.to_builtins(source)
    usual: Mapping[str, object] = {
        field.encode_name: () if field.default is msgspec.NODEFAULT else field.default
        for field in msgspec.structs.fields(type(source))
    }
    rows = [
        f"    {key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in given.items()
        if key == "from" or value != msgspec.to_builtins(usual.get(key))
    ]
    return f"  {name}:\n" + "".join(f"{row}\n" for row in rows)


def with_entry(text: str, at: int, entry: str) -> str:
    """The file's text with one entry more. `at` is the line of `sources:`, 0 where there is none."""
    lines = text.splitlines(keepends=True)
    if not at:
        return text + ("\n" if text and not text.endswith("\n") else "") + "sources:\n" + entry
    return "".join(lines[:at]) + ("" if lines[at - 1].endswith("\n") else "\n") + entry + "".join(lines[at:])
