"""Finds the sections of one snapshot that bear on a question, among those that the caller may read.

Rights come first: the policy is asked once for each distinct access, and what it does not permit takes part in nothing
that follows.
"""

import asyncio
from array import array
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.context.explaining import Explained, Said, Scores, reasons_of
from fairlead.context.hits import Hit, hits
from fairlead.context.known_words import KnownWords
from fairlead.context.nearness import LEAST_CANDIDATES, Nearness, Questions, best_of, fused
from fairlead.context.ranking import Ranked, rank, scores_of
from fairlead.context.required_pages import keys_of, whole_page
from fairlead.context.snapshots import decode_access
from fairlead.context.synonyms import NO_GLOSSARY, Glossary
from fairlead.context.vector_rows import Embedder
from fairlead.context.vector_space import AskedVector
from fairlead.errors import NotFound
from fairlead.labels import Access, MayRead
from fairlead.models.words import stems
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection


_DECIDED_AT_ONCE = 16  # a decision that is not cached may take 0.1 ms
QUESTION_END = 4_000  # characters of a long question that count, at its start and at its end
_QUESTION_WORDS = 48


class Snapshot(Struct, frozen=True, kw_only=True):
    """The sections of a snapshot by number, in the order of items and of the text; the texts stay in the database.

    `access_of` gives each section's number in `accesses`. Whoever reads it must be permitted all that stand there: for
    work that goes on with an older snapshot, those of then and those of now.
    """

    id: str
    rows: dict[int, int]  # key in context_section -> section
    keys: "array[int]"
    lengths: "array[int]"
    item_of: "array[int]"
    access_of: "array[int]"
    accesses: tuple[tuple[Access, ...], ...]


def load_snapshot(store: Store, snapshot: str, *, names_items: bool = False) -> Snapshot:
    """What search keeps in memory of a snapshot: about 40 bytes a section. Raises `NotFound`."""
    from sqlalchemy import and_, func, select

    from fairlead.storage.context_tables import context_member, context_section, context_snapshot

    member, section = context_member.c, context_section.c
    query = (
        select(section.rowid, section.item, func.length(section.text), section.access)
        .join_from(
            context_member, context_section, and_(member.item == section.item, member.version == section.version)
        )
        .where(member.snapshot == snapshot)
        .order_by(section.item, section.ordinal)
    )
    with store.reading() as connection:
        if not connection.execute(select(context_snapshot.c.id).where(context_snapshot.c.id == snapshot)).first():
            raise NotFound(
                f"there is no context snapshot {snapshot}",
                why="it was never published to this database",
                mend="run `fairlead apply`",
                step="stitch",
                subject=snapshot,
            )
        found = connection.execute(query).all()
    return _numbered(snapshot, [tuple(row) for row in found], names_items)


def _numbered(snapshot: str, found: list[tuple[int, str, int, str]], names_items: bool) -> Snapshot:
    items: dict[str, int] = {}
    accesses: dict[tuple[str, str], int] = {}
    item_of, access_of = array("I"), array("I")
    for _, item, _, access in found:
        item_of.append(items.setdefault(item, len(items)))
        access_of.append(accesses.setdefault((access, item if names_items else ""), len(accesses)))
    return Snapshot(
        id=snapshot,
        rows={row: section for section, (row, *_) in enumerate(found)},
        keys=array("q", (row for row, *_ in found)),
        lengths=array("I", (length for _, _, length, _ in found)),
        item_of=item_of,
        access_of=access_of,
        accesses=tuple((decode_access(access, item),) for access, item in accesses),
    )


def words_of(question: str) -> list[str]:
    """The distinct words that a question is searched by: of a very long one, those at its start and at its end."""
    return _distinct(_stems_of(question))


def _stems_of(question: str) -> list[str]:
    if len(question) > 2 * QUESTION_END:
        question = f"{question[:QUESTION_END]} {question[-QUESTION_END:]}"
    return stems(question)


def _distinct(stemmed: Iterable[str]) -> list[str]:
    distinct = list(dict.fromkeys(stemmed))
    if len(distinct) > _QUESTION_WORDS:
        half = _QUESTION_WORDS // 2
        distinct = distinct[:half] + distinct[-half:]
    return distinct


