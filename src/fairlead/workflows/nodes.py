"""What a step of a workflow can do by itself, and what may be said of any step: data only, as the YAML has it.

Conditions and lists (`when`, `until`, `over`, `that`) are expressions. All other text may hold expressions: `${...}`;
a value that is nothing but one keeps its type.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

Expression = Annotated[str, Meta(min_length=1, max_length=4000)]
Duration = Annotated[str, Meta(pattern="^[1-9][0-9]{0,5}(s|m|h|d)$", examples=["30s", "10m", "4h", "7d"])]
StepId = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,62}$", examples=["read", "check_total"])]
Role = Annotated[str, Meta(min_length=1, max_length=100)]
Schema = dict[str, Any]

ErrorKind = Literal["unavailable", "busy", "timeout", "check", "error", "refused", "unfinished"]
"""`unavailable`: a model or system failed or was not reached. `busy`: a limit or no free place. `timeout`: it took too
long. `check`: what it gave did not pass the step's check. `error`: it ran, and tells of an error. `refused`: policy,
budget, rights or missing context forbid it. `unfinished`: a loop's turns were over."""

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(duration: str) -> int:
    """A duration as workspaces write it (`30s`, `10m`, `4h`, `7d`) in seconds."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


class RetrySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`retry:`. What may have been done is only tried again where the system knows idempotency keys."""

    attempts: Annotated[int, Meta(ge=1, le=20, description="How often it is tried in all.")] = 3
    wait: Annotated[Duration, Meta(description="How long before the second attempt.")] = "2s"
    backoff: Annotated[float, Meta(ge=1, le=10, description="Each further wait is this many times the last.")] = 2.0
    most_wait: Annotated[Duration, Meta(description="The longest wait between two attempts.")] = "10m"
    errors: Annotated[
        tuple[Literal["unavailable", "busy", "timeout", "check", "error"], ...],
        Meta(
            description="After what: `unavailable`, a model or system failed; `busy`, a limit; `timeout`; `error`, it "
            "ran and told of an error; `check`, a model's reply did not pass (it is told why)."
        ),
    ] = ("unavailable", "busy", "timeout")


class RuleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `check.rules`: what must be true of what the step gave."""

    that: Annotated[Expression, Meta(description="An expression that must be true; `value` and `text` are the result.")]
    otherwise: Annotated[
        str,
        Meta(min_length=1, max_length=1000, description="What is wrong where it is not: people and models read it."),
    ]


class CheckSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`check:`. What does not pass stops here, and no later step sees it."""

    schema: Annotated[Schema, Meta(description="A JSON Schema that the result must have.")] = {}
    rules: Annotated[tuple[RuleSettings, ...], Meta(description="Business rules that must hold.")] = ()
    grounded: Annotated[
        str,
        Meta(
            description="The text that must bear out what the step says, such as `${steps.read.text}`. `sources`: "
            "whatever a model or agent was told, its tools gave back and its pages say; every number must stand there."
        ),
    ] = ""


class ExpertSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`expert:`. A person who does the work where no model may or can."""

    role: Annotated[Role, Meta(description="The role whose holders are asked: one of `approvals.roles`.")]
    errors: Annotated[
        tuple[Literal["refused", "check", "unavailable", "timeout", "unfinished"], ...],
        Meta(description="When they are asked. `refused`: no model is permitted and able."),
    ] = ("refused", "check")
    timeout: Annotated[Duration, Meta(description="For how long the run waits for them.")] = "7d"


class ModelNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`model:`. One question to whichever model the task type's policies and objective choose."""

    prompt: Annotated[str, Meta(min_length=1, description="What is asked.")]
    task: Annotated[str, Meta(description="The task type. Default: recognised from the prompt.")] = ""
    model: Annotated[str, Meta(description="One model by name, in place of a choice among all.")] = ""
    instructions: Annotated[str, Meta(description="What the model is told before, beside the task type's own.")] = ""
    gives: Annotated[
        Schema, Meta(description="A JSON Schema of the reply, which is data then: `steps.ID.value`. Default: text.")
    ] = {}
    max_output: Annotated[int, Meta(ge=1, le=10_000_000, description="The most tokens of the reply.")] | None = None
    memory: Annotated[
        tuple[str, ...],
        Meta(
            max_length=8,
            description="Whose memory it is told before it begins: `run`, `person`, `session:NAME`, `team:GROUP`.",
        ),
    ] = ()
    expert: ExpertSettings | None = None


class AgentNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`agent:`. A model that calls tools, turn by turn, until its goal is reached."""

    goal: Annotated[str, Meta(min_length=1, description="What it is to reach.")]
    at_most: Annotated[int, Meta(ge=1, le=200, description="The most turns, each one question to a model.")]
    tools: Annotated[tuple[str, ...], Meta(description="The tools it may call: `system.tool`.")] = ()
    task: Annotated[str, Meta(description="The task type of its turns.")] = ""
    model: Annotated[str, Meta(description="One model by name, in place of a choice among all.")] = ""
    instructions: Annotated[str, Meta(description="What the model is told before, beside the task type's own.")] = ""
    gives: Annotated[Schema, Meta(description="A JSON Schema of what it hands on. Default: text.")] = {}
    max_output: Annotated[int, Meta(ge=1, le=10_000_000, description="The most tokens of one turn.")] | None = None
    memory: Annotated[
        tuple[str, ...],
        Meta(
            max_length=8,
            description="Whose memory it is told before it begins: `run`, `person`, `session:NAME`, `team:GROUP`.",
        ),
    ] = ()
    expert: ExpertSettings | None = None


class ToolNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tool:`. One call of a tool in a system of record."""

    call: Annotated[
        str,
        Meta(pattern=r"^[a-z][a-z0-9_-]{0,40}\..+$", examples=["erp.order"], description="The tool: `system.tool`."),
    ]
    arguments: Annotated[dict[str, Any], Meta(description="Its arguments.")] = {}


class PythonNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`python:`. A function of the workspace's own, in a file below `workflows/`."""

    function: Annotated[
        str,
        Meta(
            pattern="^[a-z_][a-z0-9_]*:[A-Za-z_][A-Za-z0-9_]*$",
            description="`module:function`, as in `totals:of_lines` for `of_lines` in `workflows/totals.py`.",
        ),
    ]
    arguments: Annotated[dict[str, Any], Meta(description="Its arguments, by name.")] = {}
    pages: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(
            description="Pages of the context that it is given as its argument `pages`, by name; `legal/*` is all of a "
            "folder. They are read under the rights of whoever began the run."
        ),
    ] = ()
    effect: Annotated[Literal["none", "write"], Meta(description="Whether it changes anything outside the run.")] = (
        "none"
    )


class SubflowNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`subflow:`. Another workflow of the workspace, as a part of this run."""

    workflow: Annotated[str, Meta(min_length=1, description="Its name: that of its file, without `.yaml`.")]
    input: Annotated[dict[str, Any], Meta(description="What it is given.")] = {}


class EscalationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`escalate:`. Who may answer too where nobody has."""

    after: Annotated[Duration, Meta(description="How long after the question.")]
    to: Annotated[Role, Meta(description="The role that may answer then.")]


class ApprovalNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`approval:`. A question to people; the run is parked until they answer, and costs nothing meanwhile.

    Gives `{approved, by, note, answer}`. Where it is denied the step fails, unless `denied: continue`.
    """

    role: Annotated[Role, Meta(description="The role whose holders are asked: one of `approvals.roles`.")]
    ask: Annotated[str, Meta(min_length=1, description="What they are asked.")]
    show: Annotated[Any, Meta(description="What they see beside it.")] = None
    answer: Annotated[Schema, Meta(description="A JSON Schema of what they fill in. Default: only yes or no.")] = {}
    quorum: Annotated[int, Meta(ge=1, le=10, description="How many different persons must agree.")] = 1
    escalate: EscalationSettings | None = None
    unanswered: Annotated[
        Literal["fail", "approve", "deny"], Meta(description="What follows where the step's `timeout` is over.")
    ] = "fail"
    denied: Annotated[Literal["fail", "continue"], Meta(description="What follows where they say no.")] = "fail"


class WaitNode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`wait:`. Exactly one of `for`, `until` and `signal`. The run is parked and costs nothing meanwhile."""

    for_: Annotated[Duration | None, Meta(description="How long.")] = msgspec.field(default=None, name="for")
    until: Annotated[str, Meta(description="Until when, as in `${input.due}`: a date or a time with its zone.")] = ""
    signal: Annotated[
        str, Meta(description="For what is sent to the run under this name; its content is the step's value.")
    ] = ""
    gives: Annotated[Schema, Meta(description="A JSON Schema of the signal's content.")] = {}
    default: Annotated[
        Any, Meta(description="The value where no signal came within the step's `timeout`. Without it, the step fails.")
    ] = msgspec.UNSET


class CompensationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`compensate:`. What undoes the step where the run fails or is cancelled later: exactly one of its kinds.

    It sees what the step saw, and the step's own result.
    """

    tool: ToolNode | None = None
    python: PythonNode | None = None
    subflow: SubflowNode | None = None
    retry: RetrySettings = RetrySettings(attempts=5, errors=("unavailable", "busy", "timeout", "error"))
    timeout: Annotated[Duration | None, Meta(description="How long one attempt may take.")] = None

    @property
    def does(self) -> "ToolNode | PythonNode | SubflowNode":
        """The one kind that is given."""
        node = self.tool or self.python or self.subflow
        assert node is not None  # checks.py refuses one without
        return node
