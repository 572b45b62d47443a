"""Whether branches that ought to say the same do, and who decides where they do not."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from fairlead.workflows.forms import Form
from fairlead.workflows.nodes import ModelNode, Schema
from fairlead.workflows.program import Compiled
from fairlead.workflows.scope import Scope
from fairlead.workflows.templates import as_text
from fairlead.workflows.walk import Asked, Bounds, Place, StepFailed, StepResult, Waiting

if TYPE_CHECKING:
    from fairlead.workflows.step_parts import Walking


async def agreed(
    walk: "Walking", compiled: Compiled, at: Place, scope: Scope, branches: Mapping[str, StepResult], whole: StepResult
) -> StepResult:
    """The value that counts, with the labels, sources and cost of all branches. Raises `StepFailed`."""
    from fairlead.workflows.step_parts import evaluated, paid

    assert compiled.step.parallel is not None
    assert compiled.step.parallel.agree is not None
    settings, compared = compiled.step.parallel.agree, compiled.agree["compare"]
    values = {name: each.value for name, each in branches.items()}
    said = [evaluated(partial(compared.value, {**scope.given, "value": value})) for value in values.values()]
    if all(each == said[0] for each in said):
        return _with(whole, next(iter(values.values())))
    walk.effects.noted(at, "disagreed")
    given = {**scope.given, "values": values}
    if settings.rule:
        return _with(whole, evaluated(partial(compiled.agree["rule"].value, given)))
    place = at.below("~resolve")
    if settings.model is not None:
        result = await _asked(walk, compiled, settings.model, place, scope, given, whole)
        return _with(whole, _fit(settings.model.gives, at, result), result)
    waiting = Waiting(
        kind="question",
        id=place.text,
        until=scope.deadline,
        role=settings.role,
        ask=f"{at.text}: {', '.join(values)} differ on {settings.compare}. Which of them counts?",
        show={name: _resting(each) for name, each in branches.items()},
        answer={"enum": list(values)},
    )
    said_by = await paid(walk, place, scope, partial(walk.effects.answer, place, None, waiting))
    if said_by.value not in values:
        raise StepFailed(
            "check", f"{said_by.value!r} is no branch of {at.text}", mend=f"answer with {', '.join(values)}"
        )
    return _with(whole, values[said_by.value], said_by)


async def _asked(
    walk: "Walking",
    compiled: Compiled,
    model: ModelNode,
    place: Place,
    scope: Scope,
    given: Mapping[str, Any],
    whole: StepResult,
) -> StepResult:
    """What a model says that is told what the branches gave, under the labels and sources of all of them."""
    from fairlead.workflows.step_parts import evaluated, paid

    assert compiled.resolves is not None
    prompt, instructions = evaluated(partial(compiled.resolves.filled, given))
    asked = Asked(prompt=as_text(prompt), instructions=as_text(instructions))
    bounds = Bounds(deadline=scope.deadline, budget=scope.purse.left, labels=whole.labels, sources=whole.provenance)
    return await paid(walk, place, scope, partial(walk.effects.model, place, model, asked, bounds))


def _with(whole: StepResult, value: Any, by: StepResult | None = None) -> StepResult:
    """The value that counts, with what is known of all branches and of whoever decided."""
    by = by or StepResult()
    return msgspec.structs.replace(
        whole,
        value=value,
        text=as_text(value),
        cost=whole.cost + by.cost,
        labels=whole.labels.joined(by.labels),
        provenance=tuple(dict.fromkeys((*whole.provenance, *by.provenance))),
    )


def _resting(branch: StepResult) -> dict[str, Any]:
    """What a person sees of a branch: what it says, what that rests on, and the action that said it last."""
    return {"value": branch.value, "rests_on": list(branch.provenance), "run": branch.run or None}


def _fit(gives: Schema, at: Place, result: StepResult) -> Any:
    """What the model that decides gave, as its schema wants it. Raises `StepFailed` ("check")."""
    if not gives:
        return result.value
    value, wrong = Form(gives, "gives").taken(result.value)
    if wrong:
        said = f"what was decided for {at.text} does not fit: {wrong}"
        raise StepFailed("check", said, at=at.text, code="check_failed", run=result.run)
    return value
