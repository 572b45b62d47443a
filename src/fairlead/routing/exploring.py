"""Exploration of a decision: chance may put another candidate first, and the record says how likely that was.

Only candidates within all bounds take part that fit as well as the first, and whose expected score may be as good as
that of the first. Pure: the run's id throws the dice, so that whoever has the record can throw them again.
"""

from msgspec.structs import replace

from fairlead.routing.learned.online import Lot, explored, plausible
from fairlead.routing.objective import again, excess
from fairlead.tasks.decisions import Decision, Option

_BEST = 10_000


def ventured(decision: Decision, run: str) -> Decision:
    """The decision with another candidate first, where chance wants it so. `run` is the action's own id."""
    share, candidates = decision.objective.explore, decision.candidates
    drawn = eligible(decision)
    if not share or len(drawn) < 2:
        return decision
    places = {str(at): option for at, option in enumerate(drawn)}  # no name takes part in the draw
    place, propensity = explored("0", tuple(places), share, run)
    first = places[place]
    if first is candidates[0]:
        return replace(decision, propensity=propensity)
    ordered = (first, *(one for one in candidates if one is not first))
    return replace(decision, candidates=ordered, explored=True, propensity=propensity)


def thrown_again(decision: Decision, run: str) -> Decision:
    """A recorded decision made anew, dice and all: equal to it, if nothing in it was changed."""
    return ventured(again(replace(decision, explored=False, propensity=0)), run)


def eligible(decision: Decision) -> tuple[Option, ...]:
    """Those who may be asked, the objective's choice first. Of a decision that was left to the objective."""
    first = decision.candidates[0]
    if excess(decision.objective, first):
        return (first,)
    fit = [one for one in decision.candidates if one.room == first.room and not excess(decision.objective, one)]
    may_be = {lot.name for lot in plausible([_lot(at, one) for at, one in enumerate(fit)])}
    return tuple(one for at, one in enumerate(fit) if str(at) in may_be)


def _lot(at: int, option: Option) -> Lot:
    """By its score, whatever the objective aims at: that is what is not known for sure."""
    return Lot(str(at), option.p or 0, _BEST if option.high is None else option.high)
