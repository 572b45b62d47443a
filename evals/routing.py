"""Which model should get which request? Quality and cost of learned routing on tables of prompts, models and scores.

Every `*.parquet` of the `routing` folder is one table. Part of its prompts, or with `--split task` whole kinds of work,
are kept from the training; what is reported is measured on these alone. Of each table, under `tables`:

    aiq             the area under the upper hull of (mean cost, mean quality), over the range from the cheapest model's
                    mean cost to the dearest one's, divided by the range (RouterBench, arXiv 2403.12031)
    aiq_static      the same for the best fixed mix learnt from the same outcomes: of single models, and of the model
                    that is best for each kind of work, where it is known, at each exchange rate
    aiq_singles     mixes of single models only
    aiq_oracle      choosing with every score known
    qmax            mean quality when cost does not count
    best_single     mean quality of the model that did best in the training (of those known for nine prompts in ten)
    c95, c100       the share of that model's cost with which the hull reaches 95 and 100 % of its quality; null: never
    c100_of_any     c100 where any model may be the best single one, by the prompts that it is known for, however few
    apgr            with two models: the share of the quality between the cheaper and the dearer that is recovered,
                    averaged over all shares of calls sent to the dearer one; cpt50 and cpt80 are the shares of calls
                    that recover 50 and 80 % (RouteLLM, arXiv 2406.18665)
    coverage80      how many of the 80 % intervals hold: by kind of work and model, the mean score of ten or more
                    prompts kept apart against what was expected of them, chance in so many scores allowed for
    learned, why    whether prompts were looked at, by cross-validation inside the training
    us, us_all      microseconds of processor time a decision among at most ten models, and among all: reading the
                    prompt, predicting, choosing

`worst_gap_to_static` is the least of aiq - aiq_static over the tables, `us_per_decision` the most of `us`.
A prompt is routed among the models whose outcome is known for it. Exchange rates are those on the
hull of the training prompts, taken as of unknown kinds of work with `--split task`. With two models only `--labels`
prompts are learnt from, drawn evenly by chance from the training part, each with the outcomes of both models.
`--task hidden` takes the kind of work from training and test.
"""

import sys
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from evals.routing_tables import Floats, Rows, Table, mean_of, some_of, tables
from evals.stage import parser, say, told
from fairlead.routing.learned import Predictor, features
from fairlead.routing.learned.hull import Point, average_quality, hull
from fairlead.routing.learned.predictor import FOUR_IN_FIVE
from fairlead.routing.learned.training import Training, train

_COVERED = 0.9
_TIMED = 300
_FEWEST = 10
_TEN = 10


@dataclass(frozen=True)
class Asked:
    """Which prompts of a table teach and which test, and whether their kinds of work are told."""

    table: Table
    rest: Rows
    out: Rows
    taught_hidden: bool
    hidden: bool


def main() -> int:
    given = parser(__doc__)
    given.add_argument("--data", type=Path, required=True, help="the folder with `*.parquet`, or the one above")
    given.add_argument("--split", choices=["prompt", "task"], default="prompt", help="what is kept from the training")
    given.add_argument("--task", choices=["known", "hidden"], default="known", help="whether kinds of work are told")
    given.add_argument("--seeds", type=int, default=1, help="how many seeds to take the mean over (default 1)")
    given.add_argument("--labels", type=int, default=1500, help="prompts to learn from with two models (default 1500)")
    options = given.parse_args()
    folder = options.data / "routing" if (options.data / "routing").is_dir() else options.data
    found: dict[str, dict[str, Any]] = {}
    for table in tables(folder):
        runs = []
        for seed in range(options.seed, options.seed + options.seeds):
            for out in table.held_out(options.split, seed):
                runs.append(_measured(table, out, seed, options))
                say(f"{table.name}, seed {seed}: {runs[-1]}")
        if runs:
            found[table.name] = _merged(runs)
    gaps = [one["gap"] for one in found.values() if one["gap"] is not None]
    result = {
        "split": options.split,
        "task": options.task,
        "seeds": options.seeds,
        "tables": found,
        "worst_gap_to_static": min(gaps, default=None),
        "us_per_decision": max((one["us"] for one in found.values()), default=None),
    }
    return told(result, not found)


