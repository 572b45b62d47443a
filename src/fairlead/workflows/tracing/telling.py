"""What would have to stand somewhere, and what a workflow's own text says. Pure."""

import re
from decimal import Decimal
from typing import Any, Final

from fairlead.workflows.tracing.matching import Atom, Path, holds, numbers_in
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.writings import named_numbers

_FILLED: Final = re.compile(r"\$\{[^}]*\}")
_JUDGEMENTS: Final = frozenset(
    "confidence score probability rating priority severity risk certainty likelihood".split()  # noqa: SIM905
)


def is_telling(atom: Atom, path: Path, *, plainly: bool) -> bool:
    """Whether a value of a reply would have to stand somewhere: not what is a judgement by its name."""
    key = str(path[-1]).casefold() if path else ""
    if any(each in key for each in _JUDGEMENTS):
        return False
    return isinstance(atom, Decimal) or plainly or any(each.isdigit() for each in atom)


def is_choice(passed: Passed, path: Path) -> bool:
    """Whether a value is one of a few that the schema names: it was chosen, and need stand nowhere."""
    schema: Any = getattr(_node(passed), "gives", None) or {}
    for key in path[1:]:
        schema = schema.get("items" if isinstance(key, int) else "properties", {}) if schema else {}
        schema = schema.get(key, {}) if isinstance(key, str) else schema
    return bool(schema) and ("enum" in schema or "const" in schema or schema.get("type") == "boolean")


def says_itself(passed: Passed, atom: Atom) -> bool:
    """Whether the workflow's own text says it."""
    texts = [getattr(_node(passed), each, "") for each in ("prompt", "goal", "instructions")]
    return any(holds(each, atom) is not None for each in texts if each)


def own_numbers(passed: Passed) -> list[Decimal]:
    """The numbers of the workflow's own text, expressions left out: a model may reckon with them."""
    texts = [_FILLED.sub(" ", getattr(_node(passed), each, "") or "") for each in ("prompt", "goal", "instructions")]
    return [number for each in texts for number in (*numbers_in(each), *sorted(named_numbers(each)))]


def _node(passed: Passed) -> Any:
    return getattr(passed.compiled.step, passed.compiled.step.kind)
