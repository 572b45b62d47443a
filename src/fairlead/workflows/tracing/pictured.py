"""A run as a picture: its definition, which travels with it, and how far it is with each step."""

import asyncio
from typing import Any, Final, Literal

import msgspec

from fairlead.costs.money import exact_money
from fairlead.errors import BadInput
from fairlead.workflows import drawn
from fairlead.workflows.definition import Definition
from fairlead.workflows.runs import Runs
from fairlead.workflows.tracing.logged import Logged
from fairlead.workflows.tracing.progress import Progress, progress_of
from fairlead.workflows.tracing.replaying import rerun

Format = Literal["svg", "mermaid", "text"]
FORMATS: Final[tuple[Format, ...]] = ("svg", "mermaid", "text")


def pictured(runs: Runs, id_: str, format: str) -> dict[str, Any]:
    """The picture of a run and its steps as plain data: times in milliseconds, money exact. Call it in a thread. Raises
    `BadInput` for a form that there is none of, and for a run of which nothing is kept."""
    if format not in FORMATS:
        raise BadInput(f"`format` is {format[:40]!r}", mend=f"one of {', '.join(FORMATS)}", param="format")
    opened = runs.open(id_)
    waits = runs.waits(opened)
    run = asyncio.run(rerun(opened, [wait.place for wait, _ in waits]))
    steps = progress_of(run, Logged(runs.store).action, waits)
    about = opened.run
    return {
        "object": "workflow.graph",
        "run": about.id,
        "workflow": about.workflow,
        "status": about.status,
        "format": format,
        "drawn": _drawn(about.workflow, run.program.bundle.definition, steps, format),
        "steps": [msgspec.to_builtins(each) | {"cost": exact_money(each.cost)} for each in steps],
    }


def _drawn(name: str, definition: Definition, steps: list[Progress], format: str) -> str:
    marks = {each.step: drawn.Mark(each.state, said_of(each)) for each in steps}
    if format == "svg":
        return drawn.svg_of(name, definition, marks)
    return drawn.mermaid_of(definition, marks) if format == "mermaid" else drawn.text_of(definition, marks)


def said_of(step: Progress) -> str:
    """How far it is, in a few words: `done 3 of 5, 1.2 s, 0.0004, small`."""
    often = f" {step.done} of {step.times}" if step.times > 1 else ""
    parts = [
        " ".join(filter(None, (f"{step.state}{often}", ", ".join(step.waits)))),
        "branches disagreed" + (f" {step.disagreed} times" if step.disagreed > 1 else "") if step.disagreed else "",
        "" if step.ms is None else f"{step.ms / 1000:.1f} s",
        exact_money(step.cost) if step.cost else "",
        ", ".join(step.models),
    ]
    return ", ".join(filter(None, parts))
