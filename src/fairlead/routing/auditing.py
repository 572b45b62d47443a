"""Whether a recorded choice is the one that its own record leads to, whether names had any part in it, and whether it
was followed. Pure."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.routing.cascade import in_order
from fairlead.routing.exploring import thrown_again
from fairlead.routing.objective import excess
from fairlead.tasks.decisions import Decision, Option

_PASSED_OVER: Final = frozenset({"budget", "cascade", "health", "places", "objective", "rate limit"})


class Tried(Struct, frozen=True):
    """A recorded attempt: its number, the model that was asked ("" for none), and which models were dropped by what."""

    attempt: int
    model: str
    dropped: tuple[tuple[str, str], ...] = ()


def differences(decision: Decision, run: str) -> list[str]:
    """What is wrong with a recorded choice, in words; empty where it is what its record leads to.

    `run` throws the dice again, where chance took part.
    """
    found = []
    mixed = replace(decision, candidates=_mixed(decision.candidates))
    made = thrown_again(mixed, run)
    if made.candidates != decision.candidates:
        found.append(
            f"the record leads to {_names(made.candidates)}, and the recorded order is {_names(decision.candidates)}"
        )
    if made.outside != decision.outside:
        found.append(f"{made.outside} candidates are outside of the bounds, and the record says {decision.outside}")
    if (made.explored, made.propensity) != (decision.explored, decision.propensity):
        found.append(f"its dice fall on {_chance(made)}, and the record says {_chance(decision)}")
    if (renamed := _renamed(mixed, run)) is not None:
        found.append(f"under other names it comes out as {renamed}: a name has decided")
    return found


def departures(decision: Decision, tried: Sequence[Tried]) -> list[str]:
    """Where the attempts of a run, the first one first, did not follow the choice. Each candidate that was passed over
    without being asked has to have been dropped, by something that may happen after a plan was made."""
    found, candidates = list(_misnumbered(tried)), in_order(decision)
    last = -1
    for one in tried:
        if not one.model:
            continue
        place = next((at for at, option in enumerate(candidates) if option.covers(one.model)), None)
        if place is None:
            found.append(f"{one.model!r} was attempted, and was no candidate")
            continue
        if place < last:
            found.append(f"{one.model!r} was attempted after a candidate that stands behind it")
        found += [
            f"{one.model!r} was attempted before {option.model!r}, which stands before it, and nothing says why"
            for option in candidates[last + 1 : place]
            if not _passed_over(option, one)
        ]
        if decision.objective.strict and excess(decision.objective, candidates[place]):
            found.append(f"{one.model!r} was attempted, and is outside of bounds that are strict")
        last = max(last, place)
    return found


def _misnumbered(tried: Sequence[Tried]) -> Iterator[str]:
    """Each attempt has the next number. One that found no room in a budget has taken a number and left no record."""
    before = 0
    for one in tried:
        unfit = sum(by == "budget" for _, by in one.dropped)
        most = before + 1 + unfit
        if one.model and not before < one.attempt <= most:
            yield f"{one.model!r} was attempt {one.attempt}, and the record before it was {before}"
        elif not one.model and not before <= one.attempt <= most:
            yield f"it ended after {one.attempt} attempts, and records tell of {before}"
        before = max(before, one.attempt)


def _passed_over(option: Option, by: Tried) -> bool:
    return any(option.covers(model) and why in _PASSED_OVER for model, why in by.dropped)


def _mixed(candidates: tuple[Option, ...]) -> tuple[Option, ...]:
    """The candidates in another order that everybody can make: what decides must not be where they stand."""
    return tuple(sorted(candidates, key=lambda one: blake2b(f"{one.model}/{one.room}".encode()).digest()))


def _chance(decision: Decision) -> str:
    return f"{'another' if decision.explored else 'the first'} at {decision.propensity} in a million"


def _renamed(decision: Decision, run: str) -> str | None:
    """How it comes out with every name exchanged for the next one's; None where that renames the order and no more."""
    names = sorted({one.model for one in decision.candidates})
    other = dict(zip(names, [*names[1:], *names[:1]], strict=True))
    made = thrown_again(decision, run)
    turned = thrown_again(
        replace(decision, candidates=tuple(replace(one, model=other[one.model]) for one in decision.candidates)), run
    )
    same = [other[one.model] for one in made.candidates] == [one.model for one in turned.candidates]
    return None if same else _names(turned.candidates)


def _names(candidates: Sequence[Option]) -> str:
    return ", ".join(one.model for one in candidates)
