"""What would have to stand somewhere, and what a workflow's own text says. Pure."""

import re
from decimal import Decimal
from typing import Any, Final

from fairlead.workflows.tracing.matching import Atom, Path, holds, numbers_in
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.writings import named_numbers

_FILLED: Final = re.compile(r"\$\{[^}]*\}")
_JUDGEMENTS: Final = frozenset(
    "confidence score probability rating priority severity risk certainty likelihood words characters letters".split()  # noqa: SIM905
)
_COMPOSED: Final = (
    frozenset("initials abbreviation acronym category kind class classification label tag topic".split())  # noqa: SIM905
    | frozenset("sentiment tone language verdict title subject headline heading".split())  # noqa: SIM905
)
"""Keys of texts that a model makes, and that need stand nowhere."""
_TRANSLATES: Final = re.compile(r"\btranslat|\b(in|into) (english|german|french|spanish|italian|dutch|portuguese)\b")

_NOTHING: Final = frozenset("none nothing unknown n/a nil empty null nobody".split())  # noqa: SIM905


def is_nothing(atom: Atom | None) -> bool:
    """Whether a value says that there is nothing."""
    return atom in _NOTHING or (isinstance(atom, Decimal) and not atom)


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


def is_worded(passed: Passed, path: Path, atom: Atom | None) -> bool:
    """Whether a text without figures is in words that its model was to find: a class, a title, a translation."""
    if not isinstance(atom, str) or any(each.isdigit() for each in atom):
        return False
    composed = bool(path) and str(path[-1]).casefold() in _COMPOSED
    return composed or translates(passed)


def is_own_word(text: str) -> bool:
    """Whether a text is no name, figure or address: a model may well have found it for what it was given."""
    return text.islower() and not any(each.isdigit() or each in "@/\\" for each in text)


def translates(passed: Passed) -> bool:
    """Whether a model is asked to put something into another language."""
    return _TRANSLATES.search(own_words(passed).casefold()) is not None


def says_itself(passed: Passed, atom: Atom) -> bool:
    """Whether the workflow's own text says it."""
    texts = [getattr(_node(passed), each, "") for each in ("prompt", "goal", "instructions")]
    return any(holds(each, atom) is not None for each in texts if each)


def own_words(passed: Passed) -> str:
    """The workflow's own text for a model, expressions left out."""
    texts = (getattr(_node(passed), each, "") or "" for each in ("prompt", "goal", "instructions"))
    return "\n".join(_FILLED.sub(" ", each) for each in texts)


def asks_for_less(passed: Passed) -> bool:
    """Whether a model is asked to make something shorter."""
    return any(each in own_words(passed).casefold() for each in ("shorten", "abbreviat", "short form"))


def own_numbers(passed: Passed) -> list[Decimal]:
    """The numbers of the workflow's own text, expressions left out: a model may reckon with them."""
    text = own_words(passed)
    return [*numbers_in(text), *sorted(named_numbers(text))]


def _node(passed: Passed) -> Any:
    return getattr(passed.compiled.step, passed.compiled.step.kind)
