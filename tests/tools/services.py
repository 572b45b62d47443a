"""HTTP services for the tests of connectors: a real server, which writes down what it was asked."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import msgspec
import uvicorn


@dataclass(frozen=True)
class Seen:
    """A request as the server took it. `segments` are those of the path, each decoded by itself."""

    method: str
    path: str  # as it came
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def segments(self) -> list[str]:
        return [unquote(each) for each in self.path.split("/")[1:]]


@dataclass
class Reply:
    """What the server says next."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


def json_reply(data: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(msgspec.json.encode(data), status, {"content-type": "application/json", **named})


class Service:
    """Answers by `reply`, and remembers what it `saw`."""

    def __init__(self) -> None:
        self.saw: list[Seen] = []
        self.reply: Callable[[Seen], Reply] = lambda _: Reply()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> Seen:
        return self.saw[-1]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        seen = Seen(
            scope["method"],
            scope["raw_path"].decode(),
            scope["query_string"].decode(),
            {name.decode(): value.decode() for name, value in scope["headers"]},
            body,
        )
        self.saw.append(seen)
        reply = self.reply(seen)
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        if reply.status != 204:
            headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if seen.method == "HEAD" else reply.body})


@contextmanager
def running() -> Iterator[Service]:
    """A service on a free port, in a thread of its own."""
    service = Service()
    server = uvicorn.Server(uvicorn.Config(service, host="127.0.0.1", port=0, lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not (server.started and server.servers):
        thread.join(0.005)
    service.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.should_exit = True
        thread.join(60)
