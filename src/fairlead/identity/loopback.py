"""The browser's way back to a program on the same machine (RFC 8252, 7.3): a door that opens for one answer."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

PATH: Final = "/callback"
_MOST: Final = 16_384  # bytes of a request's head
_PATIENCE: Final = 10.0  # seconds for one
_DONE: Final = "You are signed in. This window can be closed."
_ELSE: Final = "There is nothing here."

Answer = Mapping[str, Sequence[str]]


class Loopback:
    """`async with Loopback(fits) as door`: listens on a port of its own of 127.0.0.1. `fits` says whether an answer is
    the one that is waited for; all others, which anything on this machine may send, change nothing."""

    def __init__(self, fits: Callable[[Answer], bool]) -> None:
        self._fits = fits
        self._server: asyncio.Server | None = None
        self._answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._asked, "127.0.0.1", 0, limit=_MOST)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def redirect(self) -> str:
        """Where the provider is to send the browser."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{PATH}"

    async def answer(self) -> Answer:
        """What the browser brings."""
        return await self._answer

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                found = self._read(head)
                status, text = ("200 OK", _DONE) if found is not None else ("404 Not Found", _ELSE)
                body = (
                    f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Fairlead</title><p>{text}</p></html>'
                )
                writer.write(
                    f"HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
                    "content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n"
                    "referrer-policy: no-referrer\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
                    f"{body}".encode()
                )
                await writer.drain()
                if found is not None and not self._answer.done():
                    self._answer.set_result(found)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # whatever that was, it was no browser with an answer
        finally:
            writer.close()

    def _read(self, head: bytes) -> Answer | None:
        words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(words) != 3 or words[0] != "GET":
            return None
        try:
            parts = urlsplit(words[1])
            answer = parse_qs(parts.query, max_num_fields=20)
        except ValueError:
            return None
        return answer if parts.path == PATH and self._fits(answer) else None
