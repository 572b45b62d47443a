"""Replies on the wire of Google's generateContent, streamed and not.

A stream has no end mark: it is over once every candidate has a finish reason and the counts have come.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from fairlead.errors import Upstream
from fairlead.models.content import Thought
from fairlead.models.failures import refused_content, stream_failure, unusable
from fairlead.models.google_parts import SCHEME
from fairlead.models.sse import Event, SseParser
from fairlead.models.tally import is_count
from fairlead.models.tool_arguments import plain_id
from fairlead.models.types import Chunk, ToolCallDelta, Usage


class _FunctionCall(Struct, rename="camel", frozen=True):
    name: str = ""
    id: str | None = None
    args: Raw = Raw(b"")


class _Part(Struct, rename="camel", frozen=True):
    text: str = ""
    thought: bool = False
    thought_signature: str = ""
    function_call: _FunctionCall | None = None
    inline_data: Raw = Raw(b"")


class _Content(Struct, rename="camel", frozen=True):
    parts: list[_Part] | None = None


class _Token(Struct, rename="camel", frozen=True):
    token: str = ""
    log_probability: float = 0.0


class _Alternatives(Struct, rename="camel", frozen=True):
    candidates: list[_Token] | None = None


class _Logprobs(Struct, rename="camel", frozen=True):
    chosen_candidates: list[_Token] | None = None
    top_candidates: list[_Alternatives] | None = None


class _Candidate(Struct, rename="camel", frozen=True):
    index: int = 0
    content: _Content | None = None
    finish_reason: str | None = None
    logprobs_result: _Logprobs | None = None


class _Feedback(Struct, rename="camel", frozen=True):
    block_reason: str | None = None


class _Reply(Struct, rename="camel", frozen=True):
    """A whole reply, or an event of a stream."""

    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: Raw = Raw(b"")
    error: Raw = Raw(b"")


_decode = msgspec.json.Decoder(_Reply).decode

_FINISHES: Final = {"STOP": "stop", "MAX_TOKENS": "length"}
_FILTERED: Final = frozenset(
    ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
     "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR")
)  # fmt: skip


class GoogleReader:
    """Turns the answer to one call into chunks: see `Reader`. `key` makes ids for the tool calls that come without."""

    __slots__ = ("_choices", "_finished", "_key", "_parser", "_subject", "_tools", "done", "failure", "usage")

    def __init__(self, subject: str, key: str, choices: int = 1) -> None:
        self.done = False
        self.failure: Upstream | None = None
        self.usage: Usage | None = None
        self._subject = subject
        self._key = plain_id(key)
        self._choices = choices
        self._parser = SseParser()
        self._tools: dict[int, int] = {}
        self._finished: set[int] = set()

    def feed(self, data: bytes) -> list[Chunk]:
        """The chunks of one read of a stream. Text of one choice that came in the same read becomes one chunk."""
        chunks = self._chunks(self._parser.feed(data) if data else self._parser.end())
        if self._parser.broken and self.failure is None and not self.done:
            self.failure = unusable(self._parser.broken, subject=self._subject)
        return chunks

    def whole(self, body: bytes) -> list[Chunk]:
        """The chunks of a reply that was not streamed: one for each choice."""
        chunks = self._read(body)
        if self.failure is None and not (self._finished and self._finished >= set(self._tools)):
            self.failure = stream_failure(body, subject=self._subject)
        return [] if self.failure is not None else chunks

    def _chunks(self, events: list[Event]) -> list[Chunk]:
        chunks: list[Chunk] = []
        texts: dict[int, list[str]] = {}
        for _, data in events:
            for chunk in self._read(data):
                if chunk.text and chunk == Chunk(chunk.text, chunk.index):
                    texts.setdefault(chunk.index, []).append(chunk.text)
                    continue
                if pending := texts.pop(chunk.index, None):
                    chunks.append(Chunk("".join(pending), chunk.index))
                chunks.append(chunk)
            if self.failure is not None or self.done:
                break
        chunks.extend([Chunk("".join(parts), index) for index, parts in texts.items()])
        return chunks

    def _read(self, data: bytes) -> list[Chunk]:
        """The chunks of an event or a body; none where it is an error, which is then noted."""
        try:
            reply = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            reply = None
        if reply is None or reply.error or (reply.candidates is None and not _says_anything(reply)):
            self.failure = stream_failure(data, subject=self._subject)
            return []
        feedback = reply.prompt_feedback
        if not reply.candidates and feedback is not None and feedback.block_reason:
            self.failure = refused_content(feedback.block_reason, subject=self._subject)
            return []
        chunks: list[Chunk] = []
        for candidate in reply.candidates or ():
            chunk = self._chunk(candidate)
            if self.failure is not None:
                break
            if chunk is not None:
                chunks.append(chunk)
        self._count(reply.usage_metadata)
        return chunks

    def _chunk(self, candidate: _Candidate) -> Chunk | None:
        index, reason = candidate.index, candidate.finish_reason
        parts = (candidate.content.parts if candidate.content is not None else None) or []
        self._tools.setdefault(index, 0)
        if any(part.inline_data for part in parts):
            self.failure = unusable("it holds data that is not text", subject=self._subject)
            return None
        calls = tuple(self._call(index, part) for part in parts if part.function_call is not None)
        proof = next(
            (part.thought_signature for part in parts if part.thought_signature and not part.function_call), ""
        )
        chunk = Chunk(
            text="".join(part.text for part in parts if not part.thought),
            index=index,
            reasoning="".join(part.text for part in parts if part.thought),
            tool_calls=calls,
            logprobs=_logprobs(candidate.logprobs_result),
            finish=self._finish(index, reason) if reason else None,
            thought=Thought(signature=f"{SCHEME}:{proof}") if proof else None,
        )
        return None if chunk == Chunk(index=index) else chunk

    def _call(self, index: int, part: _Part) -> ToolCallDelta:
        assert part.function_call is not None
        number = self._tools[index]
        self._tools[index] = number + 1
        call, proof = part.function_call, part.thought_signature
        id_ = call.id or f"call_{self._key}_{index}_{number}"
        arguments = msgspec.json.format(call.args, indent=-1).decode() if call.args else "{}"
        return ToolCallDelta(number, id_, call.name, arguments, f"{SCHEME}:{proof}" if proof else "")

    def _finish(self, index: int, reason: str) -> str | None:
        """One of our reasons. Whatever is neither an end nor a filter is a failure: the reply is not what was asked."""
        self._finished.add(index)
        if reason in _FILTERED:
            return "content_filter"
        if reason not in _FINISHES:
            self.failure = unusable(f"it ended for the reason {reason[:40]}", subject=self._subject)
            return None
        finish = _FINISHES[reason]
        return "tool_calls" if finish == "stop" and self._tools[index] else finish

    def _count(self, raw: Raw) -> None:
        """Take over counts. They are cumulative, and final once every candidate has finished."""
        try:
            found = msgspec.json.decode(raw) if raw else None
        except (ValueError, RecursionError):
            found = None
        usage = read_usage(found, final=len(self._finished) >= self._choices) if isinstance(found, dict) else None
        if usage is not None:
            self.usage = usage
            self.done = not usage.estimated


def _says_anything(reply: _Reply) -> bool:
    return bool(reply.usage_metadata) or reply.prompt_feedback is not None


def read_usage(found: dict[str, Any], *, final: bool) -> Usage | None:
    """The provider's counts in our convention, or None where they are missing or cannot be true."""
    given, made = found.get("promptTokenCount"), found.get("candidatesTokenCount", 0)
    thought, used = found.get("thoughtsTokenCount", 0), found.get("toolUsePromptTokenCount", 0)
    cached = found.get("cachedContentTokenCount", 0)
    if not (is_count(given) and is_count(made) and is_count(thought) and is_count(used)):
        return None
    if given == made == thought == 0:
        return None
    return Usage(
        input=given + used,
        output=made + thought,
        cached_input=min(cached, given) if is_count(cached) else 0,
        reasoning=thought,
        estimated=not final,
        audio_input=min(_audio(found, "promptTokensDetails"), given),
        audio_output=min(_audio(found, "candidatesTokensDetails"), made),
    )


def _audio(found: dict[str, Any], group: str) -> int:
    details = found.get(group)
    counts = [
        count
        for each in (details if isinstance(details, list) else ())
        if isinstance(each, dict) and each.get("modality") == "AUDIO" and is_count(count := each.get("tokenCount"))
    ]
    return sum(counts)


def _logprobs(found: _Logprobs | None) -> Raw | None:
    """Log-probabilities in the form of chat completions, which is the one that chunks carry."""
    if found is None or not found.chosen_candidates:
        return None
    tops = found.top_candidates or []
    content = []
    for number, chosen in enumerate(found.chosen_candidates):
        others = (tops[number].candidates if number < len(tops) else None) or []
        content.append({**_token(chosen), "top_logprobs": [_token(each) for each in others]})
    return Raw(msgspec.json.encode({"content": content, "refusal": None}))


def _token(token: _Token) -> dict[str, Any]:
    return {"token": token.token, "logprob": token.log_probability, "bytes": list(token.token.encode())}
