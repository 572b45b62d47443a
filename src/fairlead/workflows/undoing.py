"""Compensation: where a run fails or is cancelled, what was done is undone, the last first."""

from functools import partial

from msgspec import Struct

from fairlead.workflows.nodes import PythonNode, ToolNode, seconds
from fairlead.workflows.program import Compiled
from fairlead.workflows.scope import Halt, Purse, Scope
from fairlead.workflows.step_parts import Walking, bounds_of, evaluated, paid
from fairlead.workflows.walk import UNDO, Place, StepFailed


class Done(Struct, frozen=True):
    """A step that can be undone, as it stood."""

    compiled: Compiled
    at: Place
    scope: Scope


class Undoing:
    """What a walk has done that can be undone."""

    def __init__(self) -> None:
        self._done: list[Done] = []

    def add(self, compiled: Compiled, at: Place, scope: Scope) -> None:
        """This was done, and says how it is undone."""
        self._done.append(Done(compiled, at, scope))

    async def all(self, walk: Walking) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """Undo everything, in reverse of the order of steps: the same order on every walk. One that cannot be undone
        keeps no other from it. Gives what was undone, and what was not and why."""
        undone: list[str] = []
        left: list[tuple[str, str]] = []
        while self._done:  # compensations of subflows may add to it
            self._done.sort(key=lambda each: each.scope.order)
            each = self._done.pop()
            try:
                await _undone(walk, each)
            except StepFailed as failed:
                left.append((each.at.text, failed.message))
                walk.effects.noted(each.at, "not undone")
            else:
                undone.append(each.at.text)
                walk.effects.noted(each.at, "undone")
        return tuple(undone), tuple(left)


async def _undone(walk: Walking, done: Done) -> None:
    compiled, settings, undo = done.compiled, done.compiled.step.compensate, done.compiled.undo
    assert settings is not None
    assert undo is not None
    # What is undone is neither bound by the budget nor by the time of what failed.
    scope = Scope(done.scope.names, Purse(), Halt(), done.scope.results, done.scope.flows, order=done.scope.order)
    place, node, tries = done.at.below(UNDO), settings.does, 0
    given = evaluated(partial(undo.filled, scope.given))
    bounds = bounds_of(compiled, scope)
    while True:
        try:
            if isinstance(node, ToolNode):
                await paid(walk, place, scope, partial(walk.effects.tool, place, node, given, bounds))
            elif isinstance(node, PythonNode):
                await paid(walk, place, scope, partial(walk.effects.python, place, node, given, bounds))
            else:
                await walk.flow(walk.program.flows[node.workflow], place, scope, given)
            return
        except StepFailed as failed:
            tries += 1
            retry = settings.retry
            if tries >= retry.attempts or failed.kind not in retry.errors or failed.in_doubt:
                raise
            wait = min(seconds(retry.most_wait), seconds(retry.wait) * retry.backoff ** (tries - 1))
            pause = place.below("~pause", tries)
            await walk.effects.pause(pause, wait)
            place = place.tried(tries)
