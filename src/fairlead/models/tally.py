"""What a reply has come to so far: enough to know whether it is complete and, where nobody counted, what it cost."""

from typing import Any, TypeGuard

from msgspec.structs import replace

from fairlead.errors import CutOff, Upstream
from fairlead.models.types import Chunk, ModelCall, Usage

_LARGEST_COUNT = 2**40
_BYTES_PER_TOKEN = 4


def size_of(text: str) -> int:
    """Bytes in UTF-8. Whether a text is ASCII is known without looking at it."""
    return len(text) if text.isascii() else len(text.encode())


def likely_tokens(size: int) -> int:
    """Tokens in so many bytes. English text has about four bytes to a token in every tokenizer in use: good enough for
    estimates, and to bill what nobody counted."""
    return -(-size // _BYTES_PER_TOKEN)


def is_count(value: Any) -> TypeGuard[int]:
    """Whether a provider's number can be a number of tokens."""
    return type(value) is int and 0 <= value <= _LARGEST_COUNT


class Tally:
    """Counts one reply as its chunks pass."""

    __slots__ = ("_begun", "_bytes", "_finished", "_size", "begun", "subject", "usage")

    def __init__(self, call: ModelCall) -> None:
        self.subject = call.model.name
        self.begun = False
        self.usage: Usage | None = None
        self._size = call.request.size
        self._bytes = 0
        self._begun: set[int] = set()
        self._finished: set[int] = set()

    def count(self, chunk: Chunk) -> None:
        """Take note of a chunk that is about to be handed on."""
        self.begun = True
        self._bytes += size_of(chunk.text)
        if chunk.reasoning or chunk.refusal:
            self._bytes += size_of(chunk.reasoning) + size_of(chunk.refusal)
        for piece in chunk.tool_calls:
            self._bytes += size_of(piece.name or "") + size_of(piece.arguments)
        self._begun.add(chunk.index)
        if chunk.finish is not None:
            self._finished.add(chunk.index)

    @property
    def is_complete(self) -> bool:
        """Whether every choice that began has finished, and one did."""
        return bool(self._finished) and self._begun <= self._finished

    def bill(self) -> Usage:
        """What the reply cost: the provider's count, or as much of it as there is, made up from the sizes."""
        counted = self.usage
        if counted is not None and not counted.estimated:
            return counted
        return self.partial_bill()

    def partial_bill(self) -> Usage:
        """As `bill`, for a reply that was cut off: the provider may have counted the input, hardly ever the output."""
        counted = self.usage
        if counted is None:
            return Usage(input=likely_tokens(self._size), output=likely_tokens(self._bytes), estimated=True)
        return replace(counted, output=max(counted.output, likely_tokens(self._bytes)), estimated=True)

    def cut_off(self, why: str) -> CutOff:
        """The error for a reply that stopped in the middle."""
        return CutOff(
            "the model stopped in the middle of its reply",
            why=why,
            mend="ask again",
            subject=self.subject,
            charged="part",
        )

    def interrupted(self, error: Upstream) -> Upstream:
        """`error` itself while nothing has been handed on; else the same as `CutOff`."""
        if not self.begun or isinstance(error, CutOff):
            return error
        return self.cut_off(f"{error.message}: {error.why}" if error.why else error.message)
