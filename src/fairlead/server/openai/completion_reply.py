"""A reply in the form of legacy completions, whole and as a stream."""

import msgspec
from msgspec import Struct

from fairlead.errors import FairleadError
from fairlead.execution import Answer, ReplyChoice, merged_logprobs
from fairlead.models.types import Chunk, Model
from fairlead.server.openai.envelope import encode_completion, encode_end, encode_failure

_encode = msgspec.json.Encoder().encode


class _Alternative(Struct):
    token: str
    logprob: float


class _Token(Struct):
    token: str
    logprob: float
    top_logprobs: list[_Alternative] = []


class _Tokens(Struct):
    content: list[_Token] | None = None


_tokens = msgspec.json.Decoder(_Tokens)


class LogprobsBody(Struct, frozen=True):
    """Four lists of equal length, an element for each token. `text_offset` counts characters from the beginning."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class ChoiceBody(Struct, frozen=True):
    """A member of `choices` of legacy completions (OpenAI API, v1), whole or as a piece of a stream."""

    index: int
    text: str
    logprobs: LogprobsBody | None
    finish_reason: str | None


def encode_reply(answer: Answer, created: int) -> bytes:
    """The body of a complete (not streamed) reply. `created` is in seconds since 1970."""
    choices = [_choice(choice) for choice in answer.reply.choices]
    return encode_completion(answer, created, _id(answer.run), "text_completion", choices)


def _id(run: str) -> str:
    return f"cmpl-{run}"


def _choice(choice: ReplyChoice) -> ChoiceBody:
    text, _ = _said(choice.text, choice.refusal, "")
    logprobs, _ = _logprobs(merged_logprobs(choice.logprobs), 0)
    return ChoiceBody(choice.index, text, logprobs, _finish(choice.finish))


def _said(text: str, refusal: str, last: str) -> tuple[str, str]:
    """Text and refusal as one text, since this protocol has no other place for a refusal, and which of the two came
    last. Each was looked at by itself, so that what they would spell together must not stand together."""
    pieces = []
    for kind, piece in (("answer", text), ("refusal", refusal)):
        if piece:
            pieces += [f"\n\n[{kind}] " if last not in ("", kind) else "", piece]
            last = kind
    return "".join(pieces), last


def _finish(reason: str) -> str:
    """Why it ended, in the words of a protocol that knows no tools."""
    return "stop" if reason == "tool_calls" else reason


def _logprobs(given: msgspec.Raw | None, offset: int) -> tuple[LogprobsBody | None, int]:
    """The log-probabilities of a chat in this protocol's form, and where the text goes on behind them."""
    content = _tokens.decode(given).content if given is not None else None
    if not content:
        return None, offset
    offsets = []
    for each in content:
        offsets.append(offset)
        offset += len(each.token)
    made = LogprobsBody(
        tokens=[each.token for each in content],
        token_logprobs=[each.logprob for each in content],
        top_logprobs=[{other.token: other.logprob for other in each.top_logprobs} for each in content],
        text_offset=offsets,
    )
    return made, offset


class CompletionEvents:
    """See `chat_door.Events`. The part of an event that never changes is made once."""

    def __init__(self, run: str, model: Model, created: int, *, with_usage: bool) -> None:
        self._with_usage = with_usage
        head = {"id": _id(run), "object": "text_completion", "created": created, "model": model.name}
        self._head = b"data: " + _encode(head)[:-1]
        self._offsets: dict[int, int] = {}
        self._last: dict[int, str] = {}  # of each choice: see `_said`

    def event(self, chunk: Chunk) -> bytes:
        if not (chunk.text or chunk.refusal or chunk.logprobs is not None):
            return b""  # reasoning and calls of tools have no place in this protocol
        return self._event(chunk)

    def _event(self, chunk: Chunk, tail: bytes = b"") -> bytes:
        """`tail` is further JSON members, such as the `fairlead` object of the last event."""
        logprobs, offset = _logprobs(chunk.logprobs, self._offsets.get(chunk.index, 0))
        self._offsets[chunk.index] = offset
        finish = None if chunk.finish is None else _finish(chunk.finish)
        text, self._last[chunk.index] = _said(chunk.text, chunk.refusal, self._last.get(chunk.index, ""))
        choice = ChoiceBody(chunk.index, text, logprobs, finish)
        return self._head + b',"choices":[' + _encode(choice) + b"]" + tail + b"}\n\n"

    def end(self, answer: Answer) -> bytes:
        return encode_end(answer, self._head, self._event, with_usage=self._with_usage)

    def fail(self, error: FairleadError) -> bytes:
        return encode_failure(error)
