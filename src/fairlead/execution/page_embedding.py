"""The pages that the workspace's model for embeddings has not read yet: given to it in batches, on the governed path.

Each batch is of one class and of what detectors find alike, so that policies decide it as a whole: one that may not go
there stays here, and is found by words. A batch is kept while its price is held: who dies in between has paid for it
and need not ask again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from fairlead.context.page_vectors import PageVectors
from fairlead.context.vector_rows import Lacking, by_text
from fairlead.context.vector_space import VectorSpace
from fairlead.costs.told import Arrival
from fairlead.errors import Denied, FairleadError, Overloaded, Rejected, Withheld
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.embed import embed
from fairlead.execution.prepare import looked_at
from fairlead.identity.types import Caller
from fairlead.labels import Labels
from fairlead.models.embedding import EmbedRequest

DOOR: Final = "context.pages"
EMBEDS: Final = Caller(person="fairlead", credential="fairlead")
"""Who gives pages to the model: nobody's rights but the deployment's own."""

Progress = Callable[[int, int], None]
Alike = Sequence[Lacking]
"""Sections of one text."""

_TEXTS: Final = 64
_CHARACTERS: Final = 60_000
_LOOKED_AT: Final = 500
_SHORT: Final = 1_000  # characters of a text that its server calls too long
_IN_VAIN: Final = 3  # texts that a server refuses before it is left alone, if it has taken none


class KeptBack(Struct, frozen=True):
    """Sections of one class that policies keep from the model, and why."""

    data_class: str
    sections: int
    why: str


class PagesEmbedded(Struct, frozen=True, kw_only=True):
    """What came of it, in sections: `done` now, `kept_back` by policies, `unfit` for the model's server, `waiting` for
    another time, because of what `failed`. `cost` is in nano-units."""

    done: int = 0
    kept_back: tuple[KeptBack, ...] = ()
    unfit: int = 0
    waiting: int = 0
    failed: str = ""
    mend: str = ""
    cost: int = 0


async def embed_pages(fairlead: Fairlead, progress: Progress | None = None) -> PagesEmbedded:
    """Embed what the snapshot in force lacks. Raises nothing that another try could mend; `progress` is told (sections
    done, sections to do). One process at a time: see `Database.elected`."""
    deployment = fairlead.deployment
    space, pages = deployment.vectors, deployment.context.vectors
    if space is None or pages is None:
        return PagesEmbedded()
    missing = await asyncio.to_thread(pages.lacking)
    return await _Embedding(fairlead, deployment, space, pages, len(missing), progress).run(missing)


class _Embedding:
    """One go through what is lacking."""

    def __init__(
        self,
        fairlead: Fairlead,
        deployment: Deployment,
        space: VectorSpace,
        pages: PageVectors,
        total: int,
        progress: Progress | None,
    ) -> None:
        self._fairlead = fairlead
        self._deployment = deployment
        self._space = space
        self._pages = pages
        self._total = total
        self._progress = progress
        self._done = self._unfit = self._cost = 0
        self._kept_back: dict[Labels, str] = {}
        self._counts: Counter[Labels] = Counter()

    async def run(self, missing: Sequence[Lacking]) -> PagesEmbedded:
        failed: FairleadError | None = None
        try:
            texts = list(by_text(missing).values())
            for some in (texts[at : at + _LOOKED_AT] for at in range(0, len(texts), _LOOKED_AT)):
                for labels, batch in await self._batches(some):
                    await self._embed(labels, batch)
                    self._tell()
        except FairleadError as error:
            failed = error
        return PagesEmbedded(
            done=self._done,
            kept_back=tuple(
                KeptBack(labels.data_class.name, count, self._kept_back[labels])
                for labels, count in self._counts.items()
            ),
            unfit=self._unfit,
            waiting=self._total - self._settled,
            failed=" because ".join(filter(None, (failed.message, failed.why))) if failed else "",
            mend=failed.mend if failed else "",
            cost=self._cost,
        )

    @property
    def _settled(self) -> int:
        return self._done + self._unfit + self._counts.total()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._settled, self._total)

    async def _batches(self, texts: Sequence[Alike]) -> list[tuple[Labels, list[Alike]]]:
        """The texts, as many at a time as go in one call, and none with what policies may decide otherwise."""
        found = await looked_at(self._deployment.policy, [alike[0].text for alike in texts])
        groups: dict[Labels, list[Alike]] = {}
        for alike in texts:
            lowest = min(each.data_class for each in alike)  # what one page may give away is no secret of its twin
            labels = found[alike[0].text].labels.joined(Labels(lowest))
            groups.setdefault(labels, []).append(alike)
        most = min(self._space.batch, _TEXTS)
        return [(labels, batch) for labels, group in groups.items() for batch in _cut(group, most)]

    async def _embed(self, labels: Labels, batch: Sequence[Alike]) -> None:
        """One batch, in halves where its server refuses it as a whole. Raises what would come of the next one too."""
        if labels in self._kept_back:
            self._counts[labels] += _sections(batch)
            return
        try:
            await self._ask(labels, batch, [alike[0].text for alike in batch])
        except (Denied, Withheld) as error:
            self._kept_back[labels] = error.why or error.message
            self._counts[labels] += _sections(batch)
        except Rejected as error:
            if len(batch) > 1:
                half = len(batch) // 2
                await self._embed(labels, batch[:half])
                await self._embed(labels, batch[half:])
            else:
                await self._shortened(labels, batch, error)

    async def _shortened(self, labels: Labels, batch: Sequence[Alike], error: Rejected) -> None:
        """A text that is too long by itself: what it begins with says what it is about."""
        text = batch[0][0].text
        try:
            if len(text) <= _SHORT:
                raise error
            await self._ask(labels, batch, [text[:_SHORT]])
        except Rejected:
            self._unfit += _sections(batch)
            if not self._done and self._unfit >= _IN_VAIN:
                raise

    async def _ask(self, labels: Labels, batch: Sequence[Alike], texts: list[str]) -> None:
        if self._fairlead.deployment is not self._deployment:
            raise Overloaded("the workspace changed meanwhile", mend="what is left is embedded under the one in force")
        request = EmbedRequest(
            model=self._space.model,
            texts=texts,
            size=sum(len(text.encode()) for text in texts),
            purpose="document",
            labels=Labels(labels.data_class),
        )
        embedded = await embed(self._fairlead, EMBEDS, request, Arrival(door=DOOR), self._keeping(batch))
        self._cost += embedded.answer.cost
        self._done += _sections(batch)

    def _keeping(self, batch: Sequence[Alike]) -> Callable[[list[list[float]]], Awaitable[None]]:
        async def keep(vectors: list[list[float]]) -> None:
            made = {alike[0].digest: vector for alike, vector in zip(batch, vectors, strict=True)}
            await asyncio.to_thread(self._pages.keep, made, [each for alike in batch for each in alike])

        return keep


def _cut(group: Sequence[Alike], most: int) -> Iterator[list[Alike]]:
    batch: list[Alike] = []
    size = 0
    for alike in group:
        long = len(alike[0].text)
        if batch and (len(batch) >= most or size + long > _CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(alike)
        size += long
    if batch:
        yield batch


def _sections(batch: Sequence[Alike]) -> int:
    return sum(map(len, batch))
