"""What a client of chat completions may send. An unknown field is refused by name rather than dropped in silence."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.models.types import (
    ChatRequest,
    Handling,
    Message,
    NamedToolChoice,
    ResponseFormat,
    Sampling,
    Tool,
    ToolCall,
)

_Tokens = Annotated[int, Meta(ge=1, le=10_000_000)]
_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Name = Annotated[str, Meta(min_length=1, max_length=256)]


class StreamOptions(Struct, frozen=True, forbid_unknown_fields=True):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatToolCall(ToolCall, frozen=True, forbid_unknown_fields=True):
    """`index` comes from clients that send back the pieces of a stream; it says nothing more."""

    index: int | None = None


class ChatMessage(Message, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A message as clients send it. They send replies back as they got them: `annotations` repeat what is in the
    text, and members that can only be null here are not given by any model that Fairlead speaks to."""

    tool_calls: list[ChatToolCall] | None = None  # type: ignore[assignment]
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None


class ChatBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/chat/completions`. `user`, `metadata` and `safety_identifier` reach only an endpoint that
    is declared to be told who asks."""

    model: _Name
    messages: Annotated[list[ChatMessage], Meta(min_length=1, max_length=4096)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    n: Annotated[int, Meta(ge=1, le=16)] | None = None
    tools: Annotated[list[Tool], Meta(min_length=1, max_length=512)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: Annotated[str, Meta(max_length=1024)] | Annotated[list[str], Meta(max_length=16)] | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    store: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    modalities: list[Literal["text"]] | None = None


class AskedChat(Struct, frozen=True):
    """A request in the path's form, and whether a stream of its reply is to close with a usage chunk."""

    request: ChatRequest
    with_usage: bool


_NO_HANDLING = Handling()
_decoder = msgspec.json.Decoder(ChatBody)


def read_request(body: bytes) -> AskedChat:
    """Raises `BadInput`."""
    try:
        chat = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            f"the request is not valid: {error}",
            why="it does not match the chat completions protocol",
            mend="see docs/reference/doors.md for the fields that are understood",
        ) from None
    _refuse_inconsistent(chat)
    options = chat.stream_options
    return AskedChat(_translated(chat, len(body)), bool(options and options.include_usage))


def _refuse_inconsistent(chat: ChatBody) -> None:
    """What types cannot say, and upstream servers would answer with a 500 or, worse, a 200."""
    for number, message in enumerate(chat.messages):
        if message.role == "tool" and not message.tool_call_id:
            raise BadInput(
                f"messages[{number}]: a message of role tool needs tool_call_id",
                mend="give the id of the call that it answers",
            )
        if message.content is None and not (message.role == "assistant" and (message.tool_calls or message.refusal)):
            raise BadInput(
                f"messages[{number}]: content is missing",
                mend="give a text; only an assistant's message that calls tools or refuses may have none",
            )
    wanted = chat.response_format
    if wanted is not None and wanted.type == "json_schema" and wanted.json_schema is None:
        raise BadInput(
            "response_format: type json_schema needs the field json_schema",
            mend='give the schema, or ask for type "json_object"',
        )
    if chat.tool_choice not in (None, "none", "auto") and not chat.tools:
        raise BadInput("tool_choice is given but there are no tools", mend="give tools, or leave tool_choice out")
    if chat.top_logprobs is not None and not chat.logprobs:
        raise BadInput("top_logprobs needs logprobs: true", mend="ask for both, or for neither")
    if chat.stream_options is not None and not chat.stream:
        raise BadInput("stream_options needs stream: true", mend="ask for a stream, or leave stream_options out")


def _translated(chat: ChatBody, size: int) -> ChatRequest:
    return ChatRequest(
        model=chat.model,
        messages=_messages(chat.messages),
        size=size,
        stream=bool(chat.stream),
        max_output=chat.max_completion_tokens if chat.max_completion_tokens is not None else chat.max_tokens,
        choices=chat.n or 1,
        tools=chat.tools,
        tool_choice=chat.tool_choice,
        parallel_tool_calls=chat.parallel_tool_calls,
        response_format=chat.response_format,
        sampling=Sampling(
            temperature=chat.temperature,
            top_p=chat.top_p,
            frequency_penalty=chat.frequency_penalty,
            presence_penalty=chat.presence_penalty,
            seed=chat.seed,
            stop=chat.stop,
            logit_bias=chat.logit_bias,
            logprobs=chat.logprobs,
            top_logprobs=chat.top_logprobs,
            reasoning_effort=chat.reasoning_effort,
            verbosity=chat.verbosity,
        ),
        handling=_handling(chat),
    )


def _messages(given: list[ChatMessage]) -> list[Message]:
    """The messages without what only clients know. Most have nothing of it, and stay as they were decoded."""
    if any(each.tool_calls or each.annotations for each in given):
        return [_message(each) if each.tool_calls or each.annotations else each for each in given]
    return given  # type: ignore[return-value]


def _message(given: ChatMessage) -> Message:
    calls = [ToolCall(each.id, each.function, each.type, each.signature) for each in given.tool_calls or ()]
    return Message(
        role=given.role,
        content=given.content,
        name=given.name,
        tool_calls=calls or None,
        tool_call_id=given.tool_call_id,
        refusal=given.refusal,
        reasoning_content=given.reasoning_content,
        thoughts=given.thoughts,
        is_error=given.is_error,
    )


def _handling(chat: ChatBody) -> Handling | None:
    handling = Handling(
        service_tier=chat.service_tier,
        prompt_cache_key=chat.prompt_cache_key,
        prompt_cache_retention=chat.prompt_cache_retention,
        user=chat.user,
        safety_identifier=chat.safety_identifier,
        metadata=chat.metadata,
    )
    return None if handling == _NO_HANDLING else handling
