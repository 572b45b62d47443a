"""Messages on the OpenAI chat completions wire, where they say more than plain text or a server takes less.

Left out, because nothing depends on it: marks for caching (unless the endpoint is declared to read them), proofs of
reasoning, whether a tool failed (its text says so), and earlier reasoning (unless the endpoint is declared to take it
back). Refused: documents by address, and anything but text in a tool's result.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import UNSET

from fairlead.models.content import AudioPart, FilePart, ImagePart
from fairlead.models.failures import beyond
from fairlead.models.media import NO_COUNTERPART, file_of, image_of, sound_of
from fairlead.models.message_text import reasoning_of, text_of
from fairlead.models.quirks import Quirks
from fairlead.models.types import Message, ModelCall, Part, TextPart, Tool, ToolCall

_NO_PARTS: Final = "its endpoint is declared to take text only (`quirks: {content_parts: false}`)"
_NO_FETCHING: Final = (
    "its endpoint is not declared to fetch addresses (`quirks: {image_urls: true}`): a server inside your network "
    "would fetch whatever a caller names"
)


class _Reasoned(Message, frozen=True, omit_defaults=True):
    """A turn for servers that take earlier reasoning back under this name."""

    reasoning: str | None = None


def adapted(messages: list[Message], quirks: Quirks, call: ModelCall) -> list[Message]:
    """The messages as this endpoint takes them: the very same list, where nothing needs to change."""
    if quirks.system_role == "system":
        for message in messages:
            # Written out, because it is asked of every message of every request.
            if (
                type(message.content) is not str
                or message.role == "developer"
                or message.tool_calls is not None
                or message.reasoning_content is not None
                or message.thoughts is not None
                or message.is_error is not None
            ):
                break
        else:
            return messages
    return [_message(each, quirks, call) for each in messages]


def without_marks(tools: list[Tool] | None, quirks: Quirks) -> list[Tool] | None:
    """Tools without their marks for caching, unless the endpoint reads them."""
    if not tools or quirks.cache_marks or all(tool.cache_control is UNSET for tool in tools):
        return tools
    return [msgspec.structs.replace(tool, cache_control=UNSET) for tool in tools]


def _message(message: Message, quirks: Quirks, call: ModelCall) -> Message:
    role, content = message.role, message.content
    if role == "system" or (role == "developer" and not quirks.developer_role):
        role = quirks.system_role
    if isinstance(content, list):
        content = _content(message, content, quirks, call)
    elif content is None and not quirks.null_content:
        content = ""
    if role is message.role and content is message.content and _is_known_everywhere(message):
        return message
    changes: dict[str, Any] = {"role": role, "content": content, "is_error": None, "thoughts": None}
    if message.tool_calls:
        changes["tool_calls"] = [_unsigned(each) for each in message.tool_calls]
    reasoning = reasoning_of(message) or None
    if quirks.reasoning_field == "reasoning" and reasoning:
        plain = msgspec.structs.asdict(message) | changes | {"reasoning_content": None}
        return _Reasoned(**plain, reasoning=reasoning)
    changes["reasoning_content"] = reasoning if quirks.reasoning_field else None
    return msgspec.structs.replace(message, **changes)


def _is_known_everywhere(message: Message) -> bool:
    return (
        message.reasoning_content is None
        and message.thoughts is None
        and message.is_error is None
        and all(each.signature is UNSET for each in message.tool_calls or ())
    )


def _unsigned(call: ToolCall) -> ToolCall:
    return call if call.signature is UNSET else msgspec.structs.replace(call, signature=UNSET)


def _content(message: Message, parts: list[Part], quirks: Quirks, call: ModelCall) -> str | list[Part]:
    if all(type(part) is TextPart and part.title is None for part in parts) and not quirks.content_parts:
        return text_of(message)
    return list(_parts(message, parts, quirks, call)) if quirks.content_parts else _text(parts, call)


def _text(parts: list[Part], call: ModelCall) -> str:
    for part in parts:
        if not isinstance(part, TextPart):
            raise beyond(f"content of type {_kind(part)}", call, _NO_PARTS)
    return "".join(titled(part) for part in parts if isinstance(part, TextPart))


def _parts(message: Message, parts: list[Part], quirks: Quirks, call: ModelCall) -> Iterator[Part]:
    for part in parts:
        if message.role == "tool" and not isinstance(part, TextPart):
            raise beyond(f"content of type {_kind(part)} in a tool's result", call, NO_COUNTERPART)
        match part:
            case TextPart(title=None):
                yield part if quirks.cache_marks or part.cache_control is None else TextPart(part.text)
            case TextPart():
                yield TextPart(titled(part), cache_control=part.cache_control if quirks.cache_marks else None)
            case ImagePart():
                if isinstance(image_of(part, call), str) and not quirks.image_urls:
                    raise beyond("images by address (image_url)", call, _NO_FETCHING)
                yield _unmarked(part, quirks)
            case FilePart():
                if isinstance(file_of(part, call), str):
                    raise beyond("documents by address (file_url)", call, NO_COUNTERPART)
                yield _unmarked(part, quirks)
            case AudioPart():
                sound_of(part, call)
                yield _unmarked(part, quirks)


def _unmarked(part: Part, quirks: Quirks) -> Part:
    if part.cache_control is None or quirks.cache_marks:
        return part
    return msgspec.structs.replace(part, cache_control=None)


def titled(part: TextPart) -> str:
    """The text of an attached document with its title, for wires that have no documents of text."""
    return part.text if part.title is None else f"{part.title}\n\n{part.text}"


def _kind(part: Part) -> str:
    return str(part.__struct_config__.tag)
