"""What each kind of step does: the pure ones here, all others by an effect."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from fairlead.workflows.agreeing import agreed
from fairlead.workflows.nodes import AgentNode, ModelNode, ToolNode
from fairlead.workflows.passing import wrong_with
from fairlead.workflows.program import Block, Compiled
from fairlead.workflows.recalling import recalled
from fairlead.workflows.room import Gathering, require_room
from fairlead.workflows.scope import Scope
from fairlead.workflows.step_parts import (
    Again,
    Walking,
    asked_of,
    bounds_of,
    effect,
    evaluated,
    filled,
    flowed,
    last_of,
    paid,
    side_by_side,
)
from fairlead.workflows.templates import as_text
from fairlead.workflows.together import together
from fairlead.workflows.waits import answered, waiting_of
from fairlead.workflows.walk import Place, StepFailed, StepResult, Work

_FAILED: Final = "~failed"


async def done(walk: Walking, compiled: Compiled, at: Place, scope: Scope, again: Again) -> StepResult:
    """What a step gives, before it is checked. Raises `StepFailed`, and what effects raise."""
    if compiled.kind in ("model", "agent"):
        return await _of_model(walk, compiled, at, scope, again)
    return await _KINDS[compiled.kind](walk, compiled, at, scope)


def work_of(compiled: Compiled, scope: Scope, *, reason: str, code: str = "", instructions: str = "") -> Work:
    """Work of this step that a person is asked to do."""
    labels, sources = scope.flowing(compiled.uses)
    task = getattr(compiled.node, "task", "")
    return Work(task=task, instructions=instructions, reason=reason, code=code, labels=labels, sources=sources)


async def _of_model(walk: Walking, compiled: Compiled, at: Place, scope: Scope, again: Again) -> StepResult:
    asked, bounds = asked_of(compiled, scope, again), bounds_of(compiled, scope)
    node = compiled.node
    assert isinstance(node, ModelNode | AgentNode)
    if isinstance(node, AgentNode):
        asked = replace(asked, judge=lambda result: evaluated(partial(wrong_with, compiled, result, scope.given)))

    async def recall(place: Place, tool: ToolNode, arguments: dict[str, str]) -> StepResult:
        return await paid(walk, place, scope, partial(walk.effects.tool, place, tool, arguments, bounds))

    memory = await recalled(at, filled(compiled, "memory", scope, []), recall)
    asked, within = memory.told(asked, bounds)
    ask = walk.effects.model if isinstance(node, ModelNode) else walk.effects.agent
    make: Any = partial(ask, at, node, asked, within)  # type: ignore[arg-type]  # each is given its own kind
    return memory.flowed(flowed(compiled, scope, await paid(walk, at, scope, make)))


async def _tool(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    node = compiled.step.tool
    assert node is not None
    arguments = filled(compiled, "arguments", scope, {})
    make = partial(walk.effects.tool, at, node, arguments, bounds_of(compiled, scope))
    return flowed(compiled, scope, await paid(walk, at, scope, make))


async def _python(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    node = compiled.step.python
    assert node is not None
    arguments = filled(compiled, "arguments", scope, {})
    make = partial(walk.effects.python, at, node, arguments, bounds_of(compiled, scope))
    return flowed(compiled, scope, await paid(walk, at, scope, make))


async def _transform(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    value = filled(compiled, "transform", scope)
    require_room(value)
    return flowed(compiled, scope, StepResult(value=value, text=as_text(value)))


async def _subflow(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    node = compiled.step.subflow
    assert node is not None
    given = filled(compiled, "input", scope, {})
    labels, sources = scope.flowing(compiled.uses)
    inside = scope.apart().naming((labels, sources), input=given)
    return await walk.flow(walk.program.flows[node.workflow], at, inside, given)


async def _map(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    node, block = compiled.step.map, compiled.blocks["each"]
    assert node is not None
    items = evaluated(lambda: compiled.asked["over"].value(scope.given))
    if not isinstance(items, list):
        raise StepFailed("error", f"`over` of {at.text} is no list: {node.over}", code="bad_expression")
    if len(items) > node.at_most:
        raise StepFailed(
            "error",
            f"{at.text} has {len(items)} items, and takes {node.at_most} at most",
            code="too_many_items",
            mend="raise `at_most`, or give it fewer",
        )
    apart, flowing = scope.apart(), scope.flowing(use.path for use in compiled.asked["over"].uses)

    gathering = Gathering()

    async def one(index: int) -> StepResult:
        inside = apart.at(index).naming(flowing, item=items[index], index=index)
        results = await walk.block(block, at.below(index), inside)
        return gathering.took(_given(compiled, block, inside.knowing(results), results))

    makers = [partial(one, index) for index in range(len(items))]
    made = await side_by_side(walk, at.below(_FAILED), apart, partial(together, makers, apart.halt, node.at_once))
    return _gathered(compiled, scope, [each.value for each in made], made)


async def _parallel(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    node, apart = compiled.step.parallel, scope.apart()
    assert node is not None
    names, gathering = list(node.branches), Gathering()

    async def one(number: int, name: str) -> StepResult:
        block = compiled.blocks[name]
        return gathering.took(last_of(block, await walk.block(block, at.below(name), apart.at(number))))

    makers = [partial(one, *pair) for pair in enumerate(names)]
    made = await side_by_side(walk, at.below(_FAILED), apart, partial(together, makers, apart.halt, len(names)))
    by_name = dict(zip(names, made, strict=True))
    result = _gathered(compiled, scope, {name: each.value for name, each in by_name.items()}, made)
    return result if node.agree is None else await agreed(walk, compiled, at, scope, by_name, result)


async def _switch(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    holds = (number for number, case in enumerate(compiled.cases, 1) if evaluated(partial(case.holds, scope.given)))
    number = next(holds, 0)
    block = compiled.blocks.get(f"case {number}" if number else "otherwise")
    if block is None:
        return flowed(compiled, scope, StepResult())
    result = last_of(block, await walk.block(block, at, scope.at(number)))
    return flowed(compiled, scope, result)


async def _loop(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    node, block = compiled.step.loop, compiled.blocks["turn"]
    assert node is not None
    result, cost = StepResult(), 0
    for turn in range(node.at_most):
        flowing = (result.labels, result.provenance)
        inside = scope.at(turn).naming(flowing, previous=result.value, index=turn)
        results = await walk.block(block, at.below(turn), inside)
        after = inside.knowing(results)
        result = _given(compiled, block, after, results)
        cost += result.cost
        ended = {**after.given, "value": result.value, "text": result.text}
        if evaluated(partial(compiled.asked["until"].holds, ended)):
            break
    else:
        if node.unfinished == "fail":
            raise StepFailed(
                "unfinished",
                f"{at.text} is not good after {node.at_most} turns",
                code="loop_unfinished",
                why=f"`until` was true after none of them: {node.until}",
                mend="raise `at_most`, or say `unfinished: keep`",
            )
    return replace(flowed(compiled, scope, result), cost=cost)


async def _wait(walk: Walking, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
    """People, signals and times."""
    step, began = compiled.step, at.below("~began")
    begun = None
    if step.timeout is not None or (step.wait and step.wait.for_) or (step.approval and step.approval.escalate):
        begun = await effect(walk, began, scope, partial(walk.effects.now, began))
    shown = {key: filled(compiled, key, scope) for key in compiled.filled}
    waiting = evaluated(lambda: waiting_of(step, at, shown, begun, scope.deadline))
    if step.approval is not None and step.approval.answer:
        waiting = replace(waiting, work=work_of(compiled, scope, reason="asked"))
    node = step.approval or step.wait
    result = await paid(walk, at, scope, partial(walk.effects.answer, at, node, waiting))
    return answered(step, at, flowed(compiled, scope, result))


def _given(compiled: Compiled, block: Block, inside: Scope, results: Mapping[str, StepResult]) -> StepResult:
    """What an item or a turn gives: as the step says, or what its last step gave."""
    last = last_of(block, results)
    if "gives" not in compiled.filled:
        return last
    value = filled(compiled, "gives", inside)
    require_room(value)
    labels, sources = inside.flowing(use.path for each in compiled.filled["gives"].expressions for use in each.uses)
    return StepResult(value=value, text=as_text(value), labels=labels, provenance=sources, cost=last.cost)


def _gathered(compiled: Compiled, scope: Scope, value: Any, made: list[StepResult]) -> StepResult:
    """One result of many, with the labels and sources of all."""
    labels, sources = scope.flowing(compiled.uses)
    known = dict.fromkeys(sources)
    for each in made:
        labels = labels.joined(each.labels)
        known.update(dict.fromkeys(each.provenance))
    cost = sum(each.cost for each in made)
    return StepResult(value=value, text=as_text(value), labels=labels, provenance=tuple(known), cost=cost)


_KINDS: Final[Mapping[str, Callable[[Walking, Compiled, Place, Scope], Awaitable[StepResult]]]] = {
    "tool": _tool,
    "python": _python,
    "transform": _transform,
    "subflow": _subflow,
    "map": _map,
    "parallel": _parallel,
    "switch": _switch,
    "loop": _loop,
    "approval": _wait,
    "wait": _wait,
}
