"""Documents become settings: every problem of a document is found at its own line, not only the first.

msgspec checks and converts; it stops at the first fault and does not name the keys of free mappings. So the structs are
walked here, from the leaves up, and msgspec is asked piece by piece.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from fairlead.errors import BadInput, closest
from fairlead.workspace.problems import Problem
from fairlead.workspace.yaml_lines import Document, Node, Path

Settings = TypeVar("Settings", bound=msgspec.Struct)

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}
_PATTERN = "matching regex"  # how msgspec begins to say that a text has another form
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_QUOTED = re.compile(r"`([^`]*)`")


def read(document: Document, kind: type[Settings], problems: list[Problem]) -> Settings | None:
    """The settings in `document`, or None after adding everything that is wrong with it to `problems`."""
    reading = _Reading(document, problems)
    if not reading.sound(document.root, kind, ()):
        return None
    return msgspec.convert(document.data, kind)


class _Reading:
    def __init__(self, document: Document, problems: list[Problem]) -> None:
        self._document = document
        self._problems = problems

    def sound(self, node: Node, kind: Any, path: Path) -> bool:
        """Whether `node` is a good `kind`; what is wrong with it has been noted."""
        kind, within = _fitting(kind, node)
        if _is_struct(within):
            below = self._fields(node, within, path)
        elif isinstance(node.data, list) or get_origin(within) in (dict, Mapping):
            inner = _inner(within)
            below = True
            for step, child in node.children.items():
                below = self.sound(child, inner, (*path, step)) and below
        else:
            below = True
        return below and self._converts(node, kind, path)

    def _fields(self, node: Node, struct: Any, path: Path) -> bool:
        fields = _fields_of(struct)
        if not isinstance(node.data, dict):
            self._note(path, f"{_name(path)} must be a mapping with {_listed(fields)}, not {_shown(node.data)}")
            return False
        config = struct.__struct_config__
        known = set(fields) | ({config.tag_field} if config.tag_field else set())
        sound = True
        for key in node.children:
            if config.forbid_unknown_fields and key not in known:
                self._note((*path, key), f"unknown key `{_dotted((*path, key))}`", closest(str(key), known))
                sound = False
        for name, field in fields.items():
            child = node.children.get(name)
            if child is not None:
                sound = self.sound(child, field.type, (*path, name)) and sound
            elif field.required:
                self._note(path, f"{_name(path)} lacks `{name}`", f"add `{name}:`")
                sound = False
        return sound

    def _converts(self, node: Node, kind: Any, path: Path) -> bool:
        try:
            msgspec.convert(node.data, kind)
        except msgspec.ValidationError as error:
            said, _, where = str(error).partition(" - at ")
            deeper = _follow(node, where)
            at = (*path, *deeper)
            self._note(at, _spoken(said, at, kind, self._document.node(at)), _mend(said, kind, self._document.node(at)))
            return False
        except BadInput as error:
            self._note(path, error.message, error.mend or error.why)
            return False
        return True

    def _note(self, path: Path, message: str, mend: str = "") -> None:
        self._problems.append(self._document.problem(path, message, mend))


@functools.cache
def _fields_of(struct: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """A struct's fields by the names that documents use. To ask for them evaluates every annotation anew."""
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _fitting(kind: Any, node: Node) -> tuple[Any, Any]:
    """The part of a union that a value of this shape can only mean, with and without its annotations."""
    bare = kind.__origin__ if get_origin(kind) is Annotated else kind
    if get_origin(bare) not in (Union, UnionType):
        return kind, bare
    options = [option for option in get_args(bare) if option is not NoneType]
    plain = [option.__origin__ if get_origin(option) is Annotated else option for option in options]
    fits = [
        pair
        for pair in zip(options, plain, strict=True)
        if (isinstance(node.data, dict) and (_is_struct(pair[1]) or get_origin(pair[1]) in (dict, Mapping)))
        or (isinstance(node.data, list) and get_origin(pair[1]) in (list, tuple, set, frozenset))
    ]
    if len(fits) > 1 and isinstance(node.data, dict):
        fits = [pair for pair in fits if _is_struct(pair[1]) and _tagged(pair[1], node.data)]
    return fits[0] if len(fits) == 1 else (kind, bare)


