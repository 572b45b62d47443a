"""What another predictor would have been worth, estimated from what was done under the one in force.

Each logged decision says how likely the model was that was asked, so decisions that the other would have made too can
stand for those that it would have made and that were not made. Two estimates: self-normalised weighting by propensity,
and the doubly robust one, which also uses what is expected of models and is right if either of the two is. Where the
other would have asked a model that could not have been asked, nothing is known, and the worst is taken.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.routing.learned.types import Features

SURE: Final = 2.3263  # standard deviations: one-sided 99 %, since it is asked again and again
LEAST: Final = 30  # decisions that differ and were tried, below which nothing is concluded
CONFIRMED: Final = 10  # of these with an outcome that no judge gave


class Logged(Struct, frozen=True, kw_only=True):
    """A decision and what came of it. `chances` has each model that could be asked, with its propensity from 0 to 1.
    `score` is over all outcomes, `confirmed` over those that no model judged, None for none."""

    run: str = ""
    task: str
    features: Features
    model: str
    chances: Mapping[str, float]
    score: float
    confirmed: float | None = None


Choose = Callable[[Logged], str]
"""Whom a predictor would ask, under the objective of then, of all that could be asked then."""

Expect = Callable[[Logged, str], float]
"""What is expected of a model there."""


class Estimate(Struct, frozen=True):
    """A value with its bounds. `weighted` is the self-normalised estimate beside the doubly robust `value`, `matched`
    the decisions on which it rests, `unknown` the share of those of which nothing can be known."""

    value: float
    low: float
    high: float
    weighted: float
    matched: int
    unknown: float


def estimate(logged: Sequence[Logged], choose: Choose, expect: Expect) -> Estimate:
    """The score to expect, had these decisions been made so."""
    terms, matched, unknown = [], 0, 0
    for one in logged:
        name = choose(one)
        chance = one.chances.get(name, 0.0)
        terms.append(_term(one, name, expect) if chance > 0 else 0.0)
        matched += chance > 0 and name == one.model
        unknown += chance <= 0
    mean, half = _bounds(terms)
    return Estimate(mean, mean - half, mean + half, weighted(logged, choose), matched, unknown / (len(terms) or 1))


def weighted(logged: Sequence[Logged], choose: Choose) -> float:
    """The self-normalised estimate: what was done as `choose` would have, weighted by how unlikely it was."""
    weights = found = 0.0
    for one in logged:
        chance = one.chances.get(one.model, 0.0)
        if chance > 0 and choose(one) == one.model:
            weights += 1 / chance
            found += one.score / chance
    return found / weights if weights else 0.0


def gain(logged: Sequence[Logged], new: Choose, now: Choose, expect: Expect, share: float = 1.0) -> Estimate:
    """By how much the one is better than `share` of the other, decision by decision: what both would do alike says
    nothing and adds no doubt where `share` is 1."""
    terms, matched, unknown = [], 0, 0
    for one in logged:
        name, other = new(one), now(one)
        chance = one.chances.get(name, 0.0)
        term = _term(one, name, expect) if chance > 0 else 0.0  # the worst: nobody knows better
        terms.append(term - share * _term(one, other, expect))
        if name != other:
            matched += chance > 0 and name == one.model
            unknown += chance <= 0
    mean, half = _bounds(terms)
    apart = weighted(logged, new) - share * weighted(logged, now)
    return Estimate(mean, mean - half, mean + half, apart, matched, unknown / (len(terms) or 1))


class Verdict(Struct, frozen=True):
    """Whether a predictor may take the place of the one in force by itself, and why."""

    replaces: bool
    why: str
    gain: Estimate


def verdict(
    logged: Sequence[Logged], new: Choose, now: Choose, static: Choose, expect: Expect, floors: Mapping[str, float]
) -> Verdict:
    """It may if its value is surely higher, if outcomes that no judge gave say so too, and if no task type falls below
    its floor: that share of what the static choice is worth there."""
    found = gain(logged, new, now, expect)
    if found.matched < LEAST:
        why = f"only {found.matched} decisions tell of where it differs, and {LEAST} are wanted"
        return Verdict(False, why, found)
    if found.low <= 0:
        return Verdict(False, f"its gain of {found.value:+.4f} is not sure: it may be {found.low:+.4f}", found)
    sure = [one for one in logged if one.confirmed is not None]
    told = gain([_by_others(one) for one in sure], new, now, expect)
    if told.matched < CONFIRMED or told.value <= 0:
        return Verdict(False, "its gain is what a judge says, and no other source confirms it", found)
    for task, share in sorted(floors.items()):
        mine = [one for one in logged if one.task == task]
        kept = gain(mine, new, static, expect, share)
        if mine and kept.low < 0:
            why = f"task type {task!r} may fall below {share:g} of the static choice: by {-kept.low:.4f}"
            return Verdict(False, why, found)
    return Verdict(True, f"its gain is {found.value:+.4f}, and {found.low:+.4f} at the least", found)


def _term(one: Logged, name: str, expect: Expect) -> float:
    """The doubly robust term of a decision: what is expected, corrected by what came of it where it was made so."""
    expected = expect(one, name)
    chance = one.chances.get(name, 0.0)
    return expected + (one.score - expected) / chance if name == one.model and chance > 0 else expected


def _by_others(one: Logged) -> Logged:
    return one if one.confirmed is None else replace(one, score=one.confirmed)


def _bounds(terms: Sequence[float]) -> tuple[float, float]:
    """The mean, and how far the true one may be from it."""
    many = len(terms)
    if many < 2:
        return (terms[0] if terms else 0.0), math.inf
    mean = math.fsum(terms) / many
    variance = math.fsum((term - mean) ** 2 for term in terms) / (many - 1)
    return mean, SURE * math.sqrt(variance / many)
