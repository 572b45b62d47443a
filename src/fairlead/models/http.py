"""The one HTTP client that drivers use: pooled connections, strict limits, and errors that say what may be billed.

It knows bytes, statuses and time; what a provider means by them is the drivers' business. It follows no redirect,
keeps no cookie, decompresses nothing, ignores proxy variables of the environment, and always verifies TLS.
"""

import asyncio
import io
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp import hdrs
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from fairlead.clock import Clock
from fairlead.errors import BadInput, Broken, DeadlineExceeded, Upstream

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

_TRANSPORT_FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError)
# A pooled connection that the server had closed shows it within a round trip. One that dies later died at work, and
# the provider may bill for it: that is not ours to repeat.
_STALE_WITHIN_S = 0.5
# aiohttp warns about larger bodies unless they come as a file, which it writes piece by piece.
_LARGE_BODY = 1 << 20
_DRAIN_S = 0.1


@dataclass(slots=True)
class _Try:
    """How far one attempt to send a request has come."""

    want_fresh: bool = False
    fresh: bool = False
    connected: bool = False


_current_try: ContextVar[_Try | None] = ContextVar("fairlead_http_try", default=None)


class _Connector(aiohttp.TCPConnector):
    """A pool that tells whether a connection is a new one, and can be asked for one."""

    async def connect(
        self,
        req: "ClientRequest",
        traces: list["Trace"],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 the pool's own signature
    ) -> "Connection":
        progress = _current_try.get()
        connection = await super().connect(req, traces, timeout)
        while progress is not None and progress.want_fresh and not progress.fresh:
            connection.close()
            connection = await super().connect(req, traces, timeout)
        if progress is not None:
            progress.connected = True
        return connection

    async def _create_connection(
        self,
        req: "ClientRequest",
        traces: list["Trace"],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 the pool's own signature
    ) -> "ResponseHandler":
        protocol = await super()._create_connection(req, traces, timeout)
        if (progress := _current_try.get()) is not None:
            progress.fresh = True
        return protocol


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a connection, for the first byte of an answer, and between bytes of it."""

    connect: float = 5.0
    first_byte: float = 120.0
    idle: float = 60.0


class Answer:
    """A status, headers and a body still to be read. Close it, or read it to the end: either frees the connection."""

    __slots__ = ("_begun", "_limit", "_raw", "_size", "_subject", "headers", "status")

    def __init__(self, raw: aiohttp.ClientResponse, subject: str, limit: int) -> None:
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers
        self._raw = raw
        self._subject = subject
        self._limit = limit
        self._begun = False
        self._size = 0

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; "" if none was given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def read(self, limit: int | None = None) -> bytes:
        """The whole body. Raises `Upstream` if it is broken, too slow, or larger than `limit` bytes."""
        limit = self._limit if limit is None else limit
        parts: list[bytes] = []
        size = 0
        while part := await self._next():
            size += len(part)
            if size > limit:
                raise self._too_large(limit)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def start(self, limit: int) -> bytes:
        """The first `limit` bytes of the body, for error messages: neither a longer nor a broken one is an error."""
        parts: list[bytes] = []
        size = 0
        try:
            while size < limit and (part := await self._next()):
                size += len(part)
                parts.append(part)
        except Upstream:
            self.close()
        return b"".join(parts)[:limit]

    async def more(self) -> bytes:
        """What the network has brought since the last call, waiting for it; b"" at the end. Raises as `read` does."""
        part = await self._next()
        self._size += len(part)
        if self._size > self._limit:
            raise self._too_large(self._limit)
        return part

    async def drain(self) -> None:
        """Give the server a moment to end a body whose content is complete: its connection can then be used again."""
        content = self._raw.content
        if content.at_eof():
            return
        try:
            async with asyncio.timeout(_DRAIN_S):
                while await content.readany():
                    continue
        except (TimeoutError, *_TRANSPORT_FAULTS):
            self.close()

    def close(self) -> None:
        """Close the connection unless the body was read to its end, so that the server stops working on it."""
        self._raw.close()

    async def _next(self) -> bytes:
        try:
            part = await self._raw.content.readany()
        except aiohttp.SocketTimeoutError as error:
            raise self._failed("sent nothing for too long in the middle of its answer") from error
        except TimeoutError as error:
            raise _deadline(self._subject, "part" if self._begun else "unknown") from error
        except _TRANSPORT_FAULTS as error:
            raise self._failed("closed the connection before its answer was complete") from error
        if part:
            self._begun = True
        return part

    def _failed(self, why: str) -> Upstream:
        self.close()
        return Upstream(
            "the model's server broke off its answer",
            why=f"it {why}",
            mend="try again, or add another model to fall back to",
            subject=self._subject,
            charged="part" if self._begun else "unknown",
        )

    def _too_large(self, limit: int) -> Upstream:
        self.close()
        return Upstream(
            "the model's server sent too large an answer",
            why=f"it passed the limit of {limit} bytes",
            mend="ask for fewer output tokens",
            subject=self._subject,
            retryable=False,
            charged="part",
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Question:
    """One request, as it will be sent once or twice."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None
    deadline: float
    patience: Patience
    subject: str