class Search:
    """Search over one snapshot. Works in one thread of its own, so that a slow disk never holds up the event loop."""

    def __init__(
        self, store: Store, snapshot: Snapshot, glossary: Glossary = NO_GLOSSARY, embedder: Embedder | None = None
    ) -> None:
        """Without an embedder it searches by words alone. Vectors are looked for at the first question."""
        self.snapshot = snapshot
        self._store = store
        self.embedder = embedder
        self.glossary = glossary
        self._thread = ThreadPoolExecutor(1, "fairlead-context")
        # Only that thread touches what follows.
        self._questions = None if embedder is None else Questions(embedder)
        self._nearness = Nearness(store, snapshot)
        self._words = KnownWords(snapshot.rows, snapshot.lengths, snapshot.access_of)

    async def find(
        self,
        question: str,
        may_read: MayRead,
        *,
        most: int = 10,
        per_item: int = 3,
        asked: AskedVector | None = None,
    ) -> list[Hit]:
        """The best sections, best first, at most `per_item` of one item. `asked` is what the question means, where a
        model elsewhere has said it. Errors of `may_read` pass through."""
        sought = await self._sought(question, may_read, most, per_item, asked)
        if sought is None or not sought.allowed:
            return []
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._find, sought)

    async def explained(
        self, question: str, may_read: MayRead, *, most: int, per_item: int, asked: AskedVector | None
    ) -> Explained:
        """Why `find` finds what it finds, for the same question: in the order of its hits."""
        sought = await self._sought(question, may_read, most, per_item, asked)
        if sought is None:
            return Explained((), 0)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._explain, sought)

    async def _sought(
        self, question: str, may_read: MayRead, most: int, per_item: int, asked: AskedVector | None
    ) -> "_Sought | None":
        stemmed = _stems_of(question)
        if not (stemmed or asked) or not self.snapshot.keys:
            return None
        words = dict.fromkeys(_distinct(stemmed), 1.0) | self.glossary.also(stemmed, may_read)
        return _Sought(question, words, await self._allowed(may_read), most, per_item, asked)

    async def of_pages(self, pages: Sequence[str], question: str, may_read: MayRead) -> list[Hit]:
        """What these pages say on the question, as far as the caller may read it. Errors of `may_read` pass through."""
        allowed = await self._allowed(may_read)
        words = _distinct(_stems_of(question))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._of_pages, pages, words, allowed)

    async def whole(self, pages: Sequence[str], may_read: MayRead) -> list[Hit]:
        """Every section of these pages that the caller may read, in the order of the text."""
        allowed = await self._allowed(may_read)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._whole, pages, allowed)

    def close(self) -> None:
        """Lets the thread go once what it has begun is done. Searches that come later raise RuntimeError."""
        self._thread.shutdown(wait=False)

    async def _allowed(self, may_read: MayRead) -> frozenset[int]:
        allowed: list[int] = []
        for number, access in enumerate(self.snapshot.accesses):
            if number and number % _DECIDED_AT_ONCE == 0:
                await asyncio.sleep(0)
            if all(map(may_read, access)):
                allowed.append(number)
        return frozenset(allowed)

    def _find(self, sought: "_Sought") -> list[Hit]:
        with self._store.reading() as connection:
            scores = self._scores(connection, sought)
            ranked = rank(scores.both, self.snapshot.item_of, most=sought.most, per_item=sought.per_item)
            return _fetched(connection, self.snapshot, ranked) if ranked else []

    def _explain(self, sought: "_Sought") -> Explained:
        word_of, every = self._words.word, frozenset(range(len(self.snapshot.accesses)))
        with self._store.reading() as connection:
            scores = self._scores(connection, sought)
            ranked = rank(scores.both, self.snapshot.item_of, most=sought.most, per_item=sought.per_item)
            said = [Said(stem, word_of(connection, stem, sought.allowed), at) for stem, at in sought.words.items()]
            there = {section for stem in sought.words for section in word_of(connection, stem, every).sections}
        visible = {section for each in said for section in each.word.sections}
        return Explained(reasons_of(ranked, said, scores), len(there - visible))

    def _of_pages(self, pages: Sequence[str], words: Sequence[str], allowed: frozenset[int]) -> list[Hit]:
        snapshot = self.snapshot
        with self._store.reading() as connection:
            keys = keys_of(connection, snapshot.id, pages, words, snapshot.rows, snapshot.access_of, allowed)
            return _fetched(connection, snapshot, [Ranked(snapshot.rows[key], 0.0) for key in keys]) if keys else []

    def _whole(self, pages: Sequence[str], allowed: frozenset[int]) -> list[Hit]:
        snapshot = self.snapshot
        with self._store.reading() as connection:
            sections = [
                each
                for page in dict.fromkeys(pages)
                for each in whole_page(connection, snapshot.id, page, snapshot.rows)
                if snapshot.access_of[each] in allowed
            ]
            return _fetched(connection, snapshot, [Ranked(each, 0.0) for each in sections]) if sections else []

    def _scores(self, connection: "Connection", sought: "_Sought") -> Scores:
        words, allowed, asked = sought.words, sought.allowed, sought.asked
        scores = scores_of((self._words.word(connection, word, allowed), counts) for word, counts in words.items())
        if self._questions is not None:
            asked = self._questions.vector(sought.question[:QUESTION_END])
        if asked is None:
            return Scores(scores, None, scores)
        most = max(LEAST_CANDIDATES, 2 * sought.most)
        by_words = best_of(scores, most)
        near = self._nearness.of(connection, asked, allowed, by_words, most)
        return Scores(scores, near, fused(scores, near, by_words, asked.near))


class _Sought(Struct, frozen=True):
    """What is looked for: words with what each counts, in accesses that are permitted."""

    question: str
    words: dict[str, float]
    allowed: frozenset[int]
    most: int
    per_item: int
    asked: AskedVector | None


def _fetched(connection: "Connection", snapshot: Snapshot, ranked: list[Ranked]) -> list[Hit]:
    return hits(connection, [(snapshot.keys[found.section], found.score) for found in ranked])
