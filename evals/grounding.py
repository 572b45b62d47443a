"""How well words and numbers tell what was taken from a passage from what was not.

Reads nli.jsonl.gz: contracts, and statements about them with the places that bear on them. A passage is what stands in
a contract around such places. The share of statements that count as supported by the passage:

    quoted            sentences of the passage itself (1 would be perfect)
    entailed          statements in other words that follow from it (1)
    elsewhere         sentences from other places of the same contract (0)
    other_contract    sentences from other contracts (0)
    number_changed    sentences of the passage in which one number was changed (0)
    not_mentioned     statements that neither follow nor contradict; kept apart: most are about what it is about
    contradicted      statements that it contradicts: its words are there, so most count as supported
"""

import argparse
import gzip
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evals.stage import told
from fairlead.models.types import Passage
from fairlead.policy.grounding import LEAST_WORDS, support

_AROUND = 1500  # characters of a passage
_LABELS = {"Entailment": "entailed", "NotMentioned": "not_mentioned", "Contradiction": "contradicted"}


def sentences(text: str) -> list[str]:
    """What stands between full stops, where it is long enough to claim something."""
    return [each for each in re.split(r"(?<=[.;])\s+|\n+", text) if 40 <= len(each) <= 400]


def statements(rows: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Kind, statement, passage."""
    for number, row in enumerate(rows):
        text, spans = row["text"], row["evidence"]
        begin = max(0, spans[0][0] - 200) if spans else 0
        passage = text[begin : begin + _AROUND] if row["label"] == "NotMentioned" else _evidence(text, spans)
        yield _LABELS[row["label"]], row["hypothesis"], passage
        if row["label"] != "Entailment" or not spans:
            continue
        passage = text[begin : begin + _AROUND]
        for each in sentences(passage)[1:-1]:
            yield "quoted", each, passage
            if found := re.search(r"\d+", each):
                changed = str(int(found[0]) + 7)
                if changed not in passage:
                    yield "number_changed", each[: found.start()] + changed + each[found.end() :], passage
        for each in sentences(text[begin + _AROUND + 500 :])[:3]:
            yield "elsewhere", each, passage
        other = rows[(number + 499) % len(rows)]
        if other["doc_id"] != row["doc_id"]:
            for each in sentences(other["text"])[5:8]:
                yield "other_contract", each, passage


def _evidence(text: str, spans: list[list[int]]) -> str:
    return " ".join(text[low:high] for low, high in spans) or text[:_AROUND]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a folder with nli.jsonl.gz")
    with gzip.open(options.parse_args().data / "nli.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    counts: dict[str, list[int]] = {}
    seconds, size = 0.0, 0
    for kind, said, passage in statements(rows):
        began = time.perf_counter()
        found = support(said, [Passage("p@0123456789ab", "", passage)])
        seconds += time.perf_counter() - began
        size += len(said) + len(passage)
        if found.claims:
            counted = counts.setdefault(kind, [0, 0])
            counted[0] += 1
            counted[1] += found.share == 1
    result: dict[str, Any] = {kind: round(good / all_, 3) for kind, (all_, good) in sorted(counts.items())}
    result["statements"] = sum(all_ for all_, _ in counts.values())
    result["us_per_kb"] = round(seconds * 1e9 / size, 1)
    result["least_words"] = LEAST_WORDS
    return told(result, False)


if __name__ == "__main__":
    sys.exit(main())
