"""What a declared schema leaves to whoever fills it: a choice, a bounded number and a date carry no words of others."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from fairlead.errors import BadInput

_DATES: Final = ("date", "date-time", "time")


class Extracted(Struct, frozen=True):
    """The values in which words could stand."""

    open: tuple[Any, ...]

    @property
    def closed(self) -> bool:
        return not self.open


def closed_values(name: str, schema: Mapping[str, Any], value: Any) -> Extracted:
    """Raises `BadInput` for a schema that is none, and for a value that does not fit it."""
    import jsonschema_rs

    try:
        fitting = jsonschema_rs.validator_for(dict(schema), validate_formats=True, retriever=_refuse).is_valid(value)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise BadInput(f"the schema {name} is not valid: {str(error).splitlines()[0]}") from None
    if not fitting:
        raise BadInput(
            f"what was extracted does not fit the schema {name}",
            why="only what fits is narrowed to it",
            mend="extract it again, or declare the schema as the data is",
        )
    return Extracted(tuple(_open(schema, value)))


def _refuse(uri: str) -> Any:
    raise ValueError(f"it refers to {uri}, and references outside of it are not followed")


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