def _merged(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the parts and seeds, and how far the gap went in one of them."""
    merged: dict[str, Any] = {
        key: mean_of([run[key] for run in runs]) for key, value in runs[0].items() if not isinstance(value, str)
    }
    merged["learned"] = sum(run["kind"] == "learned" for run in runs) / len(runs)
    merged["runs"] = len(runs)
    merged["gap_least"] = min(run["gap"] for run in runs)
    merged["why"] = runs[0]["why"]
    return merged


def _measured(table: Table, out: Rows, seed: int, options: Namespace) -> dict[str, Any]:
    hidden = options.task == "hidden"
    rest = some_of(~out, options.labels, seed) if len(table.models) == 2 else ~out
    started = time.process_time()
    predictor = train(table.outcomes(rest, hidden), Training(seed=seed))
    trained = time.process_time() - started
    static = Predictor(replace(predictor.learnt, within=None, across=None, kind="static"))
    singles = train(table.outcomes(rest, task_hidden=True), Training(seed=seed))
    blind = Predictor(replace(singles.learnt, within=None, across=None, kind="static"))
    asked = Asked(table, rest, out, taught_hidden=hidden or options.split == "task", hidden=hidden)
    ways = {
        "aiq": _points([predictor], asked),
        "aiq_static": _points([blind] if options.split == "task" else [static, blind], asked),
        "aiq_singles": _points([blind], asked),
    }
    mean_cost = np.nanmean(np.where(np.isnan(table.cost[out]), np.nan, table.cost[out]), axis=0)
    ends = (float(np.nanmin(mean_cost)), float(np.nanmax(mean_cost))) if np.isfinite(mean_cost).any() else (0.0, 0.0)
    areas = {name: average_quality(hull(points), *ends) for name, points in ways.items()}
    found: dict[str, Any] = {name: round(area, 4) for name, area in areas.items()}
    found["gap"] = round(areas["aiq"] - areas["aiq_static"], 4)
    found["aiq_oracle"] = round(average_quality(hull(_oracle(table, out)), *ends), 4)
    found["qmax"] = round(ways["aiq"][0][1], 4)
    found["coverage80"] = _held(predictor, table, out, hidden)
    found |= _shares(table, rest, out, hull(ways["aiq"]))
    if len(table.models) == 2:
        found |= _recovered(table, rest, out, _foretold(predictor, table, out, hidden)[0])
    found["us"] = _timed(predictor, table, out, hidden, table.models[:_TEN])
    found |= {"us_all": _timed(predictor, table, out, hidden, table.models), "train_s": round(trained, 1)}
    found |= {"bytes": len(predictor.encoded()), "kind": predictor.kind, "why": predictor.why}
    return found


def _foretold(predictor: Predictor, table: Table, rows: Rows, hidden: bool) -> tuple[Floats, Floats]:
    """Expected scores and costs of these prompts, by the predictor as it is asked for requests."""
    found = [
        predictor.predict("" if hidden else table.tasks[at], table.features[at], table.models)
        for at in np.flatnonzero(rows)
    ]
    scores = np.array([[one.p for one in some] for some in found])
    return scores, np.array([[one.cost for one in some] for some in found])


def _points(ways: list[Predictor], asked: Asked) -> list[Point]:
    """What is reached on the prompts kept apart, at the exchange rates that are on the hull of the training prompts;
    the first without regard to cost."""
    tried: list[tuple[Point, Point]] = []  # what is reached on the training prompts, and on those kept apart
    table, rest, out = asked.table, asked.rest, asked.out
    for way in ways:
        taught, tested = _foretold(way, table, rest, asked.taught_hidden), _foretold(way, table, out, asked.hidden)
        scale = float(taught[1].mean()) or 1.0
        for rate in [0.0, *(float(rate) for rate in np.geomspace(1e-4, 1e4, 120) / scale)]:
            tried.append((_reached(table, rest, *taught, rate), _reached(table, out, *tested, rate)))
    line = set(hull([taught for taught, _ in tried]))
    return [tried[0][1], *(tested for taught, tested in tried if taught in line)]


def _reached(table: Table, rows: Rows, scores: Floats, costs: Floats, rate: float) -> Point:
    known = ~np.isnan(table.score[rows])
    picked = np.where(known, scores - rate * costs, -np.inf).argmax(1)
    places = np.arange(len(picked))
    spent = np.where(np.isnan(table.cost[rows]), costs, table.cost[rows])[places, picked]
    return float(spent.mean()), float(table.score[rows][places, picked].mean())


def _oracle(table: Table, out: Rows) -> list[Point]:
    score, cost = np.nan_to_num(table.score[out]), np.nan_to_num(table.cost[out])
    scale = float(cost.mean()) or 1.0
    return [_reached(table, out, score, cost, float(rate)) for rate in [0.0, *(np.geomspace(1e-4, 1e4, 120) / scale)]]


def _shares(table: Table, rest: Rows, out: Rows, line: list[Point]) -> dict[str, float | None]:
    """The best single model by the training, and the share of its cost that reaches its quality."""
    known = (~np.isnan(table.score[out])).sum(0) > 0
    covered = known & ((~np.isnan(table.score)).mean(0) >= _COVERED)
    means = np.nan_to_num(np.nanmean(table.score[rest], axis=0))
    best, best_known = (int(np.where(some, means, -1.0).argmax()) for some in (covered, known))
    if not covered.any():
        best = best_known
    quality, cost = (float(np.nanmean(amount[out, best])) for amount in (table.score, table.cost))
    highest, dear = (float(np.nanmean(amount[out, best_known])) for amount in (table.score, table.cost))
    return {
        "best_single": round(quality, 4),
        "c95": _share(line, 0.95 * quality, cost),
        "c100": _share(line, quality, cost),
        "c100_of_any": _share(line, highest, dear),
    }


def _share(line: list[Point], quality: float, cost: float) -> float | None:
    reached = _cost_to_reach(line, quality)
    return None if reached is None or not cost > 0 else round(reached / cost, 4)


def _cost_to_reach(line: list[Point], quality: float) -> float | None:
    """The mean cost at which a hull reaches a quality, None where it never does."""
    before = line[0]
    for point in line:
        if point[1] >= quality:
            if point == before:
                return point[0]
            return before[0] + (quality - before[1]) / (point[1] - before[1]) * (point[0] - before[0])
        before = point
    return None


def _recovered(table: Table, rest: Rows, out: Rows, scores: Floats) -> dict[str, float | None]:
    """With two models: calls go to the dearer one in the order of what it is expected to add."""
    dear = int(np.nan_to_num(np.nanmean(table.cost[rest], axis=0)).argmax())
    known = ~np.isnan(table.score[out]).any(1)
    gain = (table.score[out, dear] - table.score[out, 1 - dear])[known]
    order = np.random.default_rng(0).permutation(len(gain))  # equal ones in no order
    order = order[np.argsort(-(scores[:, dear] - scores[:, 1 - dear])[known][order], kind="stable")]
    if not gain.sum() > 0:
        return {"apgr": None, "cpt50": None, "cpt80": None}
    share = np.concatenate([[0.0], np.cumsum(gain[order])]) / gain.sum()
    calls = np.linspace(0, 1, len(share))
    return {
        "apgr": round(float(np.trapezoid(share, calls)), 4),
        "cpt50": round(float(calls[np.argmax(share >= 0.5)]), 4),
        "cpt80": round(float(calls[np.argmax(share >= 0.8)]), 4),
    }


def _held(predictor: Predictor, table: Table, out: Rows, hidden: bool) -> float | None:
    """The share of groups whose mean score the intervals hold."""
    rows = np.flatnonzero(out)
    asked = [predictor.predict("" if hidden else table.tasks[at], table.features[at], table.models) for at in rows]
    expected, half = (
        np.array([[value(one) for one in some] for some in asked])
        for value in (lambda one: one.p, lambda one: (one.high - one.low) / 2)
    )
    score, tasks = table.score[rows], np.array([table.tasks[at] for at in rows])
    held = []
    for task in sorted(set(table.tasks)):
        for column in range(len(table.models)):
            some = (tasks == task) & ~np.isnan(score[:, column])
            many = int(some.sum())
            if many >= _FEWEST:
                off = abs(float((score[some, column] - expected[some, column]).mean()))
                chance = FOUR_IN_FIVE * float(score[some, column].std()) / np.sqrt(many)
                held.append(bool(off <= np.hypot(float(half[some, column].mean()), chance)))
    return round(sum(held) / len(held), 4) if held else None


def _timed(predictor: Predictor, table: Table, out: Rows, hidden: bool, models: list[str]) -> float:
    """Microseconds of processor time a decision, of each prompt the least of five, so that other work counts little."""
    asked = [("" if hidden else table.tasks[at], table.prompts[at]) for at in np.flatnonzero(out)[:_TIMED]]
    least = []
    for task, prompt in asked:
        rounds = []
        for _ in range(5):
            started = time.process_time_ns()
            found = predictor.predict(task, features(prompt), models)
            max(found, key=lambda one: one.p - one.cost)
            rounds.append(time.process_time_ns() - started)
        least.append(min(rounds))
    return round(sum(least) / len(least) / 1000, 1)


if __name__ == "__main__":
    sys.exit(main())
