"""How far a run is, step by step of its definition: what a picture of it shows.

A step that is done many times (in a map, a loop, a retry) is told once, with how often; what a subflow does counts to
the step that begins it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from fairlead.storage.workflow_rows import ACCEPTED, OVER, PAUSED
from fairlead.storage.workflow_step_rows import Wait
from fairlead.workflows.graph import every_step
from fairlead.workflows.tracing.facts import Action
from fairlead.workflows.tracing.replaying import Passed, Rerun
from fairlead.workflows.tracing.tree import owned
from fairlead.workflows.walk import UNDO, Place, Waiting

State = Literal["done", "under way", "parked", "failed", "caught", "left out", "undone", "to come", "not reached"]
"""`caught`: it failed, and its `otherwise` took its place. `parked`: it waits for somebody or something. `to come`: the
run has not come to it yet. `not reached`: the run is over and has not come to it."""


class Progress(Struct, frozen=True, kw_only=True):
    """Of one step. `cost` in nano-units; `ms` from the beginning of its first governed action to the end of its last,
    None where it had none; `waited_ms` is how long it waited for people and signals until they answered, all times
    together. `waits` says for whom or what it is parked, since `asked_at` (milliseconds since 1970); `times` is how
    often it was come to, `disagreed` how often its branches said different things."""

    step: str
    kind: str
    state: State
    times: int = 0
    done: int = 0
    disagreed: int = 0
    cost: int = 0
    ms: int | None = None
    waited_ms: int | None = None
    models: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    asked_at: int | None = None
    error: str = ""


@dataclass(slots=True)
class _Seen:
    """What is known of a step so far."""

    passed: list[Passed] = field(default_factory=list)
    undone: int = 0
    cost: int = 0
    began: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    models: dict[str, None] = field(default_factory=dict)
    waits: list[str] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)


def progress_of(
    run: Rerun, action: Callable[[str], Action | None], waits: Iterable[tuple[Wait, Waiting]]
) -> list[Progress]:
    """Every step of the run's own definition, in its order. `action` tells of governed actions, `waits` is what the run
    waits for."""
    definition = run.program.bundle.definition
    seen = {step.id: _Seen() for _, step in every_step(definition.steps)}
    for passed in run.steps.values():
        if (own := _own(run, passed.at)) is passed:
            seen[own.compiled.step.id].passed.append(passed)
    for owner, effects in owned(run).values():
        one = seen[(_own(run, owner.at) or owner).compiled.step.id]
        for met in effects:
            one.cost += met.cost
            one.undone += UNDO in met.at.path and met.result is not None
            if met.result is not None and met.result.asked_at:
                one.waited.append(met.ended_at - met.result.asked_at)
            known = action(met.action or (met.failed.run if met.failed is not None else ""))
            if known is not None:
                one.began.append(known.at)
                one.ended.append(met.ended_at or known.at)
                one.models |= dict.fromkeys([known.model] if known.model else [])
    for wait, waiting in waits:
        if (at := _waiting_at(run, wait.place)) is not None:
            seen[at.compiled.step.id].waits.append(said_of_wait(waiting))
            seen[at.compiled.step.id].asked.append(wait.asked_at)
    return [_told(run, step.id, step.kind, seen[step.id]) for _, step in every_step(definition.steps)]


def _told(run: Rerun, id: str, kind: str, seen: _Seen) -> Progress:
    failed = next((found for each in seen.passed if (found := each.failed or each.caught) is not None), None)
    return Progress(
        step=id, kind=kind, state=_state(run, seen), times=len(seen.passed), cost=seen.cost,
        done=sum(each.result is not None and each.caught is None for each in seen.passed), models=tuple(seen.models),
        waited_ms=sum(seen.waited) if seen.waited else None, asked_at=min(seen.asked, default=None),
        ms=max(seen.ended) - min(seen.began) if seen.began else None, waits=tuple(dict.fromkeys(seen.waits)),
        error="" if failed is None else failed.message,
        disagreed=sum(each.at.text in run.disagreed for each in seen.passed),
    )  # fmt: skip


def _state(run: Rerun, seen: _Seen) -> State:
    status = run.opened.run.status
    if not seen.passed:
        return "not reached" if status in OVER else "to come"
    if seen.waits or seen.undone:
        return "parked" if seen.waits else "undone"
    open_ = [each for each in seen.passed if each.result is None and each.failed is None and not each.left_out]
    if open_ and status not in OVER:
        if status == ACCEPTED and (not run.opened.run.started_at or not open_[-1].compiled.blocks):
            return "to come"  # no worker has taken it up: what it came to last is yet to begin
        return "parked" if status == PAUSED else "under way"
    return _ended(seen.passed)


def _ended(passed: Sequence[Passed]) -> State:
    """How a step ended that was come to so often."""
    last = passed[-1]
    if any(each.caught is not None and each.result is not None for each in passed):
        return "caught"
    if last.result is not None:
        return "done"
    if any(each.failed is not None for each in passed):
        return "failed"
    return "left out" if last.left_out else "not reached"


def _own(run: Rerun, at: Place) -> Passed | None:
    """The step of the run's own definition that a place belongs to: of what is within a subflow, the step that began
    it."""
    found = None
    for end in range(1, len(at.path) + 1):
        passed = run.steps.get(Place(at.run, at.path[:end]).text)
        if passed is not None:
            found = passed
            if passed.compiled.step.kind == "subflow":
                break
    return found


def _waiting_at(run: Rerun, place: str) -> Passed | None:
    """The step that waits at a recorded place."""
    fitting = [each for each in run.steps.values() if place == each.at.text or place.startswith(_edges(each.at.text))]
    deepest: Sequence[Passed] = sorted(fitting, key=lambda each: len(each.at.path))
    return _own(run, deepest[-1].at) if deepest else None


def _edges(text: str) -> tuple[str, ...]:
    return tuple(f"{text}{edge}" for edge in ".[~#")


def said_of_wait(waiting: Waiting) -> str:
    """For whom or what."""
    if waiting.role:
        return f"for {waiting.role}"
    if waiting.signal:
        return f"for the signal {waiting.signal}"
    return "for an approval of a call" if waiting.kind == "call" else "for its time"
