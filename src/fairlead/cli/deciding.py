"""Deciding without a server: the same path in this process, up to the plan."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from fairlead.cli.compiled import require_published
from fairlead.cli.opening import open_store
from fairlead.cli.place import find
from fairlead.cli.surroundings import surroundings
from fairlead.costs.told import Arrival
from fairlead.execution import quote
from fairlead.models.types import ChatRequest, Message
from fairlead.server.quoted import encode_quote
from fairlead.workspace.assemble import assemble


async def quote_here(workspace: Path | None, data: Path | None, body: dict[str, Any], key: str) -> dict[str, Any]:
    """What a request would cost, in the form in which a server answers. Recorded like every action, never billed."""
    place = find(workspace, data)
    with closing(open_store(place)) as store:
        require_published(store)
        running = await assemble(surroundings(place, store))
        try:
            fairlead = running.fairlead
            said = f"Bearer {key}" if key else None
            caller = await fairlead.current().authenticator.authenticate(said, loopback=True)
            request = ChatRequest(
                model=body["model"],
                messages=[Message(role="user", content=body["messages"][0]["content"])],
                size=len(json.dumps(body).encode()),
                max_output=body.get("max_completion_tokens"),
            )
            made = await quote(fairlead, caller, request, Arrival(door="cli", dry_run=True))
        finally:
            await running.stop()
    quoted: dict[str, Any] = json.loads(encode_quote(made))
    return quoted
