"""The Anthropic Messages wire.

What has no counterpart here is refused where leaving it out would break a promise to the caller: more than one
choice, logprobs, logit_bias, and JSON without a schema. What only leans on the sampling is left out, so that a task
can move between vendors: seed, frequency_penalty, presence_penalty, verbosity. System and developer messages go to
`system`, wherever they stood. A JSON Schema goes to the API's own structured output.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from fairlead.errors import Rejected, Upstream
from fairlead.models.failures import stream_failure, unusable
from fairlead.models.sse import Event, SseParser
from fairlead.models.tally import is_count
from fairlead.models.types import (
    ChatRequest,
    Chunk,
    Message,
    ModelCall,
    NamedToolChoice,
    Tool,
    ToolCallDelta,
    Usage,
    text_of,
)

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
            raise Rejected(
                f"model {call.model.name} cannot do {what}",
                why="its vendor's protocol has no counterpart",
                mend="leave it out, or choose another model",
                subject=call.model.name,
                retryable=False,
            )


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


def arguments_of(name: str, arguments: str, call: ModelCall) -> dict[str, Any]:
    """A tool call's arguments as an object, for wires that want them so. Raises `Rejected` if they are none."""
    try:
        found = msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        found = None
    if isinstance(found, dict):
        return found
    raise Rejected(
        f"the arguments of an earlier call of {name} are not a JSON object",
        why=f"model {call.model.name} takes no others",
        mend="leave that turn out of the messages, or mend its arguments",
        subject=call.model.name,
        retryable=False,
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


class _Content(Struct, frozen=True):
    """A content block, or a delta of one."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    id: str | None = None
    name: str | None = None
    input: Raw = Raw(b"")
    stop_reason: str | None = None


class _Reply(Struct, frozen=True):
    """A whole reply, the start of one, or an event of a stream."""

    type: str = ""
    index: int = 0
    message: "_Reply | None" = None
    content: list[_Content] | None = None
    content_block: _Content | None = None
    delta: _Content | None = None
    stop_reason: str | None = None
    usage: Raw = Raw(b"")


_decode = msgspec.json.Decoder(_Reply).decode

_FINISHES: Final = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def _finish(reason: str) -> str:
    return _FINISHES.get(reason, "stop")


class AnthropicReader:
    """Turns the answer to one call into chunks: see `Reader`."""

    __slots__ = ("_counts", "_parser", "_silent", "_subject", "_tools", "done", "failure", "usage")

    def __init__(self, subject: str) -> None:
        self.done = False
        self.failure: Upstream | None = None
        self.usage: Usage | None = None
        self._subject = subject
        self._parser = SseParser()
        self._counts: dict[str, Any] = {}
        self._tools: dict[int, int] = {}  # content block -> number of the tool call
        self._silent: dict[int, str] = {}  # tool calls that had no arguments yet -> what their start gave

    def feed(self, data: bytes) -> list[Chunk]:
        """The chunks of one read of a stream. Text that came in the same read becomes one chunk."""
        chunks = self._chunks(self._parser.feed(data) if data else self._parser.end())
        if self._parser.broken and self.failure is None and not self.done:
            self.failure = unusable(self._parser.broken, subject=self._subject)
        return chunks

    def whole(self, body: bytes) -> list[Chunk]:
        """The chunk of a reply that was not streamed."""
        reply = self._reply(body)
        if reply is None:
            return []
        if reply.content is None:
            self.failure = stream_failure(body, subject=self._subject)
            return []
        self.done = True
        self._count(reply.usage, final=True)
        calls = [block for block in reply.content if block.type == "tool_use"]
        return [
            Chunk(
                text="".join(block.text for block in reply.content),
                reasoning="".join(block.thinking for block in reply.content),
                tool_calls=tuple(
                    ToolCallDelta(n, block.id, block.name, _compact(block.input)) for n, block in enumerate(calls)
                ),
                finish=_finish(reply.stop_reason or "end_turn"),
            )
        ]

    def _chunks(self, events: list[Event]) -> list[Chunk]:
        chunks: list[Chunk] = []
        texts: list[str] = []
        for _, data in events:
            event = self._reply(data)
            if event is None:
                break
            if event.type == "content_block_delta" and event.delta is not None and event.delta.type == "text_delta":
                texts.append(event.delta.text)
                continue
            chunk = self._other(event)
            if chunk is not None:
                if texts:
                    chunks.append(Chunk("".join(texts)))
                    texts.clear()
                chunks.append(chunk)
            if self.done:
                break
        if text := "".join(texts):
            chunks.append(Chunk(text))
        return chunks

    def _reply(self, data: bytes) -> _Reply | None:
        try:
            reply = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            reply = None
        if reply is None or reply.type in ("error", ""):
            self.failure = stream_failure(data, subject=self._subject)
            return None
        return reply

    def _other(self, event: _Reply) -> Chunk | None:
        """The chunk of an event that is not plain text, if it has one. Kinds that are not known are passed over."""
        match event.type:
            case "message_start" if event.message is not None:
                self._count(event.message.usage, final=False)
            case "message_delta":
                self._count(event.usage, final=True)
                if event.delta is not None and event.delta.stop_reason:
                    return Chunk(finish=_finish(event.delta.stop_reason))
            case "message_stop":
                self.done = True
            case "content_block_start" if event.content_block is not None:
                return self._started(event.index, event.content_block)
            case "content_block_delta" if event.delta is not None:
                return self._continued(event.index, event.delta)
            case "content_block_stop" if event.index in self._silent:
                arguments = self._silent.pop(event.index)
                return Chunk(tool_calls=(ToolCallDelta(self._tools[event.index], arguments=arguments),))
        return None

    def _started(self, index: int, block: _Content) -> Chunk | None:
        if block.type == "tool_use":
            number = self._tools[index] = len(self._tools)
            self._silent[index] = _compact(block.input)
            return Chunk(tool_calls=(ToolCallDelta(number, block.id, block.name),))
        if block.text or block.thinking:
            return Chunk(block.text, reasoning=block.thinking)
        return None

    def _continued(self, index: int, delta: _Content) -> Chunk | None:
        if delta.thinking:
            return Chunk(reasoning=delta.thinking)
        if delta.partial_json and index in self._tools:
            self._silent.pop(index, None)
            return Chunk(tool_calls=(ToolCallDelta(self._tools[index], arguments=delta.partial_json),))
        return None

    def _count(self, raw: Raw, *, final: bool) -> None:
        """Take over counts. They are cumulative; the output's is only a start value until the message's end."""
        try:
            found = msgspec.json.decode(raw) if raw else None
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            return
        self._counts.update({name: value for name, value in found.items() if value is not None})
        self.usage = _usage(self._counts, final=final)


def _usage(counts: dict[str, Any], *, final: bool) -> Usage | None:
    fresh, output = counts.get("input_tokens"), counts.get("output_tokens")
    read, written = counts.get("cache_read_input_tokens", 0), counts.get("cache_creation_input_tokens", 0)
    if not is_count(fresh) or not is_count(output) or not is_count(read) or not is_count(written):
        return None
    details = counts.get("output_tokens_details")
    thinking = details.get("thinking_tokens") if isinstance(details, dict) else 0
    return Usage(
        input=fresh + read + written,
        output=output,
        cached_input=read,
        cache_write=written,
        reasoning=min(thinking, output) if is_count(thinking) else 0,
        estimated=not final,
    )


def _compact(raw: Raw) -> str:
    return msgspec.json.format(raw, indent=-1).decode() if raw else "{}"
