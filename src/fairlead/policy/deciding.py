"""Which arguments of a tool decide who gains by a call, or what it touches: told from their names and schemas, where
the system's card does not say it.

Free text and times do not, as far as these names know them. Everything else does, so that what is not known here is
looked at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec import Struct

from fairlead.tools.cards import ToolCard
from fairlead.tools.systems import System
from fairlead.tools.types import Definition

_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_TEXT: Final = re.compile(
    "body|contents?|messages?|text|notes?|description|subject|title|summary|comments?|remarks?|reason|memo|details|topic"
    "|caption|greeting|explanation|location|headline|abstract"
)
_TIME: Final = re.compile(
    "dates?|days?|months?|years?|times?|start|end|begin|until|when|deadline|due|hours?|minutes?|duration|timezone"
)
_ALWAYS: Final = re.compile(
    "ids?|to|cc|bcc|from|recipients?|payee|users?|e?mails?|account|iban|amount|price|sum|total|ur[il]s?|links?|address(es)?"
    "|files?|path|code|script|command|query|sql|html|template|password|secret|token|permissions?|roles?|scope|visibility"
    "|access|owner|members?|participants?|attachments?|number|channel|group|phone|host|domain|webhook"
)
_TIME_FORMATS: Final = frozenset(("date", "date-time", "time", "duration"))


class Deciding(Struct, frozen=True):
    """What decides, of one tool. `tells`: it carries free text, so that what decides in it is whom it is for."""

    names: frozenset[str]
    tells: bool = False


class Decisive(Struct, frozen=True):
    """What decides, by `system.tool`; and the sources that tell who belongs to the house."""

    tools: Mapping[str, Deciding] = {}
    directory: frozenset[str] = frozenset()


ALL_DECIDE: Final = Decisive()


def decisive(systems: Iterable[System]) -> Decisive:
    """Of all tools of a workspace."""
    found, directory = {}, set()
    for system in systems:
        for name, tool in system.tools.items():
            names = deciding_arguments(tool.definition, system.card_of(name))
            others = tool.definition.input.get("properties", {}).items()
            tells = any(_is_text(each, schema) for each, schema in others if each not in names)
            found[tool.name] = Deciding(names, tells)
            if any(fnmatchcase(name, pattern) for pattern in system.settings.directory):
                directory.add(f"tool:{tool.name}")
    return Decisive(found, frozenset(directory))


def deciding_arguments(definition: Definition, card: ToolCard) -> frozenset[str]:
    """Of one tool. Where none is recognised and none is declared, all of them."""
    properties: Mapping[str, Any] = definition.input.get("properties", {})
    said = {name: each.decides for name, each in card.arguments.items() if each.decides is not None}
    found = {name for name, schema in properties.items() if _decides(name, schema)}
    found = {name for name in properties if said.get(name, name in found)}
    return frozenset(found if found or said else properties)


def _decides(name: str, schema: Any) -> bool:
    parts = [each.lower() for each in _PARTS.findall(name)]
    if _any(_ALWAYS, parts):
        return True
    if not isinstance(schema, Mapping):
        return True
    if "enum" in schema or "const" in schema or schema.get("type") in ("boolean", "null"):
        return False  # which of them is no value of anybody's
    kinds = set(_kinds(schema))
    if schema.get("format") in _TIME_FORMATS or (_any(_TIME, parts) and not kinds - {"string", "integer", "null"}):
        return False
    return not _is_text(name, schema)


def _is_text(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether it is free text, by its name and type."""
    kinds = set(_kinds(schema))
    named = _any(_TEXT, [each.lower() for each in _PARTS.findall(name)])
    return named and bool(kinds) and not kinds - {"string", "null"} and "format" not in schema


def _any(words: re.Pattern[str], parts: Iterable[str]) -> bool:
    return any(words.fullmatch(each) for each in parts)


def _kinds(schema: Mapping[str, Any]) -> Iterator[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        yield kind
    elif isinstance(kind, list):
        yield from map(str, kind)
    for key in ("anyOf", "oneOf"):
        for each in schema.get(key, ()):
            if isinstance(each, Mapping):
                yield from _kinds(each)
