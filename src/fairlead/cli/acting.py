"""Acting in this process, without a server: the deployment that is published, and whose key was given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

from fairlead.cli.compiled import require_published
from fairlead.cli.opening import open_store
from fairlead.cli.place import Place
from fairlead.cli.surroundings import surroundings

if TYPE_CHECKING:
    from fairlead.execution import Fairlead
    from fairlead.identity.types import Caller


@asynccontextmanager
async def acting(place: Place, key: str) -> "AsyncIterator[tuple[Fairlead, Caller]]":
    """The deployment, and the caller, until it is left. Raises as `assemble` and `caller_of` do."""
    from fairlead.workspace.assemble import assemble

    with closing(open_store(place)) as store:
        require_published(store)
        running = await assemble(surroundings(place, store))
        try:
            yield running.fairlead, await caller_of(running.fairlead, key)
        finally:
            await running.stop()


async def caller_of(fairlead: "Fairlead", key: str) -> "Caller":
    """Whose key this is; without one, whoever may come from this machine without. Raises as the authenticator does."""
    said = f"Bearer {key}" if key else None
    return await fairlead.current().authenticator.authenticate(said, loopback=True)
