"""Whether a recorded choice is the one that its own record leads to, and whether names had any part in it. Pure."""

from collections.abc import Sequence
from hashlib import blake2b

from msgspec.structs import replace

from fairlead.routing.exploring import thrown_again
from fairlead.tasks.decisions import Decision, Option


def differences(decision: Decision, model: str, run: str, *, first_attempt: bool = False) -> list[str]:
    """What is wrong with a recorded choice, in words; empty where it is what its record leads to.

    `model` is the model that was attempted, "" for none, and `first_attempt` says that none was attempted before it.
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
    candidates = decision.candidates
    if model and not any(one.covers(model) for one in candidates):
        found.append(f"{model!r} was attempted, and was no candidate")
    elif model and first_attempt and candidates and not candidates[0].covers(model):
        found.append(f"{model!r} was attempted first, and {candidates[0].model!r} was chosen")
    return found


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
