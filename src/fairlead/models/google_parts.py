"""Turns of a conversation as the contents of Google's generateContent.

Left out, because nothing depends on it: the names of attached files, the detail of images, marks for caching, and
reasoning that bears no proof of this vendor's.
"""

import mimetypes
from collections.abc import Iterator
from typing import Any, Final

from msgspec import UNSET, Struct

from fairlead.errors import Rejected
from fairlead.models.content import AudioPart, FilePart, ImagePart, own_proof
from fairlead.models.failures import beyond
from fairlead.models.media import NO_COUNTERPART, Inline, file_of, image_of, sound_of
from fairlead.models.message_text import is_text, parts_of, text_of
from fairlead.models.openai_messages import titled
from fairlead.models.tool_arguments import arguments_of
from fairlead.models.types import Message, ModelCall, TextPart, ToolCall

SCHEME: Final = "google"
# What the API's documentation has callers send for a call that no model of this vendor made: newer models refuse a
# call without a proof.
_NO_PROOF: Final = "skip_thought_signature_validator"
_TAKES_NO_PROOF: Final = ("gemini-1", "gemini-2", "gemma")


class _Blob(Struct, rename="camel", omit_defaults=True):
    mime_type: str
    data: str


class _FileData(Struct, rename="camel", omit_defaults=True):
    file_uri: str
    mime_type: str | None = None


class _FunctionCall(Struct, rename="camel", omit_defaults=True):
    name: str
    args: dict[str, Any]
    id: str | None = None


class _FunctionResponse(Struct, rename="camel", omit_defaults=True):
    name: str
    response: dict[str, str]
    id: str | None = None
    parts: "list[ContentPart] | None" = None


class ContentPart(Struct, rename="camel", omit_defaults=True, frozen=True, kw_only=True):
    """A part of any kind; what a kind lacks is left out."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: _Blob | None = None
    file_data: _FileData | None = None
    function_call: _FunctionCall | None = None
    function_response: _FunctionResponse | None = None


class Content(Struct, rename="camel", omit_defaults=True, frozen=True):
    """A member of `contents` of generateContent (v1beta), or its `systemInstruction`, which has no role."""

    parts: list[ContentPart]
    role: str | None = None


def system_of(call: ModelCall) -> Content | None:
    """The system prompt, wherever its messages stood. Raises `Rejected` if it holds anything but text."""
    parts = []
    for message in call.request.messages:
        if message.role in ("system", "developer"):
            if not is_text(message):
                raise beyond("anything but text in a system message", call, NO_COUNTERPART)
            parts += list(_parts(message, call))
    return Content(parts) if parts else None


def contents_of(call: ModelCall) -> list[Content]:
    """All turns but the system's. Raises `Rejected` for what has no part."""
    contents: list[Content] = []
    names: dict[str, str] = {}
    results: list[ContentPart] | None = None  # results of one round of tool calls must come in one turn
    for message in call.request.messages:
        if message.role == "tool":
            if results is None:
                results = []
                contents.append(Content(results, "user"))
            results.append(_result(message, names, call))
            continue
        results = None
        if message.role == "user" and (parts := list(_parts(message, call))):
            contents.append(Content(parts, "user"))
        elif message.role == "assistant":
            names.update({each.id: each.function.name for each in message.tool_calls or ()})
            if parts := _said(message, call):
                contents.append(Content(parts, "model"))
    return contents


def _result(message: Message, names: dict[str, str], call: ModelCall) -> ContentPart:
    id_ = message.tool_call_id or ""
    name = names.get(id_, message.name)
    if not name:
        raise Rejected(
            f"a tool's result in the messages answers no call ({id_})",
            why=f"model {call.model.name} is told the name of the tool, which stands in the call",
            mend="keep the assistant's turn with its tool_calls before the results",
            subject=call.model.name,
            retryable=False,
        )
    parts = [part for part in _parts(message, call) if part.text is None]
    text = "".join(titled(part) for part in parts_of(message) if isinstance(part, TextPart))
    said = {"error" if message.is_error else "output": text}
    return ContentPart(function_response=_FunctionResponse(name, said, id_ or None, parts or None))


def _said(message: Message, call: ModelCall) -> list[ContentPart]:
    proof = ""
    parts: list[ContentPart] = []
    for thought in message.thoughts or ():
        if signature := own_proof(SCHEME, thought.signature):
            proof = signature
            if thought.text:
                parts.append(ContentPart(text=thought.text, thought=True))
    parts += _parts(message, call)
    if message.refusal and not text_of(message):
        parts.append(ContentPart(text=message.refusal))
    if proof:
        # It came with what followed the reasoning; an empty part carries it where only calls followed.
        said = parts.pop() if parts and parts[-1].text is not None and not parts[-1].thought else ContentPart(text="")
        parts.append(ContentPart(text=said.text, thought_signature=proof))
    parts += _calls(message.tool_calls or [], call)
    return parts


def _calls(made: list[ToolCall], call: ModelCall) -> Iterator[ContentPart]:
    # Of calls that were made side by side, only the first bears the proof.
    needed = _NO_PROOF if not call.model.remote.startswith(_TAKES_NO_PROOF) else ""
    for number, each in enumerate(made):
        function = each.function
        given = arguments_of(function.name, function.arguments, call)
        proof = own_proof(SCHEME, each.signature) if each.signature is not UNSET else ""
        if not proof and number == 0:
            proof = needed
        yield ContentPart(function_call=_FunctionCall(function.name, given, each.id), thought_signature=proof or None)


def _parts(message: Message, call: ModelCall) -> Iterator[ContentPart]:
    for part in parts_of(message):
        match part:
            case TextPart():
                if part.text:
                    yield ContentPart(text=titled(part))
            case ImagePart():
                yield _media(image_of(part, call))
            case FilePart():
                yield _media(file_of(part, call))
            case AudioPart():
                yield _media(sound_of(part, call))


def _media(media: Inline | str) -> ContentPart:
    if isinstance(media, str):
        return ContentPart(file_data=_FileData(media, mimetypes.guess_type(media.partition("?")[0])[0]))
    return ContentPart(inline_data=_Blob(media.mime, media.data))
