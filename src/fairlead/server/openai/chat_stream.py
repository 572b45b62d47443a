"""The events of a streamed reply in the form of chat completions."""

from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import FairleadError
from fairlead.execution import Answer
from fairlead.models.types import Chunk, Model
from fairlead.server.openai.envelope import encode_end, encode_failure

_encode = msgspec.json.Encoder().encode
# Says who speaks in an event of its own, as servers of this protocol do: some clients pass over the rest of the first.
_ROLE: Final = b'{"role":"assistant","content":null}'


class FunctionDelta(Struct, frozen=True, omit_defaults=True):
    """A piece of a function's call: its name comes first, its arguments in pieces."""

    name: str | None = None
    arguments: str | None = None


class CallDelta(Struct, frozen=True, omit_defaults=True):
    """A piece of a tool's call, of the one that has this `index`. `id` and `type` come with the first piece."""

    index: int
    function: FunctionDelta
    id: str | None = None
    type: str | None = None


class Delta(Struct, frozen=True, omit_defaults=True):
    """What a piece adds to the message. `reasoning_content` is no field of OpenAI's own."""

    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: tuple[CallDelta, ...] | None = None


class ChoiceDelta(Struct, frozen=True):
    """A piece of the choice that has this `index`. `finish_reason` is null until its last piece."""

    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: msgspec.Raw | None


class ChatEvents:
    """See `chat_door.Events`. The part of an event that never changes is made once."""

    def __init__(self, run: str, model: Model, created: int, *, with_usage: bool) -> None:
        self._with_usage = with_usage
        head = {"id": f"chatcmpl-{run}", "object": "chat.completion.chunk", "created": created, "model": model.name}
        self._head = b"data: " + _encode(head)[:-1]
        self._text = self._head + b',"choices":[{"index":0,"delta":{"content":'
        self._seen: set[int] = set()

    def event(self, chunk: Chunk) -> bytes:
        return self._event(chunk)

    def _event(self, chunk: Chunk, tail: bytes = b"") -> bytes:
        """`tail` is further JSON members, such as the `fairlead` object of the last event."""
        index = chunk.index
        if index == 0 and 0 in self._seen and not tail and chunk == Chunk(text=chunk.text):
            return self._text + _encode(chunk.text) + b'},"finish_reason":null,"logprobs":null}]}\n\n'
        begun = b""
        if index not in self._seen:
            self._seen.add(index)
            begun = self._head + b',"choices":[{"index":%d,"delta":%b,"finish_reason":null,"logprobs":null}]}\n\n' % (
                index,
                _ROLE,
            )
        delta = Delta(
            content=chunk.text or None,
            reasoning_content=chunk.reasoning or None,
            refusal=chunk.refusal or None,
            tool_calls=tuple(
                CallDelta(c.index, FunctionDelta(c.name, c.arguments), c.id, "function" if c.id else None)
                for c in chunk.tool_calls
            )
            or None,
        )
        choice = ChoiceDelta(index, delta, chunk.finish, chunk.logprobs)
        return begun + self._head + b',"choices":[' + _encode(choice) + b"]" + tail + b"}\n\n"

    def end(self, answer: Answer) -> bytes:
        return encode_end(answer, self._head, self._event, with_usage=self._with_usage)

    def fail(self, error: FairleadError) -> bytes:
        return encode_failure(error)
