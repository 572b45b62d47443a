"""Where a check has found two things to differ that are the same to the workflow: what it held a value against speaks
against wherever that value came from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.workflows.expressions import Expression
from fairlead.workflows.tracing.dataflow import Dataflow, Taken
from fairlead.workflows.tracing.matching import Atom, atom_of, atoms
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.suspects import PROVEN, Cause, Suspect

_SAYS_OTHERWISE: Final = 0.55
_JUDGED: Final = 0.52
_THE_SAME: Final = ("==", ".contains(")


class Opposition(Struct, frozen=True):
    """A value that was to be the same as what a system says, or the values of a text that was to hold it. `by` is the
    place of the tool's step."""

    values: frozenset[Atom]
    by: str
    said: str


def oppositions(
    flow: Dataflow, passed: Passed, rules: Iterable[Expression], seen: Mapping[str, Any]
) -> list[Opposition]:
    """Of the rules of a check that do not hold, those that say that the result is, or holds, what one tool says."""
    found = []
    for rule in rules:
        takens = flow.taken(passed, [rule], seen)
        mine = [each for each in takens if each.spot.place == passed.at.text]
        others = [each for each in takens if _of_tool(flow, each)]
        if not any(each in rule.text for each in _THE_SAME) or (len(mine), len(others), len(takens)) != (1, 1, 2):
            continue
        other, told, own = others[0], atom_of(others[0].value), frozenset(atom for _, atom in atoms(mine[0].value))
        if own and told is not None and told not in own:
            said = f"{other.spot.place} says {other.value!r}, and the check wants it to be the same"
            found.append(Opposition(own, other.spot.place, said))
    return found


def _of_tool(flow: Dataflow, taken: Taken) -> bool:
    step = flow.run.steps.get(taken.spot.place)
    return step is not None and step.compiled.step.kind == "tool"


def opposed(found: Sequence[Suspect], judged: Sequence[Suspect], all_: Sequence[Opposition]) -> list[Suspect]:
    """The suspects, with what speaks against those that the very value came from. Where nothing else speaks for any,
    a judgement of a model that led to the value comes into question too."""
    weighed = [_weighed(each, all_) for each in found]
    if not all_ or any(each.weight >= PROVEN for each in weighed):
        return weighed
    return [*weighed, *(replace(each, weight=_JUDGED, why=f"{each.why}; {all_[0].said}") for each in judged)]


def _weighed(suspect: Suspect, all_: Sequence[Opposition]) -> Suspect:
    atom = atom_of(suspect.value)
    for each in all_:
        if suspect.weight >= PROVEN or suspect.place == each.by or atom not in each.values:
            continue
        if suspect.cause in ("data", "person", "input"):
            cause: Cause = "bad_tool_result" if suspect.cause == "data" and suspect.tool else suspect.cause
            return replace(suspect, cause=cause, weight=_SAYS_OTHERWISE, why=each.said)
    return suspect
