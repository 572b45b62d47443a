"""The choices of a reply: what is gathered of each while it comes, and what it is when it is complete."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET, Struct

from fairlead.execution.thinking import Thinking
from fairlead.models.content import Thought
from fairlead.models.types import Chunk, ToolCall, ToolCallDelta, Usage
from fairlead.models.types import Function as ModelFunction
from fairlead.policy import Screen


class ReplyChoice(Struct, frozen=True, kw_only=True):
    """One complete choice, screened, with redacted values restored.

    `thoughts` are the pieces of its reasoning with the vendor's proofs, as they must come back with the next round: for
    doors whose clients can carry them. Their texts together are the beginning of `reasoning`. `stop` is the caller's
    stop sequence that was met, "" where it cannot be told which.
    """

    index: int
    text: str
    reasoning: str = ""
    thoughts: tuple[Thought, ...] = ()
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[msgspec.Raw, ...] = ()
    finish: str = "stop"
    stop: str | None = None


class Reply(Struct, frozen=True, kw_only=True):
    """A complete reply. `tail` holds what was not yet delivered of a stream: it may leave once the bill is durable."""

    choices: tuple[ReplyChoice, ...]
    usage: Usage
    tail: tuple[Chunk, ...] = ()


@dataclass(slots=True)
class Call:
    """A tool call under construction."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    signature: str = ""


class Choice:
    """One choice under construction."""

    __slots__ = ("calls", "finish", "index", "logprobs", "refusal", "screens", "stop", "text", "thinking")

    def __init__(self, index: int) -> None:
        self.index = index
        self.text: list[str] = []
        self.thinking: Thinking | None = None
        self.refusal: list[str] = []
        self.calls: dict[int, Call] = {}
        self.logprobs: list[msgspec.Raw] = []
        self.finish = ""
        self.stop: str | None = None
        self.screens: dict[str, Screen] = {}

    def thinks(self) -> Thinking:
        """Its reasoning, begun now if there was none."""
        if self.thinking is None:
            self.thinking = Thinking()
        return self.thinking


def screens_of(choice: Choice) -> list[Screen]:
    """All that look at something of the choice."""
    return [*choice.screens.values(), *(choice.thinking.screens if choice.thinking is not None else ())]


def pieces_of(choice: Choice) -> Iterator[Chunk]:
    """A choice that was held back, as the pieces of a stream."""
    whole = complete(choice)
    for thought in whole.thoughts:
        yield with_proof(choice.index, thought)
    calls = enumerate(whole.tool_calls)
    yield Chunk(
        index=choice.index,
        text=whole.text,
        reasoning=whole.reasoning[sum(len(each.text) for each in whole.thoughts) :],
        refusal=whole.refusal,
        tool_calls=tuple(
            ToolCallDelta(n, call.id, call.function.name, call.function.arguments, call.signature or "")
            for n, call in calls
        ),
        logprobs=merged_logprobs(choice.logprobs),
        finish=whole.finish,
    )


def with_proof(index: int, thought: Thought) -> Chunk:
    """A piece of reasoning that was held back, with its proof behind it."""
    return Chunk(index=index, reasoning=thought.text, thought=msgspec.structs.replace(thought, text=""))


def complete(choice: Choice) -> ReplyChoice:
    """The choice as it stands, all of it."""
    return ReplyChoice(
        index=choice.index,
        text="".join(choice.text),
        reasoning=choice.thinking.text if choice.thinking is not None else "",
        thoughts=tuple(choice.thinking.thoughts) if choice.thinking is not None else (),
        refusal="".join(choice.refusal),
        tool_calls=tuple(
            ToolCall(call.id, ModelFunction(call.name, "".join(call.arguments)), signature=call.signature or UNSET)
            for _, call in sorted(choice.calls.items())
        ),
        logprobs=tuple(choice.logprobs),
        finish=choice.finish or "stop",
        stop=choice.stop,
    )


class _Logprobs(Struct, omit_defaults=True):
    content: list[msgspec.Raw] | None = None
    refusal: list[msgspec.Raw] | None = None


def merged_logprobs(pieces: list[msgspec.Raw] | tuple[msgspec.Raw, ...]) -> msgspec.Raw | None:
    """One `logprobs` object of a choice out of its pieces: the token lists are joined."""
    if not pieces:
        return None
    if len(pieces) == 1:
        return pieces[0]
    whole = _Logprobs()
    for piece in pieces:
        part = msgspec.json.decode(piece, type=_Logprobs)
        if part.content:
            whole.content = (whole.content or []) + part.content
        if part.refusal:
            whole.refusal = (whole.refusal or []) + part.refusal
    return msgspec.Raw(msgspec.json.encode(whole))
