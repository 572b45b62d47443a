"""The office of who embeds pages: one process for all gives them to the workspace's model, and every worker sees what
has come of it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fairlead.execution import Deployment, Fairlead
from fairlead.execution.page_embedding import PagesEmbedded, Progress, embed_pages
from fairlead.storage.store import Away, Store

log = logging.getLogger("fairlead.embedding")

_OFFICE: Final = "embedding"
_FIRST_PAUSE: Final = 30.0
_LONGEST_PAUSE: Final = 900.0


async def embed_as_elected(fairlead: Fairlead, store: Store, progress: Progress | None = None) -> PagesEmbedded | None:
    """Embed what is lacking, None where another process is at it."""
    async with _elected(store) as mine:
        return await embed_pages(fairlead, progress) if mine else None


@asynccontextmanager
async def _elected(store: Store) -> AsyncIterator[bool]:
    """Whether the office is this process's. To ask may take a connection to a server: never in the event loop."""
    office = store.database.elected(_OFFICE)
    mine = await asyncio.to_thread(office.__enter__)
    try:
        yield mine
    finally:
        await asyncio.to_thread(office.__exit__, None, None, None)


class PageOffice:
    """What a worker does for the vectors of pages beside answering. Where nothing is declared, nothing."""

    def __init__(self, fairlead: Fairlead, store: Store, *, embeds: bool) -> None:
        """Without `embeds` it only sees what others have made."""
        self._fairlead = fairlead
        self._store = store
        self._embeds = embeds
        self._done_for: Deployment | None = None
        self._pause = _FIRST_PAUSE
        self._again_at = 0.0
        self._said = ""

    async def __call__(self) -> None:
        deployment = self._fairlead.deployment
        pages = deployment.context.vectors
        if deployment.vectors is None or pages is None:
            return
        try:
            if self._embeds and deployment is not self._done_for and self._fairlead.clock.monotonic() >= self._again_at:
                await self._embed(deployment)
            await asyncio.to_thread(pages.look)
        except Away as error:
            log.warning("the vectors of pages cannot be looked at: %s (%s)", error, error.why)

    async def _embed(self, deployment: Deployment) -> None:
        done = await embed_as_elected(self._fairlead, self._store)
        if done is None:
            self._again_at = self._fairlead.clock.monotonic() + _FIRST_PAUSE
            return
        if done.done:
            log.info("embedded %d sections of the context", done.done)
        if not done.waiting:
            self._done_for, self._pause, self._said = deployment, _FIRST_PAUSE, ""
            return
        self._pause = _FIRST_PAUSE if done.done else min(2 * self._pause, _LONGEST_PAUSE)
        self._again_at = self._fairlead.clock.monotonic() + self._pause
        if done.failed != self._said:
            self._said = done.failed
            log.warning("%d sections are found by words alone for now: %s", done.waiting, done.failed)
