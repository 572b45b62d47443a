"""Stitches the pack for one task: what the caller may read of what the organisation knows, within a budget."""

import re
from collections.abc import Iterable, Sequence

from fairlead.context.catalogue import EMPTY, Catalogue, load_catalogue
from fairlead.context.live_rights import under
from fairlead.context.search import Hit, MayRead, Search, load_snapshot
from fairlead.context.sections import PATH
from fairlead.context.sufficiency import Sufficiency
from fairlead.context.synonyms import glossary_of
from fairlead.context.types import NO_CONTEXT, Citation, LivePiece, Pack
from fairlead.context.vector_rows import Embedder
from fairlead.labels import NO_LABELS, Labels
from fairlead.models.types import Passage
from fairlead.storage.store import Store
from fairlead.tasks import TaskTypes
from fairlead.tasks.types import Task

_MOST_PASSAGES = 24
_WORTH_CUTTING = 60  # tokens: a shorter piece of a passage says too little
_FRAME = 24  # tokens that the rendering puts around a passage
_STOPS = re.compile(r"[.!?](?=\s)|\n")


class Context:
    """The organisation's knowledge as one revision pins it: a snapshot, and the search over it."""

    def __init__(self, search: Search | None = None, catalogue: Catalogue = EMPTY) -> None:
        """Without a search there is no knowledge, and every pack is empty."""
        self._search = search
        self.catalogue = catalogue
        self._sufficiency: tuple[object, Sufficiency] | None = None

    @classmethod
    def open(
        cls,
        store: Store,
        snapshot: str,
        *,
        names_items: bool = False,
        live: "Context | None" = None,
        embedder: Embedder | None = None,
    ) -> "Context":
        """Reads the snapshot's outline: 30 ms for a thousand pages, so not on the event loop of a serving worker.

        `names_items` is for policies that name single items: then each item is decided by itself. `live` is for an
        older snapshot: the one whose rights count too, and which says how to search. Without an `embedder` pages are
        found by words alone. Raises `NotFound`.
        """
        outline = load_snapshot(store, snapshot, names_items=names_items)
        catalogue = load_catalogue(store, snapshot, names_items=names_items)
        if live is not None and live._search is not None:
            outline, catalogue = under(store, outline, catalogue, live._search.snapshot)
            embedder = live._search.embedder
        return cls(Search(store, outline, glossary_of(catalogue), embedder), catalogue)

    @property
    def snapshot(self) -> str:
        return self._search.snapshot.id if self._search else ""

    def sufficiency(self, types: TaskTypes) -> Sufficiency:
        """What the task types of a revision require, over these pages. Made when it is first asked for."""
        if self._sufficiency is None or self._sufficiency[0] is not types:
            known = [(entry, self.catalogue.rights_of(entry)) for entry in self.catalogue.entries]
            self._sufficiency = types, Sufficiency(types.types.values(), known)
        return self._sufficiency[1]

    async def stitch(
        self, task: Task, may_read: MayRead, live: Sequence[LivePiece] = (), required: Sequence[str] = ()
    ) -> Pack:
        """The pack for a task: permitted passages, the most relevant first, within `task.type.context` tokens.

        `live` is what live sources said; it goes first. `required` are pages that the task must rest on, by id: what
        they say comes before what was found.

        Categories of the labels are left to the detectors, which read the pack as part of the request.
        """
        budget = task.type.context
        if budget <= 0 or (self._search is None and not live):
            return NO_CONTEXT
        hits = await self._search.find(task.question, may_read, most=_MOST_PASSAGES) if self._search else []
        if required and self._search:
            hits = [*await self._search.of_pages(required, task.question, may_read), *hits]
        return pack_of(self.snapshot, hits, budget, live)

    async def find(self, question: str, may_read: MayRead, *, most: int = 10, per_item: int = 1) -> list[Hit]:
        """Search as people use it: the best items, each by its best section."""
        return await self._search.find(question, may_read, most=most, per_item=per_item) if self._search else []

    def close(self) -> None:
        """Lets the search's thread go. For a revision that no action uses any more."""
        if self._search is not None:
            self._search.close()


def pack_of(snapshot: str, hits: Iterable[Hit], budget: int, live: Sequence[LivePiece] = ()) -> Pack:
    """As many of the hits as fit, in their order, each text once. The first one is cut if it alone is too long."""
    passages: list[Passage] = []
    citations: list[Citation] = []
    seen = set[str]()
    labels, used = NO_LABELS, 0
    for piece in sorted(live, key=lambda each: not each.required):
        tokens = tokens_of(piece.text) + tokens_of(piece.title) + _FRAME
        if not piece.text or used + tokens > budget:
            continue
        used += tokens
        labels = labels.joined(piece.labels)
        notes = (f"read live, as of {piece.as_of}", *(() if piece.trusted else ("not trusted: words of others",)))
        passages.append(Passage(piece.citation, piece.title, piece.text))
        citations.append(
            Citation(
                piece.citation, piece.title, "", "", kind="live", trusted=piece.trusted, as_of=piece.as_of, notes=notes
            )
        )
    for hit in hits:
        title = _title(hit)
        text = hit.text
        tokens = tokens_of(text) + tokens_of(title) + _FRAME
        if used + tokens > budget:
            left = budget - tokens_of(title) - _FRAME
            if passages or left < _WORTH_CUTTING:
                continue
            text = _beginning(text, left)
            tokens = tokens_of(text) + tokens_of(title) + _FRAME
        if not text or (same := " ".join(text.split())) in seen:
            continue
        seen.add(same)
        used += tokens
        labels = labels.joined(Labels(hit.data_class))
        name = f"{hit.item}@{hit.version}"
        passages.append(Passage(name, title, text))
        citations.append(_cited(name, hit))
    return Pack(
        snapshot=snapshot,
        passages=tuple(passages),
        citations=tuple(citations),
        labels=labels,
        live=tuple(live),
    )


def _cited(name: str, hit: Hit) -> Citation:
    return Citation(
        name,
        hit.title,
        hit.heading,
        hit.owner,
        hit.verified,
        hit.review_by,
        hit.kind,
        hit.expires,
        hit.trusted,
        hit.changed,
        hit.identity,
    )


def tokens_of(text: str) -> int:
    """At least as many tokens as a model will count for ordinary prose, in any script."""
    return len(text.encode()) // 3 + 1


def _title(hit: Hit) -> str:
    """The page and, below it, the section: without saying the page's name twice."""
    if not hit.heading or hit.heading == hit.title:
        return hit.title
    if hit.heading.startswith(hit.title + PATH):
        return hit.heading
    return f"{hit.title}{PATH}{hit.heading}"


def _beginning(text: str, tokens: int) -> str:
    """The text up to the last end of a sentence or line within so many tokens, "" if there is none."""
    within = text.encode()[: (tokens - 1) * 3].decode(errors="ignore")
    ends = [stop.end() for stop in _STOPS.finditer(within)]
    return within[: ends[-1]].rstrip() if ends else ""
