"""Requests on the OpenAI chat completions wire, encoded straight from our types.

Left out where the endpoint is not declared to take it, because it only leans on the sampling or the price: top_k, the
keys of the prompt cache. `reasoning_summary` has no counterpart, and nothing is lost by it. Who asks is told to an
endpoint that is declared so.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from fairlead.models.failures import beyond
from fairlead.models.handling import STANDARD, refuse_tier
from fairlead.models.openai_messages import adapted, without_marks
from fairlead.models.quirks import Quirks
from fairlead.models.reasoning import effort_of
from fairlead.models.types import Message, ModelCall, NamedToolChoice, ResponseFormat, Tool


class _StreamOptions(Struct, frozen=True):
    include_usage: bool = True


_WITH_USAGE: Final = _StreamOptions()
_UNDECLARED: Final = "its endpoint is declared without it under `quirks:`"
_UNDECLARED_MODEL: Final = "it is declared without it under `models:`"


class _SchemaObject(Struct, frozen=True):
    """How some servers take a schema."""

    schema: dict[str, Any]
    type: Literal["json_object"] = "json_object"


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
    response_format: ResponseFormat | _SchemaObject | None = None
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
    top_k: int | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, str] | None = None


def encode(call: ModelCall, quirks: Quirks, *, identify: bool = False) -> bytes:
    """The request body. Raises `Rejected` for what this endpoint is declared not to do."""
    request, sampling = call.request, call.request.sampling
    modern = quirks.max_tokens_field == "max_completion_tokens"
    if request.tools is not None or request.response_format is not None or request.choices > 1 or sampling.logprobs:
        _refuse_undeclared(call, quirks)
    body = _Body(
        model=call.model.remote,
        messages=adapted(request.messages, quirks, call),
        stream=request.stream,
        stream_options=_WITH_USAGE if request.stream and quirks.stream_usage else None,
        max_completion_tokens=call.max_output if modern else None,
        max_tokens=None if modern else call.max_output,
        n=request.choices,
        tools=None if request.tools is None else without_marks(request.tools, quirks),
        tool_choice=request.tool_choice,
        parallel_tool_calls=request.parallel_tool_calls if quirks.parallel_tool_calls else None,
        response_format=None if request.response_format is None else _format(request.response_format, quirks),
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        frequency_penalty=sampling.frequency_penalty,
        presence_penalty=sampling.presence_penalty,
        seed=sampling.seed,
        stop=sampling.stop,
        logit_bias=sampling.logit_bias,
        logprobs=sampling.logprobs,
        top_logprobs=sampling.top_logprobs,
        reasoning_effort=sampling.reasoning_effort if sampling.reasoning_budget is None else effort_of(sampling),
        verbosity=sampling.verbosity,
        top_k=sampling.top_k if quirks.top_k else None,
    )
    if request.tool_choice is not None and not quirks.tool_choice:
        body.tools, body.tool_choice = None if request.tool_choice == "none" else body.tools, None
    if request.handling is not None:
        _treat(body, call, quirks, identify=identify)
    return msgspec.json.encode(body)


def _format(form: ResponseFormat, quirks: Quirks) -> ResponseFormat | _SchemaObject:
    if form.type != "json_schema" or quirks.schema_form == "json_schema":
        return form
    return _SchemaObject((form.json_schema and form.json_schema.schema) or {})


def _refuse_undeclared(call: ModelCall, quirks: Quirks) -> None:
    request, model = call.request, call.model
    form, forced = request.response_format, request.tool_choice not in (None, "auto", "none")
    if request.choices > 1 and not quirks.choices:
        raise beyond("more than one choice (n)", call, _UNDECLARED)
    if request.sampling.logprobs and not quirks.logprobs:
        raise beyond("logprobs", call, _UNDECLARED)
    if request.tools is not None:
        if not model.tools:
            raise beyond("tools", call, _UNDECLARED_MODEL)
        if forced and not quirks.tool_choice:
            raise beyond("a forced tool call (tool_choice)", call, _UNDECLARED)
        if request.parallel_tool_calls is False and not quirks.parallel_tool_calls:
            raise beyond("one tool call at a time (parallel_tool_calls)", call, _UNDECLARED)
    if form is not None and form.type == "json_schema" and not model.json_schema:
        raise beyond("a JSON Schema (response_format json_schema)", call, _UNDECLARED_MODEL)


def _treat(body: _Body, call: ModelCall, quirks: Quirks, *, identify: bool) -> None:
    handling = call.request.handling
    assert handling is not None
    if quirks.service_tiers:
        body.service_tier = handling.service_tier
    else:
        refuse_tier(call, _UNDECLARED, STANDARD)
    if quirks.cache_keys:
        body.prompt_cache_key = handling.prompt_cache_key
        body.prompt_cache_retention = handling.prompt_cache_retention
    if identify:
        body.user, body.safety_identifier = handling.user, handling.safety_identifier
        body.metadata = handling.metadata
