"""The definition of a workflow: what `workflows/NAME.yaml` says, as data. Its file's name is the workflow's."""

import hashlib
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from fairlead.labels import ClassName
from fairlead.workflows.nodes import (
    AgentNode,
    ApprovalNode,
    CheckSettings,
    CompensationSettings,
    Duration,
    Expression,
    ModelNode,
    PythonNode,
    RetrySettings,
    Schema,
    StepId,
    SubflowNode,
    ToolNode,
    WaitNode,
)

KINDS: Final = (
    "agent",
    "model",
    "tool",
    "map",
    "parallel",
    "switch",
    "loop",
    "approval",
    "wait",
    "subflow",
    "transform",
    "python",
)
"""What a step can be: the keys of which it has exactly one."""


class MapNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`map:`. The same steps for each item of a list. Gives the list of what each gave, in the items' order."""

    over: Annotated[Expression, Meta(description="The list. The steps below see each as `item`, and its `index`.")]
    at_most: Annotated[int, Meta(ge=1, le=100_000, description="The most items; a longer list fails the step.")]
    at_once: Annotated[int, Meta(ge=1, le=1000, description="How many at the same time.")] = 1
    steps: Annotated[tuple["Step", ...], Meta(min_length=1, description="What is done for each.")]
    gives: Annotated[Any, Meta(description="What each item gives. Default: the value of its last step.")] = None


class ConflictSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`agree:`. What the branches must say alike, and who decides where they do not: exactly one of `rule`, `model` and
    `role`."""

    compare: Annotated[
        Expression, Meta(description="What is compared; `value` is what a branch gave, as in `value.total`.")
    ]
    rule: Annotated[
        str, Meta(max_length=4000, description="An expression that gives the value that counts; `values` by branch.")
    ] = ""
    model: Annotated[ModelNode | None, Meta(description="A model that decides; `values` by branch.")] = None
    role: Annotated[str, Meta(description="The role whose holders choose a branch.")] = ""


class ParallelNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`parallel:`. Branches of steps at the same time. Gives what each gave, by the branch's name."""

    branches: Annotated[
        dict[StepId, Annotated[tuple["Step", ...], Meta(min_length=1)]],
        Meta(min_length=1, description="The steps of each branch. No branch sees another's."),
    ]
    agree: ConflictSettings | None = None


class CaseSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `switch.cases`."""

    when: Annotated[Expression, Meta(description="The case in which these steps are done.")]
    steps: Annotated[tuple["Step", ...], Meta(min_length=1, description="What is done.")]


class SwitchNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`switch:`. The steps of the first case that holds. Gives the value of its last step."""

    cases: Annotated[tuple[CaseSettings, ...], Meta(min_length=1, description="The cases, in order.")]
    otherwise: Annotated[
        tuple["Step", ...], Meta(description="What is done where none holds. Default: nothing, and the value is null.")
    ] = ()


class LoopNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`loop:`. The same steps again and again, until it is good. Gives what the last turn gave."""

    until: Annotated[Expression, Meta(description="Asked after each turn: it ends where this is true.")]
    at_most: Annotated[int, Meta(ge=1, le=10_000, description="The most turns.")]
    steps: Annotated[
        tuple["Step", ...],
        Meta(
            min_length=1,
            description="What is done in a turn. They see its `index` and what the turn before gave, "
            "`previous`: null in the first.",
        ),
    ]
    gives: Annotated[Any, Meta(description="What a turn gives. Default: the value of its last step.")] = None
    unfinished: Annotated[
        Literal["fail", "keep"], Meta(description="What follows where the turns are over: fail, or keep the last.")
    ] = "fail"


Node = (
    AgentNode
    | ModelNode
    | ToolNode
    | MapNode
    | ParallelNode
    | SwitchNode
    | LoopNode
    | ApprovalNode
    | WaitNode
    | SubflowNode
    | PythonNode
)


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step: an `id`, exactly one of the twelve kinds, and what is said of it.

    Later steps see `steps.ID.value` (data, or the text), `steps.ID.text` and `steps.ID.cost`.
    """

    id: Annotated[StepId, Meta(description="Its name, once in a workflow: `steps.ID` in expressions.")]
    about: Annotated[str, Meta(max_length=500, description="What it is for: people read this.")] = ""
    when: Annotated[
        str, Meta(max_length=4000, description="It is left out where this is not true; test with `has(steps.ID)`.")
    ] = ""
    after: Annotated[
        tuple[StepId, ...] | None,
        Meta(description="The steps of the same list that it follows; `[]` for at once. Default: the one before it."),
    ] = None
    agent: AgentNode | None = None
    model: ModelNode | None = None
    tool: ToolNode | None = None
    map: MapNode | None = None
    parallel: ParallelNode | None = None
    switch: SwitchNode | None = None
    loop: LoopNode | None = None
    approval: ApprovalNode | None = None
    wait: WaitNode | None = None
    subflow: SubflowNode | None = None
    transform: Annotated[
        dict[str, Any] | list[Any] | str | UnsetType, Meta(description="Data made of earlier data, without any effect.")
    ] = UNSET
    python: PythonNode | None = None
    check: CheckSettings | None = None
    otherwise: Annotated[
        tuple["Step", ...],
        Meta(description="What is done where it fails: these see `error`, and the value of their last is the step's."),
    ] = ()
    retry: RetrySettings | None = None
    timeout: Annotated[
        Duration | None, Meta(description="How long it may take, all attempts together: `30s`, `10m`, `4h`, `7d`.")
    ] = None
    compensate: CompensationSettings | None = None
    budget: (
        Annotated[float, Meta(gt=0, description="The most that it may cost, in the workspace's currency.")] | None
    ) = None
    data_class: Annotated[
        ClassName | None,
        Meta(description="The class that its data has at least: it decides which placements may see it."),
    ] = msgspec.field(default=None, name="class")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that it names: `checks.py` refuses all but one."""
        return tuple(kind for kind in KINDS if getattr(self, kind) not in (None, UNSET))

    @property
    def kind(self) -> str:
        """The kind of a step that was checked: see `KINDS`."""
        return self.kinds[0]


class ScheduleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `schedule:`. When runs begin by themselves: each moment once, whoever dies when."""

    cron: Annotated[
        str,
        Meta(
            pattern=r"^\S+( \S+){4}$",
            description="When: minute, hour, day of the month, month, weekday, as in `30 6 * * mon-fri`. Where clocks "
            "are put forward, what falls into the gap begins as much later; where they are put back, a named hour "
            "counts once, and `*` goes on through both.",
        ),
    ]
    timezone: Annotated[str, Meta(description="Of which zone these are, such as `Europe/Berlin`.")] = "UTC"
    key: Annotated[str, Meta(min_length=1, description="As whom: one of `keys:`.")]
    input: Annotated[dict[str, Any], Meta(description="What each run is given.")] = {}
    missed: Annotated[
        Literal["none", "once", "all"],
        Meta(
            description="Of moments at which nothing ran: begin none of them, the last one, or all (100 at most). One "
            "that is less than a minute old is not missed."
        ),
    ] = "once"

    @property
    def digest(self) -> str:
        """What it is known by: a schedule that says something else is another one."""
        return hashlib.sha256(msgspec.json.encode(msgspec.to_builtins(self), order="sorted")).hexdigest()[:16]


class ChangedSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`changed:`. What follows where a run was parked, and pages that its steps were given say something else by then,
    are gone, have expired, or may not be read by its caller any more. It is looked at when the run goes on."""

    then: Annotated[
        Literal["keep", "ask", "fail"],
        Meta(
            description="`keep`: it goes on with the pages that it began with, and the run shows what has changed. "
            "`ask`: it asks whether to go on. `fail`: the step at which it waited fails."
        ),
    ] = "keep"
    role: Annotated[str, Meta(max_length=100, description="Of `ask`: the role whose holders are asked.")] = ""


class Definition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """workflows/NAME.yaml."""

    description: Annotated[str, Meta(max_length=2000, description="What it is for: people read this.")] = ""
    input: Annotated[
        Schema, Meta(description="A JSON Schema of what a run is given: an object. Its defaults are filled in.")
    ] = {}
    steps: Annotated[
        tuple[Step, ...],
        Meta(min_length=1, description="What is done, one after the other unless a step says `after`."),
    ]
    output: Annotated[
        dict[str, Any] | list[Any] | str | None,
        Meta(description="What a run gives. Default: the value of the last step."),
    ] = None
    data_class: Annotated[ClassName | None, Meta(description="The class that all its data has at least.")] = (
        msgspec.field(default=None, name="class")
    )
    budget: (
        Annotated[float, Meta(gt=0, description="The most that a run may cost, in the workspace's currency.")] | None
    ) = None
    timeout: Annotated[Duration | None, Meta(description="How long a run may take, waiting for people included.")] = (
        None
    )
    secrecy: Annotated[
        Literal["sealed", "memory"],
        Meta(
            description="`sealed`: what a run knows is kept, encrypted by a key of its own. `memory`: it is never "
            "written; such a run cannot wait for people, and begins anew after a crash."
        ),
    ] = "sealed"
    queue: Annotated[
        str, Meta(max_length=63, description="One of `workflows.queues`, whose places its runs share with others.")
    ] = ""
    at_once: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=10_000,
                description="The most runs of it at once, on all hosts. Who waits for "
                "people, a signal or a time takes no place.",
            ),
        ]
        | None
    ) = None
    priority: Annotated[
        int,
        Meta(
            ge=0,
            le=9,
            description="Which runs go first where several wait: 0 first. A step counts as much as ten "
            "minutes of waiting.",
        ),
    ] = 5
    schedule: Annotated[tuple[ScheduleSettings, ...], Meta(description="When runs begin by themselves.")] = ()
    changed: ChangedSettings = ChangedSettings()
