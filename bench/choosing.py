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
from fairlead.execution.seconds_seen import SecondsSeen
from fairlead.labels import NO_LABELS
from fairlead.models.types import ChatRequest, Model, Placement
from fairlead.routing import Preferences, plan
from fairlead.routing.auditing import differences
from fairlead.routing.learned import Features, Observation, features, train
from fairlead.tasks.objectives import Objective
from fairlead.tasks.types import Task, TaskType

PROSE = "Please summarise the quarterly report for the board, with 3 key points and 12 numbers from 2024. "
MODELS = 10


class Allowed:
    allowed = True
    redact: frozenset[str] = frozenset()
    reasons: tuple[Any, ...] = ()


class Deployed:
    """As much of a deployment as the choice looks at."""

    def __init__(self, models: dict[str, Model], objective: Objective | None) -> None:
        self.preferences, self.models = Preferences(objective=objective), models
        self.groups: dict[str, Any] = {}
        self.rates = {name: Rate("v", (Tier(0, 10**6 * at, 10**6, 0, 0),)) for at, name in enumerate(models)}
        self.currency = "USD"
        self.predictor = train(
            Observation("t", Features(), name, at / MODELS, 0.001, 1.0, str(number), tokens_out=200)
            for at, name in enumerate(models)
            for number in range(20)
        )


def microseconds(work: Callable[[], object], rounds: int) -> float:
    """CPU time of one call, the best of thirty runs: other work on the machine counts as little as can be."""
    best = float("inf")
    for _ in range(30):
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

    made, seconds = planned(), SecondsSeen()

    def by(deployed: Deployed) -> Any:
        return chosen(cast(Deployment, deployed), seconds, task, request, made, "run_1", "run_1")

    decision = by(best).decision
    for name, cost in (
        (f"plan, {MODELS} models", microseconds(planned, 200)),
        ("choose, nothing declared", microseconds(lambda: by(none), 2000)),
        (f"choose, {MODELS} models, two bounds", microseconds(lambda: by(best), 100)),
        (f"choose, {MODELS} models, with exploration", microseconds(lambda: by(exploring), 100)),
        ("features of a prompt of 500 bytes", microseconds(lambda: features(PROSE * 5), 100)),
        ("audit a recorded decision", microseconds(lambda: differences(decision, "", "run_1"), 50)),
    ):
        print(f"{name:40} {cost:8.1f} µs")


if __name__ == "__main__":
    main()
