"""The types of what expressions speak of, as JSON Schemas tell them, for the compiler of expressions to check."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from fairlead.workflows.definition import Step
from fairlead.workflows.expression_errors import BadExpression
from fairlead.workflows.expression_tree import Path, path_of
from fairlead.workflows.expressions import Expression, library
from fairlead.workflows.known import Known
from fairlead.workflows.nodes import Schema

SchemaAt = Callable[[Path], Schema | None]

_TEXT: Final[Schema] = {"type": "string"}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ANSWER: Final[Schema] = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "by": {"type": "array", "items": _TEXT}, "note": _TEXT},
    "required": ["approved", "by", "note", "answer"],
}


class Typed(Struct, frozen=True):
    """An expression, and where the schemas of what it uses are found."""

    expression: Expression
    names: Mapping[str, Any]
    schema_at: SchemaAt


def variables(typed: Typed, names: Iterable[str]) -> dict[str, Any]:
    """The types of the names and of the paths that an expression uses, as its compiler takes them.

    What is tested by `has` is left open: the compiler would take a typed path for the value itself.
    """
    kind = library().Type
    found: dict[str, Any] = dict.fromkeys((*names, "steps"), kind.DYN)
    tested = {use.path for use in typed.expression.uses if use.only_tests}
    for use in typed.expression.uses:
        for end in range(1, len(use.path) + 1):
            path = use.path[:end]
            if path in tested or not all(map(_NAME.fullmatch, path)):
                break
            schema = typed.schema_at(path)
            if schema is not None:
                found[".".join(path)] = _type_of(schema)
    return found


def _type_of(schema: Schema) -> Any:
    kind, name = library().Type, schema.get("type")
    if name == "array":
        items = schema.get("items")
        return kind.List(_type_of(items) if isinstance(items, dict) else kind.DYN)
    if name == "object":
        return kind.Map(kind.STRING, kind.DYN)
    plain = {"number": kind.DOUBLE, "integer": kind.INT, "string": kind.STRING, "boolean": kind.BOOL}
    return plain.get(name, kind.DYN) if isinstance(name, str) else kind.DYN


def given_schema(schema: Schema) -> Schema | None:
    """The schema of a run's input."""
    return {"type": "object", **schema} if schema else None


def item_schema(over: Expression | BadExpression, schema_at: SchemaAt) -> Schema | None:
    """The schema of what a map goes through."""
    path = None if isinstance(over, BadExpression) else path_of(over.tree)
    schema = schema_at(path) if path is not None else None
    items = (schema or {}).get("items")
    return items if isinstance(items, dict) else None


def result_schema(step: Step, last: Schema | None, known: Known) -> Schema | None:
    """The schema of what a step gives, None where nothing is known of it. `last` is that of its last inner step."""
    node = getattr(step, step.kind)
    match step.kind:
        case "model" | "agent":
            found = node.gives or _TEXT
        case "tool":
            found = known.tools[node.call].output if node.call in known.tools else None
        case "map":
            found = {"type": "array", "items": last} if last and node.gives is None else {"type": "array"}
        case "approval":
            found = {**_ANSWER, "properties": {**_ANSWER["properties"], "answer": node.answer or {}}}
        case "loop":
            found = last if node.gives is None else _written(node.gives)
        case "parallel" if node.agree is None:
            found = _written(dict.fromkeys(node.branches))
        case "wait":
            found = node.gives or None
        case _:
            found = _written(node) if step.kind == "transform" else None
    return found


def _written(value: Any) -> Schema | None:
    """The schema of a mapping that is written out: it has these keys and no others."""
    if not isinstance(value, dict):
        return None
    return {"type": "object", "properties": {key: _written(each) or {} for key, each in value.items()},
            "required": list(value)}  # fmt: skip
