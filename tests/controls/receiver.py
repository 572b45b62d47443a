"""A webhook's other side, that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HANGS = b"(hangs)"
ENDLESS = b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n" + b"ff\r\n" + b"x" * 255 + b"\r\n"


@dataclass
class Receiver:
    """A webhook's other side. `answers` are what it says to each post in turn, `usual` or 200 once they are used up."""

    url: str
    answers: list[bytes] = field(default_factory=list)
    usual: bytes = b""
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


def said(status: int, more: str = "") -> bytes:
    return f"HTTP/1.1 {status} x\r\n{more}content-length: 0\r\n\r\n".encode()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            body = await reader.readexactly(int(headers["content-length"]))
            made.posts.append((headers, body))
            answer = made.answers.pop(0) if made.answers else made.usual or said(200)
            if answer is HANGS:
                await reader.read()  # until the other side gives up
                return
            if not answer:
                writer.transport.abort()
                return
            writer.write(answer)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    made.url = f"http://{host}:{port}/hook"
    async with server:
        yield made
