"""Turns of a conversation as the content blocks of Amazon Bedrock's Converse.

Turns of the same side become one, because Converse wants the sides to alternate. Left out, because nothing depends on
it: the detail of images, and reasoning that bears no proof of this vendor's. Refused: anything by address.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec import UNSET, Struct

from fairlead.models.content import AudioPart, CacheControl, FilePart, ImagePart, own_proof
from fairlead.models.failures import beyond
from fairlead.models.media import NO_ADDRESSES, NO_COUNTERPART, Inline, file_of, image_of, sound_of
from fairlead.models.message_text import is_text, parts_of, text_of
from fairlead.models.tool_arguments import arguments_of, plain_id
from fairlead.models.types import Message, ModelCall, TextPart, Tool

SCHEME: Final = "bedrock"
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9()\[\]-]+")
_IMAGES: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_DOCUMENTS: Final = {
    "application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt", "text/markdown": "md",
    "application/msword": "doc", f"{_OFFICE}.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls", f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
}  # fmt: skip


class _Source(Struct, omit_defaults=True):
    bytes: str | None = None
    text: str | None = None


class _Media(Struct, omit_defaults=True):
    format: str
    source: _Source
    name: str | None = None


class _ToolUse(Struct, rename="camel"):
    tool_use_id: str
    name: str
    input: dict[str, Any]


class _ToolResult(Struct, rename="camel", omit_defaults=True):
    tool_use_id: str
    content: "list[Block]"
    status: str | None = None


class _ReasoningText(Struct):
    text: str
    signature: str


class _Reasoning(Struct, rename="camel", omit_defaults=True):
    reasoning_text: _ReasoningText | None = None
    redacted_content: str | None = None


class _CachePoint(Struct, omit_defaults=True):
    type: str
    ttl: str | None = None


class Block(Struct, rename="camel", frozen=True, omit_defaults=True, kw_only=True):
    """A content block of any kind; what a kind lacks is left out."""

    text: str | None = None
    image: _Media | None = None
    document: _Media | None = None
    audio: _Media | None = None
    tool_use: _ToolUse | None = None
    tool_result: _ToolResult | None = None
    reasoning_content: _Reasoning | None = None
    cache_point: _CachePoint | None = None


class Turn(Struct, frozen=True):
    """A member of `messages` of Converse."""

    role: str
    content: list[Block]


class _Schema(Struct):
    json: dict[str, Any]


class _ToolSpec(Struct, rename="camel", omit_defaults=True):
    name: str
    input_schema: _Schema
    description: str | None = None
    strict: bool | None = None


class ToolEntry(Struct, rename="camel", frozen=True, omit_defaults=True):
    """A member of `toolConfig.tools` of Converse: a tool's definition, or a mark for caching behind it."""

    tool_spec: _ToolSpec | None = None
    cache_point: _CachePoint | None = None


def tools_of(tools: list[Tool]) -> Iterator[ToolEntry]:
    """The tools' definitions, with the marks for caching between them."""
    for tool in tools:
        function = tool.function
        schema = _Schema(function.parameters or {"type": "object", "properties": {}})
        yield ToolEntry(_ToolSpec(function.name, schema, function.description or None, function.strict))
        if tool.cache_control is not UNSET:
            yield ToolEntry(cache_point=_mark(tool.cache_control))


def system_of(call: ModelCall) -> list[Block] | None:
    """The system prompt, wherever its messages stood. Raises `Rejected` if it holds anything but text."""
    blocks = []
    for message in call.request.messages:
        if message.role in ("system", "developer"):
            if not is_text(message):
                raise beyond("anything but text in a system message", call, NO_COUNTERPART)
            for part in parts_of(message):
                if isinstance(part, TextPart) and part.text:
                    blocks += [Block(text=part.text), *_marked(part.cache_control)]
    return blocks or None


def turns_of(call: ModelCall) -> list[Turn]:
    """All turns but the system's. Raises `Rejected` for what has no block."""
    turns: list[Turn] = []
    names: set[str] = set()
    for message in call.request.messages:
        if message.role in ("system", "developer"):
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = list(_turn(message, names, call))
        if blocks and turns and turns[-1].role == role:
            turns[-1].content.extend(blocks)
        elif blocks:
            turns.append(Turn(role, blocks))
    return turns


def _turn(message: Message, names: set[str], call: ModelCall) -> Iterator[Block]:
    if message.role == "tool":
        blocks = list(_blocks(message, names, call))
        content = [block for block in blocks if block.cache_point is None] or [Block(text=" ")]
        status = "error" if message.is_error else None
        yield Block(tool_result=_ToolResult(plain_id(message.tool_call_id or ""), content, status))
        yield from [block for block in blocks if block.cache_point is not None]
        return
    for thought in message.thoughts or ():
        if sealed := own_proof(SCHEME, thought.sealed):
            yield Block(reasoning_content=_Reasoning(redacted_content=sealed))
        elif signature := own_proof(SCHEME, thought.signature):
            yield Block(reasoning_content=_Reasoning(_ReasoningText(thought.text, signature)))
    yield from _blocks(message, names, call)
    if message.refusal and not text_of(message):
        yield Block(text=message.refusal)
    for tool_call in message.tool_calls or ():
        function = tool_call.function
        given = arguments_of(function.name, function.arguments, call)
        yield Block(tool_use=_ToolUse(plain_id(tool_call.id), function.name, given))


def _blocks(message: Message, names: set[str], call: ModelCall) -> Iterator[Block]:
    for part in parts_of(message):
        match part:
            case TextPart(title=None):
                if part.text:
                    yield Block(text=part.text)
            case TextPart():
                yield Block(document=_Media("txt", _Source(text=part.text), _name(part.title, names)))
            case ImagePart():
                yield Block(image=_media(image_of(part, call), _IMAGES, "images by address (image_url)", call))
            case FilePart(file=file):
                document = _media(file_of(part, call), _DOCUMENTS, "documents by address (file_url)", call)
                document.name = _name(file.filename, names)
                yield Block(document=document)
            case AudioPart():
                sound = sound_of(part, call)
                yield Block(audio=_Media(part.input_audio.format, _Source(sound.data)))
        yield from _marked(part.cache_control)


def _media(media: Inline | str, formats: dict[str, str], what: str, call: ModelCall) -> _Media:
    if isinstance(media, str):
        raise beyond(what, call, NO_ADDRESSES)
    if media.mime not in formats:
        raise beyond(f"data of type {media.mime[:60]}", call, f"its vendor takes {', '.join(formats.values())}")
    return _Media(formats[media.mime], _Source(media.data))


def _marked(mark: CacheControl | None) -> list[Block]:
    return [] if mark is None else [Block(cache_point=_mark(mark))]


def _mark(mark: CacheControl) -> _CachePoint:
    return _CachePoint("default", mark.ttl)


def _name(wanted: str | None, taken: set[str]) -> str:
    """A document's name in the characters that are allowed, told apart from those before it."""
    plain = _NOT_IN_A_NAME.sub(" ", wanted or "").strip()[:180] or "document"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain} {number}"
    taken.add(name)
    return name
