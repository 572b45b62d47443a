"""Effects of a world that can crash: what was recorded is given again, and what was done is counted by its key."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition
from fairlead.workflows.nodes import AgentNode, ApprovalNode, ModelNode, PythonNode, ToolNode, WaitNode
from fairlead.workflows.program import Program
from fairlead.workflows.walk import Asked, Bounds, Parked, Place, State, StepFailed, StepResult, Waiting


class Crash(BaseException):
    """The process ends here."""


Doing = Callable[[Place, Any], StepResult]


class World:
    """What outlives a process. `done` counts effects by idempotency key, as a system does that knows them."""

    def __init__(self, doing: Doing) -> None:
        self.doing = doing
        self.records: dict[str, StepResult | StepFailed | int] = {}
        self.begun: set[str] = set()
        self.done: dict[str, StepResult | StepFailed] = {}
        self.order: list[str] = []
        self.answers: dict[str, StepResult] = {}
        self.time = 1_000_000


class Recording:
    """One process. It ends by `Crash` once `steps` effects were begun, before or after the effect was done."""

    def __init__(self, world: World, steps: int = 1 << 30, chance: random.Random | None = None) -> None:
        self.world = world
        self.left = steps
        self.chance = chance or random.Random(0)
        self.seen: list[tuple[str, State]] = []
        self.bounds: dict[str, Bounds] = {}
        self.asked: dict[str, Any] = {}

    async def _effect(self, at: Place, what: Any, *, changes: bool = False) -> StepResult:
        for _ in range(self.chance.randrange(3)):
            await asyncio.sleep(0)
        if at.record not in self.world.records:
            if changes:
                self.world.begun.add(at.record)  # as is kept of what changes something, and of nothing else
            self.left -= 1
            if self.left == 0 and self.chance.random() < 0.5:
                raise Crash
            if at.key not in self.world.done or isinstance(self.world.done[at.key], StepFailed):
                self.world.order.append(at.text)
                try:
                    self.world.done[at.key] = self.world.doing(at, what)
                except StepFailed as failed:
                    self.world.done[at.key] = failed
            if self.left <= 0:
                raise Crash
            self.world.records[at.record] = self.world.done[at.key]
        found = self.world.records[at.record]
        if isinstance(found, StepFailed):
            more = {"in_doubt": found.in_doubt, "result": found.result}
            raise StepFailed(found.kind, found.message, code=found.code, **more)  # type: ignore[arg-type]
        assert isinstance(found, StepResult)
        return found

    async def model(self, at: Place, node: ModelNode, asked: Asked, bounds: Bounds) -> StepResult:
        self.bounds[at.text], self.asked[at.text] = bounds, asked
        return await self._effect(at, asked)

    async def agent(self, at: Place, node: AgentNode, asked: Asked, bounds: Bounds) -> StepResult:
        self.bounds[at.text], self.asked[at.text] = bounds, asked
        return await self._effect(at, asked)

    async def tool(self, at: Place, node: ToolNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        self.bounds[at.text], self.asked[at.text] = bounds, arguments
        return await self._effect(at, arguments, changes=bounds.undone)

    async def python(self, at: Place, node: PythonNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        self.bounds[at.text], self.asked[at.text] = bounds, arguments
        return await self._effect(at, arguments, changes=bounds.undone)

    async def answer(self, at: Place, node: ApprovalNode | WaitNode | None, waiting: Waiting) -> StepResult:
        if waiting.id in self.world.answers:
            return self.world.answers[waiting.id]
        if waiting.until is not None and self.world.time >= waiting.until:
            if waiting.default is None:
                raise StepFailed("timeout", f"nobody answered {waiting.id}")
            return waiting.default
        raise Parked(((at, waiting),))

    async def not_accepted(self, at: Place) -> None:
        """Nothing is kept here to learn from."""

    async def now(self, at: Place) -> int:
        kept = self.world.records.setdefault(at.record, self.world.time)
        assert isinstance(kept, int)
        return kept

    async def pause(self, at: Place, seconds: float) -> None:
        self.asked[at.text] = seconds

    def begun(self, at: Place) -> bool:
        return at.record in self.world.begun or at.record in self.world.records

    def noted(self, at: Place, state: State, result: StepResult | None = None) -> None:
        self.seen.append((at.text, state))


def program_of(definition: Mapping[str, Any], **subflows: Mapping[str, Any]) -> Program:
    """A program as YAML would say it."""
    made = {name: msgspec.convert(each, Definition) for name, each in {"main": definition, **subflows}.items()}
    return Program(Bundle(name="main", definition=made.pop("main"), subflows=made))


def counted(keys: list[str]) -> dict[str, int]:
    """What was done more than once."""
    return {key: number for key, number in Counter(keys).items() if number > 1}
