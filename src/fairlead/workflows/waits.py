"""What a step waits for, said so that it can be kept, and what its answer means."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from fairlead.workflows.definition import Step
from fairlead.workflows.expression_errors import BadExpression
from fairlead.workflows.nodes import ApprovalNode, WaitNode, seconds
from fairlead.workflows.templates import as_text
from fairlead.workflows.walk import Place, StepFailed, StepResult, Waiting


def waiting_of(step: Step, at: Place, shown: Mapping[str, Any], begun: int | None, deadline: int | None) -> Waiting:
    """What an approval or a wait waits for. `begun` is when, `deadline` when the run or a step around it is over."""
    until = deadline
    if step.timeout is not None and begun is not None:
        until = sooner(begun + 1000 * seconds(step.timeout), deadline)
    if step.approval is not None:
        return _approval(step.approval, at, shown, until)
    assert step.wait is not None
    return _wait(step.wait, at, shown, begun, until)


def sooner(moment: int, other: int | None) -> int:
    """The earlier of both moments, where there is another."""
    return moment if other is None else min(moment, other)


def _approval(node: ApprovalNode, at: Place, shown: Mapping[str, Any], until: int | None) -> Waiting:
    note = "nobody answered in time"
    silent = {"approved": node.unanswered == "approve", "by": [], "note": note, "answer": None}
    return Waiting(
        kind="approval",
        id=at.text,
        until=until,
        default=None if node.unanswered == "fail" else StepResult(value=silent, text=note),
        role=node.role,
        ask=as_text(shown["ask"]),
        show=shown.get("show"),
        answer=node.answer,
        quorum=node.quorum,
        escalate_to=node.escalate.to if node.escalate else "",
        escalate_after=seconds(node.escalate.after) if node.escalate else 0,
    )


def _wait(node: WaitNode, at: Place, shown: Mapping[str, Any], begun: int | None, until: int | None) -> Waiting:
    if node.signal:
        default = None if node.default is UNSET else StepResult(value=node.default, text=as_text(node.default))
        return Waiting(kind="signal", id=at.text, until=until, default=default, signal=node.signal, answer=node.gives)
    if node.for_ is not None:
        assert begun is not None
        moment = begun + 1000 * seconds(node.for_)
    else:
        moment = _moment(as_text(shown["until"]))
    if until is not None and moment > until:  # it cannot be waited for so long
        return Waiting(kind="time", id=at.text, until=until)
    return Waiting(kind="time", id=at.text, until=moment, default=StepResult())


def _moment(text: str) -> int:
    """A date or a time in milliseconds since 1970; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadExpression(
            f"`until` comes to {text[:60]!r}, which is no time", "until", mend="give a date or a time in ISO 8601"
        ) from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def answered(step: Step, at: Place, result: StepResult) -> StepResult:
    """What the answer means for the step. Raises `StepFailed` where people said no."""
    if step.approval is None or step.approval.denied == "continue":
        return result
    value = result.value if isinstance(result.value, dict) else {}
    if value.get("approved") is True:
        return result
    by = ", ".join(map(str, value.get("by") or ())) or "nobody"
    note = f": {value['note']}" if value.get("note") else ""
    raise StepFailed("refused", f"{at.text} was not approved (by {by}){note}", code="not_approved")
