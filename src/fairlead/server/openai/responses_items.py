"""The items of the Responses protocol in Fairlead's own form: a message for each, joined to turns."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.errors import BadInput
from fairlead.models.content import FileData, FilePart, ImagePart, ImageUrl, Thought
from fairlead.models.types import Function, Message, Part, TextPart, ToolCall
from fairlead.server.reading import decoded

_Status = Literal["in_progress", "completed", "incomplete"] | None


class InputText(Struct, frozen=True, tag_field="type", tag="input_text", forbid_unknown_fields=True):
    """The part `input_text` of the Responses API (OpenAI API, v1)."""

    text: str


class InputImage(Struct, frozen=True, tag_field="type", tag="input_image", forbid_unknown_fields=True):
    """`file_id` would read what lies at a vendor with the deployment's rights: it can only be null."""

    image_url: str
    detail: Literal["auto", "low", "high"] | None = None
    file_id: None = None


class InputFile(Struct, frozen=True, tag_field="type", tag="input_file", forbid_unknown_fields=True):
    """The part `input_file`: the document itself or its address. `file_id` can only be null, as of an image."""

    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    file_id: None = None


class OutputText(Struct, frozen=True, tag_field="type", tag="output_text", forbid_unknown_fields=True):
    """Clients send replies back as they got them: what stands beside the text says nothing more."""

    text: str
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None


class OutputRefusal(Struct, frozen=True, tag_field="type", tag="refusal", forbid_unknown_fields=True):
    """The part `refusal` of a reply that is sent back."""

    refusal: str


_Asked = InputText | InputImage | InputFile
_Content = InputText | InputImage | InputFile | OutputText | OutputRefusal


class MessageItem(Struct, frozen=True, forbid_unknown_fields=True):
    """An item of `input`: what somebody says. The only kind whose `type` clients may leave out."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[_Content]
    type: Literal["message"] = "message"
    id: str | None = None
    status: _Status = None
    phase: Literal["commentary", "final_answer"] | None = None


class CallItem(Struct, frozen=True, tag_field="type", tag="function_call", forbid_unknown_fields=True):
    """An item of `input`: the model's call of a function."""

    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: _Status = None


class CallOutputItem(Struct, frozen=True, tag_field="type", tag="function_call_output", forbid_unknown_fields=True):
    """An item of `input`: what a function gave."""

    call_id: str
    output: str | list[_Asked]
    id: str | None = None
    status: _Status = None


