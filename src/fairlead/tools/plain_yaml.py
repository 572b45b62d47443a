"""YAML as plain data, by the core schema of YAML 1.2: `no` is a word, a date is a text, keys are texts.

It is read event by event: what is nested ever deeper takes no stack, and what is aliased again and again is not copied.
"""

import re
from typing import Any, Final

import yaml

_DEEPEST: Final = 200
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NO_KEY: Final = object()
_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?")


class Nested(Exception):
    """It is nested more deeply than anything that a person wrote."""


class _Reading:
    """The collections that are open, innermost last; and the key that waits for its value, of each."""

    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[Any] = []
        self._keys: list[Any] = []
        self._anchors: dict[str, Any] = {}

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            plain = not event.style and event.implicit[0]
            self._value(_scalar(event.value) if plain and not self._awaits_key() else event.value, event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise yaml.YAMLError(f"no &{event.anchor} before it")
            self._value(self._anchors[event.anchor], event)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            if len(self._open) >= _DEEPEST:
                raise Nested
            started: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            self._value(started, event)
            self._open.append(started)
            self._keys.append(_NO_KEY)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._open.pop()
            self._keys.pop()

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], dict) and self._keys[-1] is _NO_KEY

    def _value(self, value: Any, event: Any) -> None:
        if getattr(event, "anchor", None) and not isinstance(event, yaml.AliasEvent):
            self._anchors[event.anchor] = value
        if not self._open:
            self.root = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        elif self._keys[-1] is _NO_KEY:
            if not isinstance(value, str):
                raise yaml.YAMLError(f"a key must be a text (line {event.start_mark.line + 1})")
            self._keys[-1] = value
        else:
            _put(self._open[-1], self._keys[-1], value)
            self._keys[-1] = _NO_KEY


def read_plain(text: bytes) -> Any:
    """The first document. Raises `yaml.YAMLError` or `Nested`."""
    reading = _Reading()
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentEndEvent):
            break
        reading.take(event)
    return reading.root


def _put(fields: dict[str, Any], key: str, value: Any) -> None:
    if key == "<<" and isinstance(value, dict):
        fields.update({name: each for name, each in value.items() if name not in fields})
    else:
        fields[key] = value


def _scalar(text: str) -> Any:
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if not _NUMBER.fullmatch(text):  # nor is 007 one: what begins so is a name
        return text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
