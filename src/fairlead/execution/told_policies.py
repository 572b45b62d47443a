"""What policies were told of an action beside what its record has, kept with its payload for its person: so that the
very decision can be made again, under the same policies or others.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.identity.types import Caller
from fairlead.labels import Labels
from fairlead.policy.tool_rights import Sources, ToolAsked
from fairlead.tools.types import Tool


class ToldCall(Struct, frozen=True, array_like=True):
    """Of a tool's call: see `policy.tool_rights.ToolAsked`. `labels` are the record's."""

    arguments: dict[str, Any]
    sources: dict[str, Sources]
    answers: dict[str, Any]
    read: Sources
    links: dict[str, Sources]
    facts: dict[str, Any]


class Told(Struct, frozen=True, array_like=True):
    """Who asked, as they stood then, and for the call of a tool with what."""

    caller: Caller
    call: ToldCall | None = None


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Told)


def encode_told(caller: Caller, asked: ToolAsked | None = None) -> bytes:
    """What policies were told, to be kept with payloads. When the caller's credential ends is left out."""
    call = None
    if asked is not None:
        call = ToldCall(
            dict(asked.arguments), dict(asked.sources), dict(asked.answers), asked.read, dict(asked.links),
            dict(asked.facts),
        )  # fmt: skip
    return _encode(Told(replace(caller, expires=0), call))


def decode_told(kept: bytes) -> Told:
    """Raises `msgspec.DecodeError` for what another version kept in another form."""
    return _decoder.decode(kept)


def asked_again(call: ToldCall, tool: Tool, labels: Labels, task: str, door: str, approved: Sources) -> ToolAsked:
    """The call as policies saw it, of a tool as it is defined now."""
    links: Mapping[str, Sources] = call.links
    return ToolAsked(
        tool=tool,
        arguments=call.arguments,
        sources=call.sources,
        answers=call.answers,
        labels=labels,
        read=call.read,
        links=links,
        facts=call.facts,
        approved=approved,
        task=task,
        door=door,
    )
