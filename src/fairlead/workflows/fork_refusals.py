"""Why a copy of a run is not begun, in words."""

from collections.abc import Iterable, Mapping

from fairlead.errors import BadInput, closest
from fairlead.storage.workflow_rows import PAUSED
from fairlead.workflows.forking import Fork, Plan
from fairlead.workflows.opened import Opened
from fairlead.workflows.steering import NotNow


def require_meant(plan: Plan, fork: Fork) -> None:
    """Raises `NotNow` where something outside would be done once more, and nobody has said that it shall."""
    if not plan.again or fork.again:
        return
    said = "; ".join(f"{each.at} ({each.does})" for each in plan.again)
    raise NotNow(
        f"this would do again what was done: {said}",
        why="a copy has idempotency keys of its own, so systems would take it for something new",
        mend="begin it behind these; or, where it shall be done once more, say so: --again",
    )


def require_models(models: Mapping[str, str], known: Iterable[str]) -> None:
    """Raises `BadInput` where a model is named that there is not."""
    names = list(known)
    for step, model in models.items():
        if model not in names:
            raise BadInput(f"there is no model {model!r} for {step}", mend=closest(model, names), param="models")


def require_same(first: Opened, fork: Fork) -> None:
    """Raises `NotNow` where a copy of this name was begun before, and was another one than is asked for now."""
    if first.origin is not None and first.origin.asked not in ("", fork.digest):
        raise NotNow(
            f"{fork.once!r} was begun with other edits, as {first.run.id}",
            why="the same `once` copies a run one time only",
            mend="give another copy another name, or leave `once` out",
            subject=first.run.id,
        )


def require_rest(opened: Opened, over: Iterable[str]) -> None:
    """Raises `NotNow` where the run goes on: both would do what follows."""
    run = opened.run
    if run.status in over or (run.status == PAUSED and not run.owner):
        return
    raise NotNow(
        f"run {run.id} is {run.status}, and would go on beside its copy",
        why="both would do what follows",
        mend=f"cancel it first (fairlead workflow cancel {run.id}), or pause it (fairlead workflow pause {run.id})",
        subject=run.id,
    )
