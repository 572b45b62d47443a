"""`POST /mcp` and `POST /mcp/SYSTEM`: the Model Context Protocol over streamable HTTP, in its revisions with a greeting
(up to 2025-11-25) and without one (2026-07-28). Every call takes the governed path; nothing is kept between requests.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec.structs import replace

from fairlead.costs.told import Arrival
from fairlead.errors import FairleadError, NotFound, Unauthenticated
from fairlead.execution import Fairlead
from fairlead.identity import Caller
from fairlead.server.door import authenticate, broken, guarded, received, refuse, told
from fairlead.server.http import Gone, Headers, Scope, header, refuse_foreign_page, respond
from fairlead.server.mcp.client import SESSION, Program, Seals, greeted, level, session_of, stated
from fairlead.server.mcp.conversation import Conversation, Paused
from fairlead.server.mcp.greeting import discovered, welcome
from fairlead.server.mcp.listening import Again, Listening
from fairlead.server.mcp.listing import Listing
from fairlead.server.mcp.message import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    NO_SESSION,
    Answer,
    Id,
    Message,
    Unanswerable,
    failure,
    id_of,
    read_message,
    result,
)
from fairlead.server.mcp.methods import Asked, answer, unknown
from fairlead.server.mcp.questions import AskedBack
from fairlead.server.mcp.reply import Reply
from fairlead.server.mcp.resource import metadata_url
from fairlead.server.mcp.revision import HANDSHAKES, STATELESS, revision_of
from fairlead.tools.offered import Systems

log = logging.getLogger("fairlead.doors")

DOOR: Final = "mcp"
PATH: Final = "/mcp"
_GREETING: Final = ("initialize", "ping", "logging/setLevel")
_LEVEL: Final = "info"
_MOST_LEVELS: Final = 10_000


def encode_error(error: FairleadError, id: Id | None = None) -> bytes:
    """An error of what came before there was a message to answer, or outside of what the message asked."""
    about = {"code": error.code, "why": error.why, "help": error.mend, "run": error.run}
    return failure(Unanswerable(INTERNAL_ERROR, error.message, {k: v for k, v in about.items() if v}), id)


class McpDoor:
    """The endpoint."""

    def __init__(self, fairlead: Fairlead, max_body: int, page: Callable[[Scope, str], str]) -> None:
        """`page` gives the address of a question, by its id, for people with a browser, "" where none can sign in."""
        self._fairlead = fairlead
        self._page = page
        self._max_body = max_body
        self._listings: tuple[Systems, dict[str, Listing]] | None = None
        self._seals = Seals(fairlead)
        self._asked_back = AskedBack(fairlead.clock)
        self._listening = Listening(fairlead)
        self._levels: dict[str, str] = {}  # by session: the least grave note that it wants

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        exchange = self._hear if scope["method"] == "GET" else self._exchange
        await guarded(send, DOOR, encode_error, exchange(scope, receive, send))

    async def _exchange(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            refuse_foreign_page(scope)
            caller, arrival = await received(self._fairlead, scope, receive, DOOR, self._max_body)
            listing = self._listing(scope)
        except Gone:
            return
        except Unauthenticated as error:
            await self._fairlead.refusals.record(DOOR, error)
            await _challenge(scope, send, error)
            return
        except FairleadError as error:
            await self._fairlead.refusals.record(DOOR, error)
            raise
        arrival = replace(arrival, token=_access_token(scope), session="", affinity="")
        reply, message = Reply(scope, send), None
        try:
            message = read_message(arrival.body)
            if isinstance(message, Answer):
                await self._take_answer(caller, message, send)
                return
            revision = revision_of(scope, message)
            if not isinstance(message.id, str | int):
                await respond(send, 202, b"")
                return
        except Unanswerable as error:
            headers = await self._turned_away(caller, error)
            await respond(send, error.status, failure(error, id_of(message)), headers)
            return
        asking = self._asked(scope, reply, caller, arrival, message, revision, listing)
        await self._reply(scope, receive, reply, caller, message, asking)

    async def _reply(
        self, scope: Scope, receive: Any, reply: Reply, caller: Caller, message: Message, asking: Awaitable[Asked]
    ) -> None:
        """Whatever happens is said in the form that the reply has by then."""
        assert isinstance(message.id, str | int)
        try:
            asked = await asking
            found = await self._answer(asked, reply, receive, lambda: self._again(scope, asked))
            if asked.stateless:
                found = {"resultType": "complete", **found}
            await reply.end(200, result(message.id, found))
        except Paused as paused:
            await reply.end(200, result(message.id, paused.result))
        except Unanswerable as error:
            reply.headers = [*reply.headers, *await self._turned_away(caller, error)]
            await reply.end(error.status, failure(error, message.id))
        except FairleadError as error:
            if not error.run:
                await self._fairlead.refusals.record(DOOR, error, caller.credential)
            if not reply.streams:
                raise
            await reply.end(error.status, encode_error(told(error), message.id))
        except Exception:
            if not reply.streams:
                raise
            log.exception("a request at door %s broke", DOOR)
            await reply.end(500, encode_error(broken(), message.id))

    async def _turned_away(self, caller: Caller, error: Unanswerable) -> Headers:
        """Record what no action has recorded, and the header that tells under which name."""
        recorded = error.recorded()
        if not recorded.run:
            await self._fairlead.refusals.record(DOOR, recorded, caller.credential)
        return [(b"x-fairlead-run", recorded.run.encode())] if recorded.run else []

    async def _again(self, scope: Scope, asked: Asked) -> Asked:
        """The same, by what holds now. Raises `FairleadError`."""
        caller = await authenticate(self._fairlead, scope)
        self._fairlead.current_for(caller)
        return replace(asked, caller=caller, listing=self._listing(scope))

    async def _hear(self, scope: Scope, receive: Any, send: Any) -> None:
        """`GET`: the stream of a session. Without one there is nothing to hear."""
        reply, session = Reply(scope, send), header(scope, SESSION)
        if session is None or not reply.takes_events:
            await respond(send, 405, b"", [(b"allow", b"POST")])
            return
        try:
            refuse_foreign_page(scope)
            caller = await authenticate(self._fairlead, scope)
            self._fairlead.current_for(caller)
            message, arrival = Message("2.0", ""), Arrival(door=DOOR, token=_access_token(scope))
            asked = await self._asked(scope, reply, caller, arrival, message, HANDSHAKES[-1], self._listing(scope))
            await self._listening.stay(asked, reply, receive, lambda: self._again(scope, asked))
        except Unanswerable as error:
            headers = await self._turned_away(caller, error)
            await respond(send, error.status, failure(error), headers)
            return
        except FairleadError as error:
            await self._fairlead.refusals.record(DOOR, error)
            if not reply.streams:
                await refuse(send, error, encode_error)

    async def _asked(
        self,
        scope: Scope,
        reply: Reply,
        caller: Caller,
        arrival: Arrival,
        message: Message,
        revision: str,
        listing: Listing,
    ) -> Asked:
        """The message with all that is known of who sent it. Raises `Unanswerable`."""
        stateless = revision in STATELESS
        if stateless:
            program = stated(message)
        elif message.method == "initialize":
            once = self._fairlead.clock.random_bytes(12).hex()
            session = await session_of(self._seals, caller, message, once)
            reply.headers = [(SESSION, session.encode())]
            program = Program()
        else:
            session_id = header(scope, SESSION)
            known = self._levels.get(session_id or "", _LEVEL) if session_id else ""
            found = await greeted(self._seals, caller, message, session_id, known)
            if found is None:
                raise Unanswerable(NO_SESSION, "there is no such session: greet anew")
            program = found
        return Asked(
            fairlead=self._fairlead,
            caller=caller,
            arrival=arrival,
            message=message,
            revision=revision,
            listing=listing,
            program=program,
            scope=scope,
            conversation=Conversation(
                self._fairlead,
                caller,
                message,
                program,
                reply,
                self._asked_back,
                self._seals,
                stateless=stateless,
                page=lambda id_: self._page(scope, id_),
            ),
        )

    async def _take_answer(self, caller: Caller, message: Answer, send: Any) -> None:
        if not self._asked_back.answered(caller, message.id, message.result, message.error):
            raise Unanswerable(
                INVALID_REQUEST, "this worker has asked no such question, or it was answered", id=message.id
            )
        await respond(send, 202, b"")

    def _set_level(self, asked: Asked) -> dict[str, Any]:
        """For this worker: others go on with what they know."""
        if not asked.listing.passes("logs"):
            raise unknown(asked.message.method)
        wanted = level(asked.message.params.get("level"))
        if not wanted:
            raise Unanswerable(INVALID_PARAMS, "`level` must be one of the protocol's levels")
        if asked.program.session:
            if len(self._levels) >= _MOST_LEVELS:
                self._levels.clear()
            self._levels[asked.program.session] = wanted
        return {}

    async def _answer(self, asked: Asked, reply: Reply, receive: Any, again: Again) -> dict[str, Any]:
        method = asked.message.method
        if not asked.stateless and method in _GREETING:
            return self._of_session(asked, method)
        if not asked.stateless and method in ("resources/subscribe", "resources/unsubscribe"):
            return await self._listening.subscribe(asked, on=method == "resources/subscribe")
        if asked.stateless and method == "server/discover":
            return discovered(asked)
        if asked.stateless and method == "subscriptions/listen":
            return await self._listening.listen(asked, reply, receive, again)
        return await answer(asked)

    def _of_session(self, asked: Asked, method: str) -> dict[str, Any]:
        if method == "initialize":
            return welcome(asked)
        if method == "logging/setLevel":
            return self._set_level(asked)
        return {}

    def _listing(self, scope: Scope) -> Listing:
        """What the endpoint that was asked offers: `/mcp` everything, `/mcp/NAME` one system. Raises `NotFound`."""
        deployment = self._fairlead.current()
        if self._listings is None or self._listings[0] is not deployment.systems:
            self._listings = deployment.systems, {}
        known = self._listings[1]
        only = scope["path"].removeprefix(PATH).removeprefix("/")
        if only not in known:
            if only and only not in deployment.systems.systems:
                raise NotFound(
                    f"there is no system {only[:80]!r} here",
                    why="this path stands for one system of the workspace",
                    mend=f"ask at {PATH} for what all systems offer",
                )
            known[only] = Listing(deployment.systems, only)
        return known[only]


def _access_token(scope: Scope) -> str:
    """The caller's access token, "" where the credential is an API key."""
    _, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() if token.count(".") == 2 else ""


async def _challenge(scope: Scope, send: Any, error: Unauthenticated) -> None:
    """Tell where a token is to be had (RFC 9728, 5.1)."""
    url = metadata_url(scope)
    if error.status != 401 or url is None:
        await refuse(send, error, encode_error)
        return
    said = f'Bearer realm="fairlead", resource_metadata="{url}"'
    headers: Headers = [(b"www-authenticate", said.encode()), (b"x-should-retry", b"false")]
    await respond(send, error.status, encode_error(error), headers)
