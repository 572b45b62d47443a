"""Requests on the OpenAI chat completions wire, encoded straight from our types."""

from typing import Final

import msgspec
from msgspec import Struct

from fairlead.models.failures import beyond
from fairlead.models.settings import Quirks
from fairlead.models.types import Message, ModelCall, NamedToolChoice, ResponseFormat, Tool, text_of


class _StreamOptions(Struct, frozen=True):
    include_usage: bool = True


_WITH_USAGE: Final = _StreamOptions()
_UNDECLARED: Final = "its endpoint is declared without it under `quirks:`"


class _Body(Struct, kw_only=True, omit_defaults=True):
    model: str
    messages: list[Message]
    stream: bool
    stream_options: _StreamOptions | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    n: int = 1
    tools: list[Tool] | None = None
    tool_choice: str | NamedToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None


def encode(call: ModelCall, quirks: Quirks) -> bytes:
    """The request body. Raises `Rejected` for what this endpoint is declared not to do."""
    request, sampling = call.request, call.request.sampling
    modern = quirks.max_tokens_field == "max_completion_tokens"
    if request.choices > 1 and not quirks.choices:
        raise beyond("more than one choice (n)", call, _UNDECLARED)
    if sampling.logprobs and not quirks.logprobs:
        raise beyond("logprobs", call, _UNDECLARED)
    body = _Body(
        model=call.model.remote,
        messages=request.messages if quirks.plain_messages else [_adapted(each, quirks) for each in request.messages],
        stream=request.stream,
        stream_options=_WITH_USAGE if request.stream and quirks.stream_usage else None,
        max_completion_tokens=call.max_output if modern else None,
        max_tokens=None if modern else call.max_output,
        n=request.choices,
        tools=request.tools,
        tool_choice=request.tool_choice,
        parallel_tool_calls=request.parallel_tool_calls,
        response_format=request.response_format,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        frequency_penalty=sampling.frequency_penalty,
        presence_penalty=sampling.presence_penalty,
        seed=sampling.seed,
        stop=sampling.stop,
        logit_bias=sampling.logit_bias,
        logprobs=sampling.logprobs,
        top_logprobs=sampling.top_logprobs,
        reasoning_effort=sampling.reasoning_effort,
        verbosity=sampling.verbosity,
    )
    return msgspec.json.encode(body)


def _adapted(message: Message, quirks: Quirks) -> Message:
    role, content = message.role, message.content
    if role == "developer" and not quirks.developer_role:
        role = "system"
    if isinstance(content, list) and not quirks.content_parts:
        content = text_of(message)
    if content is None and not quirks.null_content:
        content = ""
    if role is message.role and content is message.content:
        return message
    return msgspec.structs.replace(message, role=role, content=content)
