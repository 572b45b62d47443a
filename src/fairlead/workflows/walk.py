"""What the interpreter of a workflow and its effects say to each other.

An effect is whatever is not pure: a model, a tool, a function, the clock, a wait. Each has a `Place`, and is done once
there: on a later walk, after a crash or a park, the same place gives the same result, or raises the same failure.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Protocol

from msgspec import Struct

from fairlead.labels import NO_LABELS, Labels
from fairlead.workflows.nodes import (
    AgentNode,
    ApprovalNode,
    ErrorKind,
    ModelNode,
    PythonNode,
    Schema,
    ToolNode,
    WaitNode,
)

LONGEST_WAIT: Final = 300
"""Seconds for which a run that is kept in memory only may wait."""

UNDO: Final = "~undo"
"""What the path of a compensation ends with: no step can have this id."""


class Place(Struct, frozen=True, order=True):
    """Where in a run an effect stands. `path` are ids of steps, numbers of items and turns, names of branches.

    `attempt` counts repetitions of the same call, which have one idempotency key. What is asked anew, because the reply
    did not pass, is another path: `draft~1`.
    """

    run: str
    path: tuple[str | int, ...]
    attempt: int = 0

    @property
    def text(self) -> str:
        """As people read it: `lines[3].match`."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).removeprefix(".")

    @property
    def key(self) -> str:
        """The idempotency key that systems are given: `run:lines[3].match`."""
        return f"{self.run}:{self.text}"

    @property
    def record(self) -> str:
        """The name under which its result is kept: the text, with the attempt where it is not the first."""
        return f"{self.text}#{self.attempt}" if self.attempt else self.text

    @property
    def undoing(self) -> bool:
        """Whether this is part of a compensation, which goes on though the run was cancelled or its time is over."""
        return UNDO in self.path

    def below(self, *parts: str | int) -> "Place":
        """A place within this one."""
        return Place(self.run, (*self.path, *parts))

    def tried(self, attempt: int) -> "Place":
        """The same place at another attempt."""
        return Place(self.run, self.path, attempt)


class StepResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a step gave. `run` is the governed action's own id; `cost` in nano-units of the currency. `read` are the
    texts that it was made from, where a check asks for them. `cut_off`: a model had come to its most tokens. `asked_at`
    is when those were asked who gave it, in milliseconds since 1970."""

    value: Any = None
    text: str = ""
    labels: Labels = NO_LABELS
    provenance: tuple[str, ...] = ()
    run: str = ""
    cost: int = 0
    read: tuple[str, ...] = ()
    cut_off: bool = False
    asked_at: int = 0


class Work(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Work that a person is asked to do, beside what they are shown: what their answer is an example of. `reason` and
    `code` say why it came to a person; `labels` and `sources` are those of what the work was made of."""

    task: str = ""
    instructions: str = ""
    reason: str = ""
    code: str = ""
    labels: Labels = NO_LABELS
    sources: tuple[str, ...] = ()


