"""An answer over HTTP as drivers read it: bounded in size and time, with errors that say what may be billed."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from fairlead.errors import DeadlineExceeded, Upstream
from fairlead.net.connection import Connection, Incoming

_DRAIN_S: Final = 0.1


class HttpAnswer:
    """A status, headers and a body still to be read. Close it, or read it to the end: either frees the connection."""

    __slots__ = (
        "_begun",
        "_connection",
        "_deadline",
        "_idle",
        "_incoming",
        "_limit",
        "_loop",
        "_size",
        "_subject",
        "headers",
        "status",
    )  # fmt: skip

    def __init__(
        self, incoming: Incoming, connection: Connection, *, idle: float, deadline: float, limit: int, subject: str
    ) -> None:
        self.status = incoming.status
        self.headers: Mapping[str, str] = incoming.headers
        self._incoming = incoming
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._idle = idle
        self._deadline = deadline  # in the loop's time
        self._limit = limit
        self._subject = subject
        self._begun = False
        self._size = 0

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; "" if none was given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def read(self, limit: int | None = None) -> bytes:
        """The whole body. Raises `Upstream` if it is broken, too slow, or larger than `limit` bytes."""
        if limit is not None:
            self._limit = min(limit, self._limit)
        part = await self.more()
        if self._incoming.complete:
            return part
        parts = [part]
        while part := await self.more():
            parts.append(part)
        return b"".join(parts)

    async def start(self, limit: int) -> bytes:
        """The first `limit` bytes of the body, for error messages: neither a longer nor a broken one is an error."""
        parts: list[bytes] = []
        size = 0
        try:
            while size < limit and (part := await self.more()):
                size += len(part)
                parts.append(part)
        except Upstream:
            self.close()
        return b"".join(parts)[:limit]

    async def more(self) -> bytes:
        """What the network has brought since the last call, waiting for it; b"" at the end. Raises as `read` does."""
        incoming = self._incoming
        while True:
            now = self._loop.time()
            if now >= self._deadline:
                self.close()
                raise deadline_passed(self._subject, "part" if self._begun else "unknown")
            if part := incoming.take():
                self._begun = True
                self._size += len(part)
                if self._size > self._limit:
                    raise self._too_large()
                return part
            if incoming.complete:
                return b""
            if incoming.fault is not None:
                raise self._failed("closed the connection before its answer was complete") from incoming.fault
            try:
                await incoming.wait(min(now + self._idle, self._deadline))
            except TimeoutError as error:
                if self._loop.time() >= self._deadline:
                    continue
                raise self._failed("sent nothing for too long in the middle of its answer") from error

    async def drain(self) -> None:
        """Give the server a moment to end a body whose content is complete: its connection can then be used again."""
        until = self._loop.time() + _DRAIN_S
        try:
            while not self._incoming.is_over:
                await self._incoming.wait(until)
                self._incoming.take()
        except TimeoutError:
            self.close()

    def close(self) -> None:
        """Close the connection unless the body came to its end, so that the server stops working on it."""
        if not self._incoming.is_over:
            self._connection.drop()

    def _failed(self, why: str) -> Upstream:
        self.close()
        return Upstream(
            "the model's server broke off its answer",
            why=f"it {why}",
            mend="try again, or add another model to fall back to",
            subject=self._subject,
            charged="part" if self._begun else "unknown",
        )

    def _too_large(self) -> Upstream:
        self.close()
        return Upstream(
            "the model's server sent too large an answer",
            why=f"it passed the limit of {self._limit} bytes",
            mend="ask for fewer output tokens",
            subject=self._subject,
            retryable=False,
            charged="part",
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def deadline_passed(subject: str, charged: str) -> DeadlineExceeded:
    """The error for a deadline that came before the end of a call."""
    return DeadlineExceeded(
        "the model did not finish within the deadline",
        mend="raise the deadline, or ask for fewer output tokens",
        subject=subject,
        retryable=False,
        charged=charged,
    )
