"""Where a copy of a run parts from it: which places it takes over, and which are done anew. Pure.

A copy goes on *from* a step: that step and all that follows it, directly or not, is done anew. In a map that is so for
each item, or for one that is named (`lines[3].match`); in a loop for the turn that is named, or the first, and all
after it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput, closest
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.graph import follows_of, lists_of
from fairlead.workflows.walk import UNDO

Parts = tuple[str | int, ...]
"""A place as its parts: `lines[3].match` is `("lines", 3, "match")`."""

ANY: Final = -1  # each item of a map; the first turn of a loop
_PARTS: Final = re.compile(r"\[(\d{1,9})\]|([^.\[\]]+)")
_FAILED: Final = "~failed"  # the list of what is done where a step fails: no other can have this name


class _Inside(Struct, frozen=True):
    """Where a path goes on within a step: in which of its lists, in which item or turn, and what is left of it."""

    name: str
    steps: tuple[Step, ...]
    number: int | None
    rest: Parts


class Cut:
    """Where one or several copies part from a run: each of `targets` is done anew, and what follows it."""

    def __init__(self, bundle: Bundle, targets: Iterable[Parts]) -> None:
        self._bundle = bundle
        self.targets = tuple(targets)

    def drops(self, place: str) -> bool:
        """Whether what was done at a place is not taken over. What was undone there never is."""
        parts = parts_of(place)
        if UNDO in parts:
            return True
        steps = self._bundle.definition.steps
        return any(_drops(self._bundle, steps, parts, target) for target in self.targets)


def parts_of(place: str) -> Parts:
    """Of a place as records name it: which attempt it was is left out."""
    found = _PARTS.findall(place.partition("#")[0])
    return tuple(int(number) if number else name for number, name in found)


def text_of(parts: Parts) -> str:
    """As people name it."""
    said = "".join(f"[{'each' if part == ANY else part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return said.removeprefix(".")


def resolved(bundle: Bundle, said: str) -> Parts:
    """What people mean by a step: its id, or its place. Raises `BadInput` with the closest name."""
    parts = parts_of(said)
    if found := _target(bundle, bundle.definition.steps, parts):
        return found
    every = list(_chains(bundle, bundle.definition.steps))
    named = [chain for chain in every if len(parts) == 1 and chain[-1] == parts[0]]
    if len(named) == 1:
        return named[0]
    if named:
        places = ", ".join(map(text_of, named))
        raise BadInput(f"{said!r} is several steps", why=f"there are {places}", mend="name its place", param="from")
    names = [str(chain[-1]) for chain in every]
    mend = closest(str(parts[-1]) if parts else said, names) or "`fairlead workflow status RUN` tells its steps"
    raise BadInput(f"{bundle.name} has no step {said!r}", mend=mend, param="from", subject=said)


def step_at(bundle: Bundle, parts: Parts) -> Step | None:
    """The step that a place belongs to: that of an item's, a turn's, a subflow's; None where there is none by now."""
    steps: Sequence[Step] = bundle.definition.steps
    while parts:
        step = next((each for each in steps if each.id == _bare(parts[0])), None)
        if step is None or len(parts) == 1:
            return step
        inside = _inside(bundle, step, parts[1:])
        if inside is None or not inside.rest:
            return step
        steps, parts = inside.steps, inside.rest
    return None


def own_steps(definition: Definition, parts: Parts) -> list[tuple[Step, str]]:
    """The steps of a run's own definition that a place belongs to, the outermost first, each with the place at which it
    was come to: what a subflow does belongs to the step that begins it. Empty where there is none."""
    alone, found = Bundle(name="", definition=definition), list[tuple[Step, str]]()
    steps, rest = definition.steps, parts
    while rest:
        step = next((each for each in steps if each.id == _bare(rest[0])), None)
        if step is None:
            break
        here = (*parts[: len(parts) - len(rest)], step.id)
        found.append((step, text_of(here)))
        inside = _inside(alone, step, rest[1:]) if len(rest) > 1 and step.subflow is None else None
        if inside is None:
            break
        steps, rest = inside.steps, inside.rest
    return found


