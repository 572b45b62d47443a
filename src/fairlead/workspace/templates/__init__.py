"""Workspaces to begin with: what `fairlead init` writes.

Pages tell when they were verified and when they are to be reviewed. These days are as they were when the templates were
written, and `today` moves them: nobody begins with pages that are overdue.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from fairlead.errors import BadInput, NotFound, closest
from fairlead.workspace.text import ENTRY, WorkspaceText, belongs

TEMPLATES: Final[Mapping[str, str]] = {
    "lean": "ten lines: two models, one rule, one key",
    "standard": "a small company that works without any vendor's key: handbook, task type, policies and their tests",
    "retail": "Northlight Home, an invented chain of shops: departments, budgets, confidential pages, discount rules",
}

_PLACEHOLDER: Final = re.compile(r"\{\{([a-z_]+)\}\}")
_WRITTEN: Final = date(2026, 11, 21)
_FRONT: Final = re.compile(r"\A---\n.*?^---$", re.DOTALL | re.MULTILINE)
_DAY: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*( [A-Za-z0-9_-]+)*")
_KEYWORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def write_template(name: str, folder: Path, variables: Mapping[str, str]) -> list[Path]:
    """Write the workspace `name` into `folder`, which must be empty or not exist. Returns what was written.

    `variables` fill the placeholders; `organisation` is needed by all templates, and `today` moves the days of pages.
    Nothing is ever overwritten. Raises `NotFound` for an unknown template, `BadInput` for a folder in use or a missing
    variable.
    """
    texts = template_files(name, variables)
    _require_empty(folder)
    written = []
    for path, content in texts.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)
        written.append(target)
    return written


def template_text(name: str, variables: Mapping[str, str]) -> WorkspaceText:
    """The template as the text of a workspace, without touching a disk: what `write_template` would publish."""
    return WorkspaceText({path: text for path, text in template_files(name, variables).items() if belongs(path)})


def template_files(name: str, variables: Mapping[str, str]) -> dict[str, bytes]:
    """Every file of a template by its path in the workspace, placeholders filled in."""
    if name not in TEMPLATES:
        raise NotFound(f"there is no template {name!r}", mend=closest(name, TEMPLATES))
    root = files(__package__).joinpath(name)
    return {path: filled(path, source.read_text("utf-8"), variables).encode() for path, source in text_in(root)}


def text_in(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """The files of a template, each with its path in the workspace."""
    for entry in sorted(folder.iterdir(), key=lambda found: found.name):
        # A leading dot would make build tools take a template's ignore file for their own.
        path = prefix + re.sub(r"^dot_", ".", entry.name)
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from text_in(entry, path + "/")
        else:
            yield path, entry


def filled(path: str, text: str, variables: Mapping[str, str]) -> str:
    """A file's text with its placeholders filled in. The days of a page move along with `today`, an ISO day, where that
    is among the variables. Raises `BadInput` for a placeholder that nothing is said of."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in variables:
            raise BadInput(f"the template needs `{name}`", mend=f"pass a value for {name}")
        return _quoted(variables[name]) if path.endswith(".yaml") else variables[name]

    if "today" in variables and path.endswith(".md"):
        text = _FRONT.sub(lambda front: _moved(front[0], variables["today"]), text)
    return _PLACEHOLDER.sub(value, text)


def _moved(front: str, today: str) -> str:
    late = date.fromisoformat(today) - _WRITTEN
    return _DAY.sub(lambda day: (date.fromisoformat(day[0]) + late).isoformat(), front)


def _quoted(value: str) -> str:
    """A YAML scalar that reads as this text, whatever is in it. JSON strings are YAML."""
    if _PLAIN.fullmatch(value) and value.lower() not in _KEYWORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _require_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is not a folder", mend="choose another name")
    if folder.is_dir() and (found := sorted(entry.name for entry in folder.iterdir())):
        why = f"there is a {ENTRY} in it" if ENTRY in found else f"it holds {found[0]}"
        raise BadInput(
            f"{folder} is not empty",
            why=f"{why}, and `init` never overwrites",
            mend="choose another name, or empty the folder first",
        )
