"""How fast a model reads and writes, by a few short calls of it on the governed path: priced, permitted and recorded.

Two kinds of calls differ in one thing each from a third that is as short as can be: in the length of the input, and in
that of the reply. What all of them take beside, such as our own commits, falls out of the difference.
"""

from statistics import median
from typing import Final

from msgspec import Struct

from fairlead.costs.told import Arrival
from fairlead.errors import Rejected, Upstream
from fairlead.execution.answer import Answer
from fairlead.execution.deployment import Fairlead
from fairlead.execution.model_call import call_model
from fairlead.execution.page_embedding import EMBEDS
from fairlead.models.types import ChatRequest, Message
from fairlead.routing.pace import Speed
from fairlead.tasks.types import TaskType

DOOR: Final = "machine"
_PATIENCE: Final = 300.0  # seconds for one call
_LONG: Final = 2400  # bytes of the long input
_SHORTEST: Final = 300
_REPLY: Final = 64  # tokens
_FEWEST: Final = 8
_ROUNDS: Final = 3
_BRIEFLY: Final = 3.0  # seconds after which one round is enough
_LEAST: Final = 0.0005  # seconds: a shorter difference is that of the clock
_WORDS: Final = (
    "harbour", "ledger", "window", "seven", "paper", "morning", "contract", "bridge", "colour", "seldom", "north",
    "engine", "letter", "market", "silver", "answer",
)  # fmt: skip


class Measured(Struct, frozen=True, kw_only=True):
    """What a model was measured at. `load` is what its first call took longer than the next ones, in seconds; `cost` is
    in nano-units, `runs` are the calls. With `estimated` its server counts no tokens, so bytes were counted."""

    speed: Speed
    load: float
    estimated: bool
    cost: int
    runs: tuple[str, ...]


async def measure(fairlead: Fairlead, model: str) -> Measured:
    """Measure one model. Raises what its calls raise, and `Upstream` where it says too little to be measured."""
    return await _Probe(fairlead, model).run()


class _Probe:
    def __init__(self, fairlead: Fairlead, model: str) -> None:
        self._fairlead = fairlead
        self._model = model
        self._size = _LONG
        self._cost = 0
        self._runs: list[str] = []
        self._estimated = False

    async def run(self) -> Measured:
        monotonic = self._fairlead.clock.monotonic
        began = monotonic()
        await self._call("Say yes.", 1)
        first = monotonic() - began
        rounds: list[tuple[float, float, float, float, float, int]] = []
        while len(rounds) < _ROUNDS:
            began = monotonic()
            rounds.append(await self._round())
            if monotonic() - began > _BRIEFLY:
                break
        short, reading, writing = (median(part) for part in zip(*(each[:3] for each in rounds), strict=True))
        _, _, _, read, size, written = rounds[-1]
        return Measured(
            speed=Speed(
                prefill=read / max(_LEAST, reading - short),
                decode=written / max(_LEAST, writing - short),
                bytes_a_token=size / read,
            ),
            load=max(0.0, first - short),
            estimated=self._estimated,
            cost=self._cost,
            runs=tuple(self._runs),
        )

    async def _round(self) -> tuple[float, float, float, float, float, int]:
        """Seconds of the short call, of that with a long input and of that with a long reply; and by how many tokens
        and bytes the long ones were longer."""
        short, base, least = await self._call(self._mark() + "Say yes.", 1)
        reading, long, most = await self._long()
        writing, answer, _ = await self._call(self._mark() + "Count from one to two hundred, in words.", _REPLY)
        written = answer.reply.usage.output
        if written < _FEWEST:
            raise Upstream(
                f"{self._model} writes too little to be measured: {written} tokens of {_REPLY}",
                mend="measure another model; this one is then not left out for being slow",
                subject=self._model,
            )
        read = max(1, long.reply.usage.input - base.reply.usage.input)
        return short, reading, writing, read, max(1, most - least), written - 1

    async def _long(self) -> tuple[float, Answer, int]:
        """With an input as long as the model takes, up to a limit."""
        while True:
            words = self._fairlead.clock.random_bytes(self._size // 7)
            text = " ".join(_WORDS[each % len(_WORDS)] for each in words)
            try:
                return await self._call(f"{self._mark()}{text}\nSay yes.", 1)
            except Rejected:
                self._size //= 2
                if self._size < _SHORTEST:
                    raise

    def _mark(self) -> str:
        """What no input before began with, so that its server has read none of it yet."""
        return self._fairlead.clock.random_bytes(4).hex() + " "

    async def _call(self, text: str, most: int) -> tuple[float, Answer, int]:
        messages = [Message(role="user", content=text)]
        size = len(text.encode())
        request = ChatRequest(model=self._model, messages=messages, size=size, max_output=most, stream=True)
        task = TaskType(name="speed", deadline=_PATIENCE, max_output=_REPLY)
        began = self._fairlead.clock.monotonic()
        answer = await call_model(self._fairlead, EMBEDS, request, Arrival(door=DOOR, body=text.encode(), task=task))
        took = self._fairlead.clock.monotonic() - began
        self._cost += answer.cost
        self._runs.append(answer.run)
        self._estimated = self._estimated or answer.reply.usage.estimated
        return took, answer, size
