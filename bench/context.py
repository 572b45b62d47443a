"""What a question to the organisation's knowledge costs, in CPU of the whole process. Run: python bench/context.py

Pages of made-up words that are as unevenly common as those of a language; a page has four sections. Rights leave 5 % or
50 % of the pages visible. After each set of rights has been used once (`first`), the index is in memory, and a question
costs what is visible of its words. `stitch` is a search for a pack of 2,000 tokens. `--embedded` adds vectors of 384
numbers, without the model that makes them.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fairlead.clock import SystemClock
from fairlead.context import Context, ContextSettings, Item, publish_items, read_item
from fairlead.context.vector_rows import embed_sections
from fairlead.labels import NO_LABELS, Access
from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store
from fairlead.tasks.types import Task, TaskType

VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklmnprstvz" for b in ("a", "en", "ir", "o", "u") for c in range(100, 240)]
WEIGHTS = list(accumulate(1 / (place + 30) for place in range(len(VOCABULARY))))
SECTIONS = 4
PARTS = 20  # of the rights: each page is for one of twenty groups


class Chance:
    """Vectors by chance, of length 1."""

    model = "bench/chance"

    def vectors(self, texts: Sequence[str]) -> Any:
        import numpy as np

        found = np.random.default_rng(len(texts)).normal(size=(len(texts), 384)).astype(np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def page(chance: random.Random, number: int) -> Item:
    parts = []
    for section in range(SECTIONS):
        words = chance.choices(VOCABULARY, cum_weights=WEIGHTS, k=80)
        parts.append(f"## {' '.join(words[:3])} {section}\n\n{' '.join(words)}.\n")
    front = f"---\naudience: [g{number % PARTS}]\n---\n"
    title = " ".join(chance.choices(VOCABULARY, cum_weights=WEIGHTS, k=3))
    return read_item(f"p{number}.md", f"{front}# {title}\n\n{''.join(parts)}".encode(), ContextSettings())


def milliseconds(context: Context, questions: Sequence[str], share: int, *, stitch: bool = False) -> float:
    """CPU for one question, by the process's own clock."""
    groups = frozenset(f"g{number}" for number in range(PARTS * share // 100))
    kind = TaskType(name="t", context=2000)

    def may(access: Access) -> bool:
        return not groups.isdisjoint(access.audience)

    async def ask() -> None:
        for question in questions:
            if stitch:
                await context.stitch(Task(type=kind, labels=NO_LABELS, question=question), may)
            else:
                await context.find(question, may)

    began = time.process_time()
    asyncio.run(ask())
    return (time.process_time() - began) * 1000 / len(questions)


def measured(sections: int, questions: Sequence[str], *, embedded: bool) -> None:
    chance = random.Random(sections)
    with TemporaryDirectory(prefix="fairlead-bench-") as folder:
        path = Path(folder) / "state.db"
        migrate(path)
        store = Store.open(path, beside=Path(folder))
        began = time.process_time()
        snapshot = publish_items(store, [page(chance, number) for number in range(sections // SECTIONS)], SystemClock())
        published = time.process_time() - began
        embedder = Chance() if embedded else None
        if embedder is not None:
            embed_sections(store, snapshot, embedder)
        began = time.process_time()
        context = Context.open(store, snapshot, embedder=embedder)
        opened = (time.process_time() - began) * 1000
        print(f"{sections:7,} sections: published in {published:.1f} s, opened in {opened:.0f} ms")
        for share in (5, 50):
            first = milliseconds(context, questions, share)
            found = min(milliseconds(context, questions, share) for _ in range(3))
            stitched = min(milliseconds(context, questions, share, stitch=True) for _ in range(3))
            per = found * 1000 / (sections * share / 100)
            print(
                f"  {share:2} % visible: first {first:7.2f} ms, query {found:6.2f} ms ({per:.2f} µs a visible section),"
                f" stitch {stitched:6.2f} ms",
                flush=True,
            )
        context.close()
        store.close()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sections", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options.add_argument("--embedded", action="store_true")
    given = options.parse_args()
    chance = random.Random(7)
    questions = [" ".join(chance.choices(VOCABULARY, cum_weights=WEIGHTS, k=8)) for _ in range(50)]
    for sections in given.sections:
        measured(sections, questions, embedded=given.embedded)
    return 0


if __name__ == "__main__":
    sys.exit(main())