class Http:
    """A pool of connections to models' servers. Open it inside the event loop that uses it."""

    def __init__(self, clock: Clock, *, largest_answer: int = 32 << 20, keep_alive: float = 30.0) -> None:
        self._clock = clock
        self._largest_answer = largest_answer
        self._keep_alive = keep_alive
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the pool. Connections are opened when they are first needed."""
        self._session = aiohttp.ClientSession(
            connector=_Connector(limit=0, keepalive_timeout=self._keep_alive, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection, those in use included."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def post_json(
        self, url: URL, headers: Mapping[str, str], body: bytes, *, deadline: float, patience: Patience, subject: str
    ) -> Answer:
        """Send `body` and wait for the answer's status and headers; the status may be any.

        `deadline` is in the clock's monotonic seconds and covers the body of the answer too. A pooled connection that
        dies at once and before any byte of an answer was stale: the request is sent once more, on a new connection.
        Raises `DeadlineExceeded` or `Upstream`.
        """
        return await self._ask(_Question(hdrs.METH_POST, url, headers, body, deadline, patience, subject))

    async def get(
        self, url: URL, headers: Mapping[str, str], *, deadline: float, patience: Patience, subject: str
    ) -> Answer:
        """As `post_json`, without a body."""
        return await self._ask(_Question(hdrs.METH_GET, url, headers, None, deadline, patience, subject))

    async def _ask(self, question: _Question) -> Answer:
        progress = _Try()
        token = _current_try.set(progress)
        started = self._clock.monotonic()
        try:
            try:
                return await self._send(question)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                reused = progress.connected and not progress.fresh
                if not reused or self._clock.monotonic() - started > _STALE_WITHIN_S:
                    raise
                progress.want_fresh, progress.connected = True, False
                return await self._send(question)
        except TimeoutError as error:
            raise _too_slow(error, progress, question) from error
        except _TRANSPORT_FAULTS as error:
            raise _unreachable(error, progress, question) from error
        finally:
            _current_try.reset(token)

    async def _send(self, question: _Question) -> Answer:
        session, patience, subject, data = self._session, question.patience, question.subject, question.body
        if session is None:
            raise Broken("the HTTP client was used before it was opened")
        left = question.deadline - self._clock.monotonic()
        if left <= 0:
            raise _deadline(subject, "no")
        # `ceil_threshold`: never rounded, a deadline is kept to the millisecond.
        raw = await session.request(
            question.method,
            question.url,
            headers=question.headers,
            data=data if data is None or len(data) < _LARGE_BODY else io.BytesIO(data),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=left, connect=min(patience.connect, left), sock_read=patience.first_byte, ceil_threshold=1e9
            ),
        )
        if raw.connection is not None and raw.connection.protocol is not None:
            raw.connection.protocol.read_timeout = patience.idle
        answer = Answer(raw, subject, self._largest_answer)
        if raw.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
            answer.close()
            raise Upstream(
                "the model's server compressed its answer although it was asked not to",
                mend="look at what stands between Fairlead and the model's server",
                subject=subject,
                retryable=False,
                charged="unknown",
            )
        return answer


def header_value(value: str, *, name: str) -> str:
    """`value`, once it is known to be visible ASCII: nothing else may enter a header. The error never shows it."""
    if not value or not value.isascii() or not value.isprintable():
        raise BadInput(
            f"{name} cannot be sent in an HTTP header",
            why="it is empty, or holds a line break or a character outside ASCII",
            mend="set it again, without quotes and spaces around it",
        )
    return value


def _deadline(subject: str, charged: str) -> DeadlineExceeded:
    return DeadlineExceeded(
        "the model did not finish within the deadline",
        mend="raise the deadline, or ask for fewer output tokens",
        subject=subject,
        retryable=False,
        charged=charged,
    )


def _too_slow(error: TimeoutError, progress: _Try, question: _Question) -> Upstream:
    patience, subject = question.patience, question.subject
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        why, charged = f"it did not accept a connection within {patience.connect:g} s", "no"
    elif isinstance(error, aiohttp.ServerTimeoutError):
        why, charged = f"it sent no byte within {patience.first_byte:g} s", "unknown"
    else:
        return _deadline(subject, "unknown" if progress.connected else "no")
    return Upstream(
        "the model's server did not answer in time",
        why=why,
        mend="try again, or raise the endpoint's time limits",
        subject=subject,
        charged=charged,
    )


def _unreachable(error: Exception, progress: _Try, question: _Question) -> Upstream:
    subject, where = question.subject, f"{question.url.host}:{question.url.port}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return Upstream(
            f"the certificate of {where} could not be verified",
            mend="check the address and the server's certificate; Fairlead does not turn verification off",
            subject=subject,
            retryable=False,
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return Upstream(
            f"no connection to the model's server at {where}",
            why=(error.os_error.strerror or "the connection was not made").lower(),
            mend="check that it runs and that the address under `models:` is right",
            subject=subject,
        )
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        why = "its answer was not HTTP"
    else:
        why = "it closed the connection without an answer"
    return Upstream(
        f"the model's server at {where} did not answer",
        why=why,
        mend="try again, or add another model to fall back to",
        subject=subject,
        charged="unknown" if progress.connected else "no",
    )
