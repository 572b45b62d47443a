"""The chat-completions door. It translates to and from the action and decides nothing."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from fairlead.costs.ledger import Arrival
from fairlead.errors import BadInput, Broken, FairleadError, NotFound, Overloaded
from fairlead.execution import Answer, Deployment, Fairlead, call_model, quote
from fairlead.identity import Caller
from fairlead.labels import NO_LABELS
from fairlead.models.types import ChatRequest, Chunk, Model
from fairlead.server import openai_wire as wire
from fairlead.server.http import Gone, Headers, Scope, header, is_loopback, only_header, read_body, respond
from fairlead.tasks.types import Task

log = logging.getLogger("fairlead.doors")

DOOR = "openai.chat"


class ChatCompletions:
    """`POST /v1/chat/completions`, as a raw ASGI endpoint. `max_body` in bytes."""

    def __init__(self, fairlead: Fairlead, max_body: int) -> None:
        self._fairlead = fairlead
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        fairlead = self._fairlead
        try:
            # A stranger's body is never read: it would fill memory before anybody has said who sends it.
            started = time.perf_counter_ns()
            caller = await authenticate(fairlead, scope)
            authenticated = time.perf_counter_ns() - started
            body = await read_body(receive, self._max_body)
            request, with_usage = wire.read_request(body)
            arrival = Arrival(
                door=DOOR,
                body=body,
                authenticated_ns=authenticated,
                deadline=_deadline(scope),
                dry_run=_dry_run(scope),
            )
        except Gone:
            return
        except FairleadError as error:
            await fairlead.refusals.record(DOOR, error)
            await _refuse(send, error)
            return
        if arrival.dry_run:
            await _guard(send, self._quote(caller, request, arrival, send))
        elif request.stream:
            await self._stream(caller, request, arrival, with_usage, receive, send)
        else:
            await _guard(send, self._reply(caller, request, arrival, send))

    async def _reply(self, caller: Caller, request: ChatRequest, arrival: Arrival, send: Any) -> None:
        answer = await call_model(self._fairlead, caller, request, arrival)
        created = self._fairlead.clock.now() // 1000
        await respond(send, 200, wire.encode_reply(answer, created), [(b"x-fairlead-run", answer.run.encode())])

    async def _quote(self, caller: Caller, request: ChatRequest, arrival: Arrival, send: Any) -> None:
        made = await quote(self._fairlead, caller, request, arrival)
        await respond(send, 200, wire.encode_quote(made), [(b"x-fairlead-run", made.run.encode())])

    async def _stream(
        self, caller: Caller, request: ChatRequest, arrival: Arrival, with_usage: bool, receive: Any, send: Any
    ) -> None:
        """A client that leaves ends the action: the provider is told to stop and what it produced is billed."""
        stream = _Stream(send, self._fairlead.clock.now() // 1000)
        task = asyncio.current_task()
        assert task is not None
        left = asyncio.ensure_future(_left(receive))
        left.add_done_callback(lambda done: None if done.cancelled() else task.cancel())
        try:
            answer = await call_model(self._fairlead, caller, request, arrival, stream.deliver)
            await stream.finish(answer, with_usage)
        except FairleadError as error:
            await stream.fail(error)
        except asyncio.CancelledError:
            if not left.done():
                raise  # the server is shutting down, not the client leaving
            task.uncancel()
        except Exception:
            log.exception("a stream of door %s broke", DOOR)
            await stream.fail(broken())
        finally:
            left.cancel()


class _Stream:
    """The response side of one stream: the status line waits until there is something to say."""

    def __init__(self, send: Any, created: int) -> None:
        self._send = send
        self._created = created
        self._encoder: wire.ChunkEncoder | None = None

    async def deliver(self, run: str, model: Model, chunk: Chunk) -> None:
        if self._encoder is None:
            await self._start(run, model)
        assert self._encoder is not None
        await self._send({"type": "http.response.body", "body": self._encoder.event(chunk), "more_body": True})

    async def _start(self, run: str, model: Model) -> None:
        self._encoder = wire.ChunkEncoder(run, model, self._created)
        headers: Headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-fairlead-run", run.encode()),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def finish(self, answer: Answer, with_usage: bool) -> None:
        if self._encoder is None:
            await self._start(answer.run, answer.model)
        assert self._encoder is not None
        await self._send({"type": "http.response.body", "body": self._encoder.end(answer, with_usage)})

    async def fail(self, error: FairleadError) -> None:
        """Before the first byte an ordinary error; after it an event in the stream, and no end mark."""
        if self._encoder is None:
            await _refuse(self._send, error)
            return
        await self._send({"type": "http.response.body", "body": b"data: " + wire.encode_error(error) + b"\n\n"})


class ModelList:
    """`GET /v1/models`: what this caller may ask for by name."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            caller = await authenticate(self._fairlead, scope)
            names = visible_models(self._fairlead.current(), caller)
        except FairleadError as error:
            await self._fairlead.refusals.record("openai.models", error)
            await _refuse(send, error)
            return
        await respond(send, 200, wire.encode_models(names))