def _target(bundle: Bundle, steps: Sequence[Step], parts: Parts) -> Parts:
    """A place without what belongs to its step itself (a turn of an agent, a mark); () where there is no such step."""
    step = next((each for each in steps if parts and each.id == _bare(parts[0])), None)
    if step is None:
        return ()
    if len(parts) == 1:
        return (step.id,)
    inside = _inside(bundle, step, parts[1:])
    if inside is None:
        return () if _bare(parts[1]) else (step.id,)
    here: Parts = (step.id, *parts[1 : len(parts) - len(inside.rest)])
    if not inside.rest:
        return here
    below = _target(bundle, inside.steps, inside.rest)
    return (*here, *below) if below else ()


def _drops(bundle: Bundle, steps: Sequence[Step], place: Parts, target: Parts) -> bool:
    head, at = _bare(place[0]), target[0]
    # A mark of a list that is gone through anew, such as when it began, is not true of the copy.
    if not head or head in _after(steps, str(at)):
        return True
    if head != at or len(target) == 1:
        return head == at
    step = next(each for each in steps if each.id == at)
    to = _inside(bundle, step, target[1:])
    assert to is not None  # `resolved` has found it
    mine = _inside(bundle, step, place[1:]) if len(place) > 1 else None
    if mine is None or _FAILED in (mine.name, to.name):
        both = mine is not None and mine.name == to.name
        # What is done where the step fails comes after the step itself.
        return _drops(bundle, mine.steps, mine.rest, to.rest) if both and mine else to.name != _FAILED
    return _drops_within(bundle, step, mine, to)


def _drops_within(bundle: Bundle, step: Step, mine: _Inside, to: _Inside) -> bool:
    """The same of two places within one step."""
    if mine.name != to.name:
        return False  # another branch
    if mine.number is not None and to.number is not None and mine.number != to.number:
        first = max(0, to.number)
        if step.loop is not None and mine.number != first:
            return mine.number > first
        if step.map is not None and to.number != ANY:
            return False
    return not (mine.rest and to.rest) or _drops(bundle, mine.steps, mine.rest, to.rest)


def _after(steps: Sequence[Step], id: str) -> frozenset[str]:
    """The steps of a list that follow one, directly or not."""
    follows, found = follows_of(steps), {id}
    while more := {each for each, before in follows.items() if each not in found and found & set(before)}:
        found |= more
    return frozenset(found - {id})


def _inside(bundle: Bundle, step: Step, path: Parts) -> _Inside | None:
    """Where a path leads within a step; None for what belongs to the step itself, such as an agent's turn."""
    head = path[0]
    if isinstance(head, int):
        body = step.map or step.loop
        return None if body is None else _Inside("each", body.steps, head, path[1:])
    if step.parallel is not None and head in step.parallel.branches:
        return _Inside(f"branch {head}", step.parallel.branches[head], None, path[1:])
    for name, steps in _plain_lists(bundle, step):
        if any(each.id == _bare(head) for each in steps):
            return _Inside(name, steps, None, path)
    return None


def _plain_lists(bundle: Bundle, step: Step) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The lists within a step that are named in no place."""
    if step.subflow is not None:
        yield "subflow", bundle.of(step.subflow.workflow).steps
    for name, keys, steps in lists_of(step):
        if keys[0] in ("switch", "otherwise"):
            yield _FAILED if keys[0] == "otherwise" else name, steps


def _chains(bundle: Bundle, steps: Sequence[Step], before: Parts = ()) -> Iterator[Parts]:
    """The paths of all steps at any depth, subflows included."""
    for step in steps:
        here = (*before, step.id)
        yield here
        for name, keys, inner in lists_of(step):
            via: Parts = (ANY,) if keys[0] in ("map", "loop") else (name,) if keys[0] == "parallel" else ()
            yield from _chains(bundle, inner, (*here, *via))
        if step.subflow is not None:
            yield from _chains(bundle, bundle.of(step.subflow.workflow).steps, here)


def _bare(part: str | int) -> str:
    """An id without what says that it was asked anew; "" for a mark."""
    return "" if isinstance(part, int) else part.partition("~")[0]
