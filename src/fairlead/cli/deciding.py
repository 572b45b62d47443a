"""Deciding without a server: the same path in this process, up to the plan."""

import json
from pathlib import Path
from typing import Any

from fairlead.cli.acting import acting
from fairlead.cli.place import find
from fairlead.costs.told import Arrival
from fairlead.execution import quote
from fairlead.models.types import ChatRequest, Message
from fairlead.server.quoted import encode_quote


async def quote_here(workspace: Path | None, data: Path | None, body: dict[str, Any], key: str) -> dict[str, Any]:
    """What a request would cost, in the form in which a server answers. Recorded like every action, never billed."""
    request = ChatRequest(
        model=body["model"],
        messages=[Message(role="user", content=body["messages"][0]["content"])],
        size=len(json.dumps(body).encode()),
        max_output=body.get("max_completion_tokens"),
    )
    async with acting(find(workspace, data), key) as (fairlead, caller):
        made = await quote(fairlead, caller, request, Arrival(door="cli", dry_run=True))
    quoted: dict[str, Any] = json.loads(encode_quote(made))
    return quoted
