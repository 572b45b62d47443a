"""The SDK's streamable HTTP, carried by our own client: checked addresses, no redirect to another host, no cookies, and
answers that are bounded in size and time.

The SDK's transport falls when a request raises. So nothing is raised here: what went wrong is noted in the `Asking`
that the request belongs to, and the transport gets a status.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final

import httpx2
import msgspec
from mcp.client.streamable_http import MCP_SESSION_ID
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, DeadlineExceeded, Upstream
from fairlead.net.http import Http, Patience
from fairlead.net.http_answer import HttpAnswer
from fairlead.net.target import target_of
from fairlead.tools import mcp_failures as failures
from fairlead.tools.failures import ResultTooLarge
from fairlead.tools.mcp_session import ASKING, Asking, Ending

_ASIDE_S: Final = 5.0  # for what no call waits for: a cancellation, the end of a session
_ASIDE_BYTES: Final = 64 << 10
_LATER_S: Final = 1.0  # the call gives up first, so that the server is told before its connection ends
_NOT_SENT: Final = frozenset(
    ("host", "content-length", "connection", "accept-encoding", "transfer-encoding", "user-agent", "authorization")
)
_KEPT: Final = ("content-type", MCP_SESSION_ID, "location")
_REFUSED: Final = 502


class _Kind(Struct):
    """What of a message tells a request, which is answered, from all else."""

    method: str = ""
    id: int | str | None = None


class Wire(httpx2.AsyncBaseTransport):
    """Carries the requests of one session, all of one person, all to the server at `url`."""

    def __init__(
        self, system: str, url: str, http: Http, clock: Clock, ending: Ending, *, bearer: str, patience: Patience
    ) -> None:
        self._system = system
        self._server = target_of(url).server
        self._http = http
        self._clock = clock
        self._ending = ending
        self._patience = patience
        self._own = {"accept-encoding": "identity", "user-agent": "fairlead"}
        if bearer:
            self._own["authorization"] = f"Bearer {bearer}"

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """What the SDK's client asks of a transport. A failure is kept for the call that the request is of, and
        answered with status 502: the SDK would lose what it says."""
        body = await request.aread()
        if request.method == "GET" and "last-event-id" not in request.headers:
            return httpx2.Response(405)  # nobody here listens to what a server says unasked
        asking = self._asking(request.method, body)
        if asking.failure is not None and asking.is_final:
            return httpx2.Response(_REFUSED)
        try:
            answer = await self._sent(request, body, asking)
            return await self._response(answer, asking, with_session=MCP_SESSION_ID in request.headers)
        except (Upstream, BadInput) as error:
            asking.fail(self._failure(error))
            return httpx2.Response(_REFUSED)

    def _asking(self, method: str, body: bytes) -> Asking:
        """Whose request this is. What is only told to the server has a little time of its own."""
        asking = ASKING.get(None)
        if asking is not None and (method == "GET" or (method == "POST" and _is_asked(body))):
            return asking
        return Asking.aside(_ASIDE_S, _ASIDE_BYTES)

    async def _sent(self, request: httpx2.Request, body: bytes, asking: Asking) -> HttpAnswer:
        url = str(request.url)
        if target_of(url).server != self._server:
            raise BadInput("a request would go to another server than the declared one")
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_SENT}
        headers |= self._own | (asking.headers if request.headers.get("mcp-method") == "tools/call" else {})
        deadline = self._clock.monotonic() + asking.left + _LATER_S
        return await self._http.ask(
            request.method,
            url,
            headers,
            body if request.method == "POST" else None,
            deadline=deadline,
            patience=self._patience,
            subject=self._system,
        )

    async def _response(self, answer: HttpAnswer, asking: Asking, *, with_session: bool) -> httpx2.Response:
        status = answer.status
        self._judge(answer, asking, with_session)
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        if asking.is_final:
            answer.close()
            return httpx2.Response(status if status >= 400 else _REFUSED)
        if status < 300 and answer.content_type == "text/event-stream":
            return httpx2.Response(status, headers=headers, stream=_Events(self, answer, asking))
        content = b"".join([part async for part in self.parts(answer, asking)])
        return httpx2.Response(status, headers=headers, content=content)

    def _judge(self, answer: HttpAnswer, asking: Asking, with_session: bool) -> None:
        status = answer.status
        if status in (401, 403):
            asking.fail(failures.not_authorised(self._system, status), final=True)
        elif status == 429:
            asking.fail(failures.too_fast(self._system, _seconds(answer.headers)), final=True)
        elif 300 <= status < 400 and not self._stays(answer.headers.get("location", "")):
            asking.fail(failures.moved(self._system), final=True)
        elif status == 404 and with_session:
            asking.forgotten = True
            self._ending.come("it has forgotten the session")
        elif status >= 500 and answer.content_type != "application/json":
            asking.fail(failures.broken_off(self._system, f"it answered with status {status}"))

    def _stays(self, location: str) -> bool:
        if location.startswith("/") and not location.startswith("//"):
            return True
        try:
            return target_of(location).server == self._server
        except BadInput:
            return False

    async def parts(self, answer: HttpAnswer, asking: Asking) -> AsyncIterator[bytes]:
        """The body, as long as it is no larger than what is taken."""
        size = 0
        async with answer:
            while part := await answer.more():
                size += len(part)
                if size > asking.limit:
                    raise failures.too_large(self._system, asking.limit)
                yield part

    def _failure(self, error: Upstream | BadInput) -> Upstream:
        if isinstance(error, DeadlineExceeded):
            return failures.too_late(self._system, "no" if error.charged == "no" else "unknown")
        if isinstance(error, BadInput):
            return failures.no_connection(self._system, error.message)
        if isinstance(error, ResultTooLarge):
            return error
        if error.charged == "no":
            return failures.no_connection(self._system, error.why or error.message, retryable=error.retryable)
        return failures.broken_off(self._system, error.why or error.message)

    def broken(self, error: Upstream, asking: Asking) -> None:
        """Note what ended a stream of events."""
        asking.fail(self._failure(error))


class _Events(httpx2.AsyncByteStream):
    """A stream of events. When it breaks for good, the transport is told in its own words, or it would try again."""

    def __init__(self, wire: Wire, answer: HttpAnswer, asking: Asking) -> None:
        self._wire = wire
        self._answer = answer
        self._asking = asking

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._wire.parts(self._answer, self._asking):
                yield part
        except (ResultTooLarge, DeadlineExceeded) as error:
            self._wire.broken(error, self._asking)
            yield _BROKEN
        except Upstream as error:
            self._wire.broken(error, self._asking)
            raise httpx2.ReadError("the stream broke") from error

    async def aclose(self) -> None:
        self._answer.close()


_BROKEN: Final = (
    b'\n\nevent: message\ndata: {"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"the stream broke"}}\n\n'
)


def _is_asked(body: bytes) -> bool:
    try:
        kind = msgspec.json.decode(body, type=_Kind)
    except (ValueError, RecursionError):
        return False
    return bool(kind.method) and kind.id is not None


def _seconds(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() else None
