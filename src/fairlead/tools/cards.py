"""What the tools of a system mean in this organisation: `systems/NAME.yaml`, read by models, policies and people."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

FactKind = Literal["decimal", "text", "bool", "texts", "integer", "integers"]
"""As policies take it. Cedar reckons (`+`, `-`, `*`) with integers only, decimals are compared."""


class ArgumentCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one argument means here."""

    means: Annotated[str, Meta(description="What it means in this organisation.")] = ""
    unit: Annotated[str, Meta(description="Its unit, such as EUR or kg.")] = ""
    example: Annotated[Any, Meta(description="A value that is right.")] = None
    decides: Annotated[
        bool | None,
        Meta(
            description="Whether it decides who gains by a call or what it touches. Default: by its name and type, and "
            "what is not known as free text or a time does."
        ),
    ] = None


class FactCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact that a decision needs. It is read with another tool, under the caller's own rights, before deciding."""

    tool: Annotated[str, Meta(description="The tool that tells it: `system.tool`. It must be one that only reads.")]
    arguments: Annotated[
        dict[str, Any],
        Meta(
            description="Its arguments; `$order` stands for the argument `order` of the call in question, and is left"
            " out where the call has none."
        ),
    ] = {}
    take: Annotated[str, Meta(description="Where in the result it stands, as in `order.status`. Default: all.")] = ""
    type: Annotated[FactKind, Meta(description="What it is.")] = "text"


class Precondition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold before a call. One that breaks it is answered with what to do instead."""

    that: Annotated[
        str, Meta(description="A Cedar expression over `context.arguments` and `context.facts` that must be true.")
    ]
    instead: Annotated[str, Meta(min_length=1, description="What the agent is told to do.")]
    approval: Annotated[str, Meta(description="The role that may let it pass all the same. Default: nobody may.")] = ""


class ToolCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool."""

    about: Annotated[str, Meta(description="What it is for, in this organisation's words.")] = ""
    arguments: Annotated[dict[str, ArgumentCard], Meta(description="What its arguments mean.")] = {}
    facts: Annotated[dict[str, FactCard], Meta(description="Facts that decisions about it need.")] = {}
    requires: Annotated[dict[str, Precondition], Meta(description="What must hold before it is called, by id.")] = {}
    examples: Annotated[list[dict[str, Any]], Meta(description="Arguments of calls that are right.")] = []
    extracts: Annotated[
        dict[str, Any],
        Meta(
            description="A JSON Schema of its structured result. What leaves no room for words in it (choices, bounded "
            "numbers, dates, yes and no) then comes from `schema:SYSTEM.TOOL`, and no longer from the tool."
        ),
    ] = {}


class SystemCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """systems/NAME.yaml."""

    about: Annotated[str, Meta(description="What the system is.")] = ""
    tools: Annotated[dict[str, ToolCard], Meta(description="Its tools, by their own names.")] = {}


NO_CARD = SystemCard()
