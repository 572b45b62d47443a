"""What the check of claims and the search for contradictions find, and how often they cry wolf.

Reads `nli` and `handbook` below `--data`. Claims are held against passages of contracts, made as in `evals.grounding`:

    supported      the share of each kind of claim that counts as borne out: quoted 1, entailed 1, others 0
    contradicted   the share that counts as contradicted: of sentences that were denied (`negated`) 1, of
                   `contradicted` 1, of all others 0
    seeded         sentences of the handbook with another number put in, set beside the original in another piece:
                   the share in which the pieces are found to differ, as every pack is looked through
    alarmed        packs of pages of the latest handbook (a page and those it links to) in which anything is found,
                   and `packs`; nobody has said which of these really contradict each other, so look at `--show`

The bounds for claims (0.5 in one sentence, 0.75 in one piece) were set with all contracts in view: no figure here is
about anything unseen.
"""

import argparse
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evals.checker import read
from evals.grounding import statements
from evals.stage import told
from fairlead.evidence import differing, supported
from fairlead.models.types import Passage

_VERB = re.compile(r"\b(?:shall|may|must|will|is|are|can|should)\b(?! not)", re.IGNORECASE)
_COUNT = re.compile(r"\b\d{1,3}(?= [a-z]{3,})")
_MOST_PAGES = 12
_MOST_CHARACTERS = 8000


def piece(text: str) -> Passage:
    return Passage("p@0123456789ab", "", text[:_MOST_CHARACTERS])


def denied(sentence: str) -> str:
    found = _VERB.search(sentence)
    return f"{sentence[: found.end()]} not{sentence[found.end() :]}" if found else ""


def claims(folder: Path) -> dict[str, Any]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    spent, asked = 0.0, 0
    for kind, said, passage in statements(list(read(folder, ""))):
        pairs = [(kind, said)]
        if kind == "quoted" and (turned := denied(said)):
            pairs.append(("negated", turned))
        for name, claim in pairs:
            began = time.process_time()
            counts[name][supported(claim, [piece(passage)]).verdict] += 1
            spent += time.process_time() - began
            asked += 1
    shares = {
        verdict: {kind: round(found[verdict] / found.total(), 3) for kind, found in sorted(counts.items())}
        for verdict in ("supported", "contradicted")
    }
    return {**shares, "claims": asked, "cpu_ms_claim": round(1000 * spent / max(1, asked), 2)}


def packs(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """A page and those it links to, each with its path."""
    latest = max(folder.glob("snapshot_*.jsonl.gz"))
    pages = {each["path"]: each["text"] for each in read(folder, latest.name.removesuffix(".jsonl.gz"))}
    linked: defaultdict[str, set[str]] = defaultdict(set)
    for each in read(folder, "links"):
        linked[each["source_path"]] |= {each["source_path"], each["target_path"]}
    for _, paths in sorted(linked.items()):
        yield [(path, pages[path]) for path in sorted(paths) if path in pages][:_MOST_PAGES]


def seeded(texts: Sequence[str]) -> tuple[int, int]:
    """Of how many sentences put wrongly beside themselves how many are found."""
    found = tried = 0
    for text in texts:
        for sentence in re.findall(r"(?m)^[A-Z][^.!?\n|<{\[]{40,200}\.", text)[:1]:
            wrong = _COUNT.sub(lambda each: str(int(each[0]) + 3), sentence, count=1)
            if wrong != sentence:
                tried += 1
                found += bool(differing([f"Before it.\n\n{sentence} After it.", wrong]))
    return found, tried


def handbook(folder: Path, *, show: bool) -> dict[str, Any]:
    alarmed = total = characters = 0
    spent = 0.0
    texts: dict[str, str] = {}
    for pages in packs(folder):
        texts |= dict(pages)
        cut = [text[:_MOST_CHARACTERS] for _, text in pages]
        began = time.process_time()
        found = differing(cut)
        spent += time.process_time() - began
        characters += sum(map(len, cut))
        total += 1
        alarmed += bool(found)
        for each in found if show else ():
            print(pages[each.one][0], pages[each.other][0], each.said, each.instead, sep="\n  ")
    found_of, tried = seeded([text for _, text in sorted(texts.items())])
    return {
        "packs": total,
        "alarmed": alarmed,
        "seeded": round(found_of / max(1, tried), 3),
        "seeded_pairs": tried,
        "cpu_ms_per_10kb": round(1e7 * spent / max(1, characters), 2),
    }


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a folder with the folders nli and handbook")
    options.add_argument("--show", action="store_true", help="print what is found in the handbook")
    given = options.parse_args()
    result = claims(given.data / "nli") | handbook(given.data / "handbook", show=given.show)
    return told(result, False)


if __name__ == "__main__":
    sys.exit(main())
