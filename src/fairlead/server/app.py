"""The ASGI application of one worker: starts the process's parts, finds the door, stops them again."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fairlead.errors import FairleadError, NotFound, Overloaded
from fairlead.server.door import EncodeError, broken, refuse
from fairlead.server.http import Endpoint, Scope, respond
from fairlead.server.model_list import speaks_messages
from fairlead.server.proxy import Proxies, Unencrypted
from fairlead.server.routes import PROBES, error_form, routes
from fairlead.server.running import Running

log = logging.getLogger("fairlead.doors")


class App:
    """ASGI. `start` is called in the worker's own loop, after any fork; its parts are stopped at shutdown.

    `max_requests` is how many may be under way. Probes are answered all the same: a worker that is full is not ill.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[Running]],
        max_body: int,
        max_requests: int = 2048,
        proxies: Proxies | None = None,
    ) -> None:
        self._start = start
        self._max_body = max_body
        self._max_requests = max_requests
        self._proxies = proxies
        self._under_way = 0
        self._running: Running | None = None
        self._routes: dict[tuple[str, str], Endpoint] = {}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            endpoint = self._routes.get((scope["method"], scope["path"]))
            if endpoint is None or b"%" in scope["raw_path"]:
                endpoint = self._find(scope)
            if self._under_way >= self._max_requests and scope["path"] not in PROBES:
                await self._turn_away(scope, send)
                return
            self._under_way += 1
            try:
                if self._proxies is not None:
                    self._proxies.told(scope)
                await endpoint(scope, receive, send)
            except Unencrypted as error:
                await self._refuse_unheard(scope, send, error)
            except Exception:
                # Doors say what goes wrong in an action; what is left is a fault before there was one.
                log.exception("a request for %s broke", scope["path"])
                await refuse(send, broken(), _form(scope))
            finally:
                self._under_way -= 1
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    def _find(self, scope: Scope) -> Endpoint:
        # An escaped slash is part of a name and divides nothing, or a guard in front would see another path than we do.
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        above = [path[: place + 1] for place, letter in enumerate(path[:-1]) if letter == "/"]
        for known in (path, *reversed(above)) if not path.endswith("/") else ():
            endpoint = self._routes.get((method, known))
            if endpoint is not None:
                return endpoint
        allowed = sorted({m for m, p in self._routes if p == path or p in above})
        return _NotHere(method, path, allowed, _form(scope))

    async def _turn_away(self, scope: Scope, send: Any) -> None:
        error = Overloaded(
            f"this worker has {self._max_requests} requests under way, the most that it takes",
            why="`server.max_requests` bounds them, so that those which are under way come to their end",
            mend="retry after a second; if it lasts, raise `server.max_requests` or `server.workers`",
        )
        await self._refuse_unheard(scope, send, error)

    async def _refuse_unheard(self, scope: Scope, send: Any, error: FairleadError) -> None:
        """Record and say an error that no door was asked about."""
        if self._running is not None:
            await self._running.fairlead.refusals.record("server", error)
        await refuse(send, error, _form(scope))

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            self._running = await self._start()
        except FairleadError as error:
            said = "\n".join(part for part in (error.message, error.why, error.mend) if part)
            await send({"type": "lifespan.startup.failed", "message": said})
            return
        self._routes = routes(self._running, self._max_body)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._running.stop()
        await send({"type": "lifespan.shutdown.complete"})


def _form(scope: Scope) -> EncodeError:
    return error_form(scope["path"], speaks_messages=speaks_messages(scope))


class _NotHere:
    """No door here."""

    def __init__(self, method: str, path: str, allowed: list[str], encode_error: EncodeError) -> None:
        self._status = 405 if allowed else 404
        self._headers = [(b"allow", ", ".join(allowed).encode())] if allowed else []
        what = f"there is no {method} {path}" if allowed else f"there is nothing at {path}"
        mend = f"use {' or '.join(allowed)}" if allowed else "docs/reference/doors.md lists what there is"
        why = "a door takes only the methods of its protocol" if allowed else "every door has one path, to the letter"
        self._body = encode_error(NotFound(what, why=why, mend=mend))

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await respond(send, self._status, self._body, self._headers)