def _tagged(struct: Any, given: dict[Any, Any]) -> bool:
    """Whether a mapping says of itself that it is this one of several."""
    config = struct.__struct_config__
    return config.tag is not None and given.get(config.tag_field) == config.tag


def _inner(kind: Any) -> Any:
    """The type of a container's values."""
    arguments = [argument for argument in get_args(kind) if argument is not Ellipsis]
    return arguments[-1] if arguments else Any


def _follow(node: Node, where: str) -> Path:
    """The path in one of msgspec's messages, as far as it is certain."""
    path: list[str | int] = []
    for name, index in _STEP.findall(where.strip("`").removeprefix("$")):
        step: str | int | None = name or (int(index) if index.isdigit() else None)
        if step is None or node.children.get(step) is None:
            break
        path.append(step)
        node = node.children[step]
    return tuple(path)


def _spoken(said: str, path: Path, kind: Any, node: Node | None) -> str:
    """msgspec's message in the words of the workspace."""
    if said.startswith("Expected "):
        wanted, _, _ = said.removeprefix("Expected ").partition(", got ")
        shown = _shown(node.data) if node else "nothing"
        if (likely := _examples(kind)) and _PATTERN in wanted:
            return f"{_name(path)} must be text such as {likely}, not {shown}"
        return f"{_name(path)} must be {_QUOTED.sub(lambda found: _worded(found[1]), wanted)}, not {shown}"
    if said.startswith("Invalid enum value"):
        known = ", ".join(f"`{value}`" for value in _literals(kind))
        return f"{_name(path)} must be one of {known}, not {_shown(node.data) if node else 'nothing'}"
    return f"{_name(path)}: {said}"


def _mend(said: str, kind: Any, node: Node | None) -> str:
    value = node.data if node else None
    if said.startswith("Invalid enum value") and isinstance(value, str):
        return closest(value, map(str, _literals(kind)))
    if "`bool`" in said and value in ("yes", "no", "on", "off", "Yes", "No"):
        return "write `true` or `false`"
    if "`str`" in said and isinstance(value, int | float):
        return "put it in quotes"
    return next((each.description or "" for each in _metas(kind) if each.pattern), "") if _PATTERN in said else ""


def _metas(kind: Any) -> Iterator[msgspec.Meta]:
    """What the annotations of a type say, those within it first."""
    for argument in get_args(kind):
        yield from _metas(argument)
    yield from (each for each in getattr(kind, "__metadata__", ()) if isinstance(each, msgspec.Meta))


def _examples(kind: Any) -> str:
    """Values that would fit a type's pattern, where it names some."""
    known = next((each.examples for each in _metas(kind) if each.pattern and each.examples), None) or ()
    return " or ".join(f"`{each}`" for each in known)


def _literals(kind: Any) -> list[Any]:
    """The values that an enumeration, or a union with one, allows."""
    if isinstance(kind, type) and hasattr(kind, "__members__"):
        return [member.value for member in kind]  # type: ignore[attr-defined]
    found: list[Any] = []
    for argument in get_args(kind):
        found += [argument] if isinstance(argument, str | int) else _literals(argument)
    return found


def _worded(types: str) -> str:
    return " or ".join(_WORDS.get(word, word) for word in types.split(" | "))


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        if not value:
            return "an empty mapping" if isinstance(value, dict) else "an empty list"
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"{value if len(str(value)) <= 40 else str(value)[:40] + '…'!r}"


def _listed(fields: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in list(fields)[:6])


def _dotted(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _name(path: Path) -> str:
    return f"`{_dotted(path)}`" if path else "the file"
