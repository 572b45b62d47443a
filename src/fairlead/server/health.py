"""Whether this worker lives, and whether it may be sent traffic."""

from typing import Any

import msgspec

from fairlead.errors import FairleadError
from fairlead.execution import Fairlead
from fairlead.server.http import Scope, respond


class Live:
    """`GET /healthz`: the process answers."""

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await respond(send, 200, b'{"status":"live"}')


class Ready:
    """`GET /readyz`: 200 while this worker decides under the published revision, else 503 and why."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            deployment = self._fairlead.current()
        except FairleadError as error:
            body = msgspec.json.encode({"status": "not ready", "why": error.why})
            await respond(send, 503, body, [(b"retry-after", b"1")])
            return
        body = msgspec.json.encode({"status": "ready", "revision": deployment.revision})
        await respond(send, 200, body)
