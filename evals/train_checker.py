"""Learns the weights of the local checker (`src/fairlead/evidence/weights.json`) from questions and statements.

A logistic regression with a ridge, in plain Python: some seconds. To learn from your own: the same two folders with
your files in the same form (`evals.checker` says which), and `--out`.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from fairlead.evidence.answerable import Learned, Weights

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
    size = len(inputs[0])
    weights = [0.0] * size
    for _ in range(_STEPS):
        slope = [-penalty * weight if place else 0.0 for place, weight in enumerate(weights)]
        curve = [[0.0] * size for _ in range(size)]
        for place in range(1, size):
            curve[place][place] = penalty
        for row, wanted in zip(inputs, true, strict=True):
            likely = 1 / (1 + math.exp(-sum(a * b for a, b in zip(weights, row, strict=True))))
            off, bend = wanted - likely, likely * (1 - likely)
            for place, value in enumerate(row):
                slope[place] += off * value
                bent, line = bend * value, curve[place]
                for other in range(place + 1):
                    line[other] += bent * row[other]
        for place in range(size):
            for other in range(place):
                curve[other][place] = curve[place][other]
        step = _solved(curve, slope)
        weights = [weight + each for weight, each in zip(weights, step, strict=True)]
        if max(map(abs, step)) < _ENOUGH:
            break
    return weights


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss's elimination; the ridge keeps the matrix definite, so that no row need be exchanged."""
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for place, line in enumerate(lines):
        pivot = line[place]
        line[:] = [value / pivot for value in line]
        for other in lines:
            if other is not line and other[place]:
                times = other[place]
                other[:] = [value - times * mine for value, mine in zip(other, line, strict=True)]
    return [line[-1] for line in lines]


def main() -> int:
    from evals.checker import PENALTY, digest, questions, statements  # they learn with what stands here

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a folder with the folders retrieval and nli")
    options.add_argument("--out", type=Path, default=Path("src/fairlead/evidence/weights.json"))
    given = options.parse_args()
    asked, _ = questions(given.data / "retrieval")
    stated, _ = statements(given.data / "nli")
    seen = frozenset(digest(row.document) for row in (*asked, *stated))
    found = Learned(learn(asked, PENALTY["question"]), learn(stated, PENALTY["statement"]), seen)
    encoded = msgspec.json.encode({**msgspec.to_builtins(found), "seen": sorted(seen)})
    given.out.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")
    print(f"{given.out}: learned from {len(asked)} questions and {len(stated)} statements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
