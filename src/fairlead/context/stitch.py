"""Stitches the pack for one task: what the caller may read of what the organisation knows, within a budget."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from fairlead.context.catalogue import EMPTY, Catalogue, load_catalogue
from fairlead.context.conversation import sought_in
from fairlead.context.embedding import LocalEmbedder
from fairlead.context.explaining import Explained
from fairlead.context.hits import Hit
from fairlead.context.lexicon import NO_LEXICON, Lexicon, load_lexicon
from fairlead.context.live_rights import under
from fairlead.context.measure import USUAL, Measure
from fairlead.context.packing import Gathered, met, pack_of
from fairlead.context.page_vectors import PageVectors
from fairlead.context.search import Search, load_snapshot
from fairlead.context.sufficiency import Sufficiency
from fairlead.context.synonyms import glossary_of
from fairlead.context.types import NO_CONTEXT, LivePiece, Pack
from fairlead.context.vector_rows import Embedder
from fairlead.context.vector_space import AskedVector
from fairlead.evidence import Reader
from fairlead.kept import Kept
from fairlead.labels import Access, MayRead
from fairlead.storage.store import Store
from fairlead.tasks import TaskTypes
from fairlead.tasks.types import Task

_MOST_PASSAGES = 24
_MOST_KNOWN = 3_000  # passages: fewer than are remembered
_KEPT_PACKS = 4_000_000  # characters of packs, with what they are found by
_AROUND = 4_000  # of each beside its texts


class _Wanted(Struct, frozen=True, kw_only=True):
    """All that decides what a pack is, beside the pages, what may be read of them, and live sources. `question` is what
    the required pages are read for."""

    sought: str
    question: str
    budget: int
    topics: tuple[str, ...]
    voice: bool
    required: tuple[str, ...]
    today: str
    measure: Measure
    asked: AskedVector | None


class Context:
    """The organisation's knowledge as one revision pins it: a snapshot, and the search over it."""

    def __init__(
        self,
        search: Search | None = None,
        catalogue: Catalogue = EMPTY,
        lexicon: Lexicon = NO_LEXICON,
        vectors: PageVectors | None = None,
    ) -> None:
        """Without a search there is no knowledge, and every pack is empty. `vectors` are those that a model of the
        workspace gives, None where none does."""
        self.vectors = vectors
        self._search = search
        self.catalogue = catalogue
        self._sufficiency: tuple[object, Sufficiency] | None = None
        self._lexicon = lexicon
        self._known: set[int] = set()
        self._packs = Kept[tuple[_Wanted, bytes], Pack](_KEPT_PACKS)
        self._accesses = _accesses(search, lexicon)

    @classmethod
    def open(
        cls,
        store: Store,
        snapshot: str,
        *,
        names_items: bool = False,
        live: "Context | None" = None,
        embedder: Embedder | None = None,
        key: str = "",
    ) -> "Context":
        """Reads the snapshot's outline: 30 ms for a thousand pages, so not on the event loop of a serving worker.

        `names_items` is for policies that name single items: then each item is decided by itself. `live` is for an
        older snapshot: the one whose rights count too, and which says how to search. `key` is that of the vectors that
        a model of the workspace gave. Without one, and without an `embedder`, pages are found by words alone. Raises
        `NotFound`.
        """
        outline = load_snapshot(store, snapshot, names_items=names_items)
        catalogue = load_catalogue(store, snapshot, names_items=names_items)
        if live is not None and live._search is not None:
            outline, catalogue = under(store, outline, catalogue, live._search.snapshot)
            embedder, key = live._search.embedder, live.vectors.key if live.vectors else ""
        search = Search(store, outline, glossary_of(catalogue), embedder)
        vectors = PageVectors(store, snapshot, key) if key else None
        return cls(search, catalogue, load_lexicon(store, catalogue), vectors)

    @property
    def snapshot(self) -> str:
        """The id of the snapshot, "" where there is no knowledge."""
        return self._search.snapshot.id if self._search else ""

    @property
    def reader(self) -> Reader | None:
        """What reads texts for their meaning, where the workspace has a model for that in this process."""
        embedder = self._search.embedder if self._search else None
        return embedder if isinstance(embedder, LocalEmbedder) else None

    def sufficiency(self, types: TaskTypes) -> Sufficiency:
        """What the task types of a revision require, over these pages. Made when it is first asked for."""
        if self._sufficiency is None or self._sufficiency[0] is not types:
            known = [(entry, self.catalogue.rights_of(entry)) for entry in self.catalogue.entries]
            self._sufficiency = types, Sufficiency(types.types.values(), known)
        return self._sufficiency[1]

    async def stitch(
        self,
        task: Task,
        may_read: MayRead,
        live: Sequence[LivePiece] = (),
        required: Sequence[str] = (),
        *,
        earlier: Sequence[str] = (),
        today: str = "",
        measure: Measure = USUAL,
        asked: AskedVector | None = None,
    ) -> Pack:
        """The pack for a task, within `task.type.context` tokens as `measure` counts them.

        `live` is what live sources said, `required` the pages that the task must rest on, by id: what they say comes
        before what was found. `earlier` is what the person wrote before, the latest first, `asked` what the question
        means, where a model of the workspace has said it. Categories of the labels are
        left to the detectors, which read the pack as part of the request.
        """
        type_ = task.type
        if type_.context <= 0 or (self._search is None and not live):
            return NO_CONTEXT
        wanted = _Wanted(
            sought=sought_in(task.question, earlier),
            question=task.question if required else "",
            budget=type_.context,
            topics=type_.topics,
            voice=type_.voice,
            required=tuple(required),
            today=today,
            measure=measure,
            asked=asked,
        )
        if live:
            return await self._made(wanted, may_read, live)
        key = (wanted, self._rights(may_read))
        known = self._packs.get(key)
        if known is None:
            known = await self._made(wanted, may_read, ())
            if self._packs.get(key) is None:  # somebody else may have asked the same meanwhile
                self._packs.keep(key, known, _size_of(wanted, known))
        return known

    def _rights(self, may_read: MayRead) -> bytes:
        """All that `may_read` can say of these pages: whoever it says the same of gets the same packs."""
        return bytes(map(may_read, self._accesses))

    async def _made(self, wanted: "_Wanted", may_read: MayRead, live: Sequence[LivePiece]) -> Pack:
        hits: list[Hit] = []
        if self._search is not None:
            hits = await self._search.find(wanted.sought, may_read, most=_MOST_PASSAGES, asked=wanted.asked)
            if wanted.required:
                hits = [*await self._search.of_pages(wanted.required, wanted.question, may_read), *hits]
        texts = [hit.text for hit in hits]
        await self._met(texts)
        gathered = Gathered(
            snapshot=self.snapshot,
            budget=wanted.budget,
            hits=tuple(hits),
            live=tuple(live),
            joining=self._lexicon.joining(wanted.sought, texts, wanted.topics, wanted.voice, may_read),
            today=wanted.today,
            measure=wanted.measure,
        )
        return pack_of(gathered)

    async def _met(self, texts: Sequence[str]) -> None:
        """Work out what packs compare passages by, in a thread: half a millisecond each, the first time that they are
        met."""
        new = [text for text in texts if hash(text) not in self._known]
        if not new:
            return
        await asyncio.to_thread(self._meet, new)
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.update(map(hash, new))

    def _meet(self, texts: Sequence[str]) -> None:
        for text in texts:
            met(text)
            self._lexicon.met(text)

    async def find(
        self,
        question: str,
        may_read: MayRead,
        *,
        most: int = 10,
        per_item: int = 1,
        asked: AskedVector | None = None,
    ) -> list[Hit]:
        """Search as people use it: the best items, each by its best section."""
        if self._search is None:
            return []
        return await self._search.find(question, may_read, most=most, per_item=per_item, asked=asked)

    async def whole(self, pages: Sequence[str], may_read: MayRead) -> list[Hit]:
        """All that the caller may read of these pages: their sections, page by page, in the order of the text."""
        return await self._search.whole(pages, may_read) if self._search is not None else []

    async def explained(
        self, question: str, may_read: MayRead, *, most: int, asked: AskedVector | None = None
    ) -> Explained:
        """Why `find` finds what it finds, for the same question, in the order of its hits."""
        if self._search is None:
            return Explained((), 0)
        return await self._search.explained(question, may_read, most=most, per_item=1, asked=asked)

    def close(self) -> None:
        """Lets the search's thread go. For a revision that no action uses any more."""
        if self._search is not None:
            self._search.close()


def _accesses(search: Search | None, lexicon: Lexicon) -> tuple[Access, ...]:
    """Every access that decides what a pack is made of, once."""
    groups = list(lexicon.rights)
    if search is not None:
        groups += (*search.snapshot.accesses, *search.glossary.rights)
    return tuple(dict.fromkeys(access for group in groups for access in group))


def _size_of(wanted: _Wanted, pack: Pack) -> int:
    return _AROUND + len(wanted.sought) + sum(len(each.text) for each in (*pack.passages, *pack.voice))
