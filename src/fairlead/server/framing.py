"""A client's connection: patience that ends, a limit to their number, and an answer in the doors' form to what is not
even HTTP.

A request that comes in one piece, as most do, needs no timer and costs two flags.
"""

import asyncio
from typing import Any, Final

from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fairlead.errors import BadInput, FairleadError, Overloaded
from fairlead.server.http import TooLarge, TooSlow
from fairlead.server.proxy import Proxies, Unencrypted
from fairlead.server.routes import error_form

_LINGER: Final = 2.0  # seconds that a client which is still sending has for reading why it was turned away
_MOST_HEAD: Final = 65_536  # bytes of a head that does not come in one piece; one piece is bounded by what is read


class Patience(Struct, frozen=True, kw_only=True):
    """What one worker bears. Times are in seconds.

    `receive` is for a request to come, head and body, once its connection is open or its first byte here. `send` is for
    a client to take some of what waits for it.
    """

    connections: int = 4096
    receive: float = 30.0
    send: float = 60.0


def framing(patience: Patience, only_from: Proxies | None = None) -> type["Framing"]:
    """The protocol with this patience. uvicorn makes one of it for each connection.

    `only_from` are the proxies that alone may connect, beside this machine, where there is no TLS.
    """
    return type("Framing", (Framing,), {"patience": patience, "only_from": only_from})


class _Answer(Struct, frozen=True):
    """What is said to a request that no door gets to see, with the reason phrase of its status."""

    error: FairleadError
    reason: str
    header: str = ""


def _written(answer: _Answer, path: str = "") -> bytes:
    """In the form of the protocol that has the path, as far as the request has told it."""
    error, reason, header = answer.error, answer.reason, answer.header
    body = error_form(path)(error)
    head = f"HTTP/1.1 {error.status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}{header}connection: close\r\n\r\n".encode() + body


_MALFORMED: Final = _Answer(
    BadInput(
        "the request is not valid HTTP/1.1",
        why="its request line, a header or the framing of its body is malformed",
        mend="send it with an HTTP client, and look at what stands between it and Fairlead",
    ),
    "Bad Request",
)
_LONG_HEAD: Final = _Answer(
    TooLarge(
        f"the head of the request is longer than {_MOST_HEAD} bytes",
        why="nobody has said yet who sends it, and it would fill memory",
        mend="send fewer or shorter headers, and what is long in the body",
    ),
    "Content Too Large",
)


_UNENCRYPTED: Final = _Answer(
    Unencrypted(
        "plain HTTP is taken from the declared proxies only",
        why="keys and text could be read on the way from there, and `server.proxy.trusted` does not name the address",
        mend="ask the proxy; or give Fairlead a certificate (`server.tls`)",
    ),
    "Forbidden",
)


def _too_slow(seconds: float) -> _Answer:
    error = TooSlow(
        f"the request did not arrive within {seconds:g} s",
        why="`server.receive_timeout` bounds how long a connection may wait for its request",
        mend="send it in one go, or over a faster line; a proxy that buffers requests helps",
    )
    return _Answer(error, "Request Timeout")


def _full(connections: int) -> _Answer:
    error = Overloaded(
        f"this worker has {connections} connections, the most that it takes",
        why="`server.max_connections` bounds them, so that those which are open are served",
        mend="retry after a second; if it lasts, raise `server.max_connections` or `server.workers`",
    )
    return _Answer(error, "Service Unavailable", "retry-after: 1\r\n")


class Framing(HttpToolsProtocol):
    """The protocol of uvicorn, with an end to waiting."""

    patience = Patience()
    only_from: Proxies | None = None

    _coming: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _arriving = False  # a request has begun and is not complete
    _said = False  # the last word of this connection is spoken: what still comes is thrown away
    _head = 0  # bytes that have come of a head that is not complete

    def connection_made(self, transport: Any) -> None:
        """Turns away one connection too many, and whom plain HTTP is not taken from; any other has
        `patience.receive` seconds to send its request."""
        super().connection_made(transport)
        if len(self.connections) > self.patience.connections:
            transport.write(_written(_full(self.patience.connections)))
            transport.close()
            return
        if self.only_from is not None and not (self.client and self.only_from.may_connect(self.client[0])):
            transport.write(_written(_UNENCRYPTED))
            transport.close()
            return
        self._wait()

    def data_received(self, data: bytes) -> None:
        """The head of a request that is due is counted, and refused where it is too long. After our last word all that
        comes is thrown away."""
        if self._said:
            return
        super().data_received(data)
        if self._said:
            return
        # An empty line on an idle connection begins no request, and must not keep it for ever either.
        if self._arriving or self.cycle is None or self.cycle.response_complete:
            self._wait()
            if self.scope is None or "raw_path" not in self.scope:
                self._count_head(len(data))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arriving = True

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._arriving = False
        self._come()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._come()
        self._taken()

    def pause_writing(self) -> None:
        """The client takes nothing: after `patience.send` seconds the connection is broken off."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.patience.send, self.transport.abort)

    def resume_writing(self) -> None:
        """It takes again."""
        self._taken()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Called for what the parser refuses. Never written into the middle of another response."""
        self._say(_MALFORMED)

    def _give_up(self) -> None:
        self._coming = None
        self._say(_too_slow(self.patience.receive))

    def _say(self, answer: _Answer) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            # Of the head before it nothing is left to know: each request begins with its own.
            target = self.url.partition(b"?")[0].decode("latin-1") if self._arriving else ""
            self._say_last(_written(answer, target))
        else:
            self.transport.close()

    def _say_last(self, answer: bytes) -> None:
        """Closes for writing only (RFC 9112, 9.6): with something unread a close resets the connection, and the client
        may lose the answer."""
        self._said = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(answer)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._come()
        self._coming = self.loop.call_later(_LINGER, self.transport.close)

    def _count_head(self, came: int) -> None:
        self._head += came
        if self._head > _MOST_HEAD and not self.transport.is_closing():
            self._say(_LONG_HEAD)

    def _wait(self) -> None:
        if self._coming is None:
            self._head = 0
            self._coming = self.loop.call_later(self.patience.receive, self._give_up)

    def _come(self) -> None:
        if self._coming is not None:
            self._coming.cancel()
            self._coming = None

    def _taken(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
