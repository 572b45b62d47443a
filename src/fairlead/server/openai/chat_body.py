"""What a client of chat completions may send. An unknown field is refused by name rather than dropped in silence.

Ignored is only what repeats something else, and what changes nothing about the reply; the page on doors lists it.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fairlead.models.types import Function, JsonSchemaSpec, Message, NamedToolChoice, ResponseFormat, Tool, ToolCall

Tokens = Annotated[int, Meta(ge=1, le=10_000_000)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]


class StreamOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The `stream_options` of chat and legacy completions (OpenAI API, v1)."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatFunction(Function, frozen=True, forbid_unknown_fields=True):
    """`parsed_arguments` comes from clients that parse replies; it repeats `arguments`, which is what counts."""

    parsed_arguments: Any = None


class ChatToolCall(ToolCall, frozen=True, forbid_unknown_fields=True):
    """`index` comes from clients that send back the pieces of a stream; it says nothing more."""

    function: ChatFunction
    index: int | None = None


class ChatMessage(Message, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A message as clients send it. They send replies back as they got them: `annotations` and `parsed` repeat what is
    in the text, and members that can only be null here are not given by any model that Fairlead speaks to."""

    tool_calls: list[ChatToolCall] | None = None  # type: ignore[assignment]
    annotations: list[Any] | None = None
    parsed: Any = None
    audio: None = None
    function_call: None = None


class ChatSchema(JsonSchemaSpec, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Many servers do without a name, and so do their clients; a vendor that wants one gets one."""

    name: str = "reply"


class ChatFormat(ResponseFormat, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """With `schema` beside it, `json_object` means what others call `json_schema`."""

    json_schema: ChatSchema | None = None
    schema: dict[str, Any] | None = None


class ChatBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/chat/completions`. `user`, `metadata` and `safety_identifier` reach only an endpoint that
    is declared to be told who asks."""

    model: Name
    messages: Annotated[list[ChatMessage], Meta(min_length=1, max_length=4096)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    n: Annotated[int, Meta(ge=1, le=16)] | None = None
    tools: Annotated[list[Tool], Meta(min_length=1, max_length=512)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ChatFormat | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
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
