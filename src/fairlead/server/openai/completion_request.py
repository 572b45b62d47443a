"""Reads a request of legacy completions into the path's form: the prompt is what a user says.

What completes a text from the middle, or repeats it, has no counterpart in a chat and is refused by name.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.models.sampling import Handling, Sampling
from fairlead.models.types import ChatRequest, Message
from fairlead.server.openai.chat_body import Name, Penalty, StreamOptions, Tokens
from fairlead.server.reading import decoded, half_said

_USUAL_TOKENS: Final = 16  # what the protocol says where nothing is said
_NO_HANDLING: Final = Handling()


class CompletionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/completions`. `user` reaches only an endpoint that is declared to be told who asks."""

    model: Name
    prompt: str | Annotated[list[str | int | list[int]], Meta(min_length=1, max_length=100_000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    n: Annotated[int, Meta(ge=1, le=16)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: Annotated[str, Meta(max_length=1024)] | Annotated[list[str], Meta(max_length=16)] | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    user: str | None = None
    best_of: Annotated[int, Meta(ge=1, le=20)] | None = None
    suffix: str | None = None
    echo: Literal[False] | None = None


class AskedCompletion(Struct, frozen=True):
    """A request in the path's form, and whether a stream of its reply is to close with a usage chunk."""

    request: ChatRequest
    with_usage: bool


_decoder = msgspec.json.Decoder(CompletionBody)


def read_request(body: bytes) -> AskedCompletion:
    """Raises `BadInput`."""
    asked = decoded(_decoder, body, "completions")
    _refuse_more(asked)
    options = asked.stream_options
    handling = Handling(user=asked.user)
    request = ChatRequest(
        model=asked.model,
        messages=[Message("user", _prompt(asked.prompt))],
        size=len(body),
        stream=bool(asked.stream),
        max_output=_USUAL_TOKENS if asked.max_tokens is None else asked.max_tokens,
        choices=asked.n or 1,
        sampling=_sampling(asked),
        handling=None if handling == _NO_HANDLING else handling,
    )
    return AskedCompletion(request, bool(options and options.include_usage))


def _sampling(asked: CompletionBody) -> Sampling:
    return Sampling(
        temperature=asked.temperature,
        top_p=asked.top_p,
        frequency_penalty=asked.frequency_penalty,
        presence_penalty=asked.presence_penalty,
        seed=asked.seed,
        stop=asked.stop,
        logit_bias=asked.logit_bias,
        logprobs=None if asked.logprobs is None else True,
        top_logprobs=asked.logprobs,
    )


def _prompt(given: "str | list[str | int | list[int]]") -> str:
    """The one text of a prompt. Raises `BadInput`."""
    if isinstance(given, str):
        return given
    if not isinstance(given[0], str):
        raise BadInput(
            "prompt: tokens cannot be completed here, only text",
            why="numbers of tokens mean something to one model's tokenizer alone, and no policy can read them",
            mend="send the text itself",
            param="prompt",
        )
    if len(given) > 1:
        raise BadInput(
            f"prompt: there are {len(given)} prompts, and one call completes one",
            why="each is an action of its own, with its own decision, hold and record",
            mend="send a call for each; in LangChain, `batch_size=1`",
            param="prompt",
        )
    return given[0]


def _refuse_more(asked: CompletionBody) -> None:
    """What a chat has no counterpart for, and fields that mean nothing without another."""
    if asked.suffix:
        raise BadInput(
            "suffix: nothing completes a text from its middle here",
            why="prompts are answered as chats, which only go on at the end",
            mend="leave suffix out, and say in the prompt what is to follow",
            param="suffix",
        )
    if asked.best_of is not None and asked.best_of != (asked.n or 1):
        raise BadInput(
            f"best_of is {asked.best_of} and n is {asked.n or 1}",
            why="nobody here compares more completions than are given back, and each is billed",
            mend="leave best_of out, or ask for as many with n",
            param="best_of",
        )
    if asked.stream_options is not None and not asked.stream:
        raise half_said("stream_options", "stream: true", "ask for a stream, or leave stream_options out")
