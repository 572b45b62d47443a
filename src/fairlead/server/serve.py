"""Serving: one process, or a parent with several workers, on one listening socket."""

import contextlib
import gc
import resource
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.clock import SystemClock
from fairlead.server.app import App
from fairlead.server.large_pages import use_large_pages
from fairlead.server.proxy import Proxies
from fairlead.server.running import Running
from fairlead.server.tls import RenewedContext, Tls
from fairlead.server.workers import Workers

if TYPE_CHECKING:
    import uvicorn

_SWITCH = 0.0005  # seconds
_GARBAGE = (10_000, 10, 10)  # more objects than this, net, before it is looked for among the young, and so on
_OTHER_FILES = 512  # databases, libraries, logs, and connections to models that are kept open


class Serving(Struct, frozen=True, kw_only=True):
    """How to serve: as `server:` of the workspace has it. Times in seconds, `max_body` in bytes."""

    workers: int = 1
    max_body: int = 10 << 20
    max_connections: int = 4096
    max_requests: int = 2048
    receive_timeout: float = 30.0
    send_timeout: float = 60.0
    idle_timeout: int = 65
    drain: float = 30.0
    tls: Tls | None = None
    proxy: Proxies | None = None


def serve(
    sock: socket.socket,
    start: Callable[[], Awaitable[Running]],
    serving: Serving,
    beside: Sequence[Callable[[], int]] = (),
) -> int:
    """Answer requests on a listening socket until SIGTERM or SIGINT. Returns the exit status.

    `start` is called in each worker's own loop, after the fork: nothing that it opens is shared. `beside` are works of
    further processes.
    """

    _give_up_on_the_deaf(sock, serving.send_timeout)
    _allow_files(serving.max_connections + serving.max_requests + _OTHER_FILES)

    def work() -> int:
        return _work(sock, start, serving)

    if serving.workers == 1 and not beside:
        return work()
    return Workers([*[work] * serving.workers, *beside]).run()


def _give_up_on_the_deaf(sock: socket.socket, seconds: float) -> None:
    """Have the kernel close connections whose other side acknowledges nothing, or has no room, for so long.

    What is left in its buffers when a reply is complete is seen by no timer of ours. Accepted sockets inherit this.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))


def _allow_files(wanted: int) -> None:
    """Raise this process's own limit of open files, as far as the system lets it: 1024 is common, and fewer than the
    connections that may come."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft not in (resource.RLIM_INFINITY, -1) and soft < most:
        with contextlib.suppress(OSError, ValueError):  # then fewer must do
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _work(sock: socket.socket, start: Callable[[], Awaitable[Running]], serving: Serving) -> int:
    import uvicorn

    # The journal's thread asks for the interpreter many times a commit; by default each time may take 5 ms.
    sys.setswitchinterval(_SWITCH)
    server = uvicorn.Server(configured(lambda: _settled(start), serving))
    server.run(sockets=[sock])
    return 0 if server.started else 1


async def _settled(start: Callable[[], Awaitable[Running]]) -> Running:
    """What is made at the start stays: collecting garbage passes over it from then on, and happens more seldom than by
    default, since nearly all that requests make goes without it. It gets large pages."""
    running = await start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    use_large_pages()
    return running


def configured(start: Callable[[], Awaitable[Running]], serving: Serving) -> "uvicorn.Config":
    """What one worker answers with."""
    import uvicorn

    from fairlead.server.framing import Patience, framing

    tls = serving.tls
    patience = Patience(connections=serving.max_connections, receive=serving.receive_timeout, send=serving.send_timeout)
    return uvicorn.Config(
        App(start, serving.max_body, serving.max_requests, serving.proxy),
        loop="uvloop",
        http=framing(patience, None if tls else serving.proxy),
        ssl_context_factory=(lambda *_: RenewedContext(tls, SystemClock().monotonic)) if tls else None,
        ws="none",
        proxy_headers=False,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=serving.idle_timeout,
        timeout_graceful_shutdown=round(serving.drain),
    )
