"""Value: what work came to against the manual way, by task type. Pure, and the same from the same log.

A transaction is the outermost run, or piece of work, with all that was done for it. It counts as straight through where
it was done without a person: no approval, nothing refused or failed on the way, and not judged to be wrong. Only such a
one saves the manual way; what the others cost is taken off all the same.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from fairlead.costs.record import Record
from fairlead.costs.report_settings import BaselineSettings
from fairlead.costs.workflow_runs import WorkflowRun

_DRAWS = 1000
_BLOCKS = 200  # transactions are drawn in blocks of neighbours, which are alike
_WRONG = 0.5  # of a score from 0 to 1
_ACTIONS = frozenset({"call_model", "call_tool", "attempt", "refusal"})
_JUDGING = "judging of replies"

Scores = Mapping[str, Sequence[tuple[float, float]]]
"""Known outcomes by run: each a score from 0 to 1, and its weight."""


class Interval(Struct, frozen=True):
    """What it came to, and between what it lies in four of five cases."""

    value: float
    low: float
    high: float


class Step(Struct, frozen=True):
    """What is done for a kind of work: a task type, a tool or the judging of replies, how often, and for how much."""

    what: str
    times: int
    cost: int


class Worth(Struct, frozen=True, kw_only=True):
    """One task type, and all that is done for it. Money is in nano-units, times in milliseconds; None where nothing is
    known. Of `begun` transactions `volume` were done."""

    task: str
    begun: int
    volume: int
    cost: int
    cost_each: float
    cycle_median: int
    cycle_p90: int
    straight: float
    quality: Interval | None
    judged: int
    saving: Interval | None
    steps: tuple[Step, ...]


class Value(Struct, frozen=True):
    """A line for each task type, the one with the most work first; and the saving of all that have a baseline, whose
    interval knows that their mix varies, too."""

    lines: tuple[Worth, ...]
    saving: Interval | None


@dataclass(slots=True)
class _Work:
    task: str
    begun: int
    ended: int
    cost: int = 0
    done: bool = False
    clean: bool = True
    scores: list[tuple[float, float]] = field(default_factory=list)
    steps: dict[str, list[int]] = field(default_factory=dict)

    @property
    def score(self) -> float | None:
        weight = sum(weight for _, weight in self.scores)
        return sum(score * weight for score, weight in self.scores) / weight if weight > 0 else None

    @property
    def straight(self) -> bool:
        return self.done and self.clean and (self.score is None or self.score >= _WRONG)


def value(
    rows: Iterable[tuple[Record, int]], roots: Mapping[str, str], scores: Scores,
    baselines: Mapping[str, BaselineSettings], workflows: Mapping[str, WorkflowRun] = MappingProxyType({}),
) -> Value:  # fmt: skip
    """What work came to. `rows` are records, each with the moment at which it was made; `roots` as
    `billing.bill.outermost` has them, `workflows` as `workflow_runs` has: each has a line of its own, `workflow/NAME`.
    """
    found: dict[str, _Work] = {}
    for record, ended in rows:
        if record.kind in _ACTIONS and record.outcome != "estimated":
            _add(found, record, ended, roots.get(record.run, record.run), scores)
    for root, run in workflows.items():
        if root in found:
            _is_of_workflow(found[root], run)
    works = sorted(found.values(), key=lambda work: (work.begun, work.ended, work.cost))
    by_task: dict[str, list[_Work]] = {}
    for work in works:
        by_task.setdefault(work.task, []).append(work)
    lines = [_worth(task, of, baselines.get(task)) for task, of in by_task.items()]
    saved = [_saved(work, baselines[work.task]) for work in works if work.task in baselines]
    return Value(
        tuple(sorted(lines, key=lambda line: (-line.volume, line.task))),
        _interval("", saved, mean=False) if saved else None,
    )


def _add(found: dict[str, _Work], record: Record, ended: int, root: str, scores: Scores) -> None:
    work = found.setdefault(root, _Work(record.task, record.at, ended))
    if record.at < work.begun or not work.task:
        work.task, work.begun = record.task or work.task, min(record.at, work.begun)
    work.ended = max(work.ended, ended)
    work.cost += record.cost
    step = work.steps.setdefault(_JUDGING if record.judges else record.tool or record.task, [0, 0])
    step[0] += record.kind != "attempt"
    step[1] += record.cost
    if record.judges:
        return
    work.done = work.done or (record.kind == "call_model" and record.outcome == "done")
    work.clean = work.clean and not record.approvals and (record.kind == "attempt" or record.outcome == "done")
    if record.kind == "call_model":
        work.scores += scores.get(record.run, ())


def _is_of_workflow(work: _Work, run: WorkflowRun) -> None:
    """It is done when the workflow is, however many of its steps are; whoever was asked on the way had a hand in it."""
    work.task = f"workflow/{run.name}"
    work.begun, work.ended = min(work.begun, run.begun), max(work.ended, run.ended)
    work.done, work.clean = run.done, work.clean and run.alone


def _worth(task: str, works: list[_Work], baseline: BaselineSettings | None) -> Worth:
    done = [work for work in works if work.done]
    cycles = sorted(work.ended - work.begun for work in done)
    cost = sum(work.cost for work in works)
    judged = [score for work in done if (score := work.score) is not None]
    return Worth(
        task=task,
        begun=len(works),
        volume=len(done),
        cost=cost,
        cost_each=cost / len(done) if done else 0.0,
        cycle_median=_at(cycles, 0.5),
        cycle_p90=_at(cycles, 0.9),
        straight=sum(work.straight for work in works) / len(works),
        quality=_interval(task, judged, mean=True) if judged else None,
        judged=len(judged),
        saving=None if baseline is None else _interval(task, [_saved(work, baseline) for work in works], mean=False),
        steps=_steps(works),
    )


def by_hand(baseline: BaselineSettings) -> int:
    """What one costs the manual way, in nano-units."""
    minutes, rate = Decimal(str(baseline.minutes)), Decimal(str(baseline.rate))
    return int((minutes * rate / 60).scaleb(9).quantize(Decimal(1)))


def _saved(work: _Work, baseline: BaselineSettings) -> float:
    return float((by_hand(baseline) if work.straight else 0) - work.cost)


def _steps(works: Sequence[_Work]) -> tuple[Step, ...]:
    """The dearest first."""
    sums: dict[str, list[int]] = {}
    for work in works:
        for what, (times, cost) in work.steps.items():
            of = sums.setdefault(what, [0, 0])
            of[0], of[1] = of[0] + times, of[1] + cost
    steps = [Step(what, times, cost) for what, (times, cost) in sums.items()]
    return tuple(sorted(steps, key=lambda step: (-step.cost, -step.times, step.what)))


def _interval(seed: str, values: Sequence[float], *, mean: bool) -> Interval:
    """By a bootstrap of blocks whose draws follow from the seed and the number of values alone."""
    size = -(-len(values) // _BLOCKS)
    blocks = [values[at : at + size] for at in range(0, len(values), size)]
    sums = [(sum(block), len(block)) for block in blocks]
    count = len(sums)
    stream = hashlib.shake_256(f"{seed}|{len(values)}".encode()).digest(4 * count * _DRAWS)
    drawn = []
    for draw in range(_DRAWS):
        total, many = 0.0, 0
        for at in range(4 * count * draw, 4 * count * (draw + 1), 4):
            part, held = sums[int.from_bytes(stream[at : at + 4], "big") % count]
            total, many = total + part, many + held
        drawn.append(total / many if mean else total * len(values) / many)
    drawn.sort()
    whole = sum(values)
    return Interval(whole / len(values) if mean else whole, drawn[_DRAWS // 10], drawn[_DRAWS - 1 - _DRAWS // 10])


def _at(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0
