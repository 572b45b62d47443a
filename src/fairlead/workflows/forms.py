"""Values by their JSON Schema: whether they fit, with defaults filled in and numbers that reckon well together."""

import sys
from collections.abc import Mapping
from typing import Any

from fairlead.errors import BadInput
from fairlead.tools.arguments import refuse_reference
from fairlead.workflows.nodes import Schema


class Form:
    """A schema, compiled."""

    def __init__(self, schema: Schema, where: str = "") -> None:
        """Raises `BadInput` for a schema that is none."""
        import jsonschema_rs  # only where there are workflows: it is large

        self.schema = schema
        try:
            jsonschema_rs.meta.validate(schema)
            self._validator = jsonschema_rs.validator_for(schema, validate_formats=True, retriever=refuse_reference)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            said = str(error).splitlines()[0]
            if place := getattr(error, "instance_path", None):
                said = f"{'.'.join(map(str, place))}: {said}"
            raise BadInput(f"{where} is no JSON Schema: {said}".lstrip(), mend="see json-schema.org") from None

    def taken(self, value: Any) -> tuple[Any, str]:
        """The value with defaults and with decimals where the schema says `number`, and what is wrong with it."""
        value = _filled(value, self.schema)
        if self._validator.is_valid(value):
            return _reckoned(value, self.schema), ""
        error = next(iter(self._validator.iter_errors(value)))
        where = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in error.instance_path)
        return value, f"{where.lstrip('.') or 'the value'}: {error.message[:300]}"

    def wrong_at(self, value: Any) -> tuple[str | int, ...] | None:
        """Where the first thing stands that does not fit, None where all does."""
        error = next(iter(self._validator.iter_errors(_filled(value, self.schema))), None)
        return None if error is None else tuple(error.instance_path)


def _filled(value: Any, schema: Any) -> Any:
    """With the defaults of keys that are missing."""
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, Mapping):
        properties = schema.get("properties") or {}
        filled = {key: _filled(each, properties.get(key)) for key, each in value.items()}
        for key, below in properties.items():
            if key not in filled and isinstance(below, Mapping) and "default" in below:
                filled[key] = below["default"]
        return filled
    if isinstance(value, list) and "items" in schema:
        return [_filled(each, schema["items"]) for each in value]
    return value


def _reckoned(value: Any, schema: Any) -> Any:
    """With decimals wherever the schema says `number`, so that 3 and 3.5 are of one type."""
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and schema.get("type") == "number":
        return float(value) if abs(value) <= sys.float_info.max else value
    if isinstance(value, dict):
        properties, more = schema.get("properties") or {}, schema.get("additionalProperties")
        return {key: _reckoned(each, properties.get(key, more)) for key, each in value.items()}
    if isinstance(value, list) and "items" in schema:
        return [_reckoned(each, schema["items"]) for each in value]
    return value


def below(schema: Any, key: str) -> Schema | None:
    """The schema of a key of a value, None where nothing is known of it."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return None
    found = (schema.get("properties") or {}).get(key, schema.get("additionalProperties"))
    return found if isinstance(found, dict) else None


def lacks(schema: Any, key: str) -> bool:
    """Whether a value of this schema never has this key, as far as the schema says which it has."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object" or not schema.get("properties"):
        return False
    return key not in schema["properties"] and not schema.get("additionalProperties") and not _open(schema)


def may_lack(schema: Any, key: str) -> bool:
    """Whether a value of this schema may come without this key."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object" or key not in schema.get("properties", {}):
        return False
    return key not in schema.get("required", ()) and "default" not in schema["properties"][key]


def _open(schema: Mapping[str, Any]) -> bool:
    return any(word in schema for word in ("patternProperties", "anyOf", "oneOf", "allOf", "$ref", "if"))
