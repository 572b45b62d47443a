"""Replies on the wire of Amazon Bedrock's Converse and ConverseStream. Events that are not known are passed over."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from fairlead.errors import Upstream
from fairlead.models.bedrock_blocks import SCHEME
from fairlead.models.content import Thought
from fairlead.models.event_stream import EventStreamParser, Frame
from fairlead.models.failures import refused_content, stream_failure, unusable
from fairlead.models.tally import is_count
from fairlead.models.tool_arguments import compact
from fairlead.models.types import Chunk, ToolCallDelta, Usage


class _ToolUse(Struct, rename="camel", frozen=True):
    tool_use_id: str | None = None
    name: str | None = None
    input: Raw = Raw(b"")


class _ReasoningText(Struct, frozen=True):
    text: str = ""
    signature: str = ""


class _Reasoning(Struct, rename="camel", frozen=True):
    """A block of reasoning, or a delta of one, in which text and signature stand by themselves."""

    reasoning_text: _ReasoningText | None = None
    redacted_content: str = ""
    text: str = ""
    signature: str = ""


class _Cited(Struct, frozen=True):
    content: list[_ReasoningText] | None = None


class _Block(Struct, rename="camel", frozen=True):
    """A content block, or the start or a delta of one."""

    text: str = ""
    tool_use: _ToolUse | None = None
    reasoning_content: _Reasoning | None = None
    citations_content: _Cited | None = None
    image: Raw = Raw(b"")


class _Message(Struct, frozen=True):
    content: list[_Block]


class _Output(Struct, frozen=True):
    message: _Message | None = None


class _Tier(Struct, frozen=True):
    type: str = ""


class _Event(Struct, rename="camel", frozen=True):
    """A whole reply, or an event of a stream."""

    content_block_index: int = 0
    start: _Block | None = None
    delta: _Block | None = None
    stop_reason: str | None = None
    output: _Output | None = None
    usage: Raw = Raw(b"")
    service_tier: _Tier | None = None


_decode = msgspec.json.Decoder(_Event).decode

_FINISHES: Final = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_FAILED: Final = ("malformed_model_output", "malformed_tool_use")


class BedrockReader:
    """Turns the answer to one call into chunks: see `Reader`."""

    __slots__ = ("_parser", "_silent", "_subject", "_tools", "done", "failure", "usage")

    def __init__(self, subject: str) -> None:
        self.done = False
        self.failure: Upstream | None = None
        self.usage: Usage | None = None
        self._subject = subject
        self._parser = EventStreamParser()
        self._tools: dict[int, int] = {}  # content block -> number of the tool call
        self._silent: set[int] = set()  # tool calls that had no arguments yet

    def feed(self, data: bytes) -> list[Chunk]:
        """The chunks of one read of a stream. Text that came in the same read becomes one chunk."""
        if data:
            chunks = self._chunks(self._parser.feed(data))
        else:
            self._parser.end()
            chunks = []
        if self._parser.broken and self.failure is None and not self.done:
            self.failure = unusable(self._parser.broken, subject=self._subject)
        return chunks

    def whole(self, body: bytes) -> list[Chunk]:
        """The chunks of a reply that was not streamed: the last one holds the answer."""
        reply = self._event(body)
        if reply is None or reply.output is None or reply.output.message is None or not reply.stop_reason:
            self.failure = stream_failure(body, subject=self._subject)
            return []
        finish = self._finish(reply.stop_reason)
        blocks = reply.output.message.content
        if self.failure is not None or self._holds_an_image(blocks):
            return []
        *earlier, last = [_reasoned(each.reasoning_content) for each in blocks if each.reasoning_content] or [Chunk()]
        calls = [each.tool_use for each in blocks if each.tool_use is not None]
        chunk = Chunk(
            text="".join(_said(each) for each in blocks),
            reasoning=last.reasoning,
            thought=last.thought,
            tool_calls=tuple(
                ToolCallDelta(n, each.tool_use_id, each.name, compact(each.input)) for n, each in enumerate(calls)
            ),
            finish=finish,
            stop=_stop(reply.stop_reason),
        )
        self._count(reply)
        self.done = True
        return [*earlier, chunk]

    def _chunks(self, frames: list[Frame]) -> list[Chunk]:
        chunks: list[Chunk] = []
        texts: list[str] = []
        for headers, payload in frames:
            if headers.get(":message-type", "event") != "event":
                self.failure = self._exception(headers, payload)
                break
            event = self._event(payload)
            if event is None:
                self.failure = stream_failure(payload, subject=self._subject)
                break
            if event.delta is not None and event.delta.text:
                texts.append(event.delta.text)
                continue
            chunk = self._other(headers.get(":event-type", ""), event)
            if chunk is not None:
                if texts:
                    chunks.append(Chunk("".join(texts)))
                    texts.clear()
                chunks.append(chunk)
            if self.done or self.failure is not None:
                break
        if text := "".join(texts):
            chunks.append(Chunk(text))
        return chunks

    def _exception(self, headers: dict[str, str], payload: bytes) -> Upstream:
        kind = headers.get(":exception-type") or headers.get(":error-code", "")
        if kind == "validationException" and b"content" in payload and b"policy" in payload:
            return refused_content(kind, subject=self._subject)
        return stream_failure(payload or b"{}", subject=self._subject, kind=kind)

    def _event(self, payload: bytes) -> _Event | None:
        try:
            return _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def _other(self, kind: str, event: _Event) -> Chunk | None:
        """The chunk of an event that is not plain text, if it has one. Kinds that are not known are passed over."""
        index = event.content_block_index
        match kind:
            case "contentBlockStart" if event.start is not None:
                return self._started(index, event.start)
            case "contentBlockDelta" if event.delta is not None:
                return self._continued(index, event.delta)
            case "contentBlockStop" if index in self._silent:
                self._silent.discard(index)
                return Chunk(tool_calls=(ToolCallDelta(self._tools[index], arguments="{}"),))
            case "messageStop" if event.stop_reason:
                finish = self._finish(event.stop_reason)
                return None if finish is None else Chunk(finish=finish, stop=_stop(event.stop_reason))
            case "metadata":
                self._count(event)
                self.done = True
        return None

    def _started(self, index: int, block: _Block) -> Chunk | None:
        if self._holds_an_image([block]) or block.tool_use is None:
            return None
        number = self._tools[index] = len(self._tools)
        self._silent.add(index)
        return Chunk(tool_calls=(ToolCallDelta(number, block.tool_use.tool_use_id, block.tool_use.name),))

    def _continued(self, index: int, delta: _Block) -> Chunk | None:
        if delta.reasoning_content is not None:
            return _reasoned(delta.reasoning_content)
        if delta.tool_use is not None and delta.tool_use.input and index in self._tools:
            self._silent.discard(index)
            return Chunk(tool_calls=(ToolCallDelta(self._tools[index], arguments=_piece(delta.tool_use.input)),))
        return None

    def _finish(self, reason: str) -> str | None:
        if reason in _FAILED:
            self.failure = unusable(f"it ended for the reason {reason}", subject=self._subject)
            return None
        return _FINISHES.get(reason, "stop")

    def _holds_an_image(self, blocks: list[_Block]) -> bool:
        if any(each.image for each in blocks):
            self.failure = unusable("it holds data that is not text", subject=self._subject)
            return True
        return False

    def _count(self, event: _Event) -> None:
        try:
            found = msgspec.json.decode(event.usage) if event.usage else None
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            self.usage = read_usage(found, event.service_tier.type if event.service_tier is not None else "")


def read_usage(found: dict[str, Any], tier: str = "") -> Usage | None:
    """The provider's counts in our convention, or None where they are missing or cannot be true."""
    fresh, output = found.get("inputTokens"), found.get("outputTokens")
    read, written = found.get("cacheReadInputTokens") or 0, found.get("cacheWriteInputTokens") or 0
    if not is_count(fresh) or not is_count(output) or not is_count(read) or not is_count(written):
        return None
    details = found.get("cacheDetails")
    kept = [
        count
        for each in (details if isinstance(details, list) else ())
        if isinstance(each, dict) and each.get("ttl") == "1h" and is_count(count := each.get("inputTokens"))
    ]
    return Usage(
        input=fresh + read + written,
        output=output,
        cached_input=read,
        cache_write=written,
        cache_write_1h=min(sum(kept), written),
        tier=tier,
    )


def _said(block: _Block) -> str:
    cited = block.citations_content
    return block.text + "".join(each.text for each in (cited.content if cited is not None else None) or ())


def _stop(reason: str) -> str | None:
    """That a stop sequence was met is said, and not which."""
    return "" if reason == "stop_sequence" else None


def _reasoned(found: _Reasoning) -> Chunk:
    whole = found.reasoning_text or _ReasoningText(found.text, found.signature)
    thought = None
    if found.redacted_content:
        thought = Thought(sealed=f"{SCHEME}:{found.redacted_content}")
    elif whole.signature:
        thought = Thought(signature=f"{SCHEME}:{whole.signature}")
    return Chunk(reasoning=whole.text, thought=thought)


def _piece(raw: Raw) -> str:
    """A piece of arguments, which comes as a string of JSON."""
    found = msgspec.json.decode(raw)
    return found if isinstance(found, str) else compact(raw)
