"""Requests on the wire of Amazon Bedrock's Converse and ConverseStream.

Refused, because leaving it out would break a promise: more than one choice, logprobs, logit_bias, JSON without a
schema, a limit to one tool call at a time, and tools that must not be called after some have been. Left out, because it
only leans on the sampling or the price: seed, frequency_penalty, presence_penalty, verbosity, the keys of a prompt
cache, and top_k where the family of models has no known place for it. Reasoning is asked for as each family wants it.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.models.bedrock_blocks import Block, ToolEntry, Turn, system_of, tools_of, turns_of
from fairlead.models.failures import beyond
from fairlead.models.media import NO_COUNTERPART
from fairlead.models.reasoning import effort_of
from fairlead.models.sampling import Sampling
from fairlead.models.types import ChatRequest, ModelCall, NamedToolChoice

_TIERS: Final = (None, "auto", "default", "flex", "priority")
_EFFORTS: Final = {"minimal": "low", "xhigh": "high", "max": "high"}


class _Inference(Struct, rename="camel", omit_defaults=True):
    max_tokens: int
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None


class _Named(Struct):
    name: str


class _ToolChoice(Struct, omit_defaults=True):
    auto: dict[str, str] | None = None
    any: dict[str, str] | None = None
    tool: _Named | None = None


class _ToolConfig(Struct, rename="camel", omit_defaults=True):
    tools: list[ToolEntry]
    tool_choice: _ToolChoice | None = None


class _JsonSchema(Struct, omit_defaults=True):
    schema: str
    name: str | None = None
    description: str | None = None


class _Structure(Struct, rename="camel"):
    json_schema: _JsonSchema


class _TextFormat(Struct):
    structure: _Structure
    type: str = "json_schema"


class _OutputConfig(Struct, rename="camel", omit_defaults=True):
    text_format: _TextFormat | None = None
    effort: str | None = None


class _Tier(Struct):
    type: str


class _Body(Struct, rename="camel", omit_defaults=True, kw_only=True):
    messages: list[Turn]
    inference_config: _Inference
    system: list[Block] | None = None
    tool_config: _ToolConfig | None = None
    output_config: _OutputConfig | None = None
    additional_model_request_fields: dict[str, Any] | None = None
    service_tier: _Tier | None = None
    request_metadata: dict[str, str] | None = None


def encode(call: ModelCall, *, identify: bool = False) -> bytes:
    """The request body; the model stands in the address. Raises `Rejected` for what this wire has no words for."""
    request, sampling = call.request, call.request.sampling
    _refuse_the_impossible(call)
    stop = sampling.stop
    effort, further = _reasoning(sampling, call.model.remote)
    further |= _top_k(sampling.top_k, call.model.remote)
    body = _Body(
        messages=turns_of(call),
        inference_config=_Inference(
            call.max_output, sampling.temperature, sampling.top_p, [stop] if isinstance(stop, str) else stop
        ),
        system=system_of(call),
        tool_config=_tool_config(request),
        output_config=_output_config(request, effort),
        additional_model_request_fields=further or None,
    )
    if request.handling is not None:
        tier = request.handling.service_tier
        body.service_tier = _Tier(tier) if tier not in (None, "auto") else None
        body.request_metadata = request.handling.metadata if identify else None
    return msgspec.json.encode(body)


def _refuse_the_impossible(call: ModelCall) -> None:
    request, sampling = call.request, call.request.sampling
    form, handling = request.response_format, request.handling
    tier = handling.service_tier if handling is not None else None
    muted = request.tool_choice == "none" and any(each.tool_calls or each.role == "tool" for each in request.messages)
    one_call = request.parallel_tool_calls is False and request.tool_choice != "none"
    for asked, what in (
        (request.choices > 1, "more than one choice (n)"),
        (sampling.logprobs or sampling.top_logprobs, "logprobs"),
        (sampling.logit_bias, "logit_bias"),
        (form is not None and form.type == "json_object", "JSON without a schema (response_format json_object)"),
        (form is not None and form.type == "json_schema" and not request.reply_schema, "a JSON Schema that is empty"),
        (request.tools and muted, "tools that must not be called, after some were (tool_choice none)"),
        (request.tools and one_call, "one tool call at a time (parallel_tool_calls)"),
        (tier not in _TIERS, f"service tier {tier} (service_tier)"),
    ):
        if asked:
            raise beyond(what, call, NO_COUNTERPART)


def _output_config(request: ChatRequest, effort: str | None) -> _OutputConfig | None:
    schema, form = request.reply_schema, request.response_format
    if schema is None or form is None or form.json_schema is None:
        return None if effort is None else _OutputConfig(effort=effort)
    text = msgspec.json.encode(schema).decode()
    described = _JsonSchema(text, form.json_schema.name, form.json_schema.description)
    return _OutputConfig(_TextFormat(_Structure(described)), effort)


def _reasoning(sampling: Sampling, remote: str) -> tuple[str | None, dict[str, Any]]:
    """The effort for `outputConfig`, and what this family of models wants beside it."""
    effort, budget = effort_of(sampling), sampling.reasoning_budget
    if effort is None:
        return None, {}
    level = _EFFORTS.get(effort, effort)
    further: dict[str, Any] = {}
    if "amazon.nova" in remote:
        off = {"type": "disabled"}
        further["reasoningConfig"] = off if level == "none" else {"type": "enabled", "maxReasoningEffort": level}
    elif "openai." in remote:
        further["reasoning_effort"] = "low" if level == "none" else level
    elif "anthropic." in remote and level == "none":
        further["thinking"] = {"type": "disabled"}
    elif "anthropic." in remote and budget is not None:
        further["thinking"] = {"type": "enabled", "budget_tokens": budget}
    elif level != "none":
        return level, further
    return None, further


def _top_k(top_k: int | None, remote: str) -> dict[str, Any]:
    if top_k is None:
        return {}
    if "anthropic." in remote:
        return {"top_k": top_k}
    return {"inferenceConfig": {"topK": top_k}} if "amazon.nova" in remote else {}


def _tool_config(request: ChatRequest) -> _ToolConfig | None:
    choice = request.tool_choice
    if not request.tools or choice == "none":
        return None
    tools = list(tools_of(request.tools))
    if isinstance(choice, NamedToolChoice):
        return _ToolConfig(tools, _ToolChoice(tool=_Named(choice.function.name)))
    if choice == "required":
        return _ToolConfig(tools, _ToolChoice(any={}))
    return _ToolConfig(tools, _ToolChoice(auto={}) if choice == "auto" else None)
