"""Turns of a conversation as the content blocks of the Anthropic Messages wire.

Left out, because nothing depends on it: the detail of images, and reasoning that bears no proof of this vendor's.
Refused: sound.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from fairlead.models.content import CacheControl, FilePart, ImagePart, own_proof
from fairlead.models.failures import beyond
from fairlead.models.media import NO_COUNTERPART, Inline, file_of, image_of
from fairlead.models.message_text import text_of
from fairlead.models.tool_arguments import arguments_of, plain_id
from fairlead.models.types import Message, ModelCall, Part, TextPart, Tool

SCHEME: Final = "anthropic"


class _Source(Struct, omit_defaults=True):
    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class Block(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A content block of any kind; what a kind lacks is left out."""

    type: str
    text: str | None = None
    source: _Source | None = None
    title: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    content: "str | list[Block] | None" = None
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    cache_control: CacheControl | None = None


class Turn(Struct, frozen=True):
    """A member of `messages` of the Messages API (version 2023-06-01)."""

    role: str
    content: str | list[Block]


class ToolBlock(Struct, frozen=True, omit_defaults=True):
    """A member of `tools` of that API. `input_schema` is a JSON Schema."""

    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControl | UnsetType = UNSET


def is_system(message: Message) -> bool:
    """Whether a message belongs to the system prompt, wherever it stands."""
    return message.role in ("system", "developer")


def system_of(call: ModelCall) -> str | list[Block] | None:
    """The system prompt: one text, or blocks where a mark for caching stands in it."""
    texts: list[str] = []
    for message in call.request.messages:
        if message.role in ("system", "developer"):
            if type(message.content) is list:
                break
            texts.append(text_of(message))
    else:
        return "\n\n".join(texts) or None
    return [block for each in call.request.messages if is_system(each) for block in _blocks(each, call)] or None


def turns_of(call: ModelCall) -> list[Turn]:
    """All turns but the system's. Raises `Rejected` for what has no block."""
    turns: list[Turn] = []
    results: list[Block] | None = None  # results of one round of tool calls must come in one turn
    for message in call.request.messages:
        if message.role == "tool":
            if results is None:
                results = []
                turns.append(Turn("user", results))
            results.append(_result(message, call))
            continue
        results = None
        if message.role == "user":
            content = message.content
            turns.append(Turn("user", content if type(content) is str else list(_blocks(message, call))))
        elif message.role == "assistant" and (blocks := list(_said(message, call))):
            turns.append(Turn("assistant", blocks))
    return turns


def tool_of(tool: Tool) -> ToolBlock:
    """A tool's definition."""
    function = tool.function
    schema = function.parameters or {"type": "object", "properties": {}}
    return ToolBlock(function.name, schema, function.description, function.strict, tool.cache_control)


def _result(message: Message, call: ModelCall) -> Block:
    plain = not isinstance(message.content, list)
    return Block(
        type="tool_result",
        tool_use_id=plain_id(message.tool_call_id or ""),
        content=text_of(message) if plain else list(_blocks(message, call)),
        is_error=message.is_error,
    )


def _said(message: Message, call: ModelCall) -> Iterator[Block]:
    for thought in message.thoughts or ():
        if sealed := own_proof(SCHEME, thought.sealed):
            yield Block(type="redacted_thinking", data=sealed)
        elif signature := own_proof(SCHEME, thought.signature):
            yield Block(type="thinking", thinking=thought.text, signature=signature)
    if isinstance(message.content, list):
        yield from _blocks(message, call)
    elif text := text_of(message) or message.refusal:
        yield Block(type="text", text=text)
    for tool_call in message.tool_calls or ():
        function = tool_call.function
        given = arguments_of(function.name, function.arguments, call)
        yield Block(type="tool_use", id=plain_id(tool_call.id), name=function.name, input=given)


def _blocks(message: Message, call: ModelCall) -> Iterator[Block]:
    content = message.content
    parts: list[Part] = [TextPart(content)] if isinstance(content, str) else content or []
    for part in parts:
        match part:
            case TextPart(title=None):
                if part.text:  # an empty block is an error there
                    yield Block(type="text", text=part.text, cache_control=part.cache_control)
            case TextPart():
                source = _Source("text", "text/plain", part.text)
                yield Block(type="document", source=source, title=part.title, cache_control=part.cache_control)
            case ImagePart():
                yield Block(type="image", source=_source(image_of(part, call)), cache_control=part.cache_control)
            case FilePart(file=file):
                source = _source(file_of(part, call))
                yield Block(type="document", source=source, title=file.filename, cache_control=part.cache_control)
            case _:
                raise beyond("sound (input_audio)", call, NO_COUNTERPART)


def _source(media: Inline | str) -> _Source:
    return _Source("url", url=media) if isinstance(media, str) else _Source("base64", media.mime, media.data)
