"""How well the local checker tells what can be answered from what cannot, and what is spoken of from what is not.

Reads `retrieval` (questions with the passage that each was written against, answerable or not) and `nli` (contracts,
and statements that follow, contradict or are not mentioned) below `--data`.

    auroc_answerable   questions, against their passage
    auroc_mentioned    statements, against the whole contract: entailed or contradicted, against not mentioned
    ..._within         the mean of single articles, and of single statements
    risk_answerable    of the share of questions answered with most confidence, the share that cannot be answered
    thresholds         for each score: the share of questions at or above it, and of these the share that cannot be

The weights were learned from visible data of this kind. A document that they were learned from is scored by weights
that are learned anew from the other documents, so that no figure is about anything seen: articles one by one, contracts
in ten parts by the digest of their name. `seen` is the share of rows for which that was done. Which measures there are,
and how strong the ridge is, was chosen on the articles whose titles come 1st, 3rd, ... in order, and on every second
contract; the groups of words that mean the same were written by people who had read the seventeen statements.

Where the small model of `embeddings: local` is installed, questions are read with it too, as they are where a workspace
has it: some minutes. `--no-embeddings` leaves it out. Statements are read by their words alone.
"""

import argparse
import gzip
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from evals.stage import say, told
from evals.train_checker import Row, learn
from evals.weights import have
from fairlead.errors import BadInput
from fairlead.evidence import Reader
from fairlead.evidence.answerable import Weights, learned, measured_of
from fairlead.evidence.asked import asked_of
from fairlead.evidence.measures import statement_measures
from fairlead.evidence.sentences import Sentence, sentences_of
from fairlead.models.sentence_encoder import installed_encoder
from fairlead.models.types import Passage

_PARTS = 10
PENALTY = {"question": 20.0, "question_by_meaning": 8.0, "statement": 100.0}


