"""Tables of prompts, models and scores (`routing/*.parquet`): read, split, and taught as outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import duckdb
import numpy as np
from numpy.typing import NDArray

from fairlead.routing.learned import Features, Observation, features

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """A row for each prompt, a column for each model; NaN where nothing is known."""

    name: str
    ids: list[str]
    prompts: list[str]
    tasks: list[str]
    models: list[str]
    score: Floats
    cost: Floats
    latency: Floats
    sent: Floats
    received: Floats
    features: list[Features]

    def outcomes(self, rows: Rows, task_hidden: bool = False) -> list[Observation]:
        """What is known of these prompts."""
        found = []
        for at in np.flatnonzero(rows):
            for column in np.flatnonzero(~np.isnan(self.score[at])):
                found.append(
                    Observation(
                        task="" if task_hidden else self.tasks[at],
                        features=self.features[at],
                        model=self.models[column],
                        score=float(self.score[at, column]),
                        cost=_known(self.cost[at, column]),
                        latency=_known(self.latency[at, column]),
                        group=self.ids[at],
                    )
                )
        return found

    def held_out(self, split: str, seed: int) -> list[Rows]:
        """The prompts to test on: three in ten, or in turn every kind of work, in at most four parts."""
        if split == "prompt":
            return [np.array([crc32(f"{seed}:{one}".encode()) % 10 < 3 for one in self.ids])]
        kinds = sorted(set(self.tasks))
        parts = min(4, len(kinds))
        order = np.random.default_rng(seed).permutation(len(kinds))
        part = {kind: int(place) % parts for kind, place in zip(kinds, np.argsort(order), strict=True)}
        return [np.array([part[task] == one for task in self.tasks]) for one in range(parts)] if parts > 1 else []


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def tables(folder: Path) -> list[Table]:
    """All tables of a folder."""
    return [_table(path) for path in sorted(folder.glob("*.parquet"))]


def _table(path: Path) -> Table:
    columns = "prompt_id, model, prompt, coalesce(task, ''), score, cost_usd, latency_s, in_tok, out_tok"
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT {columns} FROM read_parquet(?) WHERE score IS NOT NULL ORDER BY prompt_id, model", [str(path)]
        ).fetchall()
    ids = list(dict.fromkeys(row[0] for row in rows))
    models = sorted({row[1] for row in rows})
    at = {one: place for place, one in enumerate(ids)}
    column = {one: place for place, one in enumerate(models)}
    texts = {row[0]: (row[2] or "", row[3]) for row in rows}
    amounts = [np.full((len(ids), len(models)), np.nan) for _ in range(5)]
    for row in rows:
        for amount, value in zip(amounts, row[4:], strict=True):
            if value is not None:
                amount[at[row[0]], column[row[1]]] = value
    prompts = [texts[one][0] for one in ids]
    return Table(
        path.stem, ids, prompts, [texts[one][1] for one in ids], models, *amounts, [features(one) for one in prompts]
    )


def some_of(rows: Rows, count: int, seed: int) -> Rows:
    """So many of the prompts, drawn evenly by chance."""
    places = np.flatnonzero(rows)
    kept = np.random.default_rng(seed).permutation(places)[:count]
    chosen = np.zeros_like(rows)
    chosen[kept] = True
    return chosen


def mean_of(parts: Sequence[float | None]) -> float | None:
    """The mean of what is known, None where something is not."""
    known = [part for part in parts if part is not None]
    return round(sum(known) / len(known), 4) if parts and len(known) == len(parts) else None
