"""Where a check has found two things to differ that are the same to the workflow: what it held a value against speaks
against wherever that value came from."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.workflows.expressions import Expression
from fairlead.workflows.tracing.copying import is_rare
from fairlead.workflows.tracing.dataflow import Dataflow, Taken
from fairlead.workflows.tracing.matching import Atom, atom_of, atoms, shown_atom
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.slips import meant_for, slip
from fairlead.workflows.tracing.suspects import PROVEN, Cause, Suspect

_SAYS_OTHERWISE: Final = 0.55
_JUDGED: Final = 0.52
_ALONE: Final = 0.51
_SLIPPED: Final = 0.56
_READ_SINCE: Final = 0.4  # of a page that was judged by, and says something else by now
_PART: Final = 0.4
_CHOSEN: Final = 0.31  # of a source from which models have chosen: more than of what was merely looked up by
_SOURCES: Final = ("data", "person")
_LIST: Final = re.compile(r"\bin \[([^\]]*)\]")
_QUOTED: Final = re.compile(r"""['"]([^'"]+)['"]""")
_NUMBER: Final = re.compile(r"\s*[\w.]+ *== *(-?\d+(?:\.\d+)?)\s*")
"""A rule that is nothing but that a value is this number."""
_THE_SAME: Final = ("==", ".contains(")


class Opposition(Struct, frozen=True):
    """A value that was to be the same as what a system says, or the values of a text that was to hold it: `values`,
    none where the rule reckons with it. `wanted` is what the system says, `by` the place of its step, and `also`
    what else it says."""

    values: frozenset[Atom]
    wanted: Atom
    by: str
    said: str
    also: frozenset[Atom] = frozenset()


def oppositions(
    flow: Dataflow, passed: Passed, rules: Iterable[Expression], seen: Mapping[str, object]
) -> list[Opposition]:
    """Of the rules of a check that do not hold, those that say that the result is, or holds, what one tool says, what
    the run was given, or what the rule itself says."""
    found = []
    for rule in rules:
        takens = flow.taken(passed, [rule], seen)
        mine = [each for each in takens if each.spot.place == passed.at.text]
        own = frozenset(atom for each in mine for _, atom in atoms(each.value))
        found += [
            Opposition(own if len(takens) <= len(mine[:1]) + 1 else frozenset(), told, by, said, _also(flow, by, told))
            for told, by, said in _wanted(flow, rule, [each for each in takens if each not in mine])
            if mine and told not in own
        ]
    return found


def allowed_words(rules: Iterable[Expression]) -> list[frozenset[str]]:
    """Of rules that want one of several words: these, in small letters."""
    lists = [found for rule in rules for found in _LIST.findall(rule.text)]
    words = [frozenset(each.casefold() for each in _QUOTED.findall(found)) for found in lists]
    return [each for each in words if len(each) > 1]


def _also(flow: Dataflow, by: str, told: Atom) -> frozenset[Atom]:
    """What else the step says that a value was held against."""
    step = flow.run.steps.get(by)
    said = step.result.value if step is not None and step.result is not None else None
    return frozenset(atom for _, atom in atoms(said) if atom != told)


def _wanted(flow: Dataflow, rule: Expression, others: Sequence[Taken]) -> Iterator[tuple[Atom, str, str]]:
    """What a rule wants a value to be, whose place that is, and how it says so."""
    tools = [each for each in others if _of_tool(flow, each)]
    given = [each for each in others if each.spot.path[:1] == ("input",)]
    for each in tools if len(tools) == 1 and any(one in rule.text for one in _THE_SAME) else ():
        if (told := "" if isinstance(each.value, bool) else atom_of(each.value)) is not None:
            yield told, each.spot.place, f"{each.spot.place} says {each.value!r}, and the check wants it to be the same"
    if tools or "==" not in rule.text or len(others) != len(given):
        return
    if not others:
        number = _NUMBER.fullmatch(rule.text)
        told = atom_of(number[1]) if number else ""
        if told is not None:
            yield told, "", f"the check wants it to be {number[1]}" if number else "the check wants another value"
    elif len(others) == 1 and (told := atom_of(others[0].value)) is not None:
        yield told, "", f"the run was given {others[0].value!r}, and the check wants it to be the same"


def parted(found: Sequence[Suspect], named: Collection[str]) -> list[Suspect]:
    """The suspects; two calls of different tools that the same value was made of are parts of it and no rivals,
    whatever both call theirs. `named` are the steps that a check itself speaks of."""
    parts = {each.place for each in found if each.place and each.step not in named}
    return [
        replace(each, cause="data", weight=_PART, why=f"{each.tool} says so")
        if each.rival and each.rival in parts
        else each
        for each in found
    ]


def _of_tool(flow: Dataflow, taken: Taken) -> bool:
    step = flow.run.steps.get(taken.spot.place)
    return step is not None and step.compiled.step.kind == "tool"


def opposed(found: Sequence[Suspect], judged: Sequence[Suspect], all_: Sequence[Opposition]) -> list[Suspect]:
    """The suspects, with what speaks against those that the very value came from. Where nothing else speaks for any,
    there come into question: a page that was judged by and has changed since; a judgement of a model that led to the
    value; and what is the only source of it."""
    weighed = [_weighed(each, all_) for each in found]
    if not all_ or any(each.weight >= PROVEN for each in weighed):
        return weighed
    said = all_[0].said
    pages = [each for each in weighed if each.cause == "stale_context" and each.weight >= _READ_SINCE]
    if pages:
        most = max(pages, key=lambda each: each.weight)
        return [_against(each, _SAYS_OTHERWISE, said) if each is most else each for each in weighed]
    if judged:
        return [*weighed, *(_against(each, _JUDGED, said) for each in judged)]
    by = {each.by for each in all_}
    slipped = [(each, how) for each in _sources(weighed, by, _CHOSEN) if (how := _slipped(each, all_))]
    if len({(each.place, each.input) for each, _ in slipped}) == 1:
        how = slipped[0][1]
        return [_against(each, _SLIPPED, how) if each in [one for one, _ in slipped] else each for each in weighed]
    left = [each for each in _sources(weighed, by, _PART) if not _confirmed(each, all_)]
    alone = len({(each.place, each.input) for each in left}) == 1
    return [_against(each, _ALONE, said) if alone and each in left else each for each in weighed]


def _slipped(suspect: Suspect, all_: Sequence[Opposition]) -> str:
    """By which common slip a number is not what it would have to be for the check to hold; "" for none."""
    number = atom_of(suspect.value)
    for each in all_ if isinstance(number, Decimal) else ():
        seen = next(iter(each.values), None) if len(each.values) == 1 else None
        if isinstance(number, Decimal) and isinstance(seen, Decimal) and isinstance(each.wanted, Decimal):
            for meant in meant_for(number, seen, each.wanted):
                if how := slip(number, meant):
                    return f"the check would hold with {shown_atom(meant)}, and this is that {how}"
    return ""


def _confirmed(suspect: Suspect, all_: Sequence[Opposition]) -> bool:
    """Whether the system that a check held a value against says the same of this source."""
    atom = atom_of(suspect.value)
    return atom is not None and is_rare(atom) and any(atom in each.also for each in all_)


def _sources(found: Sequence[Suspect], by: Collection[str], least: float) -> list[Suspect]:
    """Where the value came from, what it was merely looked up by and judged by left aside."""
    return [each for each in found if each.cause in _SOURCES and each.place not in by and each.weight >= least]


def _against(suspect: Suspect, weight: float, said: str) -> Suspect:
    """A suspect that something speaks against: no more a mere source."""
    cause: Cause = "bad_tool_result" if suspect.cause == "data" and suspect.tool else suspect.cause
    return replace(suspect, cause=cause, weight=weight, why=f"{suspect.why}; {said}")


def _weighed(suspect: Suspect, all_: Sequence[Opposition]) -> Suspect:
    atom = Decimal(0) if suspect.value == [] else atom_of(suspect.value)
    for each in all_:
        if suspect.weight >= PROVEN or suspect.place == each.by or atom not in each.values:
            continue
        if suspect.cause in ("data", "person", "input"):
            return replace(_against(suspect, _SAYS_OTHERWISE, each.said), why=each.said)
    return suspect
