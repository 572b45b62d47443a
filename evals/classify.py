"""Is a request recognised as the kind of work that it is, and left alone where it is none? From twenty examples a kind.

    python -m evals.classify --data ../shared/data/intents

Of each file (`*.csv.gz` with `text,label`; the label `oos` is what belongs to no kind) twenty rows a kind teach and all
others are asked, by the classes that serve requests: by words, the default, and by meaning (`defaults.recognise`). All
limits come from the twenty. `accuracy_at_90_coverage` is the share of right answers among the nine in ten in-scope
questions that it is surest of, `accuracy_kept` and `in_scope_refused` are what its own limits come to.
"""

import argparse
import csv
import gzip
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from evals import weights
from evals.stage import say
from fairlead.tasks.likeness import Likeness
from fairlead.tasks.meaning import InstalledEncoder, Meaning

EXAMPLES = 20
OUT_OF_SCOPE = "oos"
GOALS = {"accuracy_at_90_coverage": 0.90, "out_of_scope_recall": 0.80}

Answer = tuple[str | None, str, float]  # given by its own limits; most like, whatever they say; how sure
Asked = Callable[[dict[str, list[str]], list[str]], list[Answer]]


def by_words(examples: dict[str, list[str]], texts: list[str]) -> list[Answer]:
    learnt = Likeness(examples)
    limit, learnt.threshold = learnt.threshold, 0.0
    found = [learnt.closest(text) for text in texts]
    return [(name if sure >= limit else None, name or "", sure) for name, sure in found]


def by_meaning(examples: dict[str, list[str]], texts: list[str]) -> list[Answer]:
    encoder = InstalledEncoder()
    learnt = Meaning(examples, encoder)
    vectors = encoder.vectors(texts)
    given = learnt.placed(vectors)
    return [(name, best, sure) for (name, sure), best in zip(given, learnt.likeliest(vectors), strict=True)]


def split(rows: Sequence[tuple[str, str]], seed: int) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Twenty rows of each kind to learn from, and the others."""
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    examples: dict[str, list[str]] = defaultdict(list)
    rest = []
    for text, label in shuffled:
        if label != OUT_OF_SCOPE and len(examples[label]) < EXAMPLES:
            examples[label].append(text)
        else:
            rest.append((text, label))
    return dict(sorted(examples.items())), rest


def scored(answers: Sequence[Answer], labels: Sequence[str]) -> dict[str, float]:
    inside = [(each, label) for each, label in zip(answers, labels, strict=True) if label != OUT_OF_SCOPE]
    outside = [each for each, label in zip(answers, labels, strict=True) if label == OUT_OF_SCOPE]
    surest = sorted(inside, key=lambda one: -one[0][2])[: round(0.9 * len(inside))]
    kept = [(given, label) for (given, _, _), label in inside if given is not None]
    figures = {
        "accuracy": fmean(best == label for (_, best, _), label in inside),
        "accuracy_at_90_coverage": fmean(best == label for (_, best, _), label in surest),
        "accuracy_kept": fmean(given == label for given, label in kept) if kept else 0.0,
        "in_scope_refused": 1 - len(kept) / len(inside),
    }
    if outside:
        figures["out_of_scope_recall"] = fmean(given is None for given, _, _ in outside)
    return figures


def measured(rows: Sequence[tuple[str, str]], ask: Asked, seeds: int) -> dict[str, float]:
    """Means over the seeds, and the least accuracy."""
    sums: Counter[str] = Counter()
    least = 1.0
    for seed in range(seeds):
        examples, rest = split(rows, seed)
        figures = scored(ask(examples, [text for text, _ in rest]), [label for _, label in rest])
        least = min(least, figures["accuracy_at_90_coverage"])
        sums.update(figures)
    return {**{name: round(total / seeds, 4) for name, total in sums.items()}, "least": round(least, 4)}


def read(path: Path) -> list[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1, help="how many draws of the twenty")
    asked = parser.parse_args()
    ways: dict[str, Asked] = {"words": by_words}
    if weights.have():
        ways["meaning"] = by_meaning
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(asked.data.glob("*.csv.gz")):
        rows = read(path)
        name = path.name.removesuffix(".csv.gz")
        files[name] = {way: measured(rows, ask, asked.seeds) for way, ask in ways.items()}
        for way, figures in files[name].items():
            say(f"{name}, by {way}: {figures}")
    best = [figures[list(ways)[-1]] for figures in files.values()]
    told = {
        "by": list(ways)[-1],
        "accuracy_at_90_coverage": min(each["accuracy_at_90_coverage"] for each in best),
        "out_of_scope_recall": min(each.get("out_of_scope_recall", 1.0) for each in best),
        "in_scope_refused": max(each["in_scope_refused"] for each in best),
        "files": files,
    }
    told["reached"] = all(told[name] >= goal for name, goal in GOALS.items()) and told["in_scope_refused"] <= 0.10
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
