"""Streams on which a program hears that something has changed: the tools that its person may use, when a revision is
published or a right is taken away; a resource, by looking at it now and then.

Each look at a resource is a governed call as every other, so who loses the right to read hears no more of it.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import FairleadError, Overloaded
from fairlead.execution import Fairlead
from fairlead.identity import Caller
from fairlead.server.mcp.message import INVALID_PARAMS, INVALID_REQUEST, Unanswerable
from fairlead.server.mcp.methods import Asked, looked, unknown, visible_here
from fairlead.server.mcp.reply import Reply
from fairlead.tools import offers

_LOOK_S: Final = 30.0
_GLANCE_S: Final = 2.0  # after which is seen whether somebody is still active at their provider: that costs nothing
_MOST: Final = 32  # resources for one program
_MOST_SESSIONS: Final = 10_000
_MOST_STREAMS: Final = 32  # of one person
_ID: Final = "io.modelcontextprotocol/subscriptionId"

Again = Callable[[], Awaitable[Asked]]
"""Finds out anew who listens, and to what endpoint: rights may have changed. Raises `FairleadError`."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What a program wants to hear of. `tag` stands in everything that it is told."""

    tools: bool = False
    resources: tuple[str, ...] = ()
    tag: Mapping[str, Any] = {}


class Listening:
    """The streams of a worker, and the resources that sessions of a revision with greetings have named to it."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead
        self._named: dict[str, tuple[str, ...]] = {}
        self._open: Counter[tuple[str, str]] = Counter()

    async def subscribe(self, asked: Asked, *, on: bool) -> dict[str, Any]:
        """Name a resource, or no longer. Raises `Unanswerable` where it may not be read."""
        uri, session = asked.message.params.get("uri"), asked.program.session
        if not asked.listing.methods(offers.READ_RESOURCE):
            raise unknown(asked.message.method)
        if not isinstance(uri, str) or not session:
            raise Unanswerable(INVALID_PARAMS if session else INVALID_REQUEST, "it takes a `uri`, and a session")
        if on:
            await looked(asked, uri, quiet=True)
        known = tuple(each for each in self._named.get(session, ()) if each != uri)
        if on:
            if len(known) >= _MOST:
                raise Unanswerable(INVALID_REQUEST, f"{_MOST} resources are the most for one session")
            if len(self._named) >= _MOST_SESSIONS:
                self._named.clear()
            known = (*known, uri)
        if known:
            self._named[session] = known
        else:
            self._named.pop(session, None)
        return {}

    async def listen(self, asked: Asked, reply: Reply, receive: Any, again: Again) -> dict[str, Any]:
        """`subscriptions/listen`: as long as the program stays. Raises `Unanswerable`."""
        given = asked.message.params.get("notifications")
        if not isinstance(given, Mapping) or not reply.takes_events:
            raise Unanswerable(INVALID_PARAMS, "`notifications` must be an object, and the answer is a stream")
        uris = given.get("resourceSubscriptions") or []
        if not isinstance(uris, list) or len(uris) > _MOST or not all(isinstance(each, str) for each in uris):
            raise Unanswerable(INVALID_PARAMS, f"`resourceSubscriptions` must be a list of at most {_MOST} addresses")
        readable = bool(asked.listing.methods(offers.READ_RESOURCE))
        wanted = Wanted(
            tools=given.get("toolsListChanged") is True,
            resources=tuple(uris) if readable else (),
            tag={"_meta": {_ID: asked.message.id}},
        )
        granted: dict[str, Any] = {"toolsListChanged": True} if wanted.tools else {}
        granted |= {"resourceSubscriptions": list(wanted.resources)} if wanted.resources else {}
        told = {"notifications": granted, **wanted.tag}
        with self._place(asked.caller):
            await reply.event({"method": "notifications/subscriptions/acknowledged", "params": told})
            await self._stay(asked, reply, receive, again, lambda: wanted)
        return dict(wanted.tag)

    @contextmanager
    def _place(self, caller: Caller) -> Iterator[None]:
        """For one stream of a person. Raises `Overloaded` where they have the most already: each looks at resources."""
        who = caller.tenant, caller.person
        if self._open[who] >= _MOST_STREAMS:
            raise Overloaded(
                f"{caller.person} listens on {_MOST_STREAMS} streams already",
                why="each of them asks systems now and then, and no person may have more with one worker",
                mend="close those that nobody reads",
                retry_after=_LOOK_S,
            )
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

    async def stay(self, asked: Asked, reply: Reply, receive: Any, again: Again) -> None:
        """The stream of a session: as long as its program stays."""
        session = asked.program.session
        with self._place(asked.caller):
            await reply.open()
            await self._stay(
                asked, reply, receive, again, lambda: Wanted(tools=True, resources=self._named.get(session, ()))
            )
            self._named.pop(session, None)
            await reply.close()

    async def _stay(self, asked: Asked, reply: Reply, receive: Any, again: Again, wanted: Callable[[], Wanted]) -> None:
        gone = asyncio.ensure_future(_left(receive))
        tools, seen = _shown(asked), await self._looks(asked, wanted(), {})
        try:
            while not await self._wakes(asked, gone):
                asked = await again()
                if wanted().tools and (now := _shown(asked)) != tools:
                    tools = now
                    await _say(reply, "notifications/tools/list_changed", wanted())
                before, seen = seen, await self._looks(asked, wanted(), seen)
                for uri in wanted().resources:
                    if uri in before and before[uri] != seen.get(uri):
                        await _say(reply, "notifications/resources/updated", wanted(), uri=uri)
                await reply.alive()
        except FairleadError:
            return  # whoever listens may not any more, or not here: the next request tells why
        finally:
            gone.cancel()

    async def _wakes(self, asked: Asked, gone: "asyncio.Future[None]") -> bool:
        """Whether the program has gone, once there is something to look at. Raises `NotActive`."""
        news = asyncio.ensure_future(self._fairlead.news())
        until = self._fairlead.clock.monotonic() + _LOOK_S
        try:
            while not gone.done() and not news.done() and self._fairlead.clock.monotonic() < until:
                await asyncio.wait({gone, news}, timeout=_GLANCE_S, return_when=asyncio.FIRST_COMPLETED)
                self._fairlead.deployment.authenticator.standing(asked.caller)
        finally:
            news.cancel()
        return gone.done()

    async def _looks(self, asked: Asked, wanted: Wanted, before: Mapping[str, bytes]) -> dict[str, bytes]:
        """What each resource is now. One that cannot be had is as it was."""
        found: dict[str, bytes] = {}
        for uri in wanted.resources:
            try:
                pieces = (await looked(asked, uri, quiet=True)).result.pieces
            except (FairleadError, Unanswerable):
                if uri in before:
                    found[uri] = before[uri]
                continue
            found[uri] = hashlib.sha256(msgspec.json.encode(pieces)).digest()
        return found


async def _say(reply: Reply, method: str, wanted: Wanted, **about: Any) -> None:
    params = {**about, **wanted.tag}
    await reply.event({"method": method, **({"params": params} if params else {})})


def _shown(asked: Asked) -> bytes:
    """What of the tools this person would see now."""
    return hashlib.sha256(msgspec.json.encode(visible_here(asked))).digest()


async def _left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
