"""One HTTP/1.1 connection to a model's server (RFC 9112), client side, on llhttp.

It carries one exchange after the other and keeps nothing between them. Framing is strict, headers and what surrounds a
body are bounded, an upgrade is an error, and bytes that nobody asked for close the connection. General HTTP clients
cost several times the CPU of everything else that a governed call does; this one costs little, because it leaves out
redirects, cookies, proxies, compression and request streaming, none of which a driver wants.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final, cast

import httptools

_MOST_OVERHEAD: Final = 256 << 10  # bytes in a row that are not body: headers, chunk sizes, trailers
_PAUSE_ABOVE: Final = 512 << 10  # bytes of body that were not fetched yet
# Seconds between two looks at a body that keeps coming. Nobody reads faster, and each look costs a walk through all
# that stands behind it. What comes after a pause is seen at once.
_PACE: Final = 0.008


class Garbled(Exception):
    """What came was not HTTP/1.1, or more of a header than anyone sends."""


class Incoming:
    """An answer as it comes in. `fault` tells why it will not be complete; parts that came before it still count."""

    __slots__ = (
        "_due",
        "_later",
        "_parts",
        "_resume",
        "_size",
        "_waiter",
        "complete",
        "fault",
        "headers",
        "status",
    )

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self.fault: Exception | None = None
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._resume: Callable[[], None] | None = None
        self._due = 0.0  # loop time from which whoever waits may be woken by one more part
        self._later: asyncio.TimerHandle | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.complete or self.fault is not None

    def add(self, part: bytes) -> bool:
        """Keep a part of the body. True if the sender should pause."""
        self._parts.append(part)
        self._size += len(part)
        return self._size > _PAUSE_ABOVE

    def pause_with(self, resume: Callable[[], None]) -> None:
        """Remember how to go on once what is here was taken."""
        self._resume = resume

    def take(self) -> bytes:
        """All of the body that is here and was not taken yet."""
        parts = self._parts
        if not parts:
            return b""
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self._size = 0
        if self._resume is not None:
            resume, self._resume = self._resume, None
            resume()
        return data

    def wake(self) -> None:
        """Tell who waits that something has come: now, or soon if they have only just been told."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        loop = waiter.get_loop()
        now = loop.time()
        if now >= self._due or self.is_over or self._size > _PAUSE_ABOVE:
            self._due = now + _PACE
            waiter.set_result(None)
        elif self._later is None:
            self._later = loop.call_at(self._due, self._wake_late)

    def _wake_late(self) -> None:
        self._later = None
        self._due = 0.0
        self.wake()

    async def wait(self, until: float) -> None:
        """Wait for something to come. Raises `TimeoutError` at loop time `until`."""
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        timer = loop.call_at(until, _expire, waiter)
        try:
            await waiter
        finally:
            timer.cancel()


def _expire(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


class Connection(asyncio.Protocol):
    """A connection. `on_free` is told when it can carry the next exchange, `on_lost` when it is gone."""

    def __init__(self, on_free: Callable[["Connection"], None], on_lost: Callable[["Connection"], None]) -> None:
        self.freed_at = 0.0
        self._on_free = on_free
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._incoming: Incoming | None = None
        self._transport: asyncio.Transport | None = None
        self._overhead = 0
        self._until_eof = False
        self._bodiless = False
        self._ended = False
        self._keep = False

    @property
    def is_usable(self) -> bool:
        """Whether the next exchange can be tried on it."""
        return self._transport is not None and not self._transport.is_closing() and self._incoming is None

    def ask(self, head: bytes, body: bytes | None, *, bodiless: bool = False) -> Incoming:
        """Send a request. Everything that comes from now on is its answer, which is `bodiless` if it was to HEAD."""
        incoming = Incoming()
        if self._transport is None:
            incoming.fault = ConnectionResetError("closed before it was used")
            return incoming
        self._incoming = incoming
        self._overhead, self._until_eof, self._ended, self._bodiless = 0, False, False, bodiless
        self._transport.write(head if body is None else head + body)
        return incoming

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport, and asks the kernel to send signs of life over it."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not derived from it
        # A model may think for minutes; without this a router on the way forgets the connection unnoticed.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser. What is no HTTP/1.1, what has too long a header, and what nobody asked for ends the
        connection."""
        incoming = self._incoming
        if incoming is None:
            self.drop()  # unasked for: the goodbye of a server that closes idle connections, or worse
            return
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._ended:
                self._fail(incoming, Garbled(str(error)))
            self._keep = False
        else:
            if self._overhead > _MOST_OVERHEAD and not self._ended:
                self._fail(incoming, Garbled("too long a header"))
        if self._ended:
            self._finish(incoming)
        incoming.wake()

    def eof_received(self) -> None:
        return None  # closes the transport: `connection_lost` follows

    def connection_lost(self, error: Exception | None) -> None:
        """An answer without a length is complete where it ended in order; any other that is under way gets a
        `fault`."""
        self._transport = None
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            if self._until_eof and error is None:
                incoming.complete = True
            else:
                incoming.fault = error or ConnectionResetError("closed by the server")
            incoming.wake()
        self._on_lost(self)

    # what the parser finds

    def on_header(self, name: bytes, value: bytes) -> None:
        """Names in small letters; lines of the same name are joined by commas (RFC 9110, section 5.2). Trailers are
        passed over."""
        incoming = self._incoming
        if incoming is None or incoming.status:
            return  # a trailer, or a second answer
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers = incoming.headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Notes the status and how the body will end. Interim answers (1xx) are passed over."""
        incoming = self._incoming
        if incoming is None or self._ended:
            return
        status = self._parser.get_status_code()
        if status < 200:
            incoming.headers.clear()  # 100 or 103: the answer is still to come
            return
        headers = incoming.headers
        incoming.status = status
        self._until_eof = "content-length" not in headers and "transfer-encoding" not in headers
        self._overhead = 0
        if self._bodiless:  # the parser would wait for the body that the headers tell of: the connection ends here
            self._ended, self._keep = True, False

    def on_body(self, body: bytes) -> None:
        """Keeps a part, and stops reading where whoever takes the parts is behind."""
        self._overhead = 0
        incoming = self._incoming
        if incoming is None or self._ended:
            return
        if incoming.add(body) and self._transport is not None:
            self._transport.pause_reading()
            incoming.pause_with(self._resume)

    def on_message_begin(self) -> None:
        if self._ended:
            self._keep = False  # a second answer to one question

    def on_message_complete(self) -> None:
        """The answer is whole. The server says whether the connection may be used again."""
        incoming = self._incoming
        if incoming is not None and incoming.status and not self._ended:
            self._ended = True
            self._keep = self._parser.should_keep_alive()

    def _finish(self, incoming: Incoming) -> None:
        self._resume()
        self._incoming = None
        incoming.complete = True
        if self._keep and self._transport is not None and not self._transport.is_closing():
            self._on_free(self)
        else:
            self.drop()

    def _fail(self, incoming: Incoming, fault: Exception) -> None:
        incoming.fault = fault
        self._incoming = None
        self.drop()

    def _resume(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing() and not transport.is_reading():
            transport.resume_reading()
