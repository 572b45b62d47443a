"""Cascades, as far as they are decided: who answers first, and who next. Pure.

Expected costs order the models where nothing is declared, and names never do.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from fairlead.models.message_text import text_of
from fairlead.models.types import Message, Model
from fairlead.routing.types import Candidate, Dropped, Plan
from fairlead.tasks.cascades import Cascade, Check
from fairlead.tasks.decisions import Decision, Ladder, Option

_ERROR: Final = re.compile(r"\s*error\b", re.IGNORECASE)
_LONGEST: Final = 64 << 10  # characters of what a tool says; what is longer is a result, and no message about one

Units = dict[tuple[str, int], list[Candidate]]
"""Models by name and room, each with its deployments, in the order of the plan."""


def apart(cascade: Cascade, made: Plan) -> Plan:
    """The plan without the model that is asked whether it agrees: it cannot answer too."""
    units = {name for name, _ in _units(made.candidates)} & {cascade.other}
    return made if not units else _without(made, units, "it is asked whether it agrees, and answers nothing itself")


def laddered(
    cascade: Cascade, made: Plan, checks: tuple[Check, ...], expected: Callable[[Candidate], int], failed: int
) -> Plan:
    """The plan in the order in which a cascade tries it. `checks` are those that can be made of this request's answer:
    where none can, nobody answers first who would not have the last word.

    `expected` is what a candidate is likely to cost, where no objective has reckoned that. `failed` is how many rounds
    of tool calls have failed one after the other: as many of the cheapest models are passed over.
    """
    decision = made.decision
    if cascade.novel and not (decision is not None and decision.novel):
        return made
    models = cascade.models if checks else cascade.models[::-1]
    if models:
        made = _without(made, {each for each, _ in _units(made.candidates)} - {*models}, "its cascade is of others")
    units = _units(made.candidates)
    if not units or not (checks or models):
        return made
    if models:
        ordered = sorted(units, key=lambda unit: (unit[1], models.index(unit[0])))
    else:
        ordered = [list(units)[at] for at in _climbed(cascade, decision, units, expected)]
    begun = min(failed, len(ordered) - 1) if "tools" in checks else 0
    ladder = Ladder(at_most=cascade.at_most, models=models)
    made = replace(
        made,
        candidates=tuple([candidate for unit in ordered for candidate in units[unit]]),
        why=f"{made.why}; {_why(cascade, checks, begun)}",
        decision=None if decision is None else replace(decision, cascade=ladder),
        checks=checks,
    )
    passed_over = {name for name, _ in ordered[:begun]} - {name for name, _ in ordered[begun:]}
    return _without(made, passed_over, "the tool that a cheaper model called has failed") if passed_over else made


def in_order(decision: Decision) -> Sequence[Option]:
    """The candidates of a recorded decision in the order in which they were to be tried. Those that were passed over,
    since a tool had failed, are among them: what a record says of them is that the cascade dropped them."""
    options, ladder = decision.candidates, decision.cascade
    if ladder is None:
        return options
    if ladder.models:
        known = [one for one in options if one.model in ladder.models]
        ordered = sorted(known, key=lambda one: (one.room, ladder.models.index(one.model)))
    else:
        inside = len(options) - decision.outside
        places = climbed([one.cost for one in options], [one.room for one in options], inside, ladder.at_most)
        ordered = [options[at] for at in places]
    return ordered


def climbed(costs: Sequence[int], rooms: Sequence[int], inside: int, at_most: int) -> list[int]:
    """The places in the order in which they are tried: the first one is who would be chosen. Before it come those that
    are expected to cost less, the cheapest first and at most so many; then it, and all others as they stand.

    Only the first `inside` may come before it, and only where the input fits as surely.
    """
    cheaper = [at for at in range(1, inside) if rooms[at] == rooms[0] and costs[at] < costs[0]]
    before = sorted(cheaper, key=lambda at: (costs[at], at))[:at_most]
    return [*before, *(at for at in range(len(costs)) if at not in before)]


def dearer(candidates: Sequence[Candidate], than: Model) -> tuple[Candidate, ...]:
    """The candidates behind a model and its other deployments."""
    name = than.group or than.name
    last = max((at for at, each in enumerate(candidates) if _name(each) == name), default=-1)
    return tuple(candidates[last + 1 :])


def rungs(made: Plan, cascade: Cascade | None) -> tuple[Candidate, ...]:
    """Who may be asked, one after the other, each at its first deployment; without a cascade the first alone."""
    first = [members[0] for members in _units(made.candidates).values()]
    return tuple(first[: 1 + (cascade.at_most if cascade is not None and made.checks else 0)])


def other_of(models: Mapping[str, Model], made: Plan, cascade: Cascade | None) -> tuple[Candidate, ...]:
    """Who is asked beside the first whether it agrees, as if it were a candidate; nobody where that is not asked."""
    if cascade is None or "agreement" not in made.checks or not made.candidates:
        return ()
    other = next((each for each in models.values() if cascade.other in (each.name, each.group)), None)
    most = made.candidates[0].max_output
    return () if other is None else (Candidate(other, frozenset(), min(most, other.max_output)),)


def rounds_failed(messages: Sequence[Message]) -> int:
    """How many rounds of tool calls at the end of a conversation have failed, one after the other. A round has failed
    where a tool of it says so: by its protocol, by a JSON object with an `error`, or by a text that begins with it."""
    rounds, answered, failed = 0, False, False
    for message in reversed(messages):
        if message.role == "tool":
            answered, failed = True, failed or _says_it_failed(message)
        elif message.role == "assistant" and message.tool_calls and answered and failed:
            rounds, answered, failed = rounds + 1, False, False
        else:
            break
    return rounds


def _says_it_failed(message: Message) -> bool:
    if message.is_error is not None:
        return message.is_error
    text = text_of(message)
    if _ERROR.match(text):
        return True
    if not text.lstrip().startswith("{") or len(text) > _LONGEST:
        return False
    try:
        found: Any = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and any(found.get(each) for each in ("error", "isError", "is_error"))


def _units(candidates: Iterable[Candidate]) -> Units:
    units: Units = {}
    for candidate in candidates:
        units.setdefault((_name(candidate), candidate.room), []).append(candidate)
    return units


def _name(candidate: Candidate) -> str:
    return candidate.model.group or candidate.model.name


def _climbed(
    cascade: Cascade, decision: Decision | None, units: Units, expected: Callable[[Candidate], int]
) -> list[int]:
    if decision is None:
        costs, inside = [expected(members[0]) for members in units.values()], len(units)
    else:
        costs = [one.cost for one in decision.candidates[: len(units)]]
        inside = min(len(units), len(decision.candidates) - decision.outside)
    return climbed(costs, [room for _, room in units], inside, cascade.at_most)


def _without(made: Plan, names: Collection[str], reason: str) -> Plan:
    return replace(
        made,
        candidates=tuple([each for each in made.candidates if _name(each) not in names]),
        dropped=(
            *made.dropped,
            *(Dropped(each.model.name, "cascade", reason) for each in made.candidates if _name(each) in names),
        ),
    )


def _why(cascade: Cascade, checks: tuple[Check, ...], begun: int) -> str:
    if not checks:
        return "nothing of this answer can be checked, so the last of its cascade answers"
    times = "once" if cascade.at_most == 1 else f"{cascade.at_most} times"
    why = f"the first answer that passes {', '.join(checks)} is kept, else the next model is asked, at most {times}"
    return f"{why}; {begun} passed over, as tools have failed" if begun else why
