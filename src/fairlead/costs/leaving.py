"""The cost of leaving: what of the work rests on each vendor, who else has done it, how well and for how much. Pure.

Only what was done shows that a model can do it: nothing is said of models that nobody has tried on that kind of work.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec import Struct

from fairlead.costs.record import Record
from fairlead.costs.value import Scores


class Done(Struct, frozen=True):
    """Replies of a kind: how many, nano-units for each with its failed attempts, and how good the judged ones were."""

    replies: int
    cost_each: int
    quality: float | None
    judged: int


class Leaving(Struct, frozen=True, kw_only=True):
    """What of a kind of work rests on a vendor, and which models of others have done that kind of work too.

    `more` is how much more its replies would have cost at the price for each that the cheapest of the others had: less
    than nothing where that is cheaper, None where there is no other.
    """

    vendor: str
    task: str
    models: tuple[str, ...]
    share: float
    theirs: Done
    others: Mapping[str, Done]
    more: int | None


@dataclass(slots=True)
class _Sum:
    replies: int = 0
    cost: int = 0
    points: float = 0.0
    weight: float = 0.0
    judged: int = 0

    def plus(self, other: "_Sum") -> "_Sum":
        return _Sum(
            self.replies + other.replies, self.cost + other.cost, self.points + other.points,
            self.weight + other.weight, self.judged + other.judged,
        )  # fmt: skip

    def done(self) -> Done:
        quality = self.points / self.weight if self.weight > 0 else None
        return Done(self.replies, round(self.cost / self.replies) if self.replies else 0, quality, self.judged)


def leaving(records: Iterable[Record], vendors: Mapping[str, str], scores: Scores) -> list[Leaving]:
    """A line for each vendor and task type. `vendors` are by model; what runs in the house has none, and cannot be
    left."""
    by_task: dict[str, dict[str, _Sum]] = {}
    for record in records:
        if record.kind in ("call_model", "attempt") and record.model and not record.judges:
            _add(by_task.setdefault(record.task, {}).setdefault(record.model, _Sum()), record, scores)
    lines = []
    for task, models in by_task.items():
        able = {model: found for model, found in models.items() if found.replies}
        for vendor in {vendors.get(model, "") for model in able} - {""}:
            lines.append(_line(vendor, task, able, vendors))
    return sorted(lines, key=lambda line: (line.vendor, -line.share, line.task))


def _add(found: _Sum, record: Record, scores: Scores) -> None:
    found.cost += record.cost
    if record.kind != "call_model" or record.outcome != "done":
        return
    found.replies += 1
    known = [(score, weight) for score, weight in scores.get(record.run, ()) if weight > 0]
    found.judged += bool(known)
    found.points += sum(score * weight for score, weight in known)
    found.weight += sum(weight for _, weight in known)


def _line(vendor: str, task: str, able: Mapping[str, _Sum], vendors: Mapping[str, str]) -> Leaving:
    mine = sorted(model for model in able if vendors.get(model, "") == vendor)
    others = {model: able[model].done() for model in sorted(able) if model not in mine}
    theirs = _Sum()
    for model in mine:
        theirs = theirs.plus(able[model])
    cheapest = min((each.cost_each for each in others.values()), default=None)
    return Leaving(
        vendor=vendor,
        task=task,
        models=tuple(mine),
        share=theirs.replies / sum(each.replies for each in able.values()),
        theirs=theirs.done(),
        others=others,
        more=None if cheapest is None else cheapest * theirs.replies - theirs.cost,
    )
