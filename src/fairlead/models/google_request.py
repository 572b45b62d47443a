"""Requests on the wire of Google's generateContent.

Refused, because leaving it out would break a promise: logit_bias, and a limit to one tool call at a time. Left out,
because nothing depends on it: verbosity, and the keys of a prompt cache. Schemas go out as the JSON Schemas that they
are. An effort becomes a level, or a budget of tokens for the models that know no levels.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.models.failures import beyond
from fairlead.models.google_parts import Content, contents_of, system_of
from fairlead.models.media import NO_COUNTERPART
from fairlead.models.reasoning import budget_of
from fairlead.models.sampling import Sampling
from fairlead.models.types import ChatRequest, ModelCall, NamedToolChoice, Tool

_TIERS: Final = {"default": "standard", "flex": "flex", "priority": "priority"}
_LEVELS: Final = {
    "none": "MINIMAL", "minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH",
    "max": "HIGH",
}  # fmt: skip
_KNOWS_BUDGETS_ONLY: Final = ("gemini-2",)


class _Declaration(Struct, rename="camel", omit_defaults=True):
    name: str
    description: str | None = None
    parameters_json_schema: dict[str, Any] | None = None


class _Tools(Struct, rename="camel"):
    function_declarations: list[_Declaration]


class _Calling(Struct, rename="camel", omit_defaults=True):
    mode: str
    allowed_function_names: list[str] | None = None


class _ToolConfig(Struct, rename="camel"):
    function_calling_config: _Calling


class _Thinking(Struct, rename="camel", omit_defaults=True):
    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class _Generation(Struct, rename="camel", omit_defaults=True, kw_only=True):
    max_output_tokens: int
    candidate_count: int = 1
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop_sequences: list[str] | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    response_mime_type: str | None = None
    response_json_schema: dict[str, Any] | None = None
    thinking_config: _Thinking | None = None


class _Body(Struct, rename="camel", omit_defaults=True, kw_only=True):
    contents: list[Content]
    generation_config: _Generation
    system_instruction: Content | None = None
    tools: list[_Tools] | None = None
    tool_config: _ToolConfig | None = None
    service_tier: str | None = None
    labels: dict[str, str] | None = None


def encode(call: ModelCall, *, identify: bool = False) -> bytes:
    """The request body; the model stands in the address. Raises `Rejected` for what this wire has no words for."""
    request = call.request
    _refuse_the_impossible(call)
    body = _Body(
        contents=contents_of(call),
        generation_config=_generation(call),
        system_instruction=system_of(call),
        tools=[_Tools([_declaration(tool) for tool in request.tools])] if request.tools else None,
        tool_config=_tool_config(request) if request.tools else None,
    )
    if request.handling is not None:
        body.service_tier = _TIERS.get(request.handling.service_tier or "")
        body.labels = request.handling.metadata if identify else None
    return msgspec.json.encode(body)


def _refuse_the_impossible(call: ModelCall) -> None:
    request = call.request
    handling = request.handling
    one_call = request.parallel_tool_calls is False and bool(request.tools) and request.tool_choice != "none"
    tier = handling.service_tier if handling is not None else None
    for asked, what in (
        (request.sampling.logit_bias, "logit_bias"),
        (one_call, "one tool call at a time (parallel_tool_calls)"),
        (tier not in (None, "auto", *_TIERS), f"service tier {tier} (service_tier)"),
    ):
        if asked:
            raise beyond(what, call, NO_COUNTERPART)


def _generation(call: ModelCall) -> _Generation:
    request, sampling = call.request, call.request.sampling
    stop, form = sampling.stop, request.response_format
    wants_json = form is not None and form.type != "text"
    return _Generation(
        max_output_tokens=call.max_output,
        candidate_count=request.choices,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        frequency_penalty=sampling.frequency_penalty,
        presence_penalty=sampling.presence_penalty,
        seed=sampling.seed,
        stop_sequences=[stop] if isinstance(stop, str) else stop,
        response_logprobs=sampling.logprobs,
        logprobs=sampling.top_logprobs,
        response_mime_type="application/json" if wants_json else None,
        response_json_schema=request.reply_schema,
        thinking_config=_thinking(sampling, call.model.remote),
    )


def _thinking(sampling: Sampling, remote: str) -> _Thinking | None:
    effort, budget, summary = sampling.reasoning_effort, sampling.reasoning_budget, sampling.reasoning_summary
    if effort is None and budget is None and summary is None:
        return None
    by_budget = budget is not None or remote.startswith(_KNOWS_BUDGETS_ONLY)
    tokens = budget_of(sampling) if by_budget else None
    level = None if by_budget or effort is None else _LEVELS.get(effort, "HIGH")
    shown = summary != "none" and effort != "none" and tokens != 0
    return _Thinking(shown or None, tokens, level)


def _declaration(tool: Tool) -> _Declaration:
    function = tool.function
    return _Declaration(function.name, function.description, function.parameters)


def _tool_config(request: ChatRequest) -> _ToolConfig | None:
    choice = request.tool_choice
    if isinstance(choice, NamedToolChoice):
        return _ToolConfig(_Calling("ANY", [choice.function.name]))
    if choice in ("none", "required"):
        return _ToolConfig(_Calling("NONE" if choice == "none" else "ANY"))
    if any(tool.function.strict for tool in request.tools or ()):
        return _ToolConfig(_Calling("VALIDATED"))  # calls if it likes, and then by the schema
    return _ToolConfig(_Calling("AUTO")) if choice == "auto" else None
