"""What a message says: in words, in parts, and whether it says anything but words."""

from fairlead.models.types import Message, Part, TextPart


def text_of(message: Message) -> str:
    """The text of a message's content; parts are joined without a separator, as models see them."""
    content = message.content
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join([part.text for part in content if type(part) is TextPart])


def parts_of(message: Message) -> list[Part]:
    """A message's content as parts, plain text too; none where it has no content."""
    content = message.content
    return [TextPart(content)] if isinstance(content, str) else content or []


def is_text(message: Message) -> bool:
    """Whether a message's content is nothing but text."""
    content = message.content
    return type(content) is not list or all(type(part) is TextPart for part in content)


def reasoning_of(message: Message) -> str:
    """The text of a message's earlier reasoning."""
    thoughts = "".join(each.text for each in message.thoughts or ())
    return thoughts or message.reasoning_content or ""


def is_plain(message: Message) -> bool:
    """Whether a message says nothing that only some protocols have words for."""
    return (
        type(message.content) is not list
        and message.tool_calls is None
        and message.reasoning_content is None
        and message.thoughts is None
        and message.is_error is None
    )
