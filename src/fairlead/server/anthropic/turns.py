"""Turns of the Messages protocol in Fairlead's own form."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from fairlead.errors import BadInput
from fairlead.models.content import CacheControl, FileData, FilePart, ImagePart, ImageUrl, Thought
from fairlead.models.types import Function, Message, Part, TextPart, ToolCall
from fairlead.server.anthropic.blocks import (
    Address,
    AssistantBlock,
    AssistantTurn,
    DocumentBlock,
    DocumentData,
    DocumentText,
    ImageBlock,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    Turn,
    UserBlock,
    UserTurn,
)

_UNTITLED: Final = "document"
_encode = msgspec.json.Encoder().encode


def messages_of(turns: list[Turn], system: str | list[TextBlock] | None, mark: CacheControl | None) -> list[Message]:
    """All messages, the system prompt first. `mark` is set where the last one ends. Raises `BadInput`."""
    messages = [Message("system", _content(system))] if system else []
    for number, turn in enumerate(turns):
        content = turn.content
        if isinstance(turn, UserTurn):
            messages += [Message("user", content)] if isinstance(content, str) else _asked(turn.content, number)  # type: ignore[arg-type]
        elif isinstance(turn, AssistantTurn):
            messages += [Message("assistant", content)] if isinstance(content, str) else _said(turn.content)  # type: ignore[arg-type]
        else:
            messages.append(Message("system", _content(turn.content)))
    if mark is not None:
        messages[-1] = _marked(messages[-1], mark)
    return messages


def _asked(blocks: list[UserBlock], number: int) -> Iterator[Message]:
    """A user's turn: the results of tools, each a message of its own, and then what the user says."""
    parts: list[Part] = []
    for place, block in enumerate(blocks):
        if not isinstance(block, ToolResultBlock):
            parts.append(_part(block))
            continue
        if parts:
            raise BadInput(
                f"messages[{number}].content[{place}]: a tool_result stands behind other content",
                why="results answer the calls of the turn before and come first in theirs",
                mend="put the tool_result blocks of a turn before its other blocks",
            )
        yield _result(block)
    if parts:
        yield Message("user", _plainest(parts))


def _result(block: ToolResultBlock) -> Message:
    content = _content(block.content or "")
    message = Message("tool", content, tool_call_id=block.tool_use_id, is_error=block.is_error or None)
    return message if block.cache_control is None else _marked(message, block.cache_control)


def _said(blocks: list[AssistantBlock]) -> Iterator[Message]:
    """An assistant's turn. Reasoning that comes after text begins a message of its own, so that it stays behind it;
    after a call it cannot, because nothing may stand between calls and their results."""
    thoughts: list[Thought] = []
    parts: list[Part] = []
    calls: list[ToolCall] = []
    for block in blocks:
        match block:
            case TextBlock():
                parts.append(_part(block))
            case ThinkingBlock() | RedactedThinkingBlock():
                if parts and not calls:
                    yield _message(thoughts, parts, calls)
                    thoughts, parts = [], []
                thoughts.append(_thought(block))
            case _:
                calls.append(ToolCall(block.id, Function(block.name, _encode(block.input).decode())))
    yield _message(thoughts, parts, calls)


def _message(thoughts: list[Thought], parts: list[Part], calls: list[ToolCall]) -> Message:
    content = _plainest(parts) if parts else None if calls else ""
    return Message("assistant", content, tool_calls=calls or None, thoughts=thoughts or None)


def _thought(block: ThinkingBlock | RedactedThinkingBlock) -> Thought:
    if isinstance(block, ThinkingBlock):
        return Thought(block.thinking, block.signature)
    return Thought(sealed=block.data)


def _content(content: str | list[TextBlock] | list[TextBlock | ImageBlock | DocumentBlock]) -> str | list[Part]:
    return content if isinstance(content, str) else _plainest([_part(block) for block in content])


def _plainest(parts: list[Part]) -> str | list[Part]:
    """A lone text as a string: every model's server takes that."""
    if not parts:
        return ""
    first = parts[0]
    if len(parts) == 1 and isinstance(first, TextPart) and first.title is None and first.cache_control is None:
        return first.text
    return parts


def _part(block: TextBlock | ImageBlock | DocumentBlock) -> Part:
    mark = block.cache_control
    match block:
        case TextBlock():
            return TextPart(block.text, cache_control=mark)
        case ImageBlock(source=Address(url=url)):
            return ImagePart(ImageUrl(url), mark)
        case ImageBlock(source=source):
            return ImagePart(ImageUrl(f"data:{source.media_type};base64,{source.data}"), mark)  # type: ignore[union-attr]
    return _document(block)


def _document(block: DocumentBlock) -> Part:
    match block.source:
        case DocumentText(data=text):
            return TextPart(text, block.title or _UNTITLED, block.cache_control)
        case DocumentData(data=data, media_type=mime):
            file = FileData(file_data=f"data:{mime};base64,{data}", filename=block.title)
        case Address(url=url):
            file = FileData(file_url=url, filename=block.title)
    return FilePart(file, block.cache_control)


def _marked(message: Message, mark: CacheControl) -> Message:
    """The message with a mark at its end, unless there is one, or nothing that could bear it."""
    content = message.content
    parts: list[Part] = list(content) if isinstance(content, list) else [TextPart(content)] if content else []
    if not parts or parts[-1].cache_control is not None:
        return message
    parts[-1] = replace(parts[-1], cache_control=mark)
    return replace(message, content=parts)
