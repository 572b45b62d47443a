"""Replies on the Anthropic Messages wire, streamed and not. Events and blocks that are not known are passed over."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from fairlead.errors import Upstream
from fairlead.models.anthropic_blocks import SCHEME
from fairlead.models.content import Thought
from fairlead.models.failures import stream_failure, unusable
from fairlead.models.sse import Event, SseParser
from fairlead.models.tally import is_count
from fairlead.models.tool_arguments import compact
from fairlead.models.types import Chunk, ToolCallDelta, Usage


class _Content(Struct, frozen=True):
    """A content block, or a delta of one."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    partial_json: str = ""
    id: str | None = None
    name: str | None = None
    input: Raw = Raw(b"")
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _Reply(Struct, frozen=True):
    """A whole reply, the start of one, or an event of a stream."""

    type: str = ""
    index: int = 0
    message: "_Reply | None" = None
    content: list[_Content] | None = None
    content_block: _Content | None = None
    delta: _Content | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
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


def _stop(said: _Content | _Reply) -> str | None:
    return (said.stop_sequence or "") if said.stop_reason == "stop_sequence" else None


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
        *earlier, last = _reasoning(reply.content) or [Chunk()]
        calls = [block for block in reply.content if block.type == "tool_use"]
        chunk = Chunk(
            text="".join(block.text for block in reply.content),
            reasoning=last.reasoning,
            thought=last.thought,
            tool_calls=tuple(
                ToolCallDelta(n, block.id, block.name, compact(block.input)) for n, block in enumerate(calls)
            ),
            finish=_finish(reply.stop_reason or "end_turn"),
            stop=_stop(reply),
        )
        return [*earlier, chunk]

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
                    return Chunk(finish=_finish(event.delta.stop_reason), stop=_stop(event.delta))
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
            self._silent[index] = compact(block.input)
            return Chunk(tool_calls=(ToolCallDelta(number, block.id, block.name),))
        thought = _thought(block)
        if block.text or block.thinking or thought is not None:
            return Chunk(block.text, reasoning=block.thinking, thought=thought)
        return None

    def _continued(self, index: int, delta: _Content) -> Chunk | None:
        if delta.thinking:
            return Chunk(reasoning=delta.thinking)
        if delta.signature:
            return Chunk(thought=_thought(delta))
        if delta.partial_json and index in self._tools:
            self._silent.pop(index, None)
            return Chunk(tool_calls=(ToolCallDelta(self._tools[index], arguments=delta.partial_json),))
        return None

    def _count(self, raw: Raw, *, final: bool) -> None:
        """Take over counts. They are cumulative; the output's is only a start value until the message's end."""
        try:
            found = msgspec.json.decode(raw) if raw else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            return
        self._counts.update({name: value for name, value in found.items() if value is not None})
        self.usage = _usage(self._counts, final=final)


def _thought(block: _Content) -> Thought | None:
    if block.type == "redacted_thinking":
        return Thought(sealed=f"{SCHEME}:{block.data}")
    return Thought(signature=f"{SCHEME}:{block.signature}") if block.signature else None


def _reasoning(blocks: list[_Content]) -> list[Chunk]:
    """A chunk for each block of reasoning: proofs belong to the text right before them."""
    return [
        Chunk(reasoning=block.thinking, thought=_thought(block))
        for block in blocks
        if block.thinking or block.signature or block.data
    ]


def _usage(counts: dict[str, Any], *, final: bool) -> Usage | None:
    fresh, output = counts.get("input_tokens"), counts.get("output_tokens")
    read, written = counts.get("cache_read_input_tokens", 0), counts.get("cache_creation_input_tokens", 0)
    if not is_count(fresh) or not is_count(output) or not is_count(read) or not is_count(written):
        return None
    details = counts.get("output_tokens_details")
    thinking = details.get("thinking_tokens") if isinstance(details, dict) else 0
    creation, tier = counts.get("cache_creation"), counts.get("service_tier")
    kept = creation.get("ephemeral_1h_input_tokens") if isinstance(creation, dict) else 0
    return Usage(
        input=fresh + read + written,
        output=output,
        cached_input=read,
        cache_write=written,
        reasoning=min(thinking, output) if is_count(thinking) else 0,
        estimated=not final,
        cache_write_1h=min(kept, written) if is_count(kept) else 0,
        tier=tier if isinstance(tier, str) else "",
    )
