"""`local/extractive`: answers by quoting the organisation's context, and says so when the context does not answer.

Needs no key, no server and no weights. It never words anything itself: what it says stands in a passage, or is the one
sentence by which it declines.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator

from fairlead.errors import Rejected
from fairlead.models.message_text import is_text, text_of
from fairlead.models.quoting import question_of, quotes
from fairlead.models.tally import likely_tokens, size_of
from fairlead.models.types import Chunk, ModelCall, Passage, Usage

I_DO_NOT_KNOW = "I don't know: the organisation's context does not answer this."

_MOST_CHARACTERS = 30_000  # of all passages together: what is read within a few milliseconds
_CHARACTERS_A_TOKEN = 4


class ExtractiveDriver:
    """Answers from the passages of the call, in this process."""

    def __init__(self, *unneeded: object) -> None:
        """Takes what the registry gives every driver, and needs none of it: no settings, no client, no clock."""

    async def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """A chunk for each quote. Raises `Rejected` where the request wants what quoting cannot give."""
        _refuse(call)
        text, finish, stop = _fitted(_reply(call), call)
        for index in range(call.request.choices):
            for piece in text.splitlines(keepends=True):
                yield Chunk(text=piece, index=index)
            yield Chunk(index=index, finish=finish, stop=stop)
        yield Chunk(usage=_usage(call, text))

    async def probe(self) -> list[str]:
        """The one model that is always there."""
        return ["extractive"]


def _refuse(call: ModelCall) -> None:
    request, wanted = call.request, ""
    if request.tools:
        wanted = "tools"
    elif request.response_format is not None and request.response_format.type != "text":
        wanted = f"response_format {request.response_format.type}"
    elif not all(is_text(message) for message in request.messages):
        wanted = "images, documents and sound"
    elif request.sampling.logprobs or request.sampling.logit_bias:
        wanted = "token probabilities"
    if wanted:
        raise Rejected(
            f"{call.model.name} only quotes; it has no {wanted}",
            why="the request asks for what a quoting model cannot do",
            mend="leave that out of the request, or let another model answer",
            subject=call.model.name,
            retryable=False,
        )


def _reply(call: ModelCall) -> str:
    asked = next((message for message in reversed(call.request.messages) if message.role == "user"), None)
    passages = list(_readable(call.passages))
    found = quotes(question_of(text_of(asked)), passages) if asked is not None else []
    return "\n".join(f"{unit.text} [{passages[unit.passage].citation}]" for unit in found) or I_DO_NOT_KNOW


def _readable(passages: Iterable[Passage]) -> Iterator[Passage]:
    left = _MOST_CHARACTERS
    for passage in passages:
        left -= len(passage.text)
        if left < 0:
            return
        yield passage


def _fitted(text: str, call: ModelCall) -> tuple[str, str, str | None]:
    """The reply up to a stop sequence or the output limit, why it ends, and the sequence that it met."""
    stop = call.request.sampling.stop or []
    met = None
    for sequence in [stop] if isinstance(stop, str) else stop:
        if sequence and sequence in text:
            text, met = text.partition(sequence)[0], sequence
    most = call.max_output * _CHARACTERS_A_TOKEN
    return (text, "stop", met) if len(text) <= most else (text[:most], "length", None)


def _usage(call: ModelCall, text: str) -> Usage:
    read = sum(size_of(text_of(message)) for message in call.request.messages)
    written = size_of(text) * call.request.choices
    return Usage(input=likely_tokens(read), output=likely_tokens(written), estimated=True)
