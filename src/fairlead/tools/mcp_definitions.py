"""The tools that a server of the Model Context Protocol says it has, as definitions that can be pinned.

What a server says is not believed but bounded: a person reads it before it is accepted, and a model reads it on every
call.
"""

import math
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec
from mcp.shared.inbound import find_invalid_x_mcp_header
from mcp_types import Tool

from fairlead.tools.failures import SystemFailed
from fairlead.tools.mcp_failures import said
from fairlead.tools.offers import METHODS
from fairlead.tools.types import Definition

MOST_TOOLS: Final = 1000
MOST_PAGES: Final = 50
_MOST_TEXT: Final = 16 << 10  # characters of a description
_MOST_SCHEMA: Final = 64 << 10  # bytes of a schema
_DEEPEST: Final = 32


def read_definitions(tools: Iterable[Tool], only: Sequence[str], system: str) -> tuple[Definition, ...]:
    """The definitions of those tools that the workspace wants. Raises `SystemFailed` where one of them is not fit to be
    one; what the workspace leaves out may be as odd as it likes."""
    found: dict[str, Definition] = {}
    for tool in tools:
        if not any(fnmatchcase(tool.name, pattern) for pattern in only):
            continue
        if tool.name in found:
            raise _unfit(system, tool.name, "is offered twice, and a name must mean one tool")
        if tool.name in METHODS:
            raise _unfit(system, tool.name, "has the name of a method of the protocol, which has rights of its own")
        found[tool.name] = _definition(tool, system)
    return tuple(found.values())


def _definition(tool: Tool, system: str) -> Definition:
    hints = tool.annotations
    description = tool.description or ""
    if len(description) > _MOST_TEXT:
        raise _unfit(system, tool.name, f"is described in more than {_MOST_TEXT} characters")
    for part, schema in (("input", tool.input_schema), ("output", tool.output_schema)):
        if schema is not None and (why := _fault(schema)):
            raise _unfit(system, tool.name, f"has an {part} schema that {why}")
    if tool.input_schema.get("type") != "object":
        raise _unfit(system, tool.name, "does not take an object as its arguments")
    if why := find_invalid_x_mcp_header(tool.input_schema) or "":
        raise _unfit(system, tool.name, f"wants arguments in headers where they cannot be: {why}")
    made = {
        "name": tool.name,
        "title": tool.title or (hints.title if hints is not None else "") or "",
        "description": description,
        "input": tool.input_schema,
        "output": tool.output_schema,
        "effect": "read" if hints is not None and hints.read_only_hint else "write",
        "idempotent": bool(hints is not None and hints.idempotent_hint),
    }
    try:
        return msgspec.convert(made, Definition)
    except msgspec.ValidationError as error:
        raise _unfit(system, tool.name, f"cannot be called by that name: {error}") from error


def _fault(schema: dict[str, Any]) -> str:
    """What keeps a schema from being pinned and used, "" for nothing."""
    if why := _odd(schema, 0):
        return why
    if len(msgspec.json.encode(schema)) > _MOST_SCHEMA:
        return f"is larger than {_MOST_SCHEMA} bytes"
    return ""


def _odd(value: Any, depth: int) -> str:
    """What in a value JSON cannot say exactly, or nobody should follow."""
    if depth > _DEEPEST:
        return f"is nested more than {_DEEPEST} deep"
    if isinstance(value, dict):
        reference = value.get("$ref", value.get("$dynamicRef", "#"))
        if isinstance(reference, str) and not reference.startswith("#"):
            return "points to another document"
        return next((why for key in value for why in (_odd(key, depth), _odd(value[key], depth + 1)) if why), "")
    if isinstance(value, list):
        return next((why for each in value if (why := _odd(each, depth + 1))), "")
    return "" if is_exact(value) else "holds a value that JSON cannot say exactly"


def is_exact(value: object) -> bool:
    """Whether every reader of JSON takes a value for the same: no infinity, no huge whole number, no half character."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 64
    return not isinstance(value, str) or not any("\ud800" <= each <= "\udfff" for each in value)


def _unfit(system: str, tool: str, why: str) -> SystemFailed:
    return SystemFailed(
        f"{system} offers a tool that cannot be used: {said(repr(tool))[:140]}",
        why=said(f"it {why}"),
        mend="leave it out by `only:`, and tell whoever runs the system",
        subject=system,
        retryable=False,
    )
