"""Requests on the Anthropic Messages wire.

What has no counterpart here is refused where leaving it out would break a promise to the caller: more than one
choice, logprobs, logit_bias, JSON without a schema, and service tiers. What only leans on the sampling or the price is
left out, so that a task can move between vendors: seed, frequency_penalty, presence_penalty, verbosity, the keys of the
prompt cache. System and developer messages go to `system`, wherever they stood. A JSON Schema goes to the API's own
structured output.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.models.anthropic_blocks import Block, ToolBlock, Turn, system_of, tool_of, turns_of
from fairlead.models.failures import beyond
from fairlead.models.handling import refuse_tier, user_of
from fairlead.models.media import NO_COUNTERPART
from fairlead.models.sampling import Sampling
from fairlead.models.types import ChatRequest, ModelCall, NamedToolChoice

_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_TIERS: Final = {"auto": "auto", "default": "standard_only"}


class _ToolChoice(Struct, omit_defaults=True):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool = False


class _Format(Struct):
    schema: dict[str, Any]
    type: str = "json_schema"


class _OutputConfig(Struct, omit_defaults=True):
    format: _Format | None = None
    effort: str | None = None


class _Thinking(Struct, omit_defaults=True):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class _Metadata(Struct):
    user_id: str


class _Body(Struct, omit_defaults=True, kw_only=True):
    model: str
    max_tokens: int
    messages: list[Turn]
    stream: bool
    system: str | list[Block] | None = None
    tools: list[ToolBlock] | None = None
    tool_choice: _ToolChoice | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    output_config: _OutputConfig | None = None
    thinking: _Thinking | None = None
    service_tier: str | None = None
    metadata: _Metadata | None = None


def encode(call: ModelCall, *, identify: bool = False) -> bytes:
    """The request body. Raises `Rejected` for what this wire has no words for."""
    request, sampling = call.request, call.request.sampling
    _refuse_the_impossible(call)
    stop = sampling.stop
    body = _Body(
        model=call.model.remote,
        max_tokens=call.max_output,
        messages=turns_of(call),
        stream=request.stream,
        system=system_of(call),
        tools=[tool_of(tool) for tool in request.tools] if request.tools else None,
        tool_choice=_tool_choice(request) if request.tools else None,
        stop_sequences=[stop] if isinstance(stop, str) else stop,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        output_config=_output_config(request, sampling.reasoning_effort),
    )
    if sampling.reasoning_effort is not None or sampling.reasoning_budget is not None:
        body.thinking = _thinking(sampling)
    if request.handling is not None:
        body.service_tier = _TIERS.get(request.handling.service_tier or "")
        user = user_of(call) if identify else None
        body.metadata = None if user is None else _Metadata(user)
    return msgspec.json.encode(body)


def _refuse_the_impossible(call: ModelCall) -> None:
    request, sampling = call.request, call.request.sampling
    form = request.response_format
    for asked, what in (
        (request.choices > 1, "more than one choice (n)"),
        (sampling.logprobs or sampling.top_logprobs, "logprobs"),
        (sampling.logit_bias, "logit_bias"),
        (form is not None and form.type == "json_object", "JSON without a schema (response_format json_object)"),
        (form is not None and form.type == "json_schema" and not request.reply_schema, "a JSON Schema that is empty"),
    ):
        if asked:
            raise beyond(what, call, NO_COUNTERPART)
    if request.handling is not None:
        refuse_tier(call, NO_COUNTERPART)


def _output_config(request: ChatRequest, effort: str | None) -> _OutputConfig | None:
    schema = request.reply_schema
    level = _EFFORTS.get(effort) if effort else None
    if schema is None and level is None:
        return None
    return _OutputConfig(_Format(schema) if schema is not None else None, level)


def _thinking(sampling: Sampling) -> _Thinking | None:
    """A budget as it was asked for; an effort alone goes to `output_config`, and the model decides."""
    budget, summary = sampling.reasoning_budget, sampling.reasoning_summary
    display = None if summary is None else "omitted" if summary == "none" else "summarized"
    if sampling.reasoning_effort == "none" or budget == 0:
        return _Thinking("disabled")
    if budget is not None:
        return _Thinking("enabled", budget, display)
    if display is not None and sampling.reasoning_effort is not None:
        return _Thinking("adaptive", display=display)
    return None


def _tool_choice(request: ChatRequest) -> _ToolChoice | None:
    choice, one = request.tool_choice, request.parallel_tool_calls is False
    if isinstance(choice, NamedToolChoice):
        return _ToolChoice("tool", choice.function.name, one)
    if choice == "none":
        return _ToolChoice("none")
    if choice == "required":
        return _ToolChoice("any", None, one)
    return _ToolChoice("auto", None, one) if choice == "auto" or one else None
