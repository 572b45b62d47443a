"""A complete reply in the form of the Messages protocol."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from fairlead.execution import Answer, ReplyChoice
from fairlead.models.content import Thought
from fairlead.models.types import ToolCall, Usage
from fairlead.server.about import About, about

_encode = msgspec.json.Encoder().encode

_STOPS: Final = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_TIERS: Final = {"standard": "standard", "default": "standard", "priority": "priority", "batch": "batch"}


class TextOut(Struct, frozen=True, tag_field="type", tag="text"):
    """A block `text` of a reply."""

    text: str


class ThinkingOut(Struct, frozen=True, tag_field="type", tag="thinking"):
    """A block `thinking` of a reply, with the vendor's proof."""

    thinking: str
    signature: str


class SealedOut(Struct, frozen=True, tag_field="type", tag="redacted_thinking"):
    """A block `redacted_thinking` of a reply."""

    data: str


class ToolUseOut(Struct, frozen=True, tag_field="type", tag="tool_use"):
    """A block `tool_use` of a reply."""

    id: str
    name: str
    input: Raw


BlockOut = TextOut | ThinkingOut | SealedOut | ToolUseOut


class CacheCreation(Struct, frozen=True):
    """Of `usage`: what was written into caches, by how long it is kept there."""

    ephemeral_5m_input_tokens: int
    ephemeral_1h_input_tokens: int


class OutputDetails(Struct, frozen=True):
    """Of `usage`: how many of the output's tokens were reasoning."""

    thinking_tokens: int


class UsageOut(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The `usage` of a reply, in tokens. What came out of a cache stands beside `input_tokens`, not in it."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    cache_creation: CacheCreation
    output_tokens_details: OutputDetails
    service_tier: str | None = None


class MessageOut(Struct, frozen=True, kw_only=True):
    """The body of a reply of the Messages API (version 2023-06-01), with Fairlead's own object beside."""

    id: str
    type: str
    role: str
    model: str
    content: list[BlockOut]
    stop_reason: str
    stop_sequence: str | None
    usage: UsageOut
    fairlead: About


def encode_reply(answer: Answer) -> bytes:
    """The body of a complete (not streamed) reply."""
    choice = answer.reply.choices[0] if answer.reply.choices else ReplyChoice(index=0, text="")
    reason = stop_reason(choice.finish, choice.stop, called=bool(choice.tool_calls), refused=bool(choice.refusal))
    return _encode(
        MessageOut(
            id=message_id(answer.run),
            type="message",
            role="assistant",
            model=answer.model.name,
            content=_content(choice),
            stop_reason=reason,
            stop_sequence=stop_sequence(reason, choice.stop),
            usage=usage_out(answer.reply.usage),
            fairlead=about(answer),
        )
    )


def message_id(run: str) -> str:
    """The id of a message, from which the run can be read."""
    return f"msg_{run}"


def stop_reason(finish: str, stop: str | None, *, called: bool, refused: bool) -> str:
    """Why the reply ended. Some servers say that they simply stopped, after calling a tool."""
    if refused:
        return "refusal"
    if called and finish == "stop":
        return "tool_use"
    if finish == "stop" and stop is not None:
        return "stop_sequence"
    return _STOPS.get(finish, "end_turn")


def stop_sequence(reason: str, stop: str | None) -> str | None:
    """The caller's sequence that ended the reply; None too where the model's server does not tell which it was."""
    return stop or None if reason == "stop_sequence" else None


def usage_out(usage: Usage) -> UsageOut:
    """Tokens as billed. Here what was cached stands beside `input_tokens` and not in it."""
    return UsageOut(
        input_tokens=max(usage.input - usage.cached_input - usage.cache_write, 0),
        output_tokens=usage.output,
        cache_creation_input_tokens=usage.cache_write,
        cache_read_input_tokens=usage.cached_input,
        cache_creation=CacheCreation(usage.cache_write - usage.cache_write_1h, usage.cache_write_1h),
        output_tokens_details=OutputDetails(usage.reasoning),
        service_tier=_TIERS.get(usage.tier),
    )


def call_id(given: str | None, number: int) -> str:
    """The id of a tool call; a server that makes none gets one that is good within its message."""
    return given or f"toolu_{number}"


def _content(choice: ReplyChoice) -> list[BlockOut]:
    blocks: list[BlockOut] = [block for each in _thoughts(choice) for block in _reasoned(each)]
    # Each was looked at by itself: what they would spell together must not stand together.
    blocks += [TextOut(said) for said in (choice.text, choice.refusal) if said]
    return blocks + [_tool_use(call, number) for number, call in enumerate(choice.tool_calls)]


def _thoughts(choice: ReplyChoice) -> list[Thought]:
    """The reasoning with its proofs, and behind it what came without one."""
    proven = list(choice.thoughts)
    rest = choice.reasoning.removeprefix("".join(each.text for each in proven))
    return [*proven, Thought(rest)] if rest else proven


def _reasoned(thought: Thought) -> Iterator[BlockOut]:
    """Its blocks: text that came without a proof before a sealed piece is one of its own."""
    if thought.text or thought.signature:
        yield ThinkingOut(thought.text, thought.signature)
    if thought.sealed:
        yield SealedOut(thought.sealed)


def _tool_use(call: ToolCall, number: int) -> ToolUseOut:
    return ToolUseOut(call_id(call.id, number), call.function.name, _input(call.function.arguments))


def _input(arguments: str) -> Raw:
    """Arguments as an object. A model may write what is none: that comes as the text that it is, under a name."""
    try:
        found: Any = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        found = None
    return Raw(arguments.encode() or b"{}") if isinstance(found, dict) else Raw(_encode({"INVALID_JSON": arguments}))
