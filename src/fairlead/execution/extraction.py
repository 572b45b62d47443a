"""What a declared schema leaves to whoever fills it: a choice, a bounded number and a date carry no words of others."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.tools.arguments import refuse_reference

_DATES: Final = ("date", "date-time", "time")
_KNOWN: Final = frozenset(
    ("type", "properties", "required", "additionalProperties", "items", "enum", "const", "minimum", "maximum", "format",
     "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
     "description", "title")
)  # fmt: skip


class Extracted(Struct, frozen=True):
    """The values in which words could stand."""

    open: tuple[Any, ...]

    @property
    def closed(self) -> bool:
        """Whether words can stand nowhere in it."""
        return not self.open


def check_schema(where: str, schema: Mapping[str, Any]) -> None:
    """Raises `BadInput` for a schema that says what is not understood here, or that narrows nothing."""
    if not schema:
        return
    _check(where, schema)
    import jsonschema_rs

    try:
        jsonschema_rs.meta.validate(dict(schema))
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise BadInput(f"{where} is no schema: {str(error).splitlines()[0]}", mend="write JSON Schema") from None
    if not _narrows(schema):
        raise BadInput(
            f"{where} narrows nothing",
            why="all of it leaves room for words of whoever wrote the text",
            mend="give a part a list of choices (`enum`), both bounds of a number, or a format such as date",
        )


def _check(where: str, schema: Any) -> None:
    if not isinstance(schema, Mapping):
        raise BadInput(f"{where} must be a schema", mend="write for example {type: string}")
    if stray := sorted(set(schema) - _KNOWN):
        raise BadInput(
            f"{where}.{stray[0]} is not understood",
            why="only what is understood can tell where there is room for words",
            mend=f"use {', '.join(sorted(_KNOWN))}",
        )
    if not isinstance(schema.get("type", ""), str):
        raise BadInput(f"{where}.type must be one type", mend="name one, such as string")
    for name, each in _properties(where, schema).items():
        _check(f"{where}.properties.{name}", each)
    if "items" in schema:
        _check(f"{where}.items", schema["items"])


def _properties(where: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found = schema.get("properties", {})
    if not isinstance(found, Mapping):
        raise BadInput(f"{where}.properties must be schemas by name", mend="write for example {amount: {type: number}}")
    return found


def _narrows(schema: Mapping[str, Any]) -> bool:
    parts = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return "enum" in schema or "const" in schema or _is_closed(schema) or any(map(_narrows, parts))


def fitting(name: str, schema: Mapping[str, Any], value: Any) -> Extracted | None:
    """What of a value is open; None where it does not fit the schema, so that nothing of it is narrowed."""
    try:
        return closed_values(name, schema, value)
    except BadInput:
        return None


def closed_values(name: str, schema: Mapping[str, Any], value: Any) -> Extracted:
    """Raises `BadInput` for a schema that is none, and for a value that does not fit it."""
    import jsonschema_rs

    try:
        fitting = jsonschema_rs.validator_for(dict(schema), validate_formats=True, retriever=refuse_reference).is_valid(
            value
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise BadInput(
            f"the schema {name} is not valid: {str(error).splitlines()[0]}", mend="correct the schema that is declared"
        ) from None
    if not fitting:
        raise BadInput(
            f"what was extracted does not fit the schema {name}",
            why="only what fits is narrowed to it",
            mend="extract it again, or declare the schema as the data is",
        )
    return Extracted(tuple(_open(schema, value)))


def _open(schema: Any, value: Any) -> Iterator[Any]:
    if not isinstance(schema, Mapping):
        yield value
    elif "enum" in schema or "const" in schema:
        return
    elif isinstance(value, Mapping) and schema.get("type") == "object":
        properties = schema.get("properties", {})
        for name, each in value.items():
            if name in properties:
                yield from _open(properties[name], each)
            else:
                yield from (name, each)
    elif isinstance(value, list) and schema.get("type") == "array":
        for each in value:
            yield from _open(schema.get("items"), each)
    elif not _is_closed(schema):
        yield value


def _is_closed(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    if kind in ("boolean", "null"):
        return True
    if kind in ("integer", "number"):
        low = "minimum" in schema or "exclusiveMinimum" in schema
        return low and ("maximum" in schema or "exclusiveMaximum" in schema)
    return kind == "string" and schema.get("format") in _DATES