class Waiting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run waits for. `id` is the place's text, of a call the id of the approval that it waits for. `until` is in
    milliseconds since 1970, None for ever.

    `default` is the answer where that is over: None where the step fails then. `work` is there where what is answered
    is work, and not a word to work that is done.
    """

    kind: Literal["approval", "question", "signal", "time", "call"]
    id: str
    until: int | None = None
    default: StepResult | None = None
    role: str = ""
    ask: str = ""
    show: Any = None
    answer: Schema = {}
    quorum: int = 1
    escalate_to: str = ""
    escalate_after: int = 0  # seconds
    signal: str = ""
    work: Work | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """A question to a model or an agent, with its expressions filled in. `memory` is what was recalled for it. After a
    reply that did not pass its check, `wrong` says why and `before` is that reply. With `grounds` the result tells what
    it was made from; `judge` says what is wrong with what an agent gives, "" for nothing, so that it can go on."""

    prompt: str
    instructions: str = ""
    memory: tuple[str, ...] = ()
    wrong: str = ""
    before: str = ""
    grounds: bool = False
    judge: Callable[[StepResult], str] | None = None

    def read(self, *more: str) -> tuple[str, ...]:
        """The texts that an answer may rest on: the question itself, what was recalled for it, and these."""
        return (self.prompt, *self.memory, *more) if self.grounds else ()


class Bounds(Struct, frozen=True, kw_only=True):
    """Within what an effect stays: seconds for the attempt, the moment at which the step or run is over (milliseconds
    since 1970), and money in nano-units. `labels` and `sources` are those of all that it is given. `undone`: the step,
    or one around it, says how it is undone, so it must be known that it was begun."""

    timeout: float | None = None
    deadline: int | None = None
    budget: int | None = None
    labels: Labels = NO_LABELS
    sources: tuple[str, ...] = ()
    undone: bool = False


class StepFailed(Exception):
    """An effect, or a step, failed. `in_doubt` says that it may have been done all the same and that asking again could
    do it twice: it is then never tried again. `cut_off` says that an earlier walk had begun it and was cut off: it may
    have been done then. `result` is what did not pass its check."""

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        at: str = "",
        code: str = "",
        why: str = "",
        mend: str = "",
        run: str = "",
        in_doubt: bool = False,
        cut_off: bool = False,
        result: StepResult | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.at = at
        self.code = code
        self.why = why
        self.mend = mend
        self.run = run
        self.in_doubt = in_doubt
        self.cut_off = cut_off
        self.result = result

    @property
    def may_be_done(self) -> bool:
        """Whether what failed may have changed something all the same."""
        return self.in_doubt or self.cut_off


class Parked(Exception):
    """The walk goes no further for now; walking again, with what was recorded, leads to the same place. `waiting` is
    what it waits for, empty where a segment simply ends."""

    def __init__(self, waiting: tuple[tuple[Place, Waiting], ...] = ()) -> None:
        super().__init__(", ".join(each.id for _, each in waiting) or "the segment is full")
        self.waiting = waiting


class RunFailed(Exception):
    """The run is over and has failed. `undone` are the steps whose compensation was done, in that order; `not_undone`
    those where it failed, each with why: a person must look at them."""

    def __init__(self, failure: StepFailed, undone: tuple[str, ...], not_undone: tuple[tuple[str, str], ...]) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.undone = undone
        self.not_undone = not_undone


class Cancelled(Exception):
    """The run is to end here: raised by any effect that is not part of a compensation. Once it comes out of the walk,
    `undone` and `not_undone` say what came of the compensations."""

    undone: tuple[str, ...] = ()
    not_undone: tuple[tuple[str, str], ...] = ()


State = Literal["begun", "done", "left out", "failed", "disagreed", "undone", "not undone"]


class Effects(Protocol):
    """What the interpreter asks for. Every method but `begun`, `noted` and `not_accepted` is one durable step.

    They raise `StepFailed`, `Parked` and `Cancelled`: a cancelled run's effects that were done still give what they
    gave, so that all of them can be undone. Other exceptions are faults: the walk ends with them, nothing is
    compensated, and it may be walked again.
    """

    async def model(self, at: Place, node: ModelNode, asked: Asked, bounds: Bounds) -> StepResult:
        """Ask a model once."""

    async def agent(self, at: Place, node: AgentNode, asked: Asked, bounds: Bounds) -> StepResult:
        """Have an agent work until its answer passes or its turns are over: each turn and call is a step of its own."""

    async def tool(self, at: Place, node: ToolNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        """Call a tool, under an idempotency key that follows from the place."""

    async def python(self, at: Place, node: PythonNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        """Run a function of the definition's own file."""

    async def answer(self, at: Place, node: "ApprovalNode | WaitNode | None", waiting: Waiting) -> StepResult:
        """What came of waiting. Raises `Parked` while nothing has, and `StepFailed` ("timeout") where `until` is over
        and there is no default. `node` is None where an expert is asked."""
        ...

    async def not_accepted(self, at: Place) -> None:
        """What a person gave for the step at this place does not pass its check. Told again on every walk."""
        ...

    async def now(self, at: Place) -> int:
        """The time, in milliseconds since 1970: the same on every walk."""
        ...

    async def pause(self, at: Place, seconds: float) -> None:
        """Let time go by before another attempt. May raise `Parked`."""
        ...

    def begun(self, at: Place) -> bool:
        """Whether this effect was begun on an earlier walk, whatever came of it. Where a sibling has failed, only such
        effects still go ahead, so that what may have been done is known and can be undone."""
        ...

    def noted(self, at: Place, state: State, result: StepResult | None = None) -> None:
        """What the walk has come to, for whoever watches. Told again on every walk."""
        ...
