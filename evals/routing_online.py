"""Learning online: a model is chosen for each prompt of a stream, and only its own outcome is seen.

    .venv/bin/python -m evals.routing_online --data ../shared/data/routing [--seeds 3]

Of each table 300 prompts, drawn at random, are known with every model's outcome; the rest come once, in random order.
Reward is the score less a rate for each unit of cost, the unit being the mean cost of a call on the 300. What counts is
the reward beside that of the one model that is best in hindsight, in points of 100 a prompt: `gap_points`. Beside it
stand what stays with the best model of the 300 (`static`), a mean over all work with one call in fifty by chance
(`epsilon_greedy`), Fairlead where only its off-policy gate lets anything change (`gated`), the best model of each kind
of work in hindsight (`by_task_in_hindsight`: what context can give), and what the model that is best over the whole
table falls short of the best on this stream (`luck`: what hindsight gains by chance alone).

Nothing is chosen on the tables: the share of exploration is that of the documentation, means are those of
`routing.learned` with its own cross-validation. `synthetic` tables, one with context and one without, are run alike.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import duckdb

from evals.online_policies import Epsilon, Exchange, Leaning, Learner, Outcome, Policy, Prompt, Static, best_of
from fairlead.routing.learned import Features, features

PRIOR: Final = 300
RATES: Final = (0.0, 0.1, 0.3)
_MARKS: Final = (0.25, 0.5, 1.0)


def read(path: Path) -> list[Prompt]:
    columns = "prompt_id, coalesce(task, ''), prompt, model, score, coalesce(cost_usd, 0)"
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT {columns} FROM read_parquet(?) WHERE score IS NOT NULL ORDER BY prompt_id, model", [str(path)]
        ).fetchall()
    found: dict[str, tuple[str, str, dict[str, Outcome]]] = {}
    for name, task, text, model, score, cost in rows:
        found.setdefault(name, (task, text, {}))[2][model] = (float(score), float(cost))
    return [Prompt(name, task, features(text), outcomes) for name, (task, text, outcomes) in found.items()]


def made_up(seed: int, *, context: float, prompts: int = 2300, models: int = 6, tasks: int = 8) -> list[Prompt]:
    """A table that nobody has measured: models differ, and by `context` also from task to task."""
    dice = random.Random(seed)
    skill = {f"m{at}": 0.55 + 0.06 * at for at in range(models)}
    apart = {(task, model): dice.gauss(0, context) for task in range(tasks) for model in skill}
    found = []
    for at in range(prompts):
        task = dice.randrange(tasks)
        outcomes = {
            model: (float(dice.random() < min(0.98, max(0.02, p + apart[task, model]))), 1.0 + place)
            for place, (model, p) in enumerate(skill.items())
        }
        found.append(Prompt(f"p{at}", f"t{task}", Features(), outcomes))
    return found


def complete(prompts: Sequence[Prompt]) -> list[str]:
    """Models that can do everything; where there is none, those that can do most."""
    counts = Counter(model for prompt in prompts for model in prompt.outcomes)
    most = max(counts.values())
    return sorted(model for model, many in counts.items() if many == most)


def mean_reward(prompts: Iterable[Prompt], model: str, exchange: Exchange) -> float:
    return fmean(exchange.reward(each.outcomes[model]) for each in prompts if model in each.outcomes)


def streamed(policy: Policy, stream: Sequence[Prompt], exchange: Exchange) -> list[float]:
    """The reward of each prompt."""
    got = []
    for prompt in stream:
        model = policy.choose(prompt)
        outcome = prompt.outcomes.get(model)
        if outcome is None:  # the fixed choice cannot do this one
            outcome = max(prompt.outcomes.values(), key=exchange.reward)
        else:
            policy.told(prompt, model, outcome)
        got.append(exchange.reward(outcome))
    return got


def one_run(every: Sequence[Prompt], seed: int) -> dict[float, dict[str, Any]]:
    """All exchange rates on one split and order."""
    order = list(every)
    random.Random(seed).shuffle(order)
    known = min(PRIOR, len(order) // 2)
    prior, stream = order[:known], order[known:]
    costs = [cost for prompt in prior for _, cost in prompt.outcomes.values()]
    lean = Leaning(prior)
    return {rate: _at(Exchange(rate, fmean(costs) or 1.0), order, prior, stream, lean, seed) for rate in RATES}


def _at(
    exchange: Exchange, every: Sequence[Prompt], prior: Sequence[Prompt], stream: Sequence[Prompt], lean: Leaning,
    seed: int,
) -> dict[str, Any]:  # fmt: skip
    everywhere = complete(stream)
    in_hindsight = {model: mean_reward(stream, model, exchange) for model in everywhere}
    best = max(in_hindsight.values())
    over_all = max(everywhere, key=lambda model: mean_reward(every, model, exchange))
    ours = Learner(prior, exchange, seed, lean)
    gated = Learner(prior, exchange, seed, lean, gated=True, static=best_of(prior, exchange, everywhere))
    got = streamed(ours, stream, exchange)
    others = {
        "static": Static(prior, exchange, everywhere),
        "epsilon_greedy": Epsilon(prior, exchange, seed),
        "gated": gated,
    }
    found: dict[str, Any] = {"gap_points": 100 * (fmean(got) - best)}
    found |= {name: 100 * (fmean(streamed(each, stream, exchange)) - best) for name, each in others.items()}
    found["by_task_in_hindsight"] = 100 * (_by_task(stream, exchange) - best)
    found["luck"] = 100 * (best - in_hindsight[over_all])
    ends = [int(len(got) * mark) for mark in _MARKS]
    found["regret"] = [round(best * end - sum(got[:end]), 2) for end in ends]
    found["explored"] = ours.elsewhere / len(stream)
    found["replaced"] = gated.replaced
    found["prompts_pay"] = float(lean.pays)
    return found


def _by_task(stream: Sequence[Prompt], exchange: Exchange) -> float:
    parts: dict[str, list[Prompt]] = {}
    for prompt in stream:
        parts.setdefault(prompt.task, []).append(prompt)
    best = [(max(mean_reward(some, model, exchange) for model in complete(some)), len(some)) for some in parts.values()]
    return sum(reward * many for reward, many in best) / len(stream)


def told(every: Sequence[Prompt], seeds: int) -> dict[str, Any]:
    """A table's figures, means over the seeds."""
    runs = [one_run(every, seed) for seed in range(seeds)]
    found: dict[str, Any] = {"prompts": len(every), "models": len({m for each in every for m in each.outcomes})}
    for rate in RATES:
        some = [run[rate] for run in runs]
        gaps = [each["gap_points"] for each in some]
        about = {name: round(fmean(each[name] for each in some), 3) for name in some[0] if name != "regret"}
        about["worst_seed"] = round(min(gaps), 3)
        about["regret_at_quarter_half_end"] = [
            round(fmean(each["regret"][at] for each in some), 1) for at in range(len(_MARKS))
        ]
        found[f"rate_{rate:g}"] = about
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of tables (*.parquet)")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    tables = {path.stem: told(read(path), given.seeds) for path in sorted(given.data.glob("*.parquet"))}
    synthetic = {
        "with_context": told(made_up(1, context=0.15), given.seeds),
        "without_context": told(made_up(2, context=0.0), given.seeds),
    }
    gaps = {
        f"{name} {rate:g}": table[f"rate_{rate:g}"]["gap_points"] for name, table in tables.items() for rate in RATES
    }
    worst = min(gaps, key=lambda name: gaps[name], default="")
    for name, table in {**tables, **synthetic}.items():
        for rate in RATES:
            print(f"{name:24} rate {rate:g}  {json.dumps(table[f'rate_{rate:g}'])}")
    said = {
        "eval": "routing_online",
        "prior": PRIOR,
        "seeds": given.seeds,
        "gap_points": gaps,
        "worst_gap_points": gaps.get(worst),
        "worst_at": worst,
        "never_below_0_2": all(gap >= -0.2 for gap in gaps.values()),
        "explored": max(
            (table[f"rate_{rate:g}"]["explored"] for table in tables.values() for rate in RATES), default=0.0
        ),
        "tables": tables,
        "synthetic": synthetic,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
