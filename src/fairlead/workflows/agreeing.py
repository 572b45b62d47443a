"""Whether branches that ought to say the same do, and who decides where they do not."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from fairlead.workflows.program import Compiled
from fairlead.workflows.scope import Scope
from fairlead.workflows.templates import as_text
from fairlead.workflows.walk import Asked, Bounds, Place, StepFailed, StepResult, Waiting

if TYPE_CHECKING:
    from fairlead.workflows.doing import Walking


async def agreed(
    walk: "Walking", compiled: Compiled, at: Place, scope: Scope, branches: Mapping[str, StepResult], whole: StepResult
) -> StepResult:
    """The value that counts, with the labels, sources and cost of all branches. Raises `StepFailed`."""
    from fairlead.workflows.doing import evaluated, paid

    assert compiled.step.parallel is not None
    assert compiled.step.parallel.agree is not None
    settings, compared = compiled.step.parallel.agree, compiled.agree["compare"]
    values = {name: each.value for name, each in branches.items()}
    said = [evaluated(partial(compared.value, {**scope.given, "value": value})) for value in values.values()]
    if all(each == said[0] for each in said):
        return _with(whole, next(iter(values.values())))
    given = {**scope.given, "values": values}
    if settings.rule:
        return _with(whole, evaluated(partial(compiled.agree["rule"].value, given)))
    place = at.below("~resolve")
    if settings.model is not None:
        assert compiled.resolves is not None
        resolves = compiled.resolves
        prompt, instructions = evaluated(lambda: resolves.filled(given))
        asked = Asked(prompt=as_text(prompt), instructions=as_text(instructions))
        bounds = Bounds(deadline=scope.deadline, budget=scope.purse.left, labels=whole.labels, sources=whole.provenance)
        result = await paid(walk, place, scope, partial(walk.effects.model, place, settings.model, asked, bounds))
        return _with(whole, result.value, result.cost)
    waiting = Waiting(
        kind="question",
        id=place.text,
        until=scope.deadline,
        role=settings.role,
        ask=f"{at.text}: {', '.join(values)} differ on {settings.compare}. Which of them counts?",
        show=values,
        answer={"enum": list(values)},
    )
    chosen = (await paid(walk, place, scope, partial(walk.effects.answer, place, None, waiting))).value
    if chosen not in values:
        raise StepFailed("check", f"{chosen!r} is no branch of {at.text}", mend=f"answer with {', '.join(values)}")
    return _with(whole, values[chosen])


def _with(whole: StepResult, value: Any, cost: int = 0) -> StepResult:
    return msgspec.structs.replace(whole, value=value, text=as_text(value), cost=whole.cost + cost)
