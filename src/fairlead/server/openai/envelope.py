"""What stands around the choices of a reply, in chat completions and in legacy ones: whole, and where a stream ends."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from fairlead.errors import FairleadError
from fairlead.execution import Answer
from fairlead.models.types import Chunk, Usage
from fairlead.server.about import About, about
from fairlead.server.openai.errors import encode_error

_encode = msgspec.json.Encoder().encode
Choice = TypeVar("Choice")


class TokenDetails(Struct, frozen=True, omit_defaults=True):
    """Of `usage`: how many of the prompt's tokens came out of a cache."""

    cached_tokens: int = 0


class OutputDetails(Struct, frozen=True, omit_defaults=True):
    """Of `usage`: how many of the reply's tokens were reasoning."""

    reasoning_tokens: int = 0


class UsageBody(Struct, frozen=True):
    """The `usage` of chat and legacy completions (OpenAI API, v1), in tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: TokenDetails
    completion_tokens_details: OutputDetails


class Completion(Struct, Generic[Choice], frozen=True):
    """The body of a reply of chat or legacy completions (OpenAI API, v1), with Fairlead's own object beside."""

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: UsageBody
    fairlead: About


def encode_completion(answer: Answer, created: int, id: str, object: str, choices: list[Choice]) -> bytes:
    """The body of a complete (not streamed) reply. `created` is in seconds since 1970."""
    return _encode(
        Completion(id, object, created, answer.model.name, choices, _usage_body(answer.reply.usage), about(answer))
    )


def encode_end(answer: Answer, head: bytes, event: Callable[[Chunk, bytes], bytes], *, with_usage: bool) -> bytes:
    """The last events of a stream. `head` begins every event; `event` writes one of a chunk and of what stands beside
    its choices."""
    beside = b',"fairlead":' + _encode(about(answer))
    tail = answer.reply.tail
    events = [event(chunk, b"") for chunk in tail[:-1]]
    events += [event(chunk, b"" if with_usage else beside) for chunk in tail[-1:]]
    if with_usage:
        usage = _encode(_usage_body(answer.reply.usage))
        events.append(head + b',"choices":[],"usage":' + usage + beside + b"}\n\n")
    return b"".join(events) + b"data: [DONE]\n\n"


def encode_failure(error: FairleadError) -> bytes:
    """The event that ends a stream in place of the last ones."""
    return b"data: " + encode_error(error) + b"\n\n"


def _usage_body(usage: Usage) -> UsageBody:
    """Tokens as billed."""
    return UsageBody(
        prompt_tokens=usage.input,
        completion_tokens=usage.output,
        total_tokens=usage.input + usage.output,
        prompt_tokens_details=TokenDetails(usage.cached_input),
        completion_tokens_details=OutputDetails(usage.reasoning),
    )
