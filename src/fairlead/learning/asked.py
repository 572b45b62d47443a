"""What a kept request asks and what form it asks for, whatever protocol it came by: as much as learning looks at."""

import json
from typing import Any

from msgspec import Struct


class Asked(Struct, frozen=True):
    """The last thing a person said in a request, "" for nothing, and whether the reply must be JSON. `schema` is what
    it must fit beyond that."""

    text: str = ""
    wants_json: bool = False
    schema: dict[str, Any] | None = None


def asked(body: bytes) -> Asked:
    """What a request's body asks. One that cannot be read asks nothing."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return Asked()
    if not isinstance(found, dict):
        return Asked()
    wanted = found.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in ("json_object", "json_schema"):
        return Asked(_question(found))
    inner = wanted.get("json_schema") if isinstance(wanted, dict) else None
    schema = inner.get("schema") if isinstance(inner, dict) else None
    return Asked(_question(found), True, schema if isinstance(schema, dict) else None)


def fits(reply: str, wanted: Asked) -> bool:
    """Whether a reply has the form that was asked for. A schema that is none binds nobody."""
    import jsonschema_rs

    try:
        value = json.loads(reply)
    except (ValueError, RecursionError):
        return False
    if wanted.schema is None:
        return isinstance(value, dict)
    try:
        return bool(jsonschema_rs.is_valid(wanted.schema, value))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return True


def same(text: str) -> str:
    """The text as it counts when two are compared: neither case nor blanks tell them apart."""
    return " ".join(text.casefold().split())


def _question(body: dict[str, Any]) -> str:
    said = body.get("messages") or body.get("input") or body.get("prompt")
    if isinstance(said, str):
        return said
    for message in reversed(said if isinstance(said, list) else []):
        if isinstance(message, str):
            return message
        if isinstance(message, dict) and message.get("role") == "user":
            return _text(message.get("content"))
    return ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
