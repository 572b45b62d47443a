"""What a kept request asks and what form it asks for, whatever protocol it came by: as much as learning looks at."""

import json
from typing import Any

from msgspec import Struct

from fairlead.tasks.question import kept_messages, kept_question


class Asked(Struct, frozen=True):
    """The last thing a person said in a request, "" for nothing, and whether the reply must be JSON. `schema` is what
    it must fit beyond that."""

    text: str = ""
    wants_json: bool = False
    schema: dict[str, Any] | None = None


def messages_of(body: bytes) -> list[tuple[str, str]]:
    """The texts of a request, each with who said it; none of one that cannot be read."""
    found = _read(body)
    return [] if found is None else kept_messages(found)


def asked(body: bytes) -> Asked:
    """What a request's body asks. One that cannot be read asks nothing."""
    found = _read(body)
    if found is None:
        return Asked()
    wanted, text = _form(found), kept_question(found)
    if wanted.get("type") not in ("json_object", "json_schema"):
        return Asked(text)
    named = wanted.get("json_schema")
    schema = (named if isinstance(named, dict) else wanted).get("schema")
    return Asked(text, True, schema if isinstance(schema, dict) else None)


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


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


def _form(body: dict[str, Any]) -> dict[str, Any]:
    """What says which form the reply must have, wherever the protocol has it."""
    for name, inner in (("response_format", ""), ("output_config", "format"), ("text", "format")):
        found = body.get(name)
        if inner and isinstance(found, dict):
            found = found.get(inner)
        if isinstance(found, dict):
            return found
    return {}
