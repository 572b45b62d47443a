"""Pages and questions given to the workspace's model for embeddings from the command line: the governed path, in this
process."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fairlead.cli.output import progress, say
from fairlead.cli.place import Place
from fairlead.costs.money import exact_money
from fairlead.errors import BadInput
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fairlead.context.vector_space import AskedVector
    from fairlead.execution.page_embedding import PagesEmbedded
    from fairlead.identity import Caller
    from fairlead.workspace.assemble import Running

_LOOK_EVERY = 2.0


def embed_here(place: Place, store: Store, lacking: int) -> "PagesEmbedded":
    """Embed what the published context lacks, with a bar on the terminal. Raises nothing for what another try may mend:
    publishing is over by then."""
    from fairlead.execution.page_embedding import PagesEmbedded

    so_far = 0
    with progress("embedding the context", lacking) as advance:

        def step(done: int, total: int) -> None:
            nonlocal so_far
            reached = lacking * done // max(total, 1)
            advance(reached - so_far)
            so_far = reached

        try:
            return asyncio.run(_embedded(place, store, lacking, step))
        except BadInput as error:  # no master key yet: the first `serve` makes it
            return PagesEmbedded(waiting=lacking, failed=error.message, mend=error.mend)


async def _embedded(place: Place, store: Store, lacking: int, step: "Callable[[int, int], None]") -> "PagesEmbedded":
    from fairlead.workspace.page_office import embed_as_elected

    async with _running(place, store) as running:
        fairlead = running.fairlead
        while (done := await embed_as_elected(fairlead, store, step)) is None:  # a worker is at it: see how far it is
            pages = fairlead.deployment.context.vectors
            if pages is not None:
                step(lacking - len(await asyncio.to_thread(pages.lacking)), lacking)
            await asyncio.sleep(_LOOK_EVERY)
        return done


@asynccontextmanager
async def _running(place: Place, store: Store) -> "AsyncIterator[Running]":
    from fairlead.cli.surroundings import surroundings
    from fairlead.workspace.assemble import assemble

    running = await assemble(surroundings(place, store))
    try:
        yield running
    finally:
        await running.stop()


def report_embedded(done: "PagesEmbedded", currency: str) -> None:
    """What came of it, in words."""
    from fairlead.workspace.page_standing import kept_back_said, sections

    if done.done:
        say(f"embedded {sections(done.done)} for {exact_money(done.cost)} {currency}")
    for each in done.kept_back:
        say(f"not embedded: {kept_back_said(each)}")
    if done.unfit:
        say(f"not embedded: {sections(done.unfit)} that the model's server refuses, and found by words alone")
    if done.waiting:
        say(f"warning: {sections(done.waiting)} not embedded yet, and found by words alone: {done.failed}")
        say(f"  help: {done.mend or 'it is tried again'} (a worker that serves tries again, as does `fairlead apply`)")


async def asked_here(place: Place, store: Store, caller: "Caller", question: str) -> "AskedVector | None":
    """What a question means to the model, None where it is searched by words alone; then that is said."""
    from fairlead.errors import FairleadError
    from fairlead.execution.question_embedding import asked_alone

    try:
        async with _running(place, store) as running:
            return await asked_alone(running.fairlead, caller, question)
    except (FairleadError, TimeoutError) as error:
        said = error.message if isinstance(error, FairleadError) else "the model took too long"
        say(f"searched by words alone: {said}")
        return None
