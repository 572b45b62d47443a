"""JSON Schemas with their references put in place: who judges arguments can then see into them."""

from collections.abc import Mapping
from typing import Any, Final

from fairlead.tools.types import Schema

_MOST_NODES: Final = 2_000
_BEFORE: Final = "#/$defs/"


class _TooLarge(Exception):
    """It would be larger than it is worth."""


def inlined(schema: Schema, found: Mapping[str, Schema]) -> Schema:
    """`schema` with each `#/$defs/NAME` replaced by the schema of that name in `found`.

    Those that speak of themselves stay references, with `$defs` beside them; so do all where the whole would become
    too large.
    """
    out, left = placed(schema, found)
    return {**out, "$defs": left} if left else out


def placed(schema: Schema, found: Mapping[str, Schema]) -> tuple[Schema, dict[str, Schema]]:
    """As `inlined`, with what has to be in `$defs` apart from the schema."""
    endless = {name for name in found if name in _reached(found[name], found)}
    try:
        out: Schema = _placed(schema, found, endless, [_MOST_NODES])
    except _TooLarge:
        out = schema
    return out, {name: found[name] for name in sorted(_reached(out, found))}


def _named(node: Mapping[str, Any]) -> str:
    """Which of the named schemas a node refers to, "" for none."""
    reference = node.get("$ref")
    return reference[len(_BEFORE) :] if isinstance(reference, str) and reference.startswith(_BEFORE) else ""


def _reached(schema: Any, found: Mapping[str, Schema]) -> set[str]:
    seen: set[str] = set()
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            name = _named(node)
            if name in found and name not in seen:
                seen.add(name)
                waiting.append(found[name])
            waiting += node.values()
    return seen


def _placed(node: Any, found: Mapping[str, Schema], endless: set[str], left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise _TooLarge
    if isinstance(node, list):
        return [_placed(each, found, endless, left) for each in node]
    if not isinstance(node, dict):
        return node
    name = _named(node)
    beside = {key: _placed(each, found, endless, left) for key, each in node.items() if key != "$ref"}
    if name not in found or name in endless:
        return {**beside, "$ref": node["$ref"]} if "$ref" in node else beside
    target = _placed(found[name], found, endless, left)
    if beside.keys() & target.keys() - {"title", "description", "default", "examples"}:
        return {"allOf": [target], **beside}  # both hold, and neither may hide the other
    return {**target, **beside}