class ReasoningPart(Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of the text of an item `reasoning`."""

    text: str
    type: Literal["summary_text", "reasoning_text"]


class ReasoningItem(Struct, frozen=True, tag_field="type", tag="reasoning", forbid_unknown_fields=True):
    """An item of `input`: the model's reasoning, as a reply gave it. `encrypted_content` opens for its maker alone."""

    summary: list[ReasoningPart]
    content: list[ReasoningPart] | None = None
    encrypted_content: str | None = None
    id: str | None = None
    status: _Status = None


class _Kind(Struct, frozen=True):
    type: str = "message"


_KINDS: Final[dict[str, Any]] = {
    "message": msgspec.json.Decoder(MessageItem),
    "function_call": msgspec.json.Decoder(CallItem),
    "function_call_output": msgspec.json.Decoder(CallOutputItem),
    "reasoning": msgspec.json.Decoder(ReasoningItem),
}
_ITEMS: Final = "see docs/reference/doors.md for the items that are understood"
_kind = msgspec.json.Decoder(_Kind)
_thoughts = msgspec.json.Decoder(list[Thought])


def messages_of(items: list[msgspec.Raw]) -> list[Message]:
    """A message for each item, in order. Raises `BadInput` naming the place."""
    return [_message(_read(raw, number), number) for number, raw in enumerate(items)]


def _read(raw: msgspec.Raw, number: int) -> Any:
    place = f"input[{number}]"
    kind = decoded(_kind, raw, "Responses", place=place, mend=_ITEMS).type
    decoder = _KINDS.get(kind)
    if decoder is not None:
        return decoded(decoder, raw, "Responses", place=place, mend=_ITEMS)
    raise BadInput(
        f"{place}: items of type {kind!r} have no meaning here",
        why="Fairlead runs no hosted tools, and knows no other items than those of text, reasoning and functions",
        mend=f"send items of type {', '.join(_KINDS)}",
        param=place,
    )


def _message(item: MessageItem | CallItem | CallOutputItem | ReasoningItem, number: int) -> Message:
    if isinstance(item, CallItem):
        return Message("assistant", tool_calls=[ToolCall(item.call_id, Function(item.name, item.arguments))])
    if isinstance(item, CallOutputItem):
        return Message("tool", _content(item.output, f"input[{number}].output"), tool_call_id=item.call_id)
    if isinstance(item, ReasoningItem):
        return _reasoned(item, number)
    if item.role == "assistant":
        return _said(item, number)
    return Message(item.role, _content(item.content, f"input[{number}].content"))


def _content(given: str | list[Any], place: str) -> str | list[Part]:
    if isinstance(given, str):
        return given
    parts = [_part(part, f"{place}[{number}]") for number, part in enumerate(given)]
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    return parts


def _part(part: _Content, place: str) -> Part:
    if isinstance(part, InputText):
        return TextPart(part.text)
    if isinstance(part, InputImage):
        return ImagePart(ImageUrl(part.image_url, part.detail))
    if isinstance(part, InputFile):
        if (part.file_data is None) == (part.file_url is None):
            raise BadInput(
                f"{place}: a file is given by file_data or by file_url",
                why="with both, or neither, nobody could say which file is meant",
                mend="give exactly one of them",
                param=place,
            )
        return FilePart(FileData(part.file_data, part.file_url, part.filename))
    raise BadInput(
        f"{place}: only an assistant says output_text and refusal",
        why="the type of a part tells who said it, and here it is not who the message is from",
        mend="what a person says is of type input_text",
        param=place,
    )


def _said(item: MessageItem, number: int) -> Message:
    if isinstance(item.content, str):
        return Message("assistant", item.content)
    texts = [part.text for part in item.content if isinstance(part, InputText | OutputText)]
    refusals = [part.refusal for part in item.content if isinstance(part, OutputRefusal)]
    if len(texts) + len(refusals) < len(item.content):
        raise BadInput(
            f"input[{number}].content: an assistant says only text",
            why="no model takes other content as its own words",
            mend="send images and files as a user's",
            param=f"input[{number}].content",
        )
    return Message(
        "assistant",
        "".join(texts) if texts or not refusals else None,
        refusal="".join(refusals) if refusals else None,
    )


def _reasoned(item: ReasoningItem, number: int) -> Message:
    if item.encrypted_content:
        return Message("assistant", thoughts=_opened(item.encrypted_content, number))
    text = "".join(part.text for part in item.content or item.summary)
    return Message("assistant", reasoning_content=text)


def encrypted(thoughts: Sequence[Thought], reasoning: str) -> str | None:
    """Reasoning with the vendor's proofs, as the opaque text that clients send back; None where nothing is proven.

    Only its name says that it is encrypted: what is secret in it, the vendor has sealed. `reasoning` is the whole text,
    of which the proven pieces are the beginning.
    """
    if not thoughts:
        return None
    rest = reasoning[sum(len(thought.text) for thought in thoughts) :]
    if rest:
        thoughts = [*thoughts, Thought(rest)]
    return base64.urlsafe_b64encode(msgspec.json.encode(thoughts)).decode()


def _opened(content: str, number: int) -> list[Thought]:
    try:
        return _thoughts.decode(base64.b64decode(content, altchars=b"-_", validate=True))
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error, ValueError):
        raise BadInput(
            f"input[{number}].encrypted_content is not one that was made here",
            why="reasoning goes back to the model that it came from, by the way that it came",
            mend="send it as it was received, or leave the reasoning item out",
            param=f"input[{number}].encrypted_content",
        ) from None


def turns(messages: list[Message]) -> list[Message]:
    """The messages with the parts of each of the assistant's turns joined to one: reasoning, then text, then calls."""
    joined: list[Message] = []
    for message in messages:
        if joined and message.role == "assistant" == joined[-1].role and _rank(joined[-1]) <= _first(message):
            joined[-1] = _with(joined[-1], message)
        else:
            joined.append(message)
    return joined


def _first(message: Message) -> int:
    """How far in a turn this begins: 0 with reasoning, 1 with text, 2 with calls."""
    if message.thoughts or message.reasoning_content is not None:
        return 0
    return 1 if message.content is not None or message.refusal is not None else 2


def _rank(message: Message) -> int:
    """What may follow in the same turn: anything but what came already; calls may follow calls."""
    if message.tool_calls:
        return 2
    return 2 if message.content is not None or message.refusal is not None else 0


def _with(turn: Message, more: Message) -> Message:
    return replace(
        turn,
        content=turn.content if more.content is None else more.content,
        refusal=turn.refusal if more.refusal is None else more.refusal,
        tool_calls=[*(turn.tool_calls or ()), *(more.tool_calls or ())] or None,
        thoughts=[*(turn.thoughts or ()), *(more.thoughts or ())] or None,
        reasoning_content=(turn.reasoning_content or "") + (more.reasoning_content or "") or None,
    )
