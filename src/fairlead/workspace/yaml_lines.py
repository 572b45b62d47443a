"""YAML in which every value knows its line. The 1.2 core schema, without the parts that surprise or attack.

Built from libyaml's events in one pass: no recursion in C (a deep file would overflow its stack), no Python tags, no
duplicate keys, no second document, and a limit on what aliases may expand to. Dates, `yes` and `no` stay text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs forget it

from fairlead.workspace.problems import Problem

Path = tuple[str | int, ...]

MOST_BYTES = 1 << 20
MOST_DEPTH = 40
MOST_VALUES = 100_000  # counted after aliases are expanded

_CORE = "tag:yaml.org,2002:"
_TAGS = {"!", *(_CORE + name for name in ("str", "int", "float", "bool", "null", "seq", "map"))}
_KINDS: dict[str, tuple[type, ...]] = {
    _CORE + "int": (int,),
    _CORE + "float": (int, float),
    _CORE + "bool": (bool,),
    _CORE + "null": (type(None),),
}
_INT = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,30}(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place. `children` are the nodes within a mapping or a list, `keys` the places of the keys."""

    data: Any
    line: int
    column: int
    size: int = 1
    children: dict[str | int, "Node"] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML text: its plain data and where each value stands."""

    file: str
    root: Node

    @property
    def data(self) -> Any:
        return self.root.data

    def node(self, path: Path) -> Node | None:
        """The value at this path, or None if the text has none there."""
        node: Node | None = self.root
        for step in path:
            node = node.children.get(step) if node is not None else None
        return node

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column of the key that leads to this path, or of the nearest one above it that exists."""
        line, column = self.root.line, self.root.column
        node = self.root
        for step in path:
            below = node.children.get(step)
            if below is None:
                break
            line, column = node.keys[step] if isinstance(step, str) else (below.line, below.column)
            node = below
        return line, column

    def problem(self, path: Path, message: str, mend: str = "") -> Problem:
        """A problem at this path."""
        line, column = self.place(path)
        return Problem(file=self.file, line=line, column=column, message=message, mend=mend)


def parse_yaml(file: str, source: bytes) -> Document | Problem:
    """The document in `source`, or what is wrong with it. An empty text is an empty mapping."""
    if len(source) > MOST_BYTES:
        return Problem(file=file, message=f"larger than {MOST_BYTES} bytes", mend="split it into several files")
    try:
        text = source.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        return Problem(file=file, line=line, message="not UTF-8 text", mend="save the file as UTF-8")
    try:
        root = _Reading(text).document()
    except _Wrong as wrong:
        return Problem(file=file, line=wrong.line, column=wrong.column, message=str(wrong), mend=wrong.mend)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = " ".join(part for part in (error.context, error.problem) if part)
        return Problem(file=file, line=line, column=column, message=f"not YAML: {said}", mend=_likely(text))
    except yaml.YAMLError as error:
        said = str(error).splitlines()[0]
        return Problem(file=file, line=1, message=f"not YAML: {said}", mend="remove control characters")
    return Document(file, root)


def _likely(text: str) -> str:
    if "\t" in text:
        return "indent with spaces, not tabs"
    return "check the indentation, and quote text that holds `: ` or ` #` or starts with a sign"


class _Wrong(Exception):
    def __init__(self, message: str, line: int, column: int, mend: str = "") -> None:
        super().__init__(message)
        self.line, self.column, self.mend = line, column, mend


class _Reading:
    """One pass over the events of one text."""

    def __init__(self, text: str) -> None:
        self._parser = CParser(text)
        self._anchors: dict[str, Node] = {}
        self._values = 0

    def document(self) -> Node:
        events = self._events()
        first = next(events)
        if isinstance(first, yaml.StreamEndEvent):
            return Node({}, 1, 1)
        root = self._node(next(events), events, 1)
        next(events)  # the end of the document
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._wrong(after, "a second document in one file", "remove the `---` line, or split the file")
        return Node({}, root.line, root.column) if root.data is None else root

    def _events(self) -> Iterator[Any]:
        self._parser.get_event()  # the start of the stream
        while (event := self._parser.get_event()) is not None:
            yield event

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            node = self._anchors.get(str(event.anchor))
            if node is None:
                raise self._wrong(event, f"`*{event.anchor}` names an anchor that is not complete here")
            self._count(event, node.size)
            return node
        if event.tag is not None and event.tag not in _TAGS:
            raise self._wrong(event, f"the tag {event.tag!r} is not allowed", "write plain values, without `!` tags")
        if depth > MOST_DEPTH:
            raise self._wrong(event, f"nested more than {MOST_DEPTH} levels deep")
        self._count(event, 1)
        if isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(event, events, depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._list(event, events, depth)
        else:
            node = Node(self._scalar(event), *self._at(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _mapping(self, start: Any, events: Iterator[Any], depth: int) -> Node:
        children: dict[str | int, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event)
            if key in children:
                first = keys[key][0]
                raise self._wrong(event, f"the key `{key}` stands twice", f"it stands on line {first} already")
            keys[key] = self._at(event)
            children[key] = self._node(next(events), events, depth + 1)
        data = {key: child.data for key, child in children.items()}
        size = 1 + sum(child.size for child in children.values())
        return Node(data, *self._at(start), size, children, keys)

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._wrong(event, "a key must be a plain word", "quote keys that start with a sign")
        if event.value == "<<" and not event.style:
            raise self._wrong(event, "merge keys (`<<`) are not part of YAML 1.2", "write the keys out")
        return str(event.value)

    def _list(self, start: Any, events: Iterator[Any], depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, depth + 1))
        size = 1 + sum(item.size for item in items)
        return Node([item.data for item in items], *self._at(start), size, dict(enumerate(items)))

    def _scalar(self, event: Any) -> Any:
        text = str(event.value)
        if event.tag is None:
            return text if event.style else self._plain(event, text)
        if event.tag in ("!", _CORE + "str"):
            return text
        value = self._plain(event, text)
        if not isinstance(value, _KINDS.get(str(event.tag), ())):
            raise self._wrong(event, f"{text!r} is not of the type that its tag names", "remove the tag")
        return value

    def _plain(self, event: Any, text: str) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            value = float(text)
            if value in (float("inf"), float("-inf")):
                raise self._wrong(event, f"{text} is too large a number")
            return value
        return text

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise self._wrong(event, f"more than {MOST_VALUES} values, counting what aliases repeat")

    def _at(self, event: Any) -> tuple[int, int]:
        mark = event.start_mark
        return mark.line + 1, mark.column + 1

    def _wrong(self, event: Any, message: str, mend: str = "") -> _Wrong:
        return _Wrong(message, *self._at(event), mend)
