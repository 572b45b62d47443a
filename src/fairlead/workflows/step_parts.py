"""What the kinds of steps have in common: how an effect is had and paid for, and what expressions make of a step."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from fairlead.workflows.expression_errors import BadExpression
from fairlead.workflows.nodes import seconds
from fairlead.workflows.program import Block, Compiled, Flow, Program
from fairlead.workflows.scope import Scope
from fairlead.workflows.templates import as_text
from fairlead.workflows.together import Halted
from fairlead.workflows.walk import Asked, Bounds, Effects, Place, StepFailed, StepResult

_Made = TypeVar("_Made")


class Walking(Protocol):
    """What the kinds need of a walk."""

    program: Program
    effects: Effects

    async def flow(self, flow: Flow, at: Place, scope: Scope, given: Mapping[str, Any]) -> StepResult:
        """Walk another definition, as a subflow."""

    async def block(self, block: Block, at: Place, scope: Scope) -> dict[str, StepResult]:
        """Walk steps, and give the results of those that were not left out."""


class Again(Struct, frozen=True):
    """Why a question is asked anew: what was wrong, and the reply that it was wrong with."""

    wrong: str = ""
    before: str = ""


async def effect(walk: Walking, at: Place, scope: Scope, make: Callable[[], Coroutine[Any, Any, _Made]]) -> _Made:
    """Have an effect done. Where something beside it has failed, only what was begun before goes on."""
    if scope.halt.on and not walk.effects.begun(at):
        raise Halted
    return await make()


async def side_by_side(
    walk: Walking, mark: Place, scope: Scope, run: Callable[[], Coroutine[Any, Any, _Made]]
) -> _Made:
    """Things done side by side under `scope.halt`. That they failed is kept at `mark` before anything follows from it:
    a later walk begins nothing new among them, so it comes to the same failure."""
    if walk.effects.begun(mark):
        scope.halt.pull()
    try:
        return await run()
    except StepFailed:
        await walk.effects.now(mark)
        raise


async def paid(
    walk: Walking, at: Place, scope: Scope, make: Callable[[], Coroutine[Any, Any, StepResult]]
) -> StepResult:
    """An effect that costs money."""
    result = await effect(walk, at, scope, make)
    scope.purse.spend(result.cost)
    return result


def evaluated(make: Callable[[], _Made]) -> _Made:
    """What is made of expressions. One that fails is a failure of the step: raises `StepFailed`."""
    try:
        return make()
    except BadExpression as error:
        raise StepFailed("error", error.message, code=error.code, mend=error.mend) from error


def filled(compiled: Compiled, key: str, scope: Scope, otherwise: Any = None) -> Any:
    """A key of the step's with its expressions' values."""
    template = compiled.filled.get(key)
    return otherwise if template is None else evaluated(lambda: template.filled(scope.given))


def worded(compiled: Compiled, key: str, scope: Scope) -> str:
    """The same as text."""
    return as_text(filled(compiled, key, scope, ""))


def flowed(compiled: Compiled, scope: Scope, result: StepResult) -> StepResult:
    """A result with the labels and sources of what its step took in: they only rise."""
    labels, sources = scope.flowing(compiled.uses)
    known = dict.fromkeys((*sources, *result.provenance))
    return replace(result, labels=result.labels.joined(labels), provenance=tuple(known))


def bounds_of(compiled: Compiled, scope: Scope) -> Bounds:
    """Within what an effect of the step stays."""
    labels, sources = scope.flowing(compiled.uses)
    step = compiled.step
    timeout = None if step.timeout is None or step.retry is not None else float(seconds(step.timeout))
    return Bounds(
        timeout=timeout,
        deadline=scope.deadline,
        budget=scope.purse.left,
        labels=labels,
        sources=sources,
        undone=scope.undone,
    )


def asked_of(compiled: Compiled, scope: Scope, again: Again | None = None) -> Asked:
    """The question of a model's or an agent's step."""
    again = again or Again()
    key = "prompt" if compiled.kind == "model" else "goal"
    return Asked(
        prompt=worded(compiled, key, scope),
        instructions=worded(compiled, "instructions", scope),
        wrong=again.wrong,
        before=again.before,
        grounds=compiled.grounds,
    )


def last_of(block: Block, results: Mapping[str, StepResult]) -> StepResult:
    """What a list of steps gives: what its last one gave, with what all of them cost."""
    cost = sum(each.cost for each in results.values())
    return replace(results.get(block.last, StepResult()), cost=cost)
