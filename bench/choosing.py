"""What the choice by an objective costs on the path of a request, in microseconds. Run: python bench/choosing.py

Beside it the plan that comes before it, and the features of a prompt, which are asked for where the predictor looks at
prompts.
"""

import time
from collections.abc import Callable
from typing import Any, cast

from fairlead.costs import Rate
from fairlead.costs.types import Tier
from fairlead.execution.choosing import chosen
from fairlead.execution.deployment import Deployment
from fairlead.labels import NO_LABELS
from fairlead.models.types import ChatRequest, Model, Placement
from fairlead.routing import Preferences, plan
from fairlead.routing.auditing import differences
from fairlead.routing.learned import Features, Observation, features
from fairlead.routing.learned.training import train
from fairlead.tasks.objectives import Objective
from fairlead.tasks.types import Task, TaskType

PROSE = "Please summarise the quarterly report for the board, with 3 key points and 12 numbers from 2024. "
MODELS = 10


def _unmeasured(_: object) -> None:
    """How long a candidate takes: nobody has measured it."""


class Allowed:
    allowed = True
    redact: frozenset[str] = frozenset()
    pseudonymise: frozenset[str] = frozenset()
    reasons: tuple[Any, ...] = ()


class Deployed:
    """As much of a deployment as the choice looks at."""

    def __init__(self, models: dict[str, Model], objective: Objective | None, *, looks: bool = False) -> None:
        self.preferences, self.models = Preferences(objective=objective), models
        self.groups: dict[str, Any] = {}
        self.rates = {name: Rate("v", (Tier(0, 10**6 * at, 10**6, 0, 0),)) for at, name in enumerate(models)}
        self.currency = "USD"
        self.predictor = train(
            Observation(
                "t", _seen(number, looks), name, _score(at, number, looks), 0.001, 1.0, str(number), tokens_out=9
            )
            for at, name in enumerate(models)
            for number in range(60)
        )
        assert self.predictor.kind == ("learned" if looks else "static")


def _seen(number: int, looks: bool) -> Features:
    other = f"def f{number}(x): return x + {number} # mend this code"
    return (features(f"{PROSE * 5}{number}" if number % 2 else other)) if looks else Features()


def _score(at: int, number: int, looks: bool) -> float:
    """Where prompts are looked at, half of the models are good at half of them."""
    return float(at % 2 == number % 2) if looks else at / MODELS


def microseconds(work: Callable[[], object], rounds: int) -> float:
    """CPU time of one call, the best of two hundred runs: other work on the machine counts as little as can be."""
    best = float("inf")
    for _ in range(200):
        started = time.process_time()
        for _ in range(rounds):
            work()
        best = min(best, time.process_time() - started)
    return best / rounds * 1e6


def main() -> None:
    models = {
        f"m{n}": Model(name=f"m{n}", endpoint="e", remote="r", placement=Placement("cloud")) for n in range(MODELS)
    }
    task = Task(type=TaskType(name="t"), labels=NO_LABELS, question=PROSE * 5)
    request = ChatRequest(model="auto", messages=[], size=2000)
    rights = dict.fromkeys(models, Allowed())
    bounded = Objective(aim="quality", cost_at_most=10**9, latency_at_most=60_000)
    curious = Objective(aim="quality", explore=20_000)
    none, best, exploring = (Deployed(models, one) for one in (None, bounded, curious))
    looking = Deployed(models, bounded, looks=True)

    def planned() -> Any:
        return plan(
            task,
            request,
            models,
            rights,
            preferences=none.preferences,
            rates=none.rates,
            health=lambda name: None,
            unavailable={},
            default_output=500,
            has_passages=True,
        )

    made = planned()

    def by(deployed: Deployed) -> Any:
        return chosen(cast(Deployment, deployed), _unmeasured, task, request, made, "run_1", "run_1")

    decision = by(best).decision
    for name, cost in (
        (f"plan, {MODELS} models", microseconds(planned, 20)),
        ("choose, nothing declared", microseconds(lambda: by(none), 200)),
        (f"choose, {MODELS} models, two bounds", microseconds(lambda: by(best), 10)),
        (f"choose, {MODELS} models, with exploration", microseconds(lambda: by(exploring), 10)),
        (f"choose, {MODELS} models, by the prompt", microseconds(lambda: by(looking), 10)),
        ("of it features of 500 bytes", microseconds(lambda: features(PROSE * 5), 10)),
        ("audit a recorded decision", microseconds(lambda: differences(decision, "run_1"), 10)),
    ):
        print(f"{name:40} {cost:8.1f} µs")


if __name__ == "__main__":
    main()
