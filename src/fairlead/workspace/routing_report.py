"""Who did which work, at what price and how well: by kind of work, and by model with its vendor. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from fairlead.costs.record import Record
from fairlead.models.types import Model
from fairlead.routing.objective import excess


class Line(Struct, frozen=True, kw_only=True):
    """A model's part in a kind of work. `share` is of that work's runs, `cost` in nano-units, all attempts included.

    `predicted` and `observed` are mean scores, `regret` how much better the best candidate within the bounds was
    expected to be than this one; None where nothing is known. `outcomes` are those that `observed` rests on.
    """

    task: str
    model: str
    vendor: str
    placement: str
    runs: int
    share: float
    cost: int
    predicted: float | None
    observed: float | None
    regret: float | None
    outcomes: int


@dataclass(slots=True)
class _Part:
    placement: str
    runs: int = 0
    cost: int = 0
    predicted: list[int] = field(default_factory=list)
    regret: list[int] = field(default_factory=list)
    observed: list[tuple[float, float]] = field(default_factory=list)


def report(
    records: Iterable[Record], models: Mapping[str, Model], scores: Mapping[str, list[tuple[float, float]]]
) -> list[Line]:
    """A line for each kind of work and model. `scores` are known outcomes by run: each a score and its weight."""
    parts: dict[tuple[str, str], _Part] = {}
    for record in records:
        if record.kind not in ("call_model", "attempt") or not record.model or record.judges:
            continue
        part = parts.setdefault((record.task, record.model), _Part(record.placement))
        part.cost += record.cost
        if record.kind == "attempt" or record.outcome != "done":
            continue
        part.runs += 1
        part.observed += scores.get(record.run, ())
        _expect(part, record)
    totals: dict[str, int] = {}
    for (task, _), part in parts.items():
        totals[task] = totals.get(task, 0) + part.runs
    return [
        _line(task, model, part, totals[task], models.get(model))
        for (task, model), part in sorted(parts.items(), key=lambda item: (item[0][0], -item[1].runs, item[0][1]))
    ]


def _expect(part: _Part, record: Record) -> None:
    decision = record.decision
    if decision is None:
        return
    done = next((one for one in decision.candidates if one.covers(record.model)), None)
    if done is None or done.p is None:
        return
    part.predicted.append(done.p)
    rivals = [one.p for one in decision.candidates if one.p is not None and not excess(decision.objective, one)]
    part.regret.append(max(0, max(rivals, default=done.p) - done.p))


def _line(task: str, name: str, part: _Part, total: int, model: Model | None) -> Line:
    weight = sum(each for _, each in part.observed)
    return Line(
        task=task,
        model=name,
        vendor=model.placement.vendor if model is not None else "",
        placement=part.placement,
        runs=part.runs,
        share=part.runs / total if total else 0.0,
        cost=part.cost,
        predicted=_mean(part.predicted),
        observed=sum(score * each for score, each in part.observed) / weight if weight else None,
        regret=_mean(part.regret),
        outcomes=len(part.observed),
    )


def _mean(parts: list[int]) -> float | None:
    return sum(parts) / len(parts) / 10_000 if parts else None
