"""Requests on the Anthropic Messages wire.

What has no counterpart here is refused where leaving it out would break a promise to the caller: more than one
choice, logprobs, logit_bias, and JSON without a schema. What only leans on the sampling is left out, so that a task
can move between vendors: seed, frequency_penalty, presence_penalty, verbosity. System and developer messages go to
`system`, wherever they stood. A JSON Schema goes to the API's own structured output.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.models.failures import beyond
from fairlead.models.tool_arguments import arguments_of
from fairlead.models.types import ChatRequest, Message, ModelCall, NamedToolChoice, Tool, text_of

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_-]")
_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}


class _Block(Struct, omit_defaults=True, kw_only=True):
    type: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    content: str | None = None


class _Turn(Struct):
    role: str
    content: str | list[_Block]


class _Tool(Struct, omit_defaults=True):
    name: str
    input_schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


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


class _Thinking(Struct):
    type: str


class _Body(Struct, omit_defaults=True, kw_only=True):
    model: str
    max_tokens: int
    messages: list[_Turn]
    stream: bool
    system: str | None = None
    tools: list[_Tool] | None = None
    tool_choice: _ToolChoice | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    output_config: _OutputConfig | None = None
    thinking: _Thinking | None = None


def encode(call: ModelCall) -> bytes:
    """The request body. Raises `Rejected` for what this wire has no words for."""
    request, sampling = call.request, call.request.sampling
    _refuse_the_impossible(call)
    stop, effort = sampling.stop, sampling.reasoning_effort
    body = _Body(
        model=call.model.remote,
        max_tokens=call.max_output,
        messages=_turns(call),
        stream=request.stream,
        system="\n\n".join(text_of(each) for each in request.messages if _is_system(each)) or None,
        tools=[_tool(tool) for tool in request.tools] if request.tools else None,
        tool_choice=_tool_choice(request) if request.tools else None,
        stop_sequences=[stop] if isinstance(stop, str) else stop,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        output_config=_output_config(request, effort),
        thinking=_Thinking("disabled") if effort == "none" else None,
    )
    return msgspec.json.encode(body)


def _refuse_the_impossible(call: ModelCall) -> None:
    request, sampling = call.request, call.request.sampling
    form = request.response_format
    for asked, what in (
        (request.choices > 1, "more than one choice (n)"),
        (sampling.logprobs or sampling.top_logprobs, "logprobs"),
        (sampling.logit_bias, "logit_bias"),
        (form is not None and form.type == "json_object", "JSON without a schema (response_format json_object)"),
        (form is not None and form.type == "json_schema" and not _schema(request), "a JSON Schema that is empty"),
    ):
        if asked:
            raise beyond(what, call, "its vendor's protocol has no counterpart")


def _schema(request: ChatRequest) -> dict[str, Any] | None:
    form = request.response_format
    return form.json_schema.schema if form is not None and form.json_schema is not None else None


def _output_config(request: ChatRequest, effort: str | None) -> _OutputConfig | None:
    schema = _schema(request)
    level = _EFFORTS.get(effort) if effort else None
    if schema is None and level is None:
        return None
    return _OutputConfig(_Format(schema) if schema is not None else None, level)


def _is_system(message: Message) -> bool:
    return message.role in ("system", "developer")


def _turns(call: ModelCall) -> list[_Turn]:
    turns: list[_Turn] = []
    results: list[_Block] | None = None  # results of one round of tool calls must come in one turn
    for message in call.request.messages:
        if message.role == "tool":
            if results is None:
                results = []
                turns.append(_Turn("user", results))
            id_ = _plain_id(message.tool_call_id or "")
            results.append(_Block(type="tool_result", tool_use_id=id_, content=text_of(message)))
            continue
        results = None
        if message.role == "user":
            turns.append(_Turn("user", text_of(message)))
        elif message.role == "assistant" and (blocks := list(_said(message, call))):
            turns.append(_Turn("assistant", blocks))
    return turns


def _said(message: Message, call: ModelCall) -> Iterator[_Block]:
    if text := text_of(message) or message.refusal:
        yield _Block(type="text", text=text)
    for tool_call in message.tool_calls or ():
        function = tool_call.function
        yield _Block(
            type="tool_use",
            id=_plain_id(tool_call.id),
            name=function.name,
            input=arguments_of(function.name, function.arguments, call),
        )


def _plain_id(id_: str) -> str:
    """Ids of other vendors' calls, in the characters that this one takes."""
    return _NOT_IN_AN_ID.sub("_", id_)


def _tool(tool: Tool) -> _Tool:
    function = tool.function
    schema = function.parameters or {"type": "object", "properties": {}}
    return _Tool(function.name, schema, function.description, function.strict)


def _tool_choice(request: ChatRequest) -> _ToolChoice | None:
    choice, one = request.tool_choice, request.parallel_tool_calls is False
    if isinstance(choice, NamedToolChoice):
        return _ToolChoice("tool", choice.function.name, one)
    if choice == "none":
        return _ToolChoice("none")
    if choice == "required":
        return _ToolChoice("any", None, one)
    return _ToolChoice("auto", None, one) if choice == "auto" or one else None
