"""Work to begin with: the templates that `fairlead new` writes. A *solution* is the part of a workspace that does one
kind of work: workflows, systems, policies with their tests, sample documents, an evaluation and a playbook.

It is a folder beside this file. `solution.yaml` says what it is for and what to do next; what lies below `adds/` goes
into files that a workspace has already (`fairlead.yaml`, `policies/tests.yaml`); everything else is written as it is.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from shutil import copy2, copymode
from typing import Final

import msgspec
import yaml
from msgspec import Struct

from fairlead.errors import BadInput, NotFound, closest
from fairlead.workspace.solutions.joining import joined
from fairlead.workspace.templates import filled, text_in

_BASE: Final = "base"
_ABOUT: Final = "solution.yaml"
_ADDS: Final = "adds/"
_SIGN_OF: Final = {"documents": "pypdfium2", "sql": "sqlglot", "workflows": "cel_expr_python"}
"""What is installed with each extra, and with no other."""
_AS_THEY_ARE: Final = (".pdf", ".png")


class Solution(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`solution.yaml`. `then` are the next commands, `databases` the SQLite files that are made of SQL text: file by
    text; `needs` the extras of Fairlead without which it does not run."""

    about: str
    then: tuple[str, ...]
    needs: tuple[str, ...]
    databases: Mapping[str, str] = {}


class Adding(Struct, frozen=True, kw_only=True):
    """What a solution comes to in one folder. `new` are files that are not there yet, `joined` those that are there
    and get more, `left` those that stay as they are. `by_hand` is what a person has to put in: text by
    file. `databases` are made."""

    new: Mapping[str, bytes]
    joined: Mapping[str, bytes]
    left: tuple[str, ...]
    by_hand: Mapping[str, str]
    databases: tuple[str, ...] = ()


def solutions() -> dict[str, Solution]:
    """All of them by name."""
    found = (each for each in files(__package__).iterdir() if each.joinpath(_ABOUT).is_file())
    return {each.name: _about(each) for each in sorted(found, key=lambda each: each.name)}


def solution(name: str) -> Solution:
    """Raises `NotFound`."""
    known = solutions()
    if name not in known:
        mend = closest(name, known) or f"one of {', '.join(known)}"
        raise NotFound(f"there is no template {name!r}", mend=mend, subject=name)
    return known[name]


def missing(name: str) -> tuple[str, ...]:
    """The extras that it needs and that are not installed here. Raises `NotFound`."""
    return tuple(extra for extra in solution(name).needs if find_spec(_SIGN_OF[extra]) is None)


def adding(name: str, folder: Path, variables: Mapping[str, str]) -> Adding:
    """What would be written into `folder`: into a new workspace, with all that one needs, or one that is there. Writes
    nothing. Raises `NotFound`, `BadInput` for a folder that is something else."""
    solution(name)
    root = files(__package__)
    existing = (folder / "fairlead.yaml").is_file()
    _require_free(folder, existing)
    begun = {} if existing else _files(root.joinpath(_BASE), variables)
    own = _files(root.joinpath(name), variables)
    new, left = dict(begun), []
    changed: dict[str, bytes] = {}
    by_hand: dict[str, str] = {}
    for path, content in own.items():
        if not path.startswith(_ADDS):
            if (folder / path).exists():
                left.append(path)
            else:
                new[path] = content
            continue
        target = path.removeprefix(_ADDS)
        there = begun.get(target) if not existing else _read(folder / target)
        whole = content if there is None else joined(there, content)
        if whole is None:
            by_hand[target] = content.decode()
        elif there is None or not existing:
            new[target] = whole
        elif whole != there:
            changed[target] = whole
    databases = tuple(path for path in solution(name).databases if not (folder / path).exists())
    return Adding(new=new, joined=changed, left=tuple(left), by_hand=by_hand, databases=databases)


def write(name: str, folder: Path, what: Adding) -> None:
    """Write it: all of it, or nothing. Nothing is overwritten that is not `joined`; the databases of the samples are
    made where they are not there. Raises `BadInput`."""
    folder = folder.resolve()
    made: list[Path] = []
    before: dict[Path, Path] = {}
    try:
        _write(name, folder, what, made, before)
    except BaseException as error:
        kept = {path: copy for path, copy in before.items() if not _is_put_back(path, copy)}
        for path in reversed([each for each in made if each not in kept.values()]):
            _take_away(path, folder)
        if not isinstance(error, OSError):
            raise
        mend = "mend it, or free some space, and start again: nothing of the template was left behind"
        if kept:
            mend = "put back by hand what was there: " + ", ".join(f"{copy} as {to.name}" for to, copy in kept.items())
        raise BadInput(
            f"{error.filename or folder} cannot be written", why=error.strerror or str(error), mend=mend
        ) from error
    for copy in before.values():
        _take_away(copy, folder)


def _write(name: str, folder: Path, what: Adding, made: list[Path], before: dict[Path, Path]) -> None:
    """What is made is put into `made` before anything is in it. Files that were there are changed last, when all that
    takes room is written, a copy of each among it: `before` has the copies of those that may be changed."""
    for path, content in what.new.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            made.append(target)
            file.write(content)
    changed: dict[Path, tuple[Path, Path]] = {}
    for path, content in what.joined.items():
        target = (folder / path).resolve()
        partial, copy = (target.with_name(f".{target.name}.{end}") for end in ("partial", "before"))
        changed[target] = (partial, copy)
        made += partial, copy
        partial.write_bytes(content)
        copymode(target, partial)
        copy2(target, copy)
    for path in what.databases:
        made.append(folder / path)
        _make_database(folder / path, folder / solution(name).databases[path])
    for target, (partial, copy) in changed.items():
        before[target] = copy
        partial.replace(target)


def _is_put_back(path: Path, copy: Path) -> bool:
    try:
        copy.replace(path)
    except OSError:
        return False
    return True


def _take_away(path: Path, folder: Path) -> None:
    """A file, and the folders above it that are empty without it. What a link has led elsewhere stands in a folder that
    was there."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
        if path.is_relative_to(folder):
            for above in path.parents[: len(path.relative_to(folder).parents) - 1]:
                above.rmdir()


def _about(folder: Traversable) -> Solution:
    return msgspec.convert(yaml.safe_load(folder.joinpath(_ABOUT).read_text("utf-8")), Solution)


def _require_free(folder: Path, existing: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is not a folder", mend="choose another name")
    if not existing and folder.is_dir() and (found := sorted(each.name for each in folder.iterdir())):
        raise BadInput(
            f"{folder} is neither empty nor a workspace",
            why=f"it holds {found[0]} and no fairlead.yaml",
            mend="choose another folder, or that of a workspace",
        )


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _files(folder: Traversable, variables: Mapping[str, str]) -> dict[str, bytes]:
    return {path: _content(path, source, variables) for path, source in text_in(folder) if path != _ABOUT}


def _content(path: str, source: Traversable, variables: Mapping[str, str]) -> bytes:
    if path.endswith(_AS_THEY_ARE):
        return source.read_bytes()
    return filled(path, source.read_text("utf-8"), variables).encode()


def _make_database(path: Path, source: Path) -> None:
    """A SQLite file of the SQL text beside it: complete, or not there."""
    if path.exists():
        return
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(partial)) as connection:
            connection.executescript(source.read_text("utf-8"))
    except sqlite3.Error as error:
        partial.unlink(missing_ok=True)
        mend = f"free some space, or mend {source.name}, and start again"
        raise BadInput(f"{path.name} cannot be made of {source.name}", why=str(error), mend=mend) from error
    partial.rename(path)
