"""The effects of a run: each is a governed action of the person who began it, as they stand by then.

Rights, policies and budgets are checked anew at every effect; the context is that of the run's first action. What an
effect gave is kept in the very commit that bills it, so no walk pays for it again; systems that know idempotency keys
are given the place.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from fairlead.costs.told import Arrival
from fairlead.execution import Answer
from fairlead.execution.model_call import call_model
from fairlead.execution.page_reading import read_pages
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest
from fairlead.execution.tool_call import call_tool
from fairlead.models.types import ChatRequest
from fairlead.storage.types import NewResult
from fairlead.tools.person import Person
from fairlead.tools.types import Credential
from fairlead.workflows.agent import reached, turn_of
from fairlead.workflows.asking import first_messages, labels_of, request_of, result_of
from fairlead.workflows.functions import late, outcome, plain
from fairlead.workflows.nodes import AgentNode, ApprovalNode, ModelNode, PythonNode, ToolNode, WaitNode
from fairlead.workflows.once import Once, cannot_wait
from fairlead.workflows.walk import (
    LONGEST_WAIT,
    Asked,
    Bounds,
    Parked,
    Place,
    State,
    StepFailed,
    StepResult,
    Waiting,
)

DOOR: Final = "workflow"

_SHORT: Final = 30.0  # seconds for which waiting in memory costs less than parking
_GLANCE: Final = 1.0  # seconds between two looks at whether a run that waits in memory was cancelled


class Governed(Once):
    """The `Effects` of one walk. `cancelled` and `paused` may be set at any time: no further effect is begun then."""

    async def model(self, at: Place, node: ModelNode, asked: Asked, bounds: Bounds) -> StepResult:
        """One governed call, kept as the step's result in the commit that bills it."""
        request = request_of(node, first_messages(asked), labels_of(bounds))
        return await self.once(
            at, bounds, lambda: self._asked(at, request, partial(result_of, at, node.gives, asked), bounds)
        )

    async def agent(self, at: Place, node: AgentNode, asked: Asked, bounds: Bounds) -> StepResult:
        """Turns and calls are effects of their own; what the agent gives at last is kept as this step's result."""

        async def reach() -> StepResult:
            systems = self._fairlead.current().systems
            tools = [systems.tool(each)[1] for each in node.tools]
            return await self._recorded.keep(at, await reached(self, at, node, asked, bounds, tools))

        return await self.once(at, bounds, reach)

    async def turn(self, at: Place, request: ChatRequest, bounds: Bounds, *, grounds: bool) -> StepResult:
        """One question of an agent to its model. With `grounds` it is kept which pages that was given."""
        return await self.once(at, bounds, lambda: self._asked(at, request, partial(turn_of, grounds), bounds))

    async def call(self, at: Place, name: str, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        """One call of a tool. Where the tool itself tells of an error, so does the step."""
        return await self.once(at, bounds, lambda: self._called(at, name, arguments, bounds))

    async def tool(self, at: Place, node: ToolNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        return await self.call(at, node.call, arguments, bounds)

    async def python(self, at: Place, node: PythonNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        """Runs the function of the definition's own file: one that waits (`async def`) on the loop, any other in a
        thread. One that writes is noted as begun before it runs. Raises `StepFailed` where it takes longer than its
        time."""

        async def run() -> StepResult:
            function, read = self._loaded.function(node.function), bounds.labels
            given, sources = dict(arguments), [f"python:{node.function}"]
            if node.pages:
                pages, labels = await read_pages(self._fairlead, self.caller, node.pages, self._arrival(at, bounds))
                given["pages"], read = msgspec.to_builtins(pages), read.joined(labels)
                sources += [f"page:{each.id}@{each.version}" for each in pages]
            person = Person(name=self.caller.person, credential=Credential(kind="none"), idempotency_key=at.key)
            work = partial(function.run, **function.given(given, person))
            if node.effect == "write":
                await self._recorded.begin(at, sources[0], undone=bounds.undone)
            try:
                async with asyncio.timeout(bounds.timeout):
                    value = await outcome(at, node, work() if function.waits else asyncio.to_thread(work))
            except TimeoutError:
                raise late(at, node) from None
            result = StepResult(value=plain(at, node, value), labels=read, provenance=tuple(sources))
            return await self._recorded.keep(at, result, writes=node.effect == "write")

        return await self.once(at, bounds, run)

    async def answer(self, at: Place, node: ApprovalNode | WaitNode | None, waiting: Waiting) -> StepResult:
        """Of a run that is not kept, waits in this process rather than raise `Parked`."""
        found = self._recorded.found(at)
        if found is not None:
            await self.resumed(at)
            return found
        self.refuse(at)
        if self._unkept:
            await self._sleep(at, await self._until(at, waiting))
        elif waiting.until is None or self._fairlead.clock.now() < waiting.until:
            raise Parked(((at, waiting),))
        if waiting.default is not None:
            await self.resumed(at)
            return await self._recorded.keep(at, waiting.default)
        late = StepFailed("timeout", "nobody answered in time", at=at.text, code="unanswered")
        raise await self._recorded.keep_failure(at, late)

    async def not_accepted(self, at: Place) -> None:
        await self._recorded.not_accepted(at)

    async def now(self, at: Place) -> int:
        """The moment at which this place was first come to, kept with the run."""
        if at.record not in self._moments:
            found = self._recorded.found(at)
            if found is None:
                found = await self._recorded.keep(at, StepResult(value=self._fairlead.clock.now()))
            self._moments[at.record] = int(found.value)
        return self._moments[at.record]

    async def pause(self, at: Place, seconds: float) -> None:
        """`seconds` count from when the place was first come to, whatever walks have been since. Short rests are slept
        through, longer ones parked, but in a run that is not kept."""
        began = await self.now(at)
        left = began / 1000 + seconds - self._fairlead.clock.now() / 1000
        if self._unkept:
            await self._sleep(at, began + int(seconds * 1000))
        elif left > _SHORT:
            raise Parked(((at, Waiting(kind="time", id=at.text, until=began + int(seconds * 1000))),))
        elif left > 0:
            await asyncio.sleep(left)

    def noted(self, at: Place, state: State, result: StepResult | None = None) -> None:
        """Told to whoever watches this walk; nothing of it is kept."""
        if self._watch is not None:
            self._watch(at.text, state)

    async def _asked(
        self, at: Place, request: ChatRequest, read: Callable[[Answer], StepResult], bounds: Bounds
    ) -> StepResult:
        """One question to a model. What `read` makes of the answer, a failure too, is kept with its bill."""
        kept: list[StepResult | StepFailed] = []

        def remember(answer: Answer) -> NewResult:
            try:
                result = read(answer)
                row = self._recorded.row(at, result)
            except StepFailed as failed:
                kept.append(failed)
                return self._recorded.failure_row(at, failed, answer.cost)
            kept.append(result)
            return row

        answer = await call_model(self._fairlead, self.caller, request, self._arrival(at, bounds), remember=remember)
        self._recorded.refuse_lost(answer.remembered)
        if isinstance(kept[-1], StepFailed):
            raise kept[-1]
        return kept[-1]

    async def _called(self, at: Place, name: str, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        kept: list[StepFailed] = []

        def remember(answer: ToolAnswer) -> NewResult:
            try:
                if answer.result.failed:
                    raise _failed(at, answer)
                return self._recorded.row(at, _given(answer), writes=True)
            except StepFailed as failed:
                kept.append(failed)
                return self._recorded.failure_row(at, failed, answer.cost)

        begins = None
        if self._fairlead.current().systems.tool(name)[1].definition.effect == "write":
            begins = self._recorded.beginning(at, f"tool:{name}", undone=bounds.undone)
        request = ToolRequest(name=name, arguments=arguments, labels=labels_of(bounds), flow=self._recorded.opened.flow)
        answer = await call_tool(self._fairlead, self.caller, request, self._arrival(at, bounds), remember, begins)
        if kept:
            raise kept[-1]
        if answer.result.failed:
            raise _failed(at, answer)
        return _given(answer)

    async def _sleep(self, at: Place, until: int) -> None:
        """Wait in memory, which ends early only where the run is cancelled or its process stops."""
        while (left := until / 1000 - self._fairlead.clock.now() / 1000) > 0:
            self.refuse(at)
            await asyncio.sleep(min(left, _GLANCE))

    async def _until(self, at: Place, waiting: Waiting) -> int:
        """Until when a run that cannot park waits. Raises `StepFailed` where that is too long, or for people."""
        until = waiting.until
        if waiting.kind != "time" or until is None or until - self._fairlead.clock.now() > LONGEST_WAIT * 1000:
            raise await self._recorded.keep_failure(at, cannot_wait(at, "this waits too long, or for somebody"))
        return until

    def _arrival(self, at: Place, bounds: Bounds) -> Arrival:
        return Arrival(
            door=DOOR,
            body=at.key.encode(),
            deadline=bounds.timeout,
            work=at.run,
            workflow=self._recorded.opened.run.workflow,
            flow=self._recorded.opened.flow,
            once=at.key,
            asks=not self._unkept,
            keep=not self._unkept,
        )


def _given(answer: ToolAnswer) -> StepResult:
    result = answer.result
    return StepResult(
        value=result.structured if result.structured is not None else result.text,
        text=result.text,
        labels=answer.labels,
        provenance=(answer.source, *answer.origins),
        run=answer.run,
        cost=answer.cost,
    )


def _failed(at: Place, answer: ToolAnswer) -> StepFailed:
    return StepFailed("error", answer.result.text[:500], at=at.text, code="tool_failed", run=answer.run)
