"""Requests on Ollama's own chat wire.

Refused, because leaving it out would break a promise: more than one choice, logprobs, logit_bias, a tool choice that
forces a call, a limit to one tool call at a time, service tiers, images by address, documents, and sound. Left out:
verbosity, marks for caching, proofs of reasoning, the keys of a prompt cache, and who asks. The context length is
always sent where it is known, because Ollama cuts what passes its own small default without a word.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.models.content import ImagePart
from fairlead.models.failures import beyond
from fairlead.models.handling import refuse_tier
from fairlead.models.media import NO_ADDRESSES, NO_COUNTERPART, image_of
from fairlead.models.message_text import is_plain, reasoning_of, text_of
from fairlead.models.openai_messages import titled, without_marks
from fairlead.models.quirks import Quirks
from fairlead.models.reasoning import effort_of
from fairlead.models.tool_arguments import arguments_of
from fairlead.models.types import ChatRequest, Message, ModelCall, TextPart, Tool

_NO_QUIRKS: Final = Quirks()


class _Function(Struct, frozen=True):
    name: str = ""
    arguments: Any = None


class _ToolCall(Struct, frozen=True):
    function: _Function


class _Turn(Struct, omit_defaults=True):
    role: str
    content: str
    tool_calls: list[_ToolCall] | None = None
    tool_name: str | None = None
    images: list[str] | None = None
    thinking: str | None = None


class _Options(Struct, omit_defaults=True, kw_only=True):
    num_predict: int
    num_ctx: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: list[str] | None = None


class _Body(Struct, omit_defaults=True, kw_only=True):
    model: str
    messages: list[_Turn]
    stream: bool
    options: _Options
    tools: list[Tool] | None = None
    format: str | dict[str, Any] | None = None
    think: bool | str | None = None


def encode(call: ModelCall) -> bytes:
    """The request body. Raises `Rejected` for what this wire has no words for."""
    _refuse_the_impossible(call)
    request, sampling = call.request, call.request.sampling
    stop = sampling.stop
    body = _Body(
        model=call.model.remote,
        messages=_turns(call),
        stream=request.stream,
        options=_Options(
            num_predict=call.max_output,
            num_ctx=call.model.context,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            frequency_penalty=sampling.frequency_penalty,
            presence_penalty=sampling.presence_penalty,
            seed=sampling.seed,
            stop=[stop] if isinstance(stop, str) else stop,
        ),
        tools=None if request.tool_choice == "none" else without_marks(request.tools, _NO_QUIRKS),
        format=_format(request),
        think=_think(effort_of(sampling), call.model.remote),
    )
    return msgspec.json.encode(body)


def _refuse_the_impossible(call: ModelCall) -> None:
    request, sampling = call.request, call.request.sampling
    forced = request.tool_choice not in (None, "auto", "none")
    for asked, what in (
        (request.choices > 1, "more than one choice (n)"),
        (sampling.logprobs or sampling.top_logprobs, "logprobs"),
        (sampling.logit_bias, "logit_bias"),
        (request.tools and forced, "a forced tool call (tool_choice)"),
        (request.tools and request.parallel_tool_calls is False, "one tool call at a time (parallel_tool_calls)"),
    ):
        if asked:
            raise beyond(what, call, NO_COUNTERPART)
    refuse_tier(call, NO_COUNTERPART)


def _turns(call: ModelCall) -> list[_Turn]:
    names: dict[str, str] = {}
    turns = []
    for message in call.request.messages:
        calls = [
            _ToolCall(_Function(each.function.name, arguments_of(each.function.name, each.function.arguments, call)))
            for each in message.tool_calls or ()
        ]
        names.update({each.id: each.function.name for each in message.tool_calls or ()})
        turn = _Turn(
            "system" if message.role == "developer" else message.role,
            text_of(message) or message.refusal or "",
            calls or None,
            _tool_name(message, names),
        )
        if not is_plain(message):
            _attach(turn, message, call)
        turns.append(turn)
    return turns


def _attach(turn: _Turn, message: Message, call: ModelCall) -> None:
    """Images and earlier reasoning, which stand beside the text here."""
    images: list[str] = []
    texts: list[str] = []
    for part in message.content if isinstance(message.content, list) else ():
        match part:
            case TextPart():
                texts.append(titled(part))
            case ImagePart():
                image = image_of(part, call)
                if isinstance(image, str):
                    raise beyond("images by address (image_url)", call, NO_ADDRESSES)
                images.append(image.data)
            case _:
                raise beyond("documents and sound (file, input_audio)", call, NO_COUNTERPART)
    turn.content = "".join(texts) or turn.content
    turn.images, turn.thinking = images or None, reasoning_of(message) or None


def _tool_name(message: Message, names: dict[str, str]) -> str | None:
    return names.get(message.tool_call_id or "", message.name) if message.role == "tool" else None


def _format(request: ChatRequest) -> str | dict[str, Any] | None:
    form = request.response_format
    if form is None or form.type == "text":
        return None
    schema = form.json_schema.schema if form.json_schema is not None else None
    return schema if form.type == "json_schema" and schema else "json"


def _think(effort: str | None, remote: str) -> bool | str | None:
    if effort is None:
        return None
    if effort in ("none", "minimal"):
        return False
    # Only this family knows levels; the others refuse them.
    if remote.rpartition("/")[2].startswith("gpt-oss"):
        return effort if effort in ("low", "medium", "high") else "high"
    return True
