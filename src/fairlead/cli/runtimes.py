"""The model servers of the house: asked what they serve, all at once and not for long."""

import asyncio
from typing import TYPE_CHECKING

from fairlead.cli.probing import PATIENCE
from fairlead.clock import SystemClock
from fairlead.net.http import Http

if TYPE_CHECKING:
    from fairlead.models.local_servers import LocalServer
    from fairlead.workspace.compile import Workspace


def answering(compiled: "Workspace") -> "list[LocalServer]":
    """Those that the workspace declares outside of a cloud, whether or not they answer, and those of the usual ones on
    this machine that do."""
    return asyncio.run(_asked(compiled))


async def _asked(compiled: "Workspace") -> "list[LocalServer]":
    from fairlead.models.local_servers import USUAL, found, of_the_house

    clock = SystemClock()
    servers = of_the_house(compiled.models)
    usual = {each.url for each in USUAL}
    async with Http(clock) as http:
        answers = await found(http, clock, servers, PATIENCE)
    declared = {each.url for each in servers if each not in USUAL}
    return [each for each in answers if each.url in declared or each.url not in usual or not each.failed]


def served_by(compiled: "Workspace", servers: "list[LocalServer]", model: str) -> str:
    """What a model's server says that tells its weights from others, "" where it says nothing."""
    known = compiled.models.models.get(model)
    if known is None:
        return ""
    url = compiled.models.endpoints[known.endpoint].url
    offered = [one for server in servers if server.url == url for one in server.models]
    named = [one for one in offered if one.name in (known.remote, f"{known.remote}:latest")]
    return next((one.known_by for one in named or offered[:1]), "")
