"""What a server of the Model Context Protocol offers beside its tools: resources, prompts, and completions of what a
person types. Each is a definition with a name, so that reading a page of a system is an action as every call is: with a
caller, a decision by `Action::"system.resources/read"`, and a record.

The protocol says what these take, so nobody has to accept them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from fairlead.tools.types import Definition

Offer = Literal["resources", "prompts", "completions"]

LIST_RESOURCES: Final = "resources/list"
LIST_TEMPLATES: Final = "resources/templates/list"
READ_RESOURCE: Final = "resources/read"
LIST_PROMPTS: Final = "prompts/list"
GET_PROMPT: Final = "prompts/get"
COMPLETE: Final = "completion/complete"


def _method(name: str, about: str, needed: Mapping[str, Any], others: Mapping[str, Any] | None = None) -> Definition:
    schema = {
        "type": "object",
        "properties": {**needed, **(others or {})},
        "required": sorted(needed),
        "additionalProperties": False,
    }
    return Definition(
        name=name, description=about, input=schema, output=None, effect="read", idempotent=True, kind="method"
    )


_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 4096}
_OFFERED: Final[Mapping[Offer, tuple[Definition, ...]]] = {
    "resources": (
        _method(LIST_RESOURCES, "Lists the resources of the system.", {}),
        _method(LIST_TEMPLATES, "Lists the forms of addresses that resources of the system have.", {}),
        _method(READ_RESOURCE, "Reads one resource.", {"uri": _TEXT}),
    ),
    "prompts": (
        _method(LIST_PROMPTS, "Lists the prompts of the system.", {}),
        _method(
            GET_PROMPT,
            "Gets one prompt, filled in.",
            {"name": _TEXT},
            {"arguments": {"type": "object", "additionalProperties": {"type": "string"}}},
        ),
    ),
    "completions": (
        _method(
            COMPLETE,
            "Suggests values for an argument of a prompt, or for a part of a resource's address.",
            {
                "ref": {
                    "type": "object",
                    "properties": {"type": {"enum": ["ref/prompt", "ref/resource"]}, "name": _TEXT, "uri": _TEXT},
                    "required": ["type"],
                },
                "argument": {
                    "type": "object",
                    "properties": {"name": _TEXT, "value": {"type": "string", "maxLength": 4096}},
                    "required": ["name", "value"],
                },
            },
            {
                "context": {
                    "type": "object",
                    "properties": {"arguments": {"type": "object", "additionalProperties": {"type": "string"}}},
                }
            },
        ),
    ),
}

METHODS: Final = frozenset(each.name for its in _OFFERED.values() for each in its)
"""Their names, which no tool may have."""


def methods_of(offers: Iterable[Offer]) -> tuple[Definition, ...]:
    """The tools by which a system is asked for what it offers beside tools, in an order that never changes."""
    return tuple(each for offer in sorted(set(offers)) for each in _OFFERED[offer])
