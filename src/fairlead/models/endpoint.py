"""One exchange with one endpoint, as every HTTP driver has it: send, read, count, and end well or not at all."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Protocol

import msgspec

from fairlead.clock import Clock
from fairlead.errors import DeadlineExceeded, Upstream
from fairlead.models.allowance import allowances
from fairlead.models.embedding import EmbedCall
from fairlead.models.failures import LONGEST_ERROR_BODY, failure, unusable
from fairlead.models.settings import EndpointSettings
from fairlead.models.tally import Tally
from fairlead.models.types import Chunk, ModelCall, Usage
from fairlead.net.http import Http
from fairlead.net.http_answer import HttpAnswer

_PROBE_S = 10.0
_NO_WAIT = nullcontext()
_STREAMS = ("text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream")
_WEB_PAGES = ("text/html", "application/xhtml+xml")


class Reader(Protocol):
    """Turns the answer to one call into chunks.

    `done` is set once the content is complete, `failure` once it is an error or makes no sense; the chunks that came
    before it are still given. `usage` is what the provider counted so far.
    """

    done: bool
    failure: Upstream | None
    usage: Usage | None

    def feed(self, data: bytes) -> list[Chunk]:
        """The chunks of one network read of a stream; b"" is its end."""

    def whole(self, body: bytes) -> list[Chunk]:
        """The chunks of an answer that is not a stream."""


class Wire(Protocol):
    """A protocol: how a call is written and how its answer is read."""

    def encode(self, call: ModelCall) -> bytes:
        """The body of the request. Raises `Rejected` for what the protocol has no words for."""

    def reader(self, call: ModelCall) -> Reader:
        """A reader for the answer to this call."""


Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""Gives the headers that sign a request, from its method, URL and body."""


class Endpoint:
    """The way to one model's server. `sign` is for servers that want every request signed."""

    def __init__(
        self,
        settings: EndpointSettings,
        http: Http,
        clock: Clock,
        headers: Mapping[str, str],
        sign: Sign | None = None,
    ) -> None:
        self._sign = sign
        self._settings = settings
        self._http = http
        self._clock = clock
        self._headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "accept-encoding": "identity",
            "user-agent": "fairlead",
            **headers,
        }
        self._slots = asyncio.Semaphore(settings.concurrency) if settings.concurrency else None

    async def converse(self, path: str, wire: Wire, call: ModelCall) -> AsyncGenerator[Chunk]:
        """The reply to a call. Ends with a chunk that carries the usage, and does so before `CutOff` too."""
        tally = Tally(call)
        reader = wire.reader(call)
        try:
            body = wire.encode(call)
            async with self._slot(call), await self._post(path, body, call) as answer:
                streamed = _is_stream(answer, call)
                more = True
                while more:
                    data = await (answer.more() if streamed else answer.read())
                    chunks = reader.feed(data) if streamed else reader.whole(data)
                    for chunk in chunks:
                        tally.count(chunk)
                        yield chunk
                    tally.usage = reader.usage
                    more = streamed and bool(data) and not reader.done and reader.failure is None
                self._must_be_complete(reader, tally)
                yield Chunk(usage=tally.bill())
                await answer.drain()
        except Upstream as error:
            if tally.begun:
                yield Chunk(usage=tally.partial_bill())
            interrupted = tally.interrupted(error)
            if interrupted is error:
                raise
            raise interrupted from error

    async def embed(self, path: str, body: bytes, call: EmbedCall) -> tuple[bytes, Mapping[str, str]]:
        """The whole body of the answer to a call for embeddings, and its headers. Raises `Upstream`."""
        async with self._slot(call), await self._post(path, body, call) as answer:
            return await answer.read(), answer.headers

    async def probe(self, path: str, names: Callable[[bytes], list[str]]) -> list[str]:
        """What the endpoint says it offers, read by `names`. Raises `Upstream`."""
        subject, url = self._settings.name, self._settings.url + path
        headers = self._headers if self._sign is None else {**self._headers, **self._sign("GET", url, b"")}
        async with await self._http.get(
            url,
            headers,
            deadline=self._clock.monotonic() + _PROBE_S,
            patience=self._settings.patience,
            subject=subject,
        ) as answer:
            if answer.status != 200:
                raise failure(answer, await answer.start(LONGEST_ERROR_BODY), clock=self._clock, subject=subject)
            body = await answer.read()
        try:
            return names(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise unusable("its list of models is not what this protocol has", subject=subject) from error

    async def _post(self, path: str, body: bytes, call: ModelCall | EmbedCall) -> HttpAnswer:
        headers, url = self._headers, self._settings.url + path
        if self._settings.quirks.idempotency:
            # The provider's own records can then be joined with ours.
            headers = {**headers, "idempotency-key": call.idempotency_key, "x-request-id": call.idempotency_key}
        if self._sign is not None:
            headers = {**headers, **self._sign("POST", url, body)}
        answer = await self._http.post_json(
            url,
            headers,
            body,
            deadline=call.deadline,
            patience=self._settings.patience,
            subject=call.model.name,
        )
        if call.heeds is not None and (said := allowances(answer.headers, self._clock)):
            call.heeds(said)
        if answer.status == 200 and answer.content_type not in _WEB_PAGES:
            return answer
        async with answer:
            if answer.status == 200:
                raise unusable("it is a web page", subject=call.model.name)
            start = await answer.start(LONGEST_ERROR_BODY)
            raise failure(answer, start, clock=self._clock, subject=call.model.name)

    def _slot(self, call: ModelCall | EmbedCall) -> AbstractAsyncContextManager[None]:
        """A place among the calls that the endpoint takes at once, waited for until the deadline."""
        return _NO_WAIT if self._slots is None else self._place(self._slots, call)

    @asynccontextmanager
    async def _place(self, slots: asyncio.Semaphore, call: ModelCall | EmbedCall) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(max(0.0, call.deadline - self._clock.monotonic())):
                await slots.acquire()
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"all {self._settings.concurrency} places of endpoint {self._settings.name} stayed taken",
                mend="raise `concurrency` for this model, or add another one to fall back to",
                subject=call.model.name,
                retryable=False,
            ) from error
        try:
            yield
        finally:
            slots.release()

    @staticmethod
    def _must_be_complete(reader: Reader, tally: Tally) -> None:
        if reader.failure is not None:
            raise reader.failure
        if not tally.begun:
            raise unusable("it is empty", subject=tally.subject)
        if not tally.is_complete:
            raise tally.cut_off("its answer ended without a finish reason")


class _Listed(msgspec.Struct):
    id: str


class _Listing(msgspec.Struct):
    data: list[_Listed]


def listed_ids(body: bytes) -> list[str]:
    """The names in a list of models of the form `{"data": [{"id": NAME}]}`, which most protocols share."""
    return [each.id for each in msgspec.json.decode(body, type=_Listing).data]


def _is_stream(answer: HttpAnswer, call: ModelCall) -> bool:
    """What the server says it sends decides, and only then what was asked: some always stream, some never do."""
    if answer.content_type == "application/json":
        return False
    return call.request.stream or answer.content_type in _STREAMS
