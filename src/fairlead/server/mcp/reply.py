"""The answer to one message: plain JSON, or a stream of events as soon as something is said before the result."""

import asyncio
from typing import Any, Final

import msgspec

from fairlead.server.http import Headers, Scope, header, respond

_EVENTS: Final = b"text/event-stream"


class Reply:
    """Says things in the order in which they are given to it."""

    def __init__(self, scope: Scope, send: Any) -> None:
        self._send = send
        self._turn = asyncio.Lock()
        self.streams = False
        self.takes_events = _EVENTS.decode() in (header(scope, b"accept") or "")
        self.headers: Headers = []

    async def open(self) -> None:
        """Begin a stream on which there may be nothing to say for long."""
        async with self._turn:
            await self._begin()
            await self._send({"type": "http.response.body", "body": b":\n\n", "more_body": True})

    async def event(self, message: dict[str, Any]) -> None:
        """Say something before the result. From here on the answer is a stream."""
        async with self._turn:
            if not self.streams:
                await self._begin()
            await self._part(msgspec.json.encode({"jsonrpc": "2.0", **message}), more=True)

    async def end(self, status: int, body: bytes) -> None:
        """Say the last thing."""
        async with self._turn:
            if self.streams:
                await self._part(body, more=False)
            else:
                await respond(self._send, status, body, self.headers)

    async def alive(self) -> None:
        """Say nothing, so that whatever stands between does not think that the connection is forgotten."""
        async with self._turn:
            await self._send({"type": "http.response.body", "body": b":\n\n", "more_body": True})

    async def close(self) -> None:
        """End a stream that has no result."""
        async with self._turn:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _begin(self) -> None:
        self.streams = True
        headers = [(b"content-type", _EVENTS), (b"cache-control", b"no-store"), *self.headers]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _part(self, body: bytes, *, more: bool) -> None:
        # JSON has no line breaks outside its texts, and inside they are escaped.
        event = b"event: message\ndata: " + body + b"\n\n"
        await self._send({"type": "http.response.body", "body": event, "more_body": more})
