"""Known outcomes as arrays: a row for each prompt, a column for each model. Needs numpy, as all fitting does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from fairlead.routing.learned.features import SLOTS, fits
from fairlead.routing.learned.types import Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
else:
    Floats = Ints = Any

MOST_PROMPTS: Final = 12_000  # the latest ones: fitting takes memory and time in proportion


class Outcomes:
    """Scores, weights and costs by prompt and model; NaN and 0 where nothing is known.

    Names are numbered in the order in which they appear, so exchanging two names changes no number."""

    def __init__(self, known: Sequence[Observation]) -> None:
        import numpy as np

        rows = _by_prompt(known)
        self.tasks = list(dict.fromkeys(some[0].task for some in rows))
        self.models = list(dict.fromkeys(one.model for one in known))
        task_at = {name: at for at, name in enumerate(self.tasks)}
        model_at = {name: at for at, name in enumerate(self.models)}
        shape = (len(rows), len(self.models))
        self.task: Ints = np.array([task_at[some[0].task] for some in rows], dtype=np.int64)
        self.groups = [some[0].group or f"\0{at}" for at, some in enumerate(rows)]
        self.weight: Floats = np.zeros(shape)
        self.cost: Floats = np.full(shape, np.nan)
        total = np.zeros(shape)
        for at, some in enumerate(rows):
            for one in some:
                column = model_at[one.model]
                self.weight[at, column] += one.weight
                total[at, column] += one.weight * min(1.0, max(0.0, one.score))
                if one.cost is not None and one.cost >= 0:
                    self.cost[at, column] = one.cost
        self.score: Floats = np.where(self.weight > 0, total / np.where(self.weight > 0, self.weight, 1.0), np.nan)
        self.numbers: Floats = np.array([some[0].features.numbers for some in rows])
        self.slots: Floats = np.zeros((len(rows), SLOTS), dtype=np.float32)
        for at, some in enumerate(rows):
            self.slots[at, list(some[0].features.slots)] = 1.0

    def folds(self, count: int, seed: int, by_task: bool = False) -> Ints:
        """The fold of each prompt; with `by_task` whole kinds of work go together."""
        import numpy as np

        if by_task:
            order = np.random.default_rng(seed).permutation(len(self.tasks))
            return (np.argsort(order) % count)[self.task]
        return np.array([crc32(f"{seed}:{group}".encode()) % count for group in self.groups], dtype=np.int64)


def _by_prompt(known: Sequence[Observation]) -> list[list[Observation]]:
    rows: dict[tuple[str, str], list[Observation]] = {}
    for at, one in enumerate(known):
        if fits(one.features):
            rows.setdefault((one.task, one.group or f"\0{at}"), []).append(one)
    return list(rows.values())[-MOST_PROMPTS:]
