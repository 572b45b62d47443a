"""Whether what a step gave may go on to later steps: its schema, its business rules, and whether it is borne out."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from fairlead.models.types import Passage
from fairlead.policy.grounding import support
from fairlead.workflows.grounds import unborne
from fairlead.workflows.program import Compiled
from fairlead.workflows.templates import as_text
from fairlead.workflows.walk import StepFailed, StepResult


def passed(compiled: Compiled, result: StepResult, given: Mapping[str, Any]) -> StepResult:
    """The result, with numbers as its schema says. Raises `StepFailed` ("check") that tells all that is wrong."""
    result, wrong = _looked_at(compiled, result, given)
    if wrong:
        raise not_passed(compiled.step.id, "; ".join(wrong), result)
    return replace(result, read=())


def wrong_with(compiled: Compiled, result: StepResult, given: Mapping[str, Any]) -> str:
    """What is wrong with a result, "" for nothing."""
    return "; ".join(_looked_at(compiled, result, given)[1])


def not_passed(step: str, wrong: str, result: StepResult) -> StepFailed:
    """The failure of a step whose result is wrong."""
    said = f"what `{step}` gave does not pass its check: {wrong}"
    return StepFailed("check", said, code="check_failed", run=result.run, result=result)


def _looked_at(compiled: Compiled, result: StepResult, given: Mapping[str, Any]) -> tuple[StepResult, list[str]]:
    wrong: list[str] = []
    for form, what in ((compiled.gives, "the schema of what it gives"), (compiled.checks, "its check's schema")):
        if form is not None:
            value, said = form.taken(result.value)
            result = replace(result, value=value)
            if said:
                wrong.append(f"it does not fit {what}: {said}")
    if not wrong:
        seen = {**given, "value": result.value, "text": result.text}
        wrong = [otherwise for that, otherwise in compiled.rules if not that.holds(seen)]
    if not wrong and compiled.grounded is not None:
        wrong = _unsupported(result, compiled.grounded.text(given))
    if not wrong and compiled.grounds and result.read:  # what a person answers is made from nothing here
        wrong = unborne(result, result.read)
    return result, wrong


def _unsupported(result: StepResult, source: str) -> list[str]:
    said = result.text or as_text(result.value)
    found = support(said, [Passage("source", "", source)])
    if found.supported == found.claims:
        return []
    return [f"{found.claims - found.supported} of {found.claims} statements are not borne out by its sources"]
