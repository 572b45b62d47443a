"""A door for chats, whatever the protocol. It translates to and from the action and decides nothing.

What differs between protocols is a `ChatWire`: how a request is read, and how a reply, its events and errors are said.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from fairlead.costs.told import Arrival
from fairlead.errors import FairleadError, NotFound
from fairlead.execution import Answer, Fairlead, Remember, call_model, quote
from fairlead.identity import Caller
from fairlead.models.types import ChatRequest, Chunk, Model
from fairlead.server.about import headers
from fairlead.server.door import broken, guarded, received, refuse, refuse_session, told
from fairlead.server.http import Gone, Headers, Scope, respond
from fairlead.server.quoted import encode_quote


class Asked(Protocol):
    """A request as it was read, with what its protocol must remember for the reply."""

    @property
    def request(self) -> ChatRequest: ...


class Events(Protocol):
    """Writes the events of one stream."""

    def event(self, chunk: Chunk) -> bytes:
        """A piece of the reply."""

    def end(self, answer: Answer) -> bytes:
        """What is left to say once the bill is durable, and the end mark."""

    def fail(self, error: FairleadError) -> bytes:
        """An error in the middle of the stream. No end mark may follow."""


class Memory(Protocol):
    """Remembers conversations between calls."""

    async def recall(self, caller: Caller, asked: Any, arrival: Arrival, created: int) -> tuple[Any, Remember | None]:
        """The request with what was said before it, and what makes of the answer the turn that this call adds, to be
        kept in the commit that bills it; None where nothing is remembered.

        Raises `NotFound` where what was said before is not the caller's. `created` is in seconds since 1970.
        """


class _Forgets:
    """For protocols whose clients send the whole conversation each time."""

    async def recall(self, caller: Caller, asked: Any, arrival: Arrival, created: int) -> tuple[Any, Remember | None]:
        refuse_session(arrival, "leave the header out, and send the whole text each time")
        return asked, None


log = logging.getLogger("fairlead.doors")
_FORGETS: Final = _Forgets()

A = TypeVar("A", bound=Asked)


class ChatWire(Protocol[A]):
    """A chat protocol, seen from the server. `door` is its name in policies and records; times are in seconds."""

    door: str

    def encode_error(self, error: FairleadError) -> bytes:
        """An error as the clients of this protocol know it."""

    def read(self, body: bytes) -> A:
        """Raises `BadInput` naming the field for what cannot be understood or has no meaning here."""

    def reply(self, asked: A, answer: Answer, created: int) -> bytes:
        """The body of a complete reply."""

    def events(self, asked: A, run: str, model: Model, created: int) -> Events:
        """A writer for a stream that is about to begin."""


class ChatDoor:
    """A raw ASGI endpoint. `max_body` in bytes."""

    def __init__(self, fairlead: Fairlead, wire: ChatWire[Any], max_body: int, memory: Memory = _FORGETS) -> None:
        self._fairlead = fairlead
        self._wire = wire
        self._max_body = max_body
        self._memory = memory

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        wire = self._wire
        try:
            caller, arrival = await received(self._fairlead, scope, receive, wire.door, self._max_body)
            created = self._fairlead.clock.now() // 1000
            asked, remember = await self._memory.recall(caller, wire.read(arrival.body), arrival, created)
        except Gone:
            return
        except FairleadError as error:
            await self._fairlead.refusals.record(wire.door, error)
            await refuse(send, error, wire.encode_error)
            return
        if arrival.dry_run:
            await guarded(send, wire.door, wire.encode_error, self._quote(caller, asked, arrival, send))
        elif asked.request.stream:
            await self._stream(caller, _Call(asked, remember, arrival, created), receive, send)
        else:
            call = _Call(asked, remember, arrival, created)
            reply = self._reply(caller, call, send)
            if self._fairlead.lanes.rules is not None:  # others wait for the place of who has left
                reply = _while_heard(receive, reply)
            await guarded(send, wire.door, wire.encode_error, reply)

    async def _reply(self, caller: Caller, call: "_Call", send: Any) -> None:
        answer = await call_model(self._fairlead, caller, call.asked.request, call.arrival, remember=call.remember)
        _refuse_forgotten(answer)
        body = self._wire.reply(call.asked, answer, call.created)
        await respond(send, 200, body, headers(answer))

    async def _quote(self, caller: Caller, asked: Asked, arrival: Arrival, send: Any) -> None:
        made = await quote(self._fairlead, caller, asked.request, arrival)
        await respond(send, 200, encode_quote(made), [(b"x-fairlead-run", made.run.encode())])

    async def _stream(self, caller: Caller, call: "_Call", receive: Any, send: Any) -> None:
        """A client that leaves ends the action: the provider is told to stop and what it produced is billed."""
        stream = _Stream(send, self._wire, call.asked, call.created)
        try:
            await _while_heard(receive, self._streamed(caller, call, stream))
        except FairleadError as error:
            await stream.fail(error)
        except Exception:
            log.exception("a stream of door %s broke", self._wire.door)
            await stream.fail(broken())

    async def _streamed(self, caller: Caller, call: "_Call", stream: "_Stream") -> None:
        answer = await call_model(
            self._fairlead, caller, call.asked.request, call.arrival, stream.deliver, call.remember
        )
        _refuse_forgotten(answer)
        await stream.finish(answer)


class _Call(NamedTuple):
    """A request on its way. `created` is in seconds since 1970."""

    asked: Asked
    remember: Remember | None
    arrival: Arrival
    created: int


class _Stream:
    """The response side of one stream: the status line waits until there is something to say."""

    def __init__(self, send: Any, wire: ChatWire[Any], asked: Asked, created: int) -> None:
        self._send = send
        self._wire = wire
        self._asked = asked
        self._created = created
        self._events: Events | None = None

    async def deliver(self, run: str, model: Model, chunk: Chunk) -> None:
        events = self._events or await self._start(run, model)
        await self._send({"type": "http.response.body", "body": events.event(chunk), "more_body": True})

    async def _start(self, run: str, model: Model) -> Events:
        self._events = self._wire.events(self._asked, run, model, self._created)
        headers: Headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-fairlead-run", run.encode()),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        return self._events

    async def finish(self, answer: Answer) -> None:
        events = self._events or await self._start(answer.run, answer.model)
        await self._send({"type": "http.response.body", "body": events.end(answer)})

    async def fail(self, error: FairleadError) -> None:
        """Before the first byte an ordinary error; after it an event in the stream, and no end mark."""
        if self._events is None:
            await refuse(self._send, error, self._wire.encode_error)
            return
        await self._send({"type": "http.response.body", "body": self._events.fail(told(error))})


def _refuse_forgotten(answer: Answer) -> None:
    """Raises `NotFound` where a reply was to be remembered and could not be: a client that goes on would find less."""
    if not answer.remembered:
        gone = NotFound(
            "the reply was made, and nobody is left to remember it",
            why="the conversation was deleted while the model answered",
            mend="begin a new one, or ask without one",
            step="settle",
        )
        gone.run = answer.run
        raise gone


async def _while_heard(receive: Callable[[], Awaitable[dict[str, Any]]], work: Awaitable[None]) -> None:
    """Do the work for as long as the client listens; it is cancelled when the client leaves."""
    task = asyncio.current_task()
    assert task is not None
    left = asyncio.ensure_future(_left(receive))
    left.add_done_callback(lambda done: None if done.cancelled() else task.cancel())
    try:
        await work
    except asyncio.CancelledError:
        if not left.done():
            raise  # the server is shutting down, not the client leaving
        task.uncancel()
    finally:
        left.cancel()


async def _left(receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    """Returns when the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        continue
