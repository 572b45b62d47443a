"""The one HTTP client that drivers use: pooled connections, strict limits, and errors that say what may be billed.

It knows bytes, statuses and time; what a provider means by them is the drivers' business. It follows no redirect,
keeps no cookie, decompresses nothing, ignores proxy variables of the environment, and always verifies TLS.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from fairlead.clock import Clock
from fairlead.errors import BadInput, Broken, Upstream
from fairlead.net.connection import Connection, Garbled, Incoming
from fairlead.net.http_answer import HttpAnswer, deadline_passed
from fairlead.net.target import Target, target_of

Server = tuple[str, int, bool]
Reach = Callable[[Target], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a connection, for the first byte of an answer, and between bytes of it."""

    connect: float = 5.0
    first_byte: float = 120.0
    idle: float = 60.0


class Http:
    """A pool of connections to models' servers. Open it inside the event loop that uses it.

    `reach` gives the IP address to connect to, or raises `Upstream`: for URLs that a name could lead astray.
    """

    def __init__(
        self, clock: Clock, *, largest_answer: int = 32 << 20, keep_alive: float = 30.0, reach: "Reach | None" = None
    ) -> None:
        self._clock = clock
        self._largest_answer = largest_answer
        self._keep_alive = keep_alive
        self._reach = reach
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tls: ssl.SSLContext | None = None
        self._all: dict[Connection, Server] = {}
        # The one used last is used next, so that others can age.
        self._idle: dict[Server, list[Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Make the pool. Connections are opened when they are first needed."""
        self._loop = asyncio.get_running_loop()

    async def close(self) -> None:
        """Close every connection, those in use included."""
        loop, self._loop = self._loop, None
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        if loop is None or not self._all:
            return
        self._emptied = loop.create_future()
        for connection in list(self._all):
            connection.drop()
        await self._emptied
        self._emptied = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def post_json(
        self, url: str, headers: Mapping[str, str], body: bytes, *, deadline: float, patience: Patience, subject: str
    ) -> HttpAnswer:
        """Send `body` and wait for the answer's status and headers; the status may be any.

        `deadline` is in the clock's monotonic seconds and covers the body of the answer too. Nothing is sent twice:
        whoever repeats it makes a new attempt of it, with its own hold and record. Raises `DeadlineExceeded` or
        `Upstream`.
        """
        target = target_of(url)
        return await self._ask(target, target.head("POST", headers, len(body)), body, deadline, patience, subject)

    async def put(
        self, url: str, headers: Mapping[str, str], body: bytes, *, deadline: float, patience: Patience, subject: str
    ) -> HttpAnswer:
        """As `post_json`, with the other method."""
        target = target_of(url)
        return await self._ask(target, target.head("PUT", headers, len(body)), body, deadline, patience, subject)

    async def get(
        self, url: str, headers: Mapping[str, str], *, deadline: float, patience: Patience, subject: str
    ) -> HttpAnswer:
        """As `post_json`, without a body."""
        target = target_of(url)
        return await self._ask(target, target.head("GET", headers, None), None, deadline, patience, subject)

    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        deadline: float,
        patience: Patience,
        subject: str,
    ) -> HttpAnswer:
        """As `post_json`, with any method and, where `body` is None, without one."""
        target = target_of(url)
        head = target.head(method, headers, None if body is None else len(body))
        return await self._ask(target, head, body, deadline, patience, subject, bodiless=method == "HEAD")

    async def _ask(
        self,
        target: Target,
        head: bytes,
        body: bytes | None,
        deadline: float,
        patience: Patience,
        subject: str,
        *,
        bodiless: bool = False,
    ) -> HttpAnswer:
        if self._loop is None:
            raise Broken("the HTTP client was used before it was opened")
        started = self._loop.time()
        until = started + deadline - self._clock.monotonic()
        if until <= started:
            raise deadline_passed(subject, "no")
        connection = self._pooled(target) or await self._connect(target, until, patience, subject)
        incoming = connection.ask(head, body, bodiless=bodiless)
        await _head_of(incoming, connection, until, patience, subject)
        return self._answer(incoming, connection, target, until, patience, subject)

    def _answer(
        self,
        incoming: Incoming,
        connection: Connection,
        target: Target,
        until: float,
        patience: Patience,
        subject: str,
    ) -> HttpAnswer:
        if not incoming.status:
            raise _no_answer(incoming, target, subject)
        if incoming.headers.get("content-encoding", "identity") != "identity":
            connection.drop()
            raise Upstream(
                "the model's server compressed its answer although it was asked not to",
                mend="look at what stands between Fairlead and the model's server",
                subject=subject,
                retryable=False,
                charged="unknown",
            )
        return HttpAnswer(
            incoming, connection, idle=patience.idle, deadline=until, limit=self._largest_answer, subject=subject
        )

    def _pooled(self, target: Target) -> Connection | None:
        idle = self._idle.get(target.server)
        while idle:
            connection = idle.pop()
            if connection.is_usable:
                return connection
        return None

    async def _connect(self, target: Target, until: float, patience: Patience, subject: str) -> Connection:
        assert self._loop is not None
        if target.tls and self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        try:
            async with asyncio.timeout_at(min(self._loop.time() + patience.connect, until)):
                host = target.host if self._reach is None else await self._reach(target)
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._freed, self._lost),
                    host,
                    target.port,
                    ssl=self._tls if target.tls else None,
                    server_hostname=target.host if target.tls else None,
                )
        except TimeoutError as error:
            if self._loop.time() >= until:
                raise deadline_passed(subject, "no") from error
            raise _too_slow(f"it did not accept a connection within {patience.connect:g} s", "no", subject) from error
        except OSError as error:
            raise _no_connection(error, target, subject) from error
        self._all[connection] = target.server
        if self._loop is None:  # closed meanwhile
            connection.drop()
        return connection

    def _freed(self, connection: Connection) -> None:
        if self._loop is None:
            connection.drop()
            return
        connection.freed_at = self._loop.time()
        self._idle.setdefault(self._all[connection], []).append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._keep_alive, self._drop_aged)

    def _lost(self, connection: Connection) -> None:
        server = self._all.pop(connection, None)
        idle = self._idle.get(server) if server is not None else None
        if idle and connection in idle:
            idle.remove(connection)
        if self._emptied is not None and not self._all and not self._emptied.done():
            self._emptied.set_result(None)

    def _drop_aged(self) -> None:
        assert self._loop is not None
        before = self._loop.time() - self._keep_alive
        for connection in [each for idle in self._idle.values() for each in idle if each.freed_at <= before]:
            connection.drop()
        self._idle = {server: idle for server, idle in self._idle.items() if idle}
        self._sweep = self._loop.call_later(self._keep_alive, self._drop_aged) if self._idle else None


async def _head_of(incoming: Incoming, connection: Connection, until: float, patience: Patience, subject: str) -> None:
    """Wait until the answer's head is there or it is known that it will not come."""
    loop = asyncio.get_running_loop()
    latest = min(loop.time() + patience.first_byte, until)
    try:
        while not incoming.status and not incoming.is_over:
            await incoming.wait(latest)
    except TimeoutError as error:
        connection.drop()
        if loop.time() >= until:
            raise deadline_passed(subject, "unknown") from error
        raise _too_slow(f"it sent no answer within {patience.first_byte:g} s", "unknown", subject) from error
    except asyncio.CancelledError:
        connection.drop()
        raise


def header_value(value: str, *, name: str) -> str:
    """`value`, once it is known to be visible ASCII: nothing else may enter a header. The error never shows it."""
    if not value or not value.isascii() or not value.isprintable():
        raise BadInput(
            f"{name} cannot be sent in an HTTP header",
            why="it is empty, or holds a line break or a character outside ASCII",
            mend="set it again, without quotes and spaces around it",
        )
    return value


def _too_slow(why: str, charged: str, subject: str) -> Upstream:
    return Upstream(
        "the model's server did not answer in time",
        why=why,
        mend="try again, or raise `timeouts` for this model",
        subject=subject,
        charged=charged,
    )


def _no_connection(error: OSError, target: Target, subject: str) -> Upstream:
    if isinstance(error, ssl.SSLError):
        return Upstream(
            f"no trusted connection to {target.authority}",
            why=getattr(error, "verify_message", "") or "the TLS handshake failed",
            mend="check the address and the server's certificate; Fairlead does not turn verification off",
            subject=subject,
            retryable=False,
        )
    if isinstance(error, socket.gaierror):
        why = "its name is not known"
    elif isinstance(error, ConnectionRefusedError):
        why = "it refuses connections"
    else:
        why = (error.strerror or "the connection was not made").lower()
    return Upstream(
        f"no connection to the model's server at {target.authority}",
        why=why,
        mend="check that it runs and that the address under `models:` is right",
        subject=subject,
    )


def _no_answer(incoming: Incoming, target: Target, subject: str) -> Upstream:
    garbled = isinstance(incoming.fault, Garbled)
    return Upstream(
        f"the model's server at {target.authority} did not answer",
        why="its answer was not HTTP" if garbled else "it closed the connection without an answer",
        mend="try again, or add another model to fall back to",
        subject=subject,
        charged="unknown",
    )
