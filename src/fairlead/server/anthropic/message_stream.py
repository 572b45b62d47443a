"""The events of a streamed reply in the form of the Messages protocol.

A message is a row of content blocks, each begun, continued and ended before the next one begins. Models' servers know
no such order: pieces of several tool calls may come mixed. The block that is open goes out at once; what belongs behind
it waits as long as the open one may still go on.
"""

from typing import Any, Final

import msgspec

from fairlead.errors import FairleadError
from fairlead.execution import Answer
from fairlead.models.types import Chunk, Model, ToolCallDelta
from fairlead.server.about import about
from fairlead.server.anthropic.errors import encode_error
from fairlead.server.anthropic.message_reply import call_id, message_id, stop_reason, stop_sequence, usage_out

_encode = msgspec.json.Encoder().encode

_NO_COUNTS: Final = {
    "input_tokens": 0,
    "output_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}


def _event(name: str, data: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + _encode({"type": name, **data}) + b"\n\n"


class _Block:
    """A content block under way. `held` are pieces that wait for its turn; `call` is the tool call's number."""

    __slots__ = ("arguments", "call", "done", "held", "kind", "start")

    def __init__(self, kind: str, start: dict[str, Any], call: int = -1) -> None:
        self.kind = kind
        self.start = start
        self.call = call
        self.held: list[bytes] = []
        self.arguments = ""
        self.done = False

    def may_end(self) -> bool:
        """Whether nothing more can be expected of it, now that something else has come."""
        if self.kind != "tool_use" or self.done:
            return True
        try:
            msgspec.json.decode(self.arguments)
        except (msgspec.DecodeError, RecursionError):
            return False
        return True


class MessageEvents:
    """See `chat_door.Events`."""

    def __init__(self, run: str, model: Model, likely_input: int) -> None:
        """`likely_input` is an estimate, for clients that show what a prompt takes; the last event has the count."""
        self._head: dict[str, Any] = {
            "id": message_id(run),
            "type": "message",
            "role": "assistant",
            "model": model.name,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**_NO_COUNTS, "input_tokens": likely_input},
        }
        self._begun = False
        self._index = -1
        self._open: _Block | None = None
        self._waiting: list[_Block] = []
        self._text = b""  # how a piece of the open text begins
        self._called = self._refused = False

    def event(self, chunk: Chunk) -> bytes:
        if self._text and not self._waiting and chunk == Chunk(text=chunk.text):
            return self._text + _encode(chunk.text) + b"}}\n\n"
        out = [] if self._begun else [self._begin()]
        self._take(chunk, out)
        return b"".join(out)

    def end(self, answer: Answer) -> bytes:
        out = [] if self._begun else [self._begin()]
        for chunk in answer.reply.tail:
            self._take(chunk, out)
        for block in (self._open, *self._waiting):
            if block is not None:
                block.done = True
        self._advance(out)
        self._stop(out)
        finish = next((chunk.finish for chunk in answer.reply.tail if chunk.finish), None) or "stop"
        stop = answer.reply.choices[0].stop if answer.reply.choices else None
        reason = stop_reason(finish, stop, called=self._called, refused=self._refused)
        last = {
            "delta": {"stop_reason": reason, "stop_sequence": stop_sequence(reason, stop)},
            "usage": usage_out(answer.reply.usage),
            "fairlead": about(answer),
        }
        return b"".join((*out, _event("message_delta", last), _event("message_stop", {})))

    def fail(self, error: FairleadError) -> bytes:
        return b"event: error\ndata: " + encode_error(error) + b"\n\n"

    def _begin(self) -> bytes:
        self._begun = True
        return _event("message_start", {"message": self._head})

    def _take(self, chunk: Chunk, out: list[bytes]) -> None:
        thought = chunk.thought
        if chunk.reasoning:
            self._piece("thinking", {"type": "thinking_delta", "thinking": chunk.reasoning}, out)
        if thought is not None and thought.signature:
            self._piece("thinking", {"type": "signature_delta", "signature": thought.signature}, out)
            self._last().done = True
        if thought is not None and thought.sealed:
            self._start(_Block("redacted_thinking", {"type": "redacted_thinking", "data": thought.sealed}), out)
            self._last().done = True
        for kind, text in (("text", chunk.text), ("refusal", chunk.refusal)):
            if text:
                self._piece(kind, {"type": "text_delta", "text": text}, out)
        self._refused = self._refused or bool(chunk.refusal)
        for piece in chunk.tool_calls:
            self._call(piece, out)

    def _piece(self, kind: str, delta: dict[str, Any], out: list[bytes]) -> None:
        """A piece of text or reasoning: of the last block, if that is of this kind, or of a new one."""
        last = self._waiting[-1] if self._waiting else self._open
        if last is None or last.kind != kind or last.done:
            empty: dict[str, Any] = {"type": "text", "text": ""}  # a refusal is a block of text of its own
            if kind == "thinking":
                empty = {"type": kind, kind: "", "signature": ""}
            last = _Block(kind, empty)
            self._start(last, out)
        self._continue(last, delta, out)

    def _call(self, piece: ToolCallDelta, out: list[bytes]) -> None:
        self._called = True
        block = next((b for b in (self._open, *self._waiting) if b is not None and b.call == piece.index), None)
        if block is None:
            id_ = call_id(piece.id, piece.index)
            block = _Block(
                "tool_use", {"type": "tool_use", "id": id_, "name": piece.name or "", "input": {}}, piece.index
            )
            self._start(block, out)
        if piece.arguments:
            block.arguments += piece.arguments
            self._continue(block, {"type": "input_json_delta", "partial_json": piece.arguments}, out)

    def _last(self) -> _Block:
        block = self._waiting[-1] if self._waiting else self._open
        assert block is not None
        return block

    def _start(self, block: _Block, out: list[bytes]) -> None:
        self._waiting.append(block)
        self._advance(out)

    def _continue(self, block: _Block, delta: dict[str, Any], out: list[bytes]) -> None:
        if block is self._open:
            out.append(_event("content_block_delta", {"index": self._index, "delta": delta}))
        else:
            block.held.append(_encode(delta))

    def _advance(self, out: list[bytes]) -> None:
        """Open what waits, one after the other, as far as what is open may end."""
        while self._waiting and (self._open is None or self._open.may_end()):
            self._stop(out)
            block = self._open = self._waiting.pop(0)
            self._index += 1
            out.append(_event("content_block_start", {"index": self._index, "content_block": block.start}))
            out += [
                _event("content_block_delta", {"index": self._index, "delta": msgspec.Raw(held)}) for held in block.held
            ]
            delta = b'{"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":' % self._index
            self._text = b"event: content_block_delta\ndata: " + delta if block.kind == "text" else b""

    def _stop(self, out: list[bytes]) -> None:
        if self._open is not None:
            out.append(_event("content_block_stop", {"index": self._index}))
            self._open, self._text = None, b""
