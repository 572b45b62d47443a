"""Serving: one process, or a parent with several workers, on one listening socket."""

import socket
import sys
from collections.abc import Awaitable, Callable

from msgspec import Struct

from fairlead.server.app import App, Running
from fairlead.server.workers import Workers

_SWITCH = 0.0005  # seconds
_KEEP_ALIVE = 65  # seconds: longer than common load balancers keep a connection, so that they close first


class Serving(Struct, frozen=True, kw_only=True):
    """How to serve. `max_body` in bytes; `drain` is what running requests get at shutdown, in seconds."""

    workers: int = 1
    max_body: int = 10 << 20
    drain: float = 30.0


def serve(sock: socket.socket, start: Callable[[], Awaitable[Running]], serving: Serving) -> int:
    """Answer requests on a listening socket until SIGTERM or SIGINT. Returns the exit status.

    `start` is called in each worker's own loop, after the fork: nothing that it opens is shared.
    """

    def work() -> int:
        return _work(sock, start, serving)

    if serving.workers == 1:
        return work()
    return Workers(serving.workers, work).run()


def _work(sock: socket.socket, start: Callable[[], Awaitable[Running]], serving: Serving) -> int:
    import uvicorn

    # The journal's thread asks for the interpreter many times a commit; by default each time may take 5 ms.
    sys.setswitchinterval(_SWITCH)
    from fairlead.server.framing import Framing

    server = uvicorn.Server(
        uvicorn.Config(
            App(start, serving.max_body),
            loop="uvloop",
            http=Framing,
            ws="none",
            proxy_headers=False,
            lifespan="on",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=round(serving.drain),
        )
    )
    server.run(sockets=[sock])
    return 0 if server.started else 1
