"""Ollama's own chat wire: one JSON object a line.

Refused, because leaving it out would break a promise: more than one choice, logprobs, logit_bias, a tool choice that
forces a call, and a limit to one tool call at a time. Left out: verbosity. The context length is always sent where it
is known, because Ollama cuts what passes its own small default without a word.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import Rejected, Upstream
from fairlead.models.anthropic_wire import arguments_of
from fairlead.models.failures import stream_failure, unusable
from fairlead.models.tally import is_count
from fairlead.models.types import ChatRequest, Chunk, Message, ModelCall, Tool, ToolCallDelta, Usage, text_of

_LONGEST_LINE: Final = 4 << 20


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
            raise Rejected(
                f"model {call.model.name} cannot do {what}",
                why="Ollama's protocol has no counterpart",
                mend="leave it out, or choose another model",
                subject=call.model.name,
                retryable=False,
            )


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


class _Said(Struct, frozen=True):
    content: str = ""
    thinking: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Line(Struct, frozen=True):
    message: _Said | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Line).decode
_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9_-]")


class OllamaReader:
    """Turns the answer to one call into chunks: see `Reader`. `key` makes the ids of tool calls, which Ollama lacks."""

    __slots__ = ("_key", "_parts", "_size", "_subject", "_tools", "done", "failure", "usage")

    def __init__(self, subject: str, key: str) -> None:
        self.done = False
        self.failure: Upstream | None = None
        self.usage: Usage | None = None
        self._subject = subject
        self._key = _NOT_IN_AN_ID.sub("_", key)
        self._parts: list[bytes] = []
        self._size = 0
        self._tools = 0

    def feed(self, data: bytes) -> list[Chunk]:
        """The chunks of one read of a stream. Text that came in the same read becomes one chunk."""
        chunks: list[Chunk] = []
        texts: list[str] = []
        for line in self._lines(data):
            reply = self._line(line)
            if reply is None:
                break
            said = reply.message
            if said is not None and not reply.done and not said.thinking and not said.tool_calls:
                texts.append(said.content)
                continue
            if text := "".join(texts):
                chunks.append(Chunk(text))
            texts.clear()
            if said is not None or reply.done:
                chunks.append(self._chunk(reply, said or _NOTHING))
        if text := "".join(texts):
            chunks.append(Chunk(text))
        return chunks

    def whole(self, body: bytes) -> list[Chunk]:
        """The chunk of a reply that was not streamed."""
        reply = self._line(body)
        if reply is None:
            return []
        if reply.message is None or not reply.done:
            self.failure = unusable("it is not a complete chat reply", subject=self._subject)
            return []
        return [self._chunk(reply, reply.message)]

    def _lines(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes; at the end (b"") also what has no line feed."""
        self._parts.append(data)
        self._size += len(data)
        if data and b"\n" not in data:
            if self._size > _LONGEST_LINE:
                self.failure = unusable(f"a line is longer than {_LONGEST_LINE} bytes", subject=self._subject)
            return []
        *lines, rest = b"".join(self._parts).split(b"\n")
        if not data:
            lines.append(rest)
            rest = b""
        self._parts, self._size = [rest], len(rest)
        return [line for line in lines if line.strip()]

    def _line(self, line: bytes) -> _Line | None:
        try:
            reply = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            reply = None
        if reply is None or reply.error is not None or (reply.message is None and not reply.done):
            self.failure = stream_failure(line, subject=self._subject)
            return None
        if reply.done:
            self.done = True
            self.usage = _usage(reply)
        return reply

    def _chunk(self, reply: _Line, said: _Said) -> Chunk:
        calls = tuple(self._tool_call(each) for each in said.tool_calls or ())
        finish = None
        if reply.done:
            finish = "length" if reply.done_reason == "length" else "tool_calls" if self._tools else "stop"
        return Chunk(said.content, reasoning=said.thinking or "", tool_calls=calls, finish=finish)

    def _tool_call(self, given: _ToolCall) -> ToolCallDelta:
        number, self._tools = self._tools, self._tools + 1
        arguments = given.function.arguments
        text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()
        return ToolCallDelta(number, f"call_{self._key}_{number}", given.function.name, text)


_NOTHING: Final = _Said()


def _usage(reply: _Line) -> Usage | None:
    """Ollama leaves the input's count out where it had the whole prompt in its cache: then we count."""
    given, made = reply.prompt_eval_count, reply.eval_count
    if not is_count(given) or not is_count(made) or given == made == 0:
        return None
    return Usage(input=given, output=made)