class ModelEntryByName:
    """`GET /v1/models/{name}`."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        wanted = scope["path"].removeprefix("/v1/models/")
        try:
            caller = await authenticate(self._fairlead, scope)
            names = dict(visible_models(self._fairlead.current(), caller))
            if wanted not in names:
                raise NotFound(f"there is no model {wanted!r} for you here", mend="GET /v1/models lists what there is")
        except FairleadError as error:
            await self._fairlead.refusals.record("openai.models", error)
            await _refuse(send, error)
            return
        await respond(send, 200, wire.encode_model(wanted, names[wanted]))


def visible_models(deployment: Deployment, caller: Caller) -> list[tuple[str, str]]:
    """Names that a caller may put into `model`, with what each is: "auto", the task types, and the permitted models
    as far as can be said before a request is seen."""
    task = Task(type=deployment.tasks.default, labels=NO_LABELS, question="")
    rights = deployment.policy.authorize(caller, task, NO_LABELS, list(deployment.models.values()), DOOR)
    names = [("auto", "fairlead"), *((name, "task type") for name in deployment.tasks.names)]
    return names + [
        (name, model.placement.kind) for name, model in deployment.models.items() if rights.decisions[name].allowed
    ]


async def authenticate(fairlead: Fairlead, scope: Scope) -> Caller:
    """Who asks. Raises `Unauthenticated`."""
    authorization = only_header(scope, b"authorization")
    # Where the caller is matters only for who brings no credential, or says so because its client must send one.
    nameless = authorization is None or authorization.lower() == "bearer anonymous"
    loopback = nameless and is_loopback(scope)
    return await fairlead.current().authenticator.authenticate(authorization, loopback=loopback)


def _deadline(scope: Scope) -> float | None:
    text = header(scope, b"x-fairlead-deadline")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 < seconds <= 86_400:
        raise BadInput(f"x-fairlead-deadline is {text!r}", mend="give seconds, more than 0 and at most 86400")
    return seconds


def _dry_run(scope: Scope) -> bool:
    text = header(scope, b"x-fairlead-dry-run")
    if text in (None, "", "false"):
        return False
    if text != "estimate":
        raise BadInput(f"x-fairlead-dry-run is {text!r}", mend='the one dry run there is, is "estimate"')
    return True


async def _guard(send: Any, work: Awaitable[None]) -> None:
    """Every error in the door's own format; never a bare 500."""
    try:
        await work
    except FairleadError as error:
        await _refuse(send, error)
    except Exception:
        log.exception("a request at door %s broke", DOOR)
        await _refuse(send, broken())


def broken() -> Broken:
    """What a client is told of a fault that nobody foresaw: nothing of it but that it is ours."""
    return Broken(
        "Fairlead itself failed", why="an unforeseen fault; its log holds the details", mend="please report it"
    )


async def _refuse(send: Any, error: FairleadError) -> None:
    headers: Headers = []
    if isinstance(error, Overloaded):
        headers.append((b"retry-after", str(max(1, round(error.retry_after))).encode()))
    elif error.status in (429, 401):
        # Clients retry a 429 by themselves; a spent budget or a wrong key will not change within a second.
        headers.append((b"x-should-retry", b"false"))
    if error.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="fairlead"'))
    if error.run:
        headers.append((b"x-fairlead-run", error.run.encode()))
    await respond(send, error.status, wire.encode_error(error), headers)


async def _left(receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    """Returns when the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        continue
