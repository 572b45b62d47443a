"""Learns the weights of the local checker (`src/fairlead/evidence/weights.json`) from questions and statements.

A logistic regression with a ridge: some seconds. To learn from your own: the same two folders with
your files in the same form (`evals.checker` says which), and `--out`.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from fairlead.evidence.answerable import Learned, Weights, learned

_STEPS = 12
_ENOUGH = 1e-6


class Row(Struct, frozen=True):
    """One question or statement. `document` is what it is asked of; rows of one `part` are left out together."""

    document: str
    part: str
    true: bool
    measured: Mapping[str, float]
    statement: str = ""


def learn(rows: Sequence[Row], penalty: float) -> Weights:
    """Newton's method on standardised measures."""
    names = sorted(rows[0].measured)
    columns = [[row.measured[name] for row in rows] for name in names]
    bounds = [(_at(column, 0.005), _at(column, 0.995)) for column in columns]
    columns = [
        [min(max(value, low), high) for value in column] for column, (low, high) in zip(columns, bounds, strict=True)
    ]
    means = [sum(column) / len(column) for column in columns]
    spreads = [
        math.sqrt(sum((value - mean) ** 2 for value in column) / len(column)) or 1.0
        for column, mean in zip(columns, means, strict=True)
    ]
    inputs = [
        [1.0, *((column[number] - mean) / spread for column, mean, spread in zip(columns, means, spreads, strict=True))]
        for number in range(len(rows))
    ]
    found = _newton(inputs, [float(row.true) for row in rows], penalty)
    raw = [weight / spread for weight, spread in zip(found[1:], spreads, strict=True)]
    intercept = found[0] - sum(weight * mean for weight, mean in zip(raw, means, strict=True))
    measures = {
        name: (round(weight, 5), round(low, 5), round(high, 5))
        for name, weight, (low, high) in zip(names, raw, bounds, strict=True)
    }
    return Weights(round(intercept, 5), measures)


def _at(column: Sequence[float], share: float) -> float:
    return sorted(column)[int(share * (len(column) - 1))]


def _newton(inputs: Sequence[Sequence[float]], true: Sequence[float], penalty: float) -> list[float]:
    given, wanted = np.asarray(inputs), np.asarray(true)
    ridge = np.full(given.shape[1], penalty)
    ridge[0] = 0.0
    weights = np.zeros(given.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(given @ weights, -30, 30)))
        curve = (given * (likely * (1 - likely))[:, None]).T @ given + np.diag(ridge)
        step = np.linalg.solve(curve, given.T @ (wanted - likely) - ridge * weights)
        weights += step
        if np.abs(step).max() < _ENOUGH:
            break
    found: list[float] = weights.tolist()
    return found


def main() -> int:
    from evals.checker import PENALTY, digest, questions, reader, statements  # they learn with what stands here

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a folder with the folders retrieval and nli")
    options.add_argument("--out", type=Path, default=Path("src/fairlead/evidence/weights.json"))
    given = options.parse_args()
    by = reader()
    asked, _ = questions(given.data / "retrieval", None)
    read = questions(given.data / "retrieval", by)[0] if by is not None else []
    stated, _ = statements(given.data / "nli")
    seen = frozenset(digest(row.document) for row in (*asked, *stated))
    # Without the model here, what was learned with it stays as it is.
    by_meaning = learn(read, PENALTY["question_by_meaning"]) if read else learned().question_by_meaning
    found = Learned(learn(asked, PENALTY["question"]), by_meaning, learn(stated, PENALTY["statement"]), seen)
    encoded = msgspec.json.encode({**msgspec.to_builtins(found), "seen": sorted(seen)})
    given.out.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")
    print(f"{given.out}: learned from {len(asked)} questions and {len(stated)} statements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
