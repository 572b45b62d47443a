"""A run as a picture: its definition, which travels with it, and how far it is with each step."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from fairlead.costs.money import exact_money
from fairlead.errors import BadInput
from fairlead.storage.workflow_step_rows import Wait
from fairlead.workflows import drawn
from fairlead.workflows.definition import Definition
from fairlead.workflows.opened import Opened
from fairlead.workflows.programs import bundle_of
from fairlead.workflows.runs import Runs
from fairlead.workflows.tracing.counted import counted
from fairlead.workflows.tracing.logged import Logged
from fairlead.workflows.tracing.progress import Progress, progress_of
from fairlead.workflows.tracing.replaying import TooLong, rerun
from fairlead.workflows.walk import Waiting

Format = Literal["svg", "mermaid", "text"]
FORMATS: Final[tuple[Format, ...]] = ("svg", "mermaid", "text")
MOST_STEPS: Final = 1000
"""Those of items and turns counted each: a run with more is not walked again for a picture."""
_STATES: Final = {"caught": "failed, caught by otherwise"}
_MOST_BYTES: Final = 16 << 20  # of results, as they are sealed


def pictured(runs: Runs, id_: str, format: str) -> dict[str, Any]:
    """The picture of a run and its steps as plain data: times in milliseconds, money exact. Call it in a thread. Of a
    run that has done too much to be walked again for a picture, steps are `counted` from its records. Raises
    `BadInput` for a form that there is none of, and for a run of which nothing is kept."""
    if format not in FORMATS:
        raise BadInput(f"`format` is {format[:40]!r}", mend=f"one of {', '.join(FORMATS)}", param="format")
    steps = _walked(runs, id_)
    opened = runs.open(id_, read=False)
    definition, about = bundle_of(opened.definition).definition, opened.run
    if short := steps is not None:
        found = steps
    else:
        action = Logged(runs.store).action
        found = counted(about, definition, opened.results.values(), _unanswered(runs, opened), action)
    return {
        "object": "workflow.graph",
        "run": about.id,
        "workflow": about.workflow,
        "status": about.status,
        "format": format,
        "counted": not short,
        "drawn": _drawn(about.workflow, definition, found, format),
        "steps": [msgspec.to_builtins(each) | {"cost": exact_money(each.cost)} for each in found],
    }


def _walked(runs: Runs, id_: str) -> list[Progress] | None:
    """The steps by walking the run again. None where that would take long."""
    rows, size = runs.extent(id_)
    if rows > MOST_STEPS or size > _MOST_BYTES:
        return None
    opened = runs.open(id_)
    waits = _unanswered(runs, opened)
    try:
        run = asyncio.run(rerun(opened, [wait.place for wait, _ in waits], most=MOST_STEPS))
    except TooLong:
        return None
    return progress_of(run, Logged(runs.store).action, waits)


def _unanswered(runs: Runs, opened: Opened) -> list[tuple[Wait, Waiting]]:
    """What it waits for still: what was answered stands there until it is walked again."""
    return [each for each in runs.waits(opened) if each[0].place not in opened.results]


def _drawn(name: str, definition: Definition, steps: list[Progress], format: str) -> str:
    marks = {each.step: drawn.Mark(each.state, said_of(each)) for each in steps}
    if format == "svg":
        return drawn.svg_of(name, definition, marks)
    return drawn.mermaid_of(definition, marks) if format == "mermaid" else drawn.text_of(definition, marks)


def said_of(step: Progress) -> str:
    """How far it is, in a few words: `done 3 of 5, 1.2 s, 0.0004, small`."""
    often = f" {step.done} of {step.times}" if step.times > 1 else ""
    parts = [
        " ".join(filter(None, (f"{_STATES.get(step.state, step.state)}{often}", ", ".join(step.waits)))),
        "branches disagreed" + (f" {step.disagreed} times" if step.disagreed > 1 else "") if step.disagreed else "",
        "" if step.asked_at is None else f"asked {_moment(step.asked_at)} UTC",
        "" if step.waited_ms is None else f"waited {_long(step.waited_ms)}",
        "" if step.ms is None else f"{step.ms / 1000:.1f} s",
        exact_money(step.cost) if step.cost else "",
        ", ".join(step.models),
    ]
    return ", ".join(filter(None, parts))


def _long(ms: int) -> str:
    """A time that people take: `40.0 s`, `12 min`, `5 h`, `3 days`."""
    for unit, length, most in (("min", 60_000, 120), ("h", 3_600_000, 48)):
        if ms < 120_000:
            return f"{ms / 1000:.1f} s"
        if ms < most * length:
            return f"{ms // length} {unit}"
    return f"{ms // 86_400_000} days"


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
