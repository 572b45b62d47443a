"""The effects of a recorded run: each gives what it gave, and nothing is asked, called, written or paid."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from fairlead.errors import Broken
from fairlead.models.types import ChatRequest
from fairlead.storage.workflow_rows import CANCELLED, OVER
from fairlead.tools.types import Definition, Tool
from fairlead.workflows.agent import reached
from fairlead.workflows.marks import is_mark
from fairlead.workflows.nodes import AgentNode, ApprovalNode, ModelNode, PythonNode, ToolNode, WaitNode
from fairlead.workflows.opened import Opened, packed
from fairlead.workflows.recorded import Memory
from fairlead.workflows.walk import (
    Asked,
    Bounds,
    Cancelled,
    Parked,
    Place,
    State,
    StepFailed,
    StepResult,
    Waiting,
)

Kind = Literal["model", "agent", "turn", "tool", "python", "answer", "time"]


class Met(Struct, frozen=True, kw_only=True):
    """An effect as the walk met it: what it was given, and what is recorded of it. `name` is the tool or function,
    `action` the governed action's own id, `cost` in nano-units, `ended_at` in milliseconds since 1970."""

    at: Place
    kind: Kind
    given: Any
    name: str = ""
    result: StepResult | None = None
    failed: StepFailed | None = None
    action: str = ""
    cost: int = 0
    ended_at: int = 0


class Difference(Struct, frozen=True):
    """Where a run does not come out as it did, and how."""

    at: str
    what: str


class Gap(Exception):
    """A walk cannot go on: what it needs is not recorded, or does not open."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference.what)
        self.difference = difference


class FromRecords:
    """The `Effects` of a run that was recorded. `waits` are the places that it waits for, where it is not over."""

    def __init__(self, opened: Opened, waits: frozenset[str] = frozenset()) -> None:
        self.met: dict[str, Met] = {}
        self.left_out = 0
        self.disagreed: set[str] = set()
        self.differences: list[Difference] = []
        self._opened = opened
        self._memory = Memory(opened)
        self._waits = waits

    @property
    def unreached(self) -> tuple[str, ...]:
        """What is recorded, and was not come to."""
        failed = tuple(f"{each.at.text}[" for each in self.met.values() if each.kind == "agent" and each.failed)
        return tuple(
            each
            for each in self._opened.results
            if each not in self.met
            and not is_mark(each)
            and not each.startswith("(")  # the run's own, and no step's
            and not each.startswith(failed)  # done beside what an agent failed of
        )

    async def model(self, at: Place, node: ModelNode, asked: Asked, bounds: Bounds) -> StepResult:
        return self._recalled(at, "model", asked)

    async def agent(self, at: Place, node: AgentNode, asked: Asked, bounds: Bounds) -> StepResult:
        below = (f"{at.text}[", f"{at.text}#")
        if at.record in self._opened.results and not any(each.startswith(below) for each in self._opened.results):
            return self._recalled(at, "agent", asked)  # it was given, not worked out: a fork with another value
        made: StepResult | StepFailed
        try:
            made = await reached(self, at, node, asked, bounds, [_stand_in(each) for each in node.tools])
        except StepFailed as failed:
            made = failed
        if at.record not in self._opened.results:
            raise self._end(at)
        return self._compared(at, asked, made)

    async def turn(self, at: Place, request: ChatRequest, bounds: Bounds, *, grounds: bool) -> StepResult:
        return self._recalled(at, "turn", [msgspec.to_builtins(each) for each in request.messages])

    async def call(self, at: Place, name: str, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        return self._recalled(at, "tool", dict(arguments), name)

    async def tool(self, at: Place, node: ToolNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        return self._recalled(at, "tool", dict(arguments), node.call)

    async def python(self, at: Place, node: PythonNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        return self._recalled(at, "python", dict(arguments), node.function)

    async def answer(self, at: Place, node: ApprovalNode | WaitNode | None, waiting: Waiting) -> StepResult:
        return self._recalled(at, "answer", waiting, waiting.role or waiting.signal, waiting)

    async def not_accepted(self, at: Place) -> None:
        """Known since the run itself came here."""

    async def now(self, at: Place) -> int:
        return int(self._recalled(at, "time", None).value)

    async def pause(self, at: Place, seconds: float) -> None:
        await self.now(at)
        if at.record in self._waits:
            raise Parked(((at, Waiting(kind="time", id=at.text)),))

    def begun(self, at: Place) -> bool:
        return self._memory.begun(at)

    def noted(self, at: Place, state: State, result: StepResult | None = None) -> None:
        self.left_out += state == "left out"
        if state == "disagreed":
            self.disagreed.add(at.text)

    def _recalled(
        self, at: Place, kind: Kind, given: Any, name: str = "", waiting: Waiting | None = None
    ) -> StepResult:
        row = self._opened.results.get(at.record)
        if row is None:
            self.met.setdefault(at.record, Met(at=at, kind=kind, given=given, name=name))
            raise self._end(at, waiting)
        about = {"at": at, "kind": kind, "given": given, "name": name, "action": row.action, "cost": row.cost,
                 "ended_at": row.at}  # fmt: skip
        try:
            found = self._memory.found(at)
        except StepFailed as failed:
            self.met[at.record] = Met(failed=failed, **about)
            raise
        except (Broken, msgspec.ValidationError) as error:
            raise Gap(Difference(at.record, f"what is recorded does not open: {error}")) from None
        assert found is not None
        self.met[at.record] = Met(result=found, **about)
        return found

    def _end(self, at: Place, waiting: Waiting | None = None) -> Exception:
        """How a walk ends where nothing is recorded: as the run did, or with a gap."""
        status = self._opened.run.status
        if status not in OVER:
            return Parked(((at, waiting or Waiting(kind="time", id=at.text)),))
        if status == CANCELLED and not at.undoing:
            return Cancelled()
        return Gap(Difference(at.record, "nothing is recorded of it"))

    def _compared(self, at: Place, asked: Asked, made: StepResult | StepFailed) -> StepResult:
        """What is recorded of an agent, once its turns were gone through again."""
        try:
            kept = self._recalled(at, "agent", asked)
        except StepFailed as failed:
            if not isinstance(made, StepFailed) or made.message != failed.message:
                self.differences.append(Difference(at.record, f"its turns do not lead to {failed.message!r}"))
            else:
                failed.result = made.result  # what did not pass is not recorded: it follows from its turns
            raise
        if isinstance(made, StepFailed) or packed(made) != packed(kept):
            self.differences.append(Difference(at.record, "its turns do not lead to what is recorded of it"))
        return kept


def _stand_in(name: str) -> Tool:
    """A tool as far as a recorded agent needs one: its name."""
    system, _, own = name.partition(".")
    return Tool(system=system, definition=Definition(name=own), digest="")
