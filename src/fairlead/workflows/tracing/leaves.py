"""Where something stands in some data: a value, a yes or no, a text, or nothing. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.workflows.tracing.matching import Atom, Path, atoms, holds


def paths_of(value: Any, atom: Atom, like: Path) -> list[Path]:
    """Where an atom stands in a value: under the same key where that is so, else at the first place."""
    found = [path for path, each in atoms(value) if each == atom]
    if not found and (path := holds(value, atom)) is not None:
        found = [path]
    same = [path for path in found if path and like and path[-1] == like[-1]]
    return same or found[:1]


def flags(value: Any, key: str, flag: bool, path: Path = ()) -> Iterator[Path]:
    """Where this yes or no stands under a key in some data, which is itself found at `path`."""
    if value is flag and path and path[-1] == key:
        yield ()
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        for below in flags(each, key, flag, (name,)):
            yield (name, *below)


def size(value: Any) -> int:
    """How many leaves some data has, empty lists and records counted as one."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return sum(size(each) if isinstance(each, Mapping | list | tuple) else 1 for each in inner) or 1


def texts_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The texts in some data, each with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from texts_of(each, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from texts_of(each, (*path, number))


def empties(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where there is nothing in some data: null, an empty text, list or record."""
    if value is None or value == "" or (isinstance(value, Mapping | list | tuple) and not value):
        yield path
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from empties(each, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from empties(each, (*path, number))
