"""The choice among the models that may and can do a piece of work: by an objective, from what is expected of each.

Pure arithmetic on whole numbers: the same options give the same order wherever and whenever it is made, and whoever has
the record can make it again. Hard limits were applied before: nothing here can bring back a model that `plan` dropped.
Names decide nothing. Those alike in all that counts are ordered by price, and then by a draw (`tie`).
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

from msgspec.structs import replace

from fairlead.tasks.decisions import Decision, Option
from fairlead.tasks.objectives import Objective

_WHOLE: Final = 10_000
_OUTSIDE: Final = 2
_NEVER: Final = 1 << 62  # slower than any known latency: not knowing is never fast

Key = tuple[int, ...]


def choose(
    objective: Objective, options: Sequence[Option], *, draw: str = "", predictor: str = "", novel: bool = False
) -> Decision:
    """The options best first: those within all bounds, those of which a bound cannot be told, and those outside, the
    nearest to the bounds first.

    Equal `draw`s order equal options alike; over many draws each of them comes first equally often.
    """
    keys = [_key(objective, option) for option in options]
    if len(set(keys)) < len(options):
        options = _drawn(options, keys, draw)
        keys = [(*key, option.tie) for key, option in zip(keys, options, strict=True)]
    order = sorted(range(len(options)), key=keys.__getitem__)
    return Decision(
        candidates=tuple([options[at] for at in order]),
        novel=novel,
        objective=objective,
        outside=sum([key[1] == _OUTSIDE for key in keys]),
        predictor=predictor,
    )


def again(decision: Decision) -> Decision:
    """The decision made anew from what it was made from, in whatever order that stands.

    Where chance had put a candidate first, it is put there again: a record cannot tell that chance did so, only how
    likely it was.
    """
    objective, candidates = decision.objective, decision.candidates
    ordered = sorted(candidates, key=lambda option: (*_key(objective, option), option.tie))
    if decision.explored and candidates:
        drawn = candidates[0]
        ordered = [drawn, *(one for one in ordered if one is not drawn)]
    outside = sum(1 for option in ordered if excess(objective, option))
    return replace(decision, candidates=tuple(ordered), outside=outside)


def excess(objective: Objective, option: Option) -> int:
    """How far an option is outside of the bounds: the sum over all of them, each in ten-thousandths of the bound."""
    over = 0
    bound = objective.cost_at_most
    if bound is not None and option.cost > bound:
        over += (option.cost - bound) * _WHOLE // max(bound, 1) + 1
    bound = objective.latency_at_most
    if bound is not None and option.latency is not None and option.latency > bound:
        over += (option.latency - bound) * _WHOLE // max(bound, 1) + 1
    bound = objective.quality_at_least
    if bound is not None and option.p is not None and option.p < bound:
        over += (bound - option.p) * _WHOLE // max(bound, 1) + 1
    return over


def _key(objective: Objective, option: Option) -> Key:
    """What decides: low comes first."""
    over = excess(objective, option)
    blind = objective.quality_at_least is not None and option.p is None
    slow_maybe = objective.latency_at_most is not None and option.latency is None
    grade = _OUTSIDE if over else 1 if blind or slow_maybe else 0
    p, cost, aim = option.p, option.cost, objective.aim
    if p is None and (blind or aim == "quality"):  # nothing is predicted: quality is as the workspace declares it
        return (option.room, grade, over, option.declared, cost, 0)
    worth = 0 if p is None else -p
    latency = _NEVER if option.latency is None else option.latency
    if aim == "quality":
        return (option.room, grade, over, worth, cost, latency)
    if aim == "cost":
        return (option.room, grade, over, cost, worth, latency)
    return (option.room, grade, over, latency, cost, worth)


def _drawn(options: Sequence[Option], keys: Sequence[Key], draw: str) -> list[Option]:
    """The options, those alike with the places that a draw gives them. Their own places are drawn, not their names, so
    that renaming changes nothing."""
    alike: dict[Key, list[int]] = {}
    for at in range(len(options)):
        alike.setdefault(keys[at], []).append(at)
    found = list(options)
    for places in alike.values():
        if len(places) > 1:
            for tie, at in enumerate(sorted(places, key=_lot(draw))):
                found[at] = replace(options[at], tie=tie)
    return found


def _lot(draw: str) -> Callable[[int], bytes]:
    return lambda at: blake2b(f"{draw}\x00{at}".encode(), digest_size=8).digest()
