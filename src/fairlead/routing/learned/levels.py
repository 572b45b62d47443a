"""Expected costs, latencies and lengths of replies: what is never negative, and differs by factors.

A model has a level, a kind of work a factor; a cell's mean is drawn towards their product. A kind of work or a model
of which nothing is known takes no part in the product.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from fairlead.routing.learned.means import cells_of

_STRENGTH: Final = 4.0  # outcomes' worth by which a cell is drawn to the product
_ROUNDS: Final = 8
_LEAST: Final = 1e-12


class Levels(Struct, frozen=True):
    """Expected amounts by task and then model, the models' levels, and the factors of kinds of work."""

    cells: Mapping[str, Mapping[str, float]]
    models: Mapping[str, float]
    tasks: Mapping[str, float]

    def expected(self, task: str, model: str) -> float | None:
        """The amount to expect, None for a model of which no amount is known."""
        known = self.cells.get(task, {}).get(model)
        if known is not None:
            return known
        level = self.models.get(model)
        return None if level is None else level * self.tasks.get(task, 1.0)


def levels_of(rows: Iterable[tuple[str, str, float, float]]) -> Levels:
    """Learnt from (task, model, amount, weight)."""
    cells = cells_of(rows)
    logs = {key: math.log(max(cell.mean, _LEAST)) for key, cell in cells.items()}
    models: dict[str, float] = defaultdict(float)
    tasks: dict[str, float] = defaultdict(float)
    for _ in range(_ROUNDS):
        _balance(models, ((model, log - tasks[task]) for (task, model), log in logs.items()))
        _balance(tasks, ((task, log - models[model]) for (task, model), log in logs.items()))
        middle = sum(tasks.values()) / (len(tasks) or 1)
        for task in tasks:
            tasks[task] -= middle
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (task, model), cell in cells.items():
        product = math.exp(models[model] + tasks[task])
        found[task][model] = (cell.total + _STRENGTH * product) / (cell.weight + _STRENGTH)
    return Levels(
        cells=dict(found),
        models={name: math.exp(log) for name, log in models.items()},
        tasks={name: math.exp(log) for name, log in tasks.items()},
    )


def _balance(levels: dict[str, float], logs: Iterable[tuple[str, float]]) -> None:
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for name, log in logs:
        sums[name][0] += 1
        sums[name][1] += log
    levels.update((name, total / many) for name, (many, total) in sums.items())
