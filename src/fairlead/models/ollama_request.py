"""Requests on Ollama's own chat wire.

Refused, because leaving it out would break a promise: more than one choice, logprobs, logit_bias, a tool choice that
forces a call, and a limit to one tool call at a time. Left out: verbosity. The context length is always sent where it
is known, because Ollama cuts what passes its own small default without a word.
"""

from typing import Any

import msgspec
from msgspec import Struct

from fairlead.models.failures import beyond
from fairlead.models.tool_arguments import arguments_of
from fairlead.models.types import ChatRequest, Message, ModelCall, Tool, text_of


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


class _Options(Struct, omit_defaults=True, kw_only=True):
    num_predict: int
    num_ctx: int | None = None
    temperature: float | None = None
    top_p: float | None = None
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
            frequency_penalty=sampling.frequency_penalty,
            presence_penalty=sampling.presence_penalty,
            seed=sampling.seed,
            stop=[stop] if isinstance(stop, str) else stop,
        ),
        tools=None if request.tool_choice == "none" else request.tools,
        format=_format(request),
        think=_think(sampling.reasoning_effort, call.model.remote),
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
            raise beyond(what, call, "Ollama's protocol has no counterpart")


def _turns(call: ModelCall) -> list[_Turn]:
    names: dict[str, str] = {}
    turns = []
    for message in call.request.messages:
        calls = [
            _ToolCall(_Function(each.function.name, arguments_of(each.function.name, each.function.arguments, call)))
            for each in message.tool_calls or ()
        ]
        names.update({each.id: each.function.name for each in message.tool_calls or ()})
        turns.append(
            _Turn(
                "system" if message.role == "developer" else message.role,
                text_of(message) or message.refusal or "",
                calls or None,
                _tool_name(message, names),
            )
        )
    return turns


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
