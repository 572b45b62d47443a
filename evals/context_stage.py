"""What the measurements of search share: documents as published items, people as callers, and scores of a ranking."""

import argparse
import contextlib
import gzip
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evals.stage import say
from fairlead.clock import SystemClock
from fairlead.context import Context, ContextSettings, Item, read_item
from fairlead.context.embedding import embedder_of
from fairlead.context.snapshots import publish_items
from fairlead.context.vector_rows import embed_sections
from fairlead.errors import BadInput
from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store


def rows(folder: Path, pattern: str) -> list[dict[str, Any]]:
    """The rows of all files of a folder whose names fit, in the order of the names."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise SystemExit(f"{folder} has no {pattern}")
    read: list[dict[str, Any]] = []
    for path in found:
        with gzip.open(path, "rt") as file:
            read += [json.loads(line) for line in file]
    return read


def item_of(path: str, text: str, *, audience: str = "everyone", owner: str = "", title: str = "") -> Item | None:
    """A page as `fairlead apply` reads it, None (and a word about it) where it would be refused."""
    front = f"---\ntitle: {json.dumps(title)}\n---\n" if title else ""
    try:
        return read_item(path, (front + text).encode(), ContextSettings(audience=(audience,), owner=owner))
    except BadInput as error:
        say(f"left out: {error}")
        return None


@contextlib.contextmanager
def a_store() -> Iterator[Store]:
    """An empty SQLite store in a temporary folder."""
    with TemporaryDirectory(prefix="fairlead-context-") as folder:
        path = Path(folder) / "state.db"
        migrate(path)
        store = Store.open(path, beside=Path(folder))
        try:
            yield store
        finally:
            store.close()


def opened(store: Store, items: Sequence[Item | None], *, embedded: bool = False) -> Context:
    """The context of these items, published and opened as `fairlead apply` and a worker do."""
    embedder = embedder_of(ContextSettings(embeddings="local" if embedded else "none"))
    snapshot = publish_items(store, [item for item in items if item is not None], SystemClock())
    if embedder is not None:
        embed_sections(store, snapshot, embedder, lambda done, total: say(f"embedded {done} of {total}"))
    return Context.open(store, snapshot, embedder=embedder)


def ndcg(found: Iterable[str], wanted: set[str], most: int = 10) -> float:
    """How near to the top the wanted ones stand: 1 where nothing stands above them."""
    gain = sum(1 / math.log2(place + 2) for place, each in enumerate(list(found)[:most]) if each in wanted)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(len(wanted), most)))


def mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def options(doc: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True, help="the folder of the data set")
    made.add_argument("--no-embeddings", action="store_true", help="by words alone")
    made.add_argument(
        "--half", choices=["both", "chosen", "checked"], default="both",
        help="the half on which constants are chosen, the other one, or both (default)",
    )  # fmt: skip
    return made


def of_half(key: str, half: str) -> bool:
    """Whether an article or a folder belongs to a half: by a digest of its name, so that new data split alike."""
    import hashlib

    first = hashlib.sha256(key.encode()).digest()[0] % 2 == 0
    return half == "both" or first == (half == "chosen")
