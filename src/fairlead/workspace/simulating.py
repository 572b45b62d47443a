"""What recorded work would have cost, and how well it would have been done, under another objective, price or list of
models. Pure: the records say what was expected of each candidate, and the choice is made by the code that makes it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.costs import Rate
from fairlead.costs.prices import cost
from fairlead.costs.record import Record, RecordedUsage
from fairlead.models.types import Usage
from fairlead.routing.objective import choose, excess
from fairlead.tasks.decisions import Decision, Option
from fairlead.tasks.objectives import Objective

ALL: Final = "all"

Expects = Callable[[Record], tuple[Option, ...]]
"""What is expected now of the models that might have done a recorded piece of work; empty where nobody can say."""


class Change(Struct, frozen=True, kw_only=True):
    """What is supposed to be different. `objective` takes the place of the recorded one, `prices` those of some models;
    `without` are left out, and of the others only `models` stay, where it names any."""

    objective: Objective | None = None
    prices: Mapping[str, Rate] = {}
    without: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()


class Side(Struct, frozen=True, kw_only=True):
    """One of the two: `cost` in nano-units, `quality` the mean of the expected scores, None where nothing was known;
    `work` counts the runs by model."""

    cost: int
    quality: float | None
    work: Mapping[str, int]


class Simulated(Struct, frozen=True, kw_only=True):
    """A kind of work then and as it would have been. `billed` is what the runs did cost, `moved` counts those that
    another model would have done, `outside` those for which no model would have been within the bounds."""

    task: str
    runs: int
    billed: int
    then: Side
    now: Side
    moved: int
    outside: int


class Simulation(Struct, frozen=True, kw_only=True):
    """By kind of work, all together last. `left_out` counts runs that cannot be simulated, by reason."""

    tasks: tuple[Simulated, ...]
    left_out: Mapping[str, int]


class _Run(Struct, frozen=True):
    task: str
    billed: int
    then: Option
    now: Option
    outside: bool


def simulate(
    records: Iterable[Record], change: Change, rates: Mapping[str, Rate], expects: Expects | None = None
) -> Simulation:
    """Replay what was done. Where a record has no choice of its own, `expects` says what would be expected today."""
    runs: list[_Run] = []
    left_out: Counter[str] = Counter()
    for record in records:
        if record.kind != "call_model" or record.judges:
            continue
        found = _replayed(record, change, rates, expects)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            runs.append(found)
    by_task: dict[str, list[_Run]] = {}
    for run in runs:
        by_task.setdefault(run.task, []).append(run)
    parts = [_summed(task, some) for task, some in sorted(by_task.items())]
    whole = [_summed(ALL, runs)] if runs else []
    return Simulation(tasks=(*parts, *whole), left_out=dict(sorted(left_out.items())))


def _replayed(record: Record, change: Change, rates: Mapping[str, Rate], expects: Expects | None) -> _Run | str:
    """One run, or why it is left out."""
    if record.outcome != "done" or record.usage is None:
        return "it did not end with a reply"
    if any(by == "not asked for" for _, by in record.dropped) and record.decision is None:
        return "the request named its model, or its tier left one out"
    decision = record.decision or _expected(record, change, expects)
    if decision is None:
        return "it was not chosen by an objective, and nothing says what would be expected of other models"
    done = next((one for one in decision.candidates if one.covers(record.model)), None)
    if done is None:
        return "the model that did it is none of the candidates any more"
    options = [_priced(one, record.usage, change, rates) for one in decision.candidates if _stays(one, change)]
    if not options:
        return "none of its candidates is left"
    made = choose(change.objective or decision.objective, options, draw=record.run)
    first = made.candidates[0]
    outside = excess(made.objective, first) > 0
    return _Run(record.task, record.cost, done, first, outside)


def _expected(record: Record, change: Change, expects: Expects | None) -> Decision | None:
    if change.objective is None or expects is None:
        return None
    options = expects(record)
    return Decision(candidates=options, objective=change.objective) if options else None


def _stays(option: Option, change: Change) -> bool:
    return option.model not in change.without and (not change.models or option.model in change.models)


def _priced(option: Option, used: RecordedUsage, change: Change, rates: Mapping[str, Rate]) -> Option:
    """With the supposed price: what was expected moves as the bill for the recorded tokens does."""
    new = change.prices.get(option.model)
    if new is None:
        return option
    usage = Usage(input=used.input, output=used.output, cached_input=used.cached_input, cache_write=used.cache_write)
    old = next((rate for name, rate in rates.items() if option.covers(name)), None)
    before = cost(usage, old) if old is not None else 0
    after = cost(usage, new)
    return replace(option, cost=option.cost * after // before if before else after)


def _summed(task: str, runs: list[_Run]) -> Simulated:
    return Simulated(
        task=task,
        runs=len(runs),
        billed=sum(run.billed for run in runs),
        then=_side([run.then for run in runs]),
        now=_side([run.now for run in runs]),
        moved=sum(run.now.model != run.then.model for run in runs),
        outside=sum(run.outside for run in runs),
    )


def _side(options: list[Option]) -> Side:
    known = [one.p for one in options if one.p is not None]
    quality = round(sum(known) / len(known) / 10_000, 4) if known else None
    work = Counter(one.model for one in options)
    return Side(cost=sum(one.cost for one in options), quality=quality, work=dict(sorted(work.items())))
