"""Shrunk means: what a model does with a kind of work, when only few outcomes are known.

A cell is one kind of work with one model. Its mean is drawn towards what its model and its kind of work come to by
themselves, as if `strength` further outcomes had said so; the strength is the one that best foretells each outcome
from all the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

Key = tuple[str, str]
"""Task and model."""

STRENGTHS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
_ROUNDS: Final = 12
_PULL: Final = 2.0  # outcomes' worth by which an effect is drawn to none


class Cell(Struct, frozen=True):
    """Outcomes of one kind of work with one model: their weight, weighted sum, weighted sum of squares, and number."""

    weight: float
    total: float
    squares: float
    seen: int

    @property
    def mean(self) -> float:
        """The weighted mean of the outcomes, 0 where there are none."""
        return self.total / self.weight if self.weight else 0.0


class Shrunk(Struct, frozen=True, array_like=True):
    """A cell's shrunk mean, how many outcomes of its own it is worth, and how many were seen.

    What a cell borrows from others counts for its mean and not for its worth: an interval that leant on it was found to
    hold the truth half the time only, since how alike cells are is itself hardly known."""

    mean: float
    worth: float
    seen: int


class Means(Struct, frozen=True, kw_only=True):
    """Shrunk means by task and then model, and what stands in where a task or a model is unknown.

    `noise` is the variance of one outcome within its cell, `apart` that of cells around what their task and model come
    to by themselves, `models_apart` that of models around the whole.
    """

    cells: Mapping[str, Mapping[str, Shrunk]]
    tasks: Mapping[str, float]
    models: Mapping[str, float]
    whole: float
    strength: float
    noise: float
    apart: float
    models_apart: float

    def expected(self, task: str, model: str) -> float:
        """The cell's mean, or what task and model come to where no outcome tells."""
        known = self.cells.get(task, {}).get(model)
        return self.prior(task, model) if known is None else known.mean

    def prior(self, task: str, model: str) -> float:
        """What task and model come to by themselves, each unknown one left out."""
        return self.tasks.get(task, self.whole) + self.models.get(model, self.whole) - self.whole


def cells_of(rows: Iterable[tuple[str, str, float, float]]) -> dict[Key, Cell]:
    """Sums over (task, model, value, weight), by task and model."""
    sums: dict[Key, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    for task, model, value, weight in rows:
        one = sums[task, model]
        one[0] += weight
        one[1] += weight * value
        one[2] += weight * value * value
        one[3] += 1
    return {key: Cell(one[0], one[1], one[2], int(one[3])) for key, one in sums.items() if one[0] > 0}


def shrunk(cells: Mapping[Key, Cell]) -> Means:
    """The means of all cells, each drawn towards its task's and its model's."""
    whole, tasks, models = _effects(cells)
    prior = {key: tasks[key[0]] + models[key[1]] - whole for key in cells}
    strength = min(STRENGTHS, key=lambda one: (_left_out(cells, prior, one), -one))
    weight = sum(cell.weight for cell in cells.values())
    within = sum(cell.squares - cell.total * cell.mean for cell in cells.values())
    noise = max(within / weight, 1e-9) if weight else 0.25
    found: dict[str, dict[str, Shrunk]] = defaultdict(dict)
    for (task, model), cell in cells.items():
        mean = (cell.total + strength * prior[task, model]) / (cell.weight + strength)
        found[task][model] = Shrunk(mean, cell.weight, cell.seen)
    return Means(
        cells=dict(found),
        tasks=tasks,
        models=models,
        whole=whole,
        strength=strength,
        noise=noise,
        apart=_apart(cells, prior, noise),
        models_apart=max(sum((mean - whole) ** 2 for mean in models.values()) / max(1, len(models) - 1), 1e-4),
    )


def _effects(cells: Mapping[Key, Cell]) -> tuple[float, dict[str, float], dict[str, float]]:
    """The whole, and what each task and each model come to by themselves, as if each model had done all the work.

    Found in turns: a model that was asked hard things only is not thought worse for it."""
    weight = sum(cell.weight for cell in cells.values())
    whole = sum(cell.total for cell in cells.values()) / weight if weight else 0.5
    effects: tuple[dict[str, float], dict[str, float]] = (defaultdict(float), defaultdict(float))
    for _ in range(_ROUNDS):
        for part in (0, 1):
            sums: dict[str, list[float]] = defaultdict(lambda: [_PULL, 0.0])
            for key, cell in cells.items():
                sums[key[part]][0] += cell.weight
                sums[key[part]][1] += cell.total - cell.weight * (whole + effects[1 - part][key[1 - part]])
            effects[part].update((name, total / weight) for name, (weight, total) in sums.items())
    tasks, models = ({name: whole + effect for name, effect in some.items()} for some in effects)
    return whole, tasks, models


def _left_out(cells: Mapping[Key, Cell], prior: Mapping[Key, float], strength: float) -> float:
    """The squared error when each outcome is foretold from the others of its cell and the prior.

    A foretold value moves by (its own weight) / (weight of all) with its own outcome, so the sum over a cell follows
    from its sums: outcomes are taken to weigh alike within a cell."""
    error = 0.0
    for key, cell in cells.items():
        one = cell.weight / cell.seen
        rest = cell.weight - one + strength
        pulled = (cell.total + strength * prior[key]) / rest
        own = 1 + one / rest  # each outcome y is missed by own * y - pulled
        error += own * own * cell.squares - 2 * own * pulled * cell.total + pulled * pulled * cell.weight
    return error


def _apart(cells: Mapping[Key, Cell], prior: Mapping[Key, float], noise: float) -> float:
    """How far cells lie from what their task and model come to, beyond what chance in their outcomes explains."""
    if len(cells) < 2:
        return 0.04
    found = sum((cell.mean - prior[key]) ** 2 - noise / cell.weight for key, cell in cells.items())
    return max(found / len(cells), 1e-4)
