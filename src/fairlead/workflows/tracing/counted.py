"""How far a run is with each step, counted from the places of what is recorded: nothing is opened, nothing walked.

A map of ten thousand items is one row of counts here. What a step without records of its own (a transform, a switch)
has come to follows from what comes after it; that a condition left it out is known where the run has ended well.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fairlead.storage.workflow_rows import DONE, OVER, PAUSED, Run
from fairlead.storage.workflow_step_rows import Result, Wait
from fairlead.workflows.cutting import own_steps, parts_of
from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.graph import every_step, lists_of
from fairlead.workflows.marks import is_mark
from fairlead.workflows.tracing.facts import Action
from fairlead.workflows.tracing.progress import Progress, State, said_of_wait
from fairlead.workflows.walk import UNDO, Waiting

_ASKED: Final = 10  # governed actions of a step that the log is asked about
_ACTING: Final = frozenset({"model", "agent", "tool", "python", "approval", "wait"})


@dataclass(slots=True)
class _Counted:
    """What is recorded of a step: the places at which it was come to, and those where it was done or failed."""

    places: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    undone: int = 0
    cost: int = 0
    actions: list[str] = field(default_factory=list)
    ended: int = 0
    waits: list[tuple[Wait, Waiting]] = field(default_factory=list)


def counted(
    run: Run,
    definition: Definition,
    rows: Iterable[Result],
    waits: Iterable[tuple[Wait, Waiting]],
    action: Callable[[str], Action | None],
) -> list[Progress]:
    """Every step of the run's own definition, in its order. `action` tells of governed actions."""
    steps = [step for _, step in every_step(definition.steps)]
    seen = {step.id: _Counted() for step in steps}
    for row in rows:
        if not is_mark(row.place) and not row.place.startswith("("):
            _count(definition, seen, row)
    for wait, waiting in waits:
        if chain := own_steps(definition, parts_of(wait.place)):
            seen[chain[-1][0].id].waits.append((wait, waiting))
            for step, place in chain:
                seen[step.id].places.add(place)
    states = dict[str, State]()
    _states(run, definition.steps, seen, states, run.status == DONE)
    return [_told(step, seen[step.id], states[step.id], action) for step in steps]


def _count(definition: Definition, seen: Mapping[str, _Counted], row: Result) -> None:
    parts = parts_of(row.place)
    chain = own_steps(definition, parts)
    for step, place in chain:
        seen[step.id].places.add(place)
    if not chain:
        return
    (step, place), bare = chain[-1], row.place.partition("#")[0].rpartition("~expert")
    one = seen[step.id]
    one.cost += row.cost
    one.ended = max(one.ended, row.at)
    if row.action and len(one.actions) < _ASKED:
        one.actions.append(row.action)
    if UNDO in parts:
        one.undone += row.status == "done"
    elif (bare[0].removesuffix(".") or bare[2]).partition("~")[0] == place:
        (one.done if row.status == "done" else one.failed).add(place)


def _states(
    run: Run, steps: Sequence[Step], seen: Mapping[str, _Counted], states: dict[str, State], over: bool
) -> None:
    """The states of a list of steps and of all within it; `over` says that the list was gone through to its end."""
    later = over
    for step in reversed(steps):
        states[step.id] = _state(run, step, seen[step.id], later)
        for _, keys, inner in lists_of(step):
            always = keys[0] in ("map", "loop", "parallel") or any(seen[each.id].places for each in inner)
            through = keys[0] != "otherwise" and always and states[step.id] == "done"
            _states(run, inner, seen, states, through)
        later = later or bool(seen[step.id].places)


def _state(run: Run, step: Step, one: _Counted, later: bool) -> State:
    """`later`: what comes after it was come to, or the list was gone through."""
    if one.waits or one.undone:
        return "parked" if one.waits else "undone"
    return _reached(run, step, one, later) if one.places else _unreached(run, step, later)


def _unreached(run: Run, step: Step, later: bool) -> State:
    if later:
        return "left out" if step.when or step.kind in _ACTING else "done"
    return "not reached" if run.status in OVER else "to come"


def _reached(run: Run, step: Step, one: _Counted, later: bool) -> State:
    acts = step.kind in _ACTING
    if later if not acts else one.done >= one.places:
        return "done"
    if run.status in OVER or later:
        return "failed" if one.failed or not acts else "not reached"
    return "parked" if run.status == PAUSED else "under way"


def _told(step: Step, one: _Counted, state: State, action: Callable[[str], Action | None]) -> Progress:
    known = [found for each in one.actions if (found := action(each)) is not None]
    done = one.done if step.kind in _ACTING else one.places if state == "done" else set[str]()
    return Progress(
        step=step.id, kind=step.kind, state=state, times=len(one.places), done=len(done), cost=one.cost,
        ms=max(0, one.ended - min(each.at for each in known)) if known else None,
        models=tuple(dict.fromkeys(each.model for each in known if each.model)),
        waits=tuple(dict.fromkeys(said_of_wait(waiting) for _, waiting in one.waits)),
        asked_at=min((wait.asked_at for wait, _ in one.waits), default=None),
    )  # fmt: skip
