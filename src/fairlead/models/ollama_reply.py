"""Replies on Ollama's own chat wire: one JSON object a line."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import Upstream
from fairlead.models.failures import stream_failure, unusable
from fairlead.models.tally import is_count
from fairlead.models.tool_arguments import plain_id
from fairlead.models.types import Chunk, ToolCallDelta, Usage

_LONGEST_LINE: Final = 4 << 20


class _Function(Struct, frozen=True):
    name: str = ""
    arguments: Any = None


class _ToolCall(Struct, frozen=True):
    function: _Function


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


class OllamaReader:
    """Turns the answer to one call into chunks: see `Reader`. `key` makes the ids of tool calls, which Ollama lacks."""

    __slots__ = ("_key", "_parts", "_size", "_subject", "_tools", "done", "failure", "usage")

    def __init__(self, subject: str, key: str) -> None:
        self.done = False
        self.failure: Upstream | None = None
        self.usage: Usage | None = None
        self._subject = subject
        self._key = plain_id(key)
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
