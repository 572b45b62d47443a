"""An expression as a tree, read from the form in which its compiler hands it out: which names it uses, and what it has
tested with `has(...)` before.

That form is a protocol buffer (`cel.expr.ParsedExpr`) of few and fixed fields, so it is read here without its library.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Path = tuple[str, ...]

MOST_DEPTH: Final = 100
_VARINT, _EIGHT_BYTES, _LENGTH = 0, 1, 2


class TooDeep(Exception):
    """The expression is nested deeper than `MOST_DEPTH`."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: a text, a number, true, false or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, such as `input` or `steps`."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`of.field`, or with `tests` `has(of.field)`."""

    of: "Tree"
    field: str
    tests: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator (`_+_`); what it is called on is the first of `given`."""

    function: str
    given: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Many:
    """A list or a map that is written out."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Each:
    """`map`, `filter`, `all`, `exists`: what is done for each of a list, with a variable of its own."""

    variable: str
    over: "Tree"
    total: str
    parts: tuple["Tree", ...]  # how it begins, goes on and ends


Tree = Constant | Name | Select | Call | Many | Each


def tree_of(serialized: bytes) -> Tree:
    """The tree of a parsed, unchecked expression. Raises `TooDeep`."""
    parsed = dict(_fields(serialized))[2]
    return _tree(dict(_fields(parsed))[2], 0)


def _tree(message: bytes, depth: int) -> Tree:
    if depth > MOST_DEPTH:
        raise TooDeep
    for field, value in _fields(message):
        if field in _READ:
            return _READ[field](value, depth)
    return Constant(None)


def _select(message: bytes, depth: int) -> Select:
    parts = dict(_fields(message))
    return Select(_tree(parts[1], depth + 1), _text(parts[2]), bool(parts.get(3)))


def _call(message: bytes, depth: int) -> Call:
    fields = list(_fields(message))
    name = next(_text(part) for number, part in fields if number == 2)
    ordered = sorted((pair for pair in fields if pair[0] in (1, 3)), key=lambda pair: pair[0])
    return Call(name, tuple(_tree(part, depth + 1) for _, part in ordered))


def _entries(message: bytes, depth: int) -> Iterator[Tree]:
    for number, entry in _fields(message):
        if number == 2:
            yield from (_tree(part, depth + 1) for key, part in _fields(entry) if key in (3, 4))


def _each(message: bytes, depth: int) -> Each:
    parts = dict(_fields(message))
    inner = tuple(_tree(parts[number], depth + 1) for number in (4, 5, 6, 7) if number in parts)
    return Each(_text(parts[1]), _tree(parts[2], depth + 1), _text(parts[3]), inner)


def _constant(message: bytes) -> Any:
    for field, value in _fields(message):
        if field == 6:
            return _text(value)
        if field == 3:
            return value - (1 << 64) if value >> 63 else value
        return True if field == 2 and value else None
    return None


_READ: Final[dict[int, Callable[[bytes, int], Tree]]] = {
    3: lambda message, depth: Constant(_constant(message)),
    4: lambda message, depth: Name(_text(dict(_fields(message))[1])),
    5: _select,
    6: _call,
    7: lambda message, depth: Many(tuple(_tree(part, depth + 1) for key, part in _fields(message) if key == 1)),
    8: lambda message, depth: Many(tuple(_entries(message, depth))),
    9: _each,
}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer, by number."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif tag & 7 == _LENGTH:
            size, at = _varint(message, at)
            yield tag >> 3, message[at : at + size]
            at += size
        else:
            size = 8 if tag & 7 == _EIGHT_BYTES else 4
            yield tag >> 3, message[at : at + size]
            at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


@dataclass(frozen=True, slots=True)
class Use:
    """A name that is used, as far as it is followed by plain keys: `steps.read.value`. `tested` are the paths that are
    there for sure where it is used."""

    path: Path
    tested: frozenset[Path]
    only_tests: bool = False


def uses_of(tree: Tree) -> Iterator[Use]:
    """Every name from outside that an expression uses."""
    return _uses(tree, frozenset(), frozenset())


def variables_of(tree: Tree) -> Iterator[str]:
    """The variables that it makes for itself."""
    if isinstance(tree, Each):
        yield tree.variable
    for part in _parts(tree):
        yield from variables_of(part)


def _uses(tree: Tree, own: frozenset[str], tested: frozenset[Path]) -> Iterator[Use]:
    path = path_of(tree)
    if path is not None:
        if path[0] not in own:
            yield Use(path, tested, isinstance(tree, Select) and tree.tests)
    elif isinstance(tree, Each):
        yield from _uses(tree.over, own, tested)
        for part in tree.parts:
            yield from _uses(part, own | {tree.variable, tree.total}, tested)
    elif isinstance(tree, Call) and tree.function in ("_?_:_", "_&&_", "_||_"):
        yield from _guarded(tree, own, tested)
    else:
        for part in _parts(tree):
            yield from _uses(part, own, tested)


def _guarded(tree: Call, own: frozenset[str], tested: frozenset[Path]) -> Iterator[Use]:
    first, *rest = tree.given
    if tree.function == "_?_:_":
        yield from _uses(first, own, tested)
        yield from _uses(rest[0], own, tested | sure_if(first, holds=True))
        yield from _uses(rest[1], own, tested | sure_if(first, holds=False))
        return
    holds = tree.function == "_&&_"
    for part in tree.given:
        others = [sure_if(other, holds=holds) for other in tree.given if other is not part]
        yield from _uses(part, own, tested.union(*others))


def sure_if(tree: Tree, *, holds: bool) -> frozenset[Path]:
    """The paths that are there for sure where this condition holds, or does not."""
    if isinstance(tree, Select) and tree.tests:
        path = path_of(tree)
        return frozenset({path}) if path is not None and holds else frozenset()
    if isinstance(tree, Call):
        if tree.function == "!_":
            return sure_if(tree.given[0], holds=not holds)
        if tree.function in ("_&&_", "_||_"):
            each = [sure_if(part, holds=holds) for part in tree.given]
            joins = (tree.function == "_&&_") == holds
            return frozenset().union(*each) if joins else frozenset.intersection(*each)
    return frozenset()


def path_of(tree: Tree) -> Path | None:
    """A name followed by plain keys, None for anything else. `steps["read"]` is `steps.read`."""
    keys: list[str] = []
    while True:
        if isinstance(tree, Name):
            return (tree.name, *reversed(keys))
        if isinstance(tree, Select):
            keys.append(tree.field)
            tree = tree.of
        elif isinstance(tree, Call) and tree.function == "_[_]" and isinstance(tree.given[1], Constant):
            if not isinstance(tree.given[1].value, str):
                return None
            keys.append(tree.given[1].value)
            tree = tree.given[0]
        else:
            return None


def _parts(tree: Tree) -> tuple[Tree, ...]:
    match tree:
        case Select():
            return (tree.of,)
        case Call():
            return tree.given
        case Many():
            return tree.parts
        case Each():
            return (tree.over, *tree.parts)
        case _:
            return ()
