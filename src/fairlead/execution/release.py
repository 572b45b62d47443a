"""Letting a reply out: what may leave leaves at once, what may not never does, and the whole is kept for the record.

One `Release` serves an action through all its attempts. As long as nothing has been let out, another candidate can
start over; afterwards there is no way back (`started`).
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from fairlead.errors import Withheld
from fairlead.execution.choices import (
    Call,
    Choice,
    Reply,
    complete,
    merged_logprobs,
    pieces_of,
    screens_of,
    with_proof,
)
from fairlead.execution.thinking import NewScreen
from fairlead.models.tally import size_of
from fairlead.models.types import Chunk, Model, ToolCallDelta, Usage
from fairlead.policy import Screen
from fairlead.policy.types import Hit

Deliver = Callable[[str, Model, Chunk], Awaitable[None]]  # run, model, piece


class Release:
    """Takes a provider's chunks and lets out what may leave. `deliver` is the door's; None collects only."""

    def __init__(self, run: str, deliver: Deliver | None) -> None:
        self.started = False
        self.model: Model | None = None
        self._run = run
        self._deliver = deliver
        self._new_screen: NewScreen | None = None
        self._choices: dict[int, Choice] = {}
        self._usage: Usage | None = None
        self._produced = 0
        self._input = 0
        self._stops: Sequence[str] = ()
        self._whole = deliver is None

    def begin(
        self,
        model: Model,
        new_screen: NewScreen | None,
        input_size: int,
        *,
        whole: bool = False,
        stops: Sequence[str] = (),
    ) -> None:
        """Start over for another attempt. `input_size` in bytes, for the bill of an attempt that reports no usage.
        With `whole` nothing leaves before all of it was judged. `stops` are the caller's stop sequences."""
        self.model = model
        self._whole = whole or self._deliver is None
        self._new_screen = new_screen
        self._choices = {}
        self._usage = None
        self._produced = 0
        self._input = input_size
        self._stops = stops

    def anew(self) -> "Release":
        """Another for the same door, for the reply that may take this one's place. Of this one nothing has left."""
        return Release(self._run, self._deliver)

    def usage_so_far(self) -> Usage:
        """What the provider reported or, before it reports, an estimate of a token for four bytes."""
        if self._usage is not None:
            return self._usage
        return Usage(input=-(-self._input // 4), output=-(-self._produced // 4), estimated=True)

    async def push(self, chunk: Chunk) -> None:
        """Take a piece. Raises `Withheld` when a rule keeps the reply from leaving.

        Where nothing is delivered before the end, that waits for `check`: the provider's own count is still to come.
        """
        if chunk.usage is not None:
            self._usage = chunk.usage
        choice = self._choices.get(chunk.index)
        if choice is None:
            choice = self._choices[chunk.index] = Choice(chunk.index)
        if chunk.finish:
            choice.finish = chunk.finish
            choice.stop = chunk.stop
        self._produced += size_of(chunk.text) + size_of(chunk.reasoning) + size_of(chunk.refusal)
        if self._whole or self._deliver is None or self.model is None:
            self._take(choice, chunk)
            return
        out = self._take_plain(choice, chunk) if self._new_screen is None else self._take_screened(choice, chunk)
        if out is not None:
            self.started = True
            await self._deliver(self._run, self.model, out)

    def _take(self, choice: Choice, chunk: Chunk) -> None:
        choice.text.append(chunk.text)
        if chunk.reasoning or chunk.thought is not None:
            choice.thinks().take(chunk.reasoning, chunk.thought)
        if chunk.refusal:
            choice.refusal.append(chunk.refusal)
        if chunk.tool_calls:
            self._collect_calls(choice, chunk.tool_calls)
        if chunk.logprobs is not None:
            choice.logprobs.append(chunk.logprobs)

    def _take_plain(self, choice: Choice, chunk: Chunk) -> Chunk | None:
        """Nothing can forbid anything: all of it leaves but the end, which waits for the bill."""
        self._take(choice, chunk)
        if chunk.finish or chunk.usage is not None:
            chunk = msgspec.structs.replace(chunk, finish=None, usage=None, stop=None)
        return None if chunk == Chunk(index=chunk.index) else chunk

    def _take_screened(self, choice: Choice, chunk: Chunk) -> Chunk | None:
        """Text leaves as far as it is clean. Tool calls and log-probabilities wait for the end: their pieces can be
        judged only together."""
        text = self._screen(choice, "text").feed(chunk.text) if chunk.text else ""
        refusal = self._screen(choice, "refusal").feed(chunk.refusal) if chunk.refusal else ""
        reasoning, thought = "", None
        if chunk.reasoning or chunk.thought is not None:
            assert self._new_screen is not None
            reasoning, thought = choice.thinks().feed(self._new_screen, chunk.reasoning, chunk.thought)
        choice.text.append(text)
        choice.refusal.append(refusal)
        if chunk.tool_calls:
            self._collect_calls(choice, chunk.tool_calls)
        if chunk.logprobs is not None:
            choice.logprobs.append(chunk.logprobs)
        if not (text or reasoning or refusal or thought):
            return None
        return Chunk(index=chunk.index, text=text, reasoning=reasoning, refusal=refusal, thought=thought)

    def _screen(self, choice: Choice, part: str) -> Screen:
        screen = choice.screens.get(part)
        if screen is None:
            assert self._new_screen is not None
            screen = choice.screens[part] = self._new_screen(False)
        return screen

    def _collect_calls(self, choice: Choice, deltas: tuple[ToolCallDelta, ...]) -> None:
        for delta in deltas:
            call = choice.calls.setdefault(delta.index, Call())
            call.id = delta.id or call.id
            call.name = delta.name or call.name
            call.arguments.append(delta.arguments)
            if delta.signature:
                call.signature = delta.signature
            self._produced += size_of(delta.arguments) + size_of(delta.name or "")

    def check(self) -> Reply:
        """The reply is complete: judge what was held back, and the whole. Raises `Withheld`."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        for choice in choices:
            if choice.stop is not None:
                choice.stop = self._met(choice.stop)
        tail: tuple[Chunk, ...] = ()
        if not self._whole:
            tail = tuple([piece for choice in choices for piece in self._close(choice)])
        elif self._new_screen is not None:
            for choice in choices:
                self._judge(choice, self._new_screen)
        if self._whole and self._deliver is not None:
            tail = tuple([piece for choice in choices for piece in pieces_of(choice)])
        return Reply(choices=tuple(map(complete, choices)), usage=self.usage_so_far(), tail=tail)

    def _met(self, said: str) -> str | None:
        """Of what a provider says where it stopped, that which is the caller's own and may be said."""
        met = said or (self._stops[0] if len(self._stops) == 1 else "")
        if said and said not in self._stops:
            return None
        try:
            return met if self._new_screen is None or self._new_screen(False).whole(met) == met else ""
        except Withheld:
            return ""

    def _judge(self, choice: Choice, new_screen: NewScreen) -> None:
        """Screen a choice that was only collected, each of its texts in one look."""
        for part in (choice.text, choice.refusal):
            if any(part):
                screen = choice.screens[str(len(choice.screens))] = new_screen(False)
                part[:] = [screen.whole("".join(part))]
        if choice.thinking is not None:
            choice.thinking.judge(new_screen)
        self._judge_calls(choice, new_screen)

    def _judge_calls(self, choice: Choice, new_screen: NewScreen) -> None:
        for number, call in choice.calls.items():
            came = "".join(call.arguments), call.name
            screen = choice.screens[f"call {number}"] = new_screen(True)
            named = choice.screens[f"name {number}"] = new_screen(False)
            arguments, name = screen.whole(came[0]), named.whole(came[1])
            if (arguments, name) != came:
                call.signature = ""  # it proves what the model wrote
            call.arguments, call.name = [arguments], name
        if any(screen.decision.redact & screen.categories for screen in screens_of(choice)):
            choice.logprobs = []  # they spell out the tokens of what was taken out

    def _close(self, choice: Choice) -> list[Chunk]:
        """The last pieces of a stream: what was held back, and how it ended."""
        finish = choice.finish or "stop"
        if self._new_screen is None:
            return [Chunk(index=choice.index, finish=finish)]
        rest = {part: screen.close() for part, screen in choice.screens.items()}
        text, refusal = rest.get("text", ""), rest.get("refusal", "")
        proven, reasoning = choice.thinking.close() if choice.thinking is not None else ((), "")
        choice.text.append(text)
        choice.refusal.append(refusal)
        self._judge_calls(choice, self._new_screen)
        last = Chunk(
            index=choice.index,
            text=text,
            reasoning=reasoning,
            refusal=refusal,
            tool_calls=tuple(
                ToolCallDelta(number, call.id, call.name, "".join(call.arguments), call.signature)
                for number, call in choice.calls.items()
            ),
            logprobs=merged_logprobs(choice.logprobs),
            finish=finish,
        )
        return [*(with_proof(choice.index, thought) for thought in proven), last]

    def categories(self, index: int) -> frozenset[str]:
        """What was found in the text of a choice."""
        return frozenset().union(*(screen.categories for screen in self._choices[index].screens.values()))

    def append(self, index: int, text: str) -> None:
        """What was added to a choice, for the sealed payload."""
        self._choices[index].text.append(text)

    def hits(self) -> frozenset[Hit]:
        """The rules that applied to the reply so far and did not withhold it."""
        if self._new_screen is None:
            return frozenset()
        return frozenset(
            [hit for choice in self._choices.values() for screen in screens_of(choice) for hit in screen.hits]
        )

    def reply_text(self) -> str:
        """What has been collected so far, for the sealed payload."""
        return "\n".join("".join(choice.text) for choice in self._choices.values())
