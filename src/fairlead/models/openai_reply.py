"""Replies on the OpenAI chat completions wire, streamed and not.

Written against what real servers send, not only against the API's description: usage on the finish chunk, on a chunk
without choices, on every chunk or never; reasoning under two names; tool pieces without an index; content as parts.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from fairlead.errors import Upstream
from fairlead.models.failures import stream_failure, unusable
from fairlead.models.sse import Event, SseParser
from fairlead.models.tally import is_count
from fairlead.models.types import Chunk, ToolCallDelta, Usage

_ABSENT: Final = Raw(b"")
_NULL: Final = Raw(b"null")


class _Part(Struct, frozen=True):
    text: str = ""


class _Function(Struct, frozen=True):
    name: str | None = None
    arguments: Any = None


class _ToolPiece(Struct, frozen=True):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Said(Struct, frozen=True):
    """A message, or a delta of one."""

    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolPiece] | None = None


class _Choice(Struct, frozen=True):
    index: int | None = None
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None
    logprobs: Raw = Raw(b"")
    stop_reason: object = None  # of some servers: the stop sequence that was met, or the number of a token


class _Reply(Struct, frozen=True):
    """A whole reply, or an event of a stream."""

    choices: list[_Choice] | None = None
    usage: Raw = Raw(b"")
    error: Raw = Raw(b"")
    service_tier: str | None = None


_decode = msgspec.json.Decoder(_Reply).decode

_FINISHES: Final = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
}


class OpenAIReader:
    """Turns the answer to one call into chunks: see `Reader`."""

    __slots__ = ("_parser", "_subject", "_tools", "done", "failure", "usage")

    def __init__(self, subject: str) -> None:
        self.done = False
        self.failure: Upstream | None = None
        self.usage: Usage | None = None
        self._subject = subject
        self._parser = SseParser()
        self._tools: dict[int, int] = {}

    def feed(self, data: bytes) -> list[Chunk]:
        """The chunks of one read of a stream. Text of one choice that came in the same read becomes one chunk."""
        chunks = self._chunks(self._parser.feed(data) if data else self._parser.end())
        if self._parser.broken and self.failure is None and not self.done:
            self.failure = unusable(self._parser.broken, subject=self._subject)
        return chunks

    def _chunks(self, events: list[Event]) -> list[Chunk]:
        chunks: list[Chunk] = []
        texts: dict[int, list[str]] = {}
        for _, data in events:
            reply = self._reply(data)
            if reply is None:
                break
            for choice in reply.choices or ():
                said = choice.delta or choice.message or _NOTHING
                index = choice.index or 0
                if said.content and _is_only_text(said, choice):
                    texts.setdefault(index, []).append(_text(said.content))
                    continue
                if choice.finish_reason == "error":
                    self._fail(data)
                    break
                if (chunk := self._chunk(choice, said, choice.finish_reason)) is not None:
                    if pending := texts.pop(index, None):
                        chunks.append(Chunk("".join(pending), index))
                    chunks.append(chunk)
            if self.failure is not None:
                break
        chunks.extend([Chunk("".join(parts), index) for index, parts in texts.items()])
        return chunks

    def whole(self, body: bytes) -> list[Chunk]:
        """The chunks of a reply that was not streamed: one for each choice."""
        reply = self._reply(body)
        if reply is None:
            return []
        if not reply.choices or any(each.message is None or each.finish_reason == "error" for each in reply.choices):
            self._fail(body)
            return []
        self.done = True
        # A body that is complete is a complete reply, also from servers that leave the reason out.
        chunks = (self._chunk(each, each.message or _NOTHING, each.finish_reason or "stop") for each in reply.choices)
        return [chunk for chunk in chunks if chunk is not None]

    def _reply(self, data: bytes) -> _Reply | None:
        """An event or a body; None where it is the end or an error, which is then noted."""
        try:
            reply = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if data == b"[DONE]":
                self.done = True
            else:
                self._fail(data)
            return None
        if reply.choices is None and not _is_given(reply.usage):
            self._fail(data)
            return None
        if reply.error and _is_given(reply.error):
            self._fail(data)
            return None
        if reply.usage and (usage := read_usage(reply.usage)) is not None:
            self.usage = usage if not reply.service_tier else replace(usage, tier=reply.service_tier)
        return reply

    def _fail(self, data: bytes) -> None:
        self.failure = stream_failure(data, subject=self._subject)

    def _chunk(self, choice: _Choice, said: _Said, finish: str | None) -> Chunk | None:
        index = choice.index or 0
        chunk = Chunk(
            text=_text(said.content),
            index=index,
            reasoning=said.reasoning_content or said.reasoning or "",
            refusal=said.refusal or "",
            tool_calls=tuple(self._tool_piece(index, piece) for piece in said.tool_calls or ()),
            logprobs=choice.logprobs.copy() if _is_given(choice.logprobs) else None,
            finish=_FINISHES.get(finish.lower(), "stop") if finish else None,
            stop=choice.stop_reason if finish and isinstance(choice.stop_reason, str) else None,
        )
        return None if chunk == Chunk(index=index) else chunk

    def _tool_piece(self, choice: int, piece: _ToolPiece) -> ToolCallDelta:
        """A piece with its index, which some servers leave out: a piece with a name then begins the next call."""
        function = piece.function or _Function()
        index = piece.index
        if index is None:
            last = self._tools.get(choice, -1)
            index = last + 1 if piece.id or function.name or last < 0 else last
        self._tools[choice] = index
        arguments = function.arguments
        if arguments is None:
            arguments = ""
        elif not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        return ToolCallDelta(index, piece.id or None, function.name or None, arguments)


_NOTHING: Final = _Said()


def _is_only_text(said: _Said, choice: _Choice) -> bool:
    return (
        choice.finish_reason is None
        and not said.tool_calls
        and not said.reasoning_content
        and not said.reasoning
        and not said.refusal
        and not _is_given(choice.logprobs)
    )


def _is_given(raw: Raw) -> bool:
    return raw not in (_ABSENT, _NULL)


def _text(content: str | list[_Part] | None) -> str:
    if isinstance(content, list):
        return "".join(part.text for part in content)
    return content or ""


def read_usage(raw: Raw) -> Usage | None:
    """The provider's counts in our convention, or None where they are missing or cannot be true."""
    try:
        found = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    given, made = found.get("prompt_tokens"), found.get("completion_tokens")
    if not is_count(given) or not is_count(made) or given == made == 0:
        return None
    cached = _detail(found, "prompt_tokens_details", "cached_tokens") or _count(found.get("prompt_cache_hit_tokens"))
    reasoning = _detail(found, "completion_tokens_details", "reasoning_tokens")
    if reasoning and found.get("total_tokens") == given + made + reasoning:
        made += reasoning  # this provider counts reasoning apart; we bill it as output, as it does
    written = _detail(found, "prompt_tokens_details", "cache_write_tokens")
    return Usage(
        input=given,
        output=made,
        cached_input=min(cached, given),
        cache_write=min(written, max(given - cached, 0)),
        reasoning=min(reasoning, made),
        audio_input=min(_detail(found, "prompt_tokens_details", "audio_tokens"), given),
        audio_output=min(_detail(found, "completion_tokens_details", "audio_tokens"), made),
    )


def _detail(found: dict[str, Any], group: str, name: str) -> int:
    details = found.get(group)
    return _count(details.get(name)) if isinstance(details, dict) else 0


def _count(value: Any) -> int:
    return value if is_count(value) else 0