def read(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of all files of a folder whose names begin so."""
    for path in sorted(folder.glob(f"{name}*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)


def reader() -> Reader | None:
    """The local model; None where it cannot be had."""
    have()
    try:
        return installed_encoder()
    except BadInput as error:
        say(f"by words alone: {error.mend}")
        return None


def questions(folder: Path, by: Reader | None) -> tuple[list[Row], float]:
    """Questions as rows, and the milliseconds that one took."""
    passages = {each["doc_id"]: each for each in read(folder, "corpus")}
    asked = sorted(read(folder, "queries"), key=lambda each: each["relevant_doc_ids"][0])  # a passage is read once
    rows, spent = [], 0.0
    for number, each in enumerate(asked):
        if by is not None and number % 500 == 0:
            say(f"read for {number} of {len(asked)} questions")
        passage = passages[each["relevant_doc_ids"][0]]
        began = time.process_time()
        sentences = sentences_of([Passage("passage@0", passage["title"], passage["text"])])
        measured = measured_of(asked_of(each["query"], sentences), sentences, by)
        spent += time.process_time() - began
        rows.append(Row(passage["title"], passage["title"], bool(each["answerable"]), measured))
    return rows, 1000 * spent / max(1, len(rows))


def statements(folder: Path) -> tuple[list[Row], float]:
    """Statements as rows, and the milliseconds that one took, the reading of its contract left out."""
    contracts: dict[str, list[Sentence]] = {}
    rows, spent = [], 0.0
    for each in read(folder, ""):
        name = each["doc_id"]
        if name not in contracts:
            contracts[name] = sentences_of([Passage("contract@0", "", each["text"])])
        began = time.process_time()
        measured = statement_measures(asked_of(each["hypothesis"], contracts[name]), contracts[name])
        spent += time.process_time() - began
        part = str(int(digest(name), 16) % _PARTS)
        rows.append(Row(name, part, each["label"] != "NotMentioned", measured, each["hypothesis_id"]))
    return rows, 1000 * spent / max(1, len(rows))


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def unseen(rows: Sequence[Row], weights: Weights, penalty: float, seen: frozenset[str]) -> tuple[list[float], float]:
    """A score for each row by weights that have not seen its document, and for what share they were learned anew."""
    scores = [weights.score(row.measured) for row in rows]
    anew = [digest(row.document) in seen for row in rows]
    for part in sorted({row.part for row, old in zip(rows, anew, strict=True) if old}):
        others = learn([row for row in rows if row.part != part], penalty)
        for number, row in enumerate(rows):
            if row.part == part and anew[number]:
                scores[number] = others.score(row.measured)
    return scores, sum(anew) / max(1, len(rows))


def auroc(scores: Sequence[float], true: Sequence[bool]) -> float | None:
    """How often a true one is ranked before a false one; ties count half."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    ranks, start = [0.0] * len(scores), 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end + 1) / 2
        start = end
    good = sum(true)
    if not good or good == len(true):
        return None
    total = sum(rank for rank, each in zip(ranks, true, strict=True) if each)
    return (total - good * (good + 1) / 2) / (good * (len(true) - good))


def within(rows: Sequence[Row], scores: Sequence[float], key: Callable[[Row], str]) -> float:
    """The mean over groups in which there are both."""
    groups: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(key(row), []).append(number)
    found = [auroc([scores[n] for n in group], [rows[n].true for n in group]) for group in groups.values()]
    known = [each for each in found if each is not None]
    return sum(known) / max(1, len(known))


def risk_at(rows: Sequence[Row], scores: Sequence[float]) -> dict[str, float]:
    """The share of false ones among the surest tenth, quarter, half, three quarters and all."""
    order = sorted(range(len(rows)), key=lambda number: -scores[number])
    shares = {f"{share:g}": order[: max(1, int(share * len(order)))] for share in (0.1, 0.25, 0.5, 0.75, 1.0)}
    return {share: round(sum(not rows[n].true for n in some) / len(some), 3) for share, some in shares.items()}


def at_thresholds(rows: Sequence[Row], scores: Sequence[float]) -> dict[str, tuple[float, float]]:
    """For each threshold the share that reaches it, and the share of false ones among these."""
    found = {}
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        above = [row for row, score in zip(rows, scores, strict=True) if score >= threshold]
        wrong = sum(not row.true for row in above) / max(1, len(above))
        found[f"{threshold:g}"] = (round(len(above) / len(rows), 3), round(wrong, 3))
    return found


def figures(data: Path, *, embeddings: bool) -> dict[str, Any]:
    """What `evals.sufficiency` reports of the checker. Parts whose folder is missing are left out."""
    by = reader() if embeddings else None
    kinds: Mapping[str, tuple[str, Any, Callable[[Row], str]]] = {
        "question": ("answerable", partial(questions, by=by), lambda row: row.document),
        "statement": ("mentioned", statements, lambda row: row.statement),
    }
    result: dict[str, Any] = {"embeddings": by is not None}
    for kind, folder in (("question", "retrieval"), ("statement", "nli")):
        if not (data / folder).is_dir():
            continue
        name, rows_of, group = kinds[kind]
        rows, cost = rows_of(data / folder)
        weights = f"{kind}_by_meaning" if by is not None and kind == "question" else kind
        scores, seen = unseen(rows, getattr(learned(), weights), PENALTY[weights], learned().seen)
        area = auroc(scores, [row.true for row in rows])
        result |= {
            f"auroc_{name}": round(area, 3) if area is not None else None,
            f"auroc_{name}_within": round(within(rows, scores, group), 3),
            f"risk_{name}": risk_at(rows, scores),
            f"thresholds_{name}": at_thresholds(rows, scores),
            f"cpu_ms_{name}": round(cost, 2),
            f"seen_{name}": round(seen, 3),
            f"{kind}s": len(rows),
        }
    return result


def with_embeddings(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--no-embeddings", dest="embeddings", action="store_false", help="by words alone, even where the model is here"
    )


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a folder with the folders retrieval and nli")
    with_embeddings(options)
    given = options.parse_args()
    return told(figures(given.data, embeddings=given.embeddings), False)


if __name__ == "__main__":
    sys.exit(main())
