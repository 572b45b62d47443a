"""A client's connection: patience with what comes slowly, and an answer in the doors' form to what is not even HTTP."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fairlead.errors import BadInput, FairleadError
from fairlead.server.http import TooSlow
from fairlead.server.openai.errors import encode_error

_REQUEST_S: Final = 30.0  # for a request to come, head and body, once its connection is open or its first byte here
_STALLED_S: Final = 60.0  # for a client to take some of what waits for it


def _answer(error: FairleadError, reason: str) -> bytes:
    body = encode_error(error)
    head = f"HTTP/1.1 {error.status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + body


_MALFORMED: Final = _answer(
    BadInput(
        "the request is not valid HTTP/1.1",
        why="its request line, a header or the framing of its body is malformed",
        mend="send it with an HTTP client, and look at what stands between it and Fairlead",
    ),
    "Bad Request",
)
_TOO_SLOW: Final = _answer(
    TooSlow(
        f"the request did not arrive within {_REQUEST_S:g} s",
        mend="send it in one go, or over a faster line; a proxy that buffers requests helps",
    ),
    "Request Timeout",
)


class Framing(HttpToolsProtocol):
    """The protocol of uvicorn, with an end to waiting."""

    _patience: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._patience = self.loop.call_later(_REQUEST_S, self._give_up)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._patience is None:
            self._patience = self.loop.call_later(_REQUEST_S, self._give_up)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._come()

    def connection_lost(self, exc: Exception | None) -> None:
        self._come()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(_STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Called for what the parser refuses. Never written into the middle of another response."""
        self._say(_MALFORMED)

    def _give_up(self) -> None:
        self._patience = None
        self._say(_TOO_SLOW)

    def _say(self, answer: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(answer)
        self.transport.close()

    def _come(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _taken(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
