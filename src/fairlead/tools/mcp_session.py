"""One connection to a server of the Model Context Protocol, kept by a task of its own so that many calls can share it
and each can give up when its own time is over."""

import asyncio
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from mcp import Client, MCPError
from mcp.shared.dispatcher import ProgressFnT
from mcp_types import CONNECTION_CLOSED, ClientRequest, Implementation
from pydantic import BaseModel, TypeAdapter, ValidationError

from fairlead import __version__
from fairlead.errors import FairleadError, Upstream
from fairlead.tools import mcp_failures as failures

ResultT = TypeVar("ResultT", bound=BaseModel)

OURSELVES: Final = Implementation(name="fairlead", version=__version__)


class Asking:
    """One request on its way, as those who carry it see it: until when (in the loop's time), how many bytes its answer
    may have, which headers it needs beside the usual ones.

    Whoever carries it notes by `fail` what went wrong, where that says more than the protocol does; after a final
    failure nothing is tried any more. `forgotten`: the server did not know the session, and so did nothing.
    """

    def __init__(self, until: float, limit: int, headers: dict[str, str] | None = None) -> None:
        self.until = until
        self.limit = limit
        self.headers = headers or {}
        self.failure: FairleadError | None = None
        self.is_final = False
        self.forgotten = False

    @classmethod
    def aside(cls, seconds: float, limit: int) -> "Asking":
        """For what no call waits for."""
        return cls(asyncio.get_running_loop().time() + seconds, limit)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.until - asyncio.get_running_loop().time()

    def fail(self, failure: FairleadError, *, final: bool = False) -> None:
        """Note why it failed, for whoever waits for it. What is `final` is not tried again."""
        self.failure = failure
        self.is_final = final


ASKING: Final[ContextVar[Asking]] = ContextVar("asking")


class Ending:
    """That a connection cannot go on, and why: whoever carries it says so once, all others learn of it."""

    def __init__(self) -> None:
        self.why = ""
        self._event = asyncio.Event()

    @property
    def has_come(self) -> bool:
        """Whether it has ended."""
        return self._event.is_set()

    def come(self, why: str) -> None:
        """It has ended. The first reason that is told counts."""
        self.why = self.why or why
        self._event.set()

    async def wait(self) -> None:
        """Return once it has ended."""
        await self._event.wait()


class Session:
    """Opens a connection at once and keeps it until `close`, or until the other side ends it."""

    def __init__(self, system: str, client: Client, ending: Ending, opening: Asking) -> None:
        self.calls = 0  # under way
        self.used = 0.0  # when a call began last, for whoever keeps many
        self._system = system
        self._client = client
        self._ending = ending
        self._opening = opening
        self._open = asyncio.Event()
        self._leaving: set[asyncio.Task[Any]] = set()
        self.task = asyncio.create_task(self._live())
        self.task.add_done_callback(_looked_at)

    @property
    def is_over(self) -> bool:
        """Whether no call can go by it any more."""
        return self._ending.has_come or self.task.done()

    @property
    def was_open(self) -> bool:
        """Whether both sides ever agreed on a revision of the protocol."""
        return self._open.is_set()

    async def close(self) -> None:
        """End it and wait until nothing of it is left. Calls under way are told that it broke off."""
        self._ending.come("it was closed")
        if not self.was_open:
            self.task.cancel()
        await asyncio.wait({self.task})
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _live(self) -> None:
        ASKING.set(self._opening)
        try:
            async with asyncio.timeout_at(self._opening.until) as patience, self._client:
                patience.reschedule(None)
                self._open.set()
                await self._ending.wait()
        finally:
            self._ending.come("it could not be opened")

    async def opened(self, until: float) -> None:
        """Wait for the connection. Raises `SystemFailed` and its neighbours where there will be none."""
        opening = asyncio.create_task(self._open.wait())
        try:
            await asyncio.wait(
                {opening, self.task},
                timeout=max(0.0, until - asyncio.get_running_loop().time()),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            opening.cancel()
        if self.was_open:
            return
        if not self.task.done():
            raise failures.too_late(self._system, "no")
        raise self._why_not()

    def _why_not(self) -> FairleadError:
        failure = self._opening.failure
        if isinstance(failure, Upstream) and failure.charged != "no":
            return failures.no_connection(self._system, failure.why)  # it was only greeted
        if failure is not None:
            return failure
        error = None if self.task.cancelled() else self.task.exception()
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, MCPError) and error.code != CONNECTION_CLOSED:
            told = failures.told(error, self._system)
            return failures.no_connection(self._system, told.why or told.message)
        if isinstance(error, ValidationError):
            return failures.unreadable(error, self._system, "greeting of the protocol")
        if isinstance(error, TimeoutError):
            return failures.too_late(self._system, "no")
        return failures.no_connection(self._system, _reason(error) or self._ending.why)

    async def ask(
        self,
        request: ClientRequest,
        result: type[ResultT] | TypeAdapter[Any],
        asking: Asking,
        progress: ProgressFnT | None = None,
    ) -> Any:
        """Send a request and wait for what it gives, until its own time is over: the other side is then told that
        nobody waits any more. Raises what `mcp_failures` knows."""
        sending = asyncio.create_task(self._send(request, result, asking, progress))
        try:
            await asyncio.wait({sending}, timeout=max(0.0, asking.left))
        finally:
            if not sending.done():
                sending.cancel()
                self._leaving.add(sending)
                sending.add_done_callback(self._leaving.discard)
                sending.add_done_callback(_looked_at)
        if not sending.done():
            raise asking.failure or failures.too_late(self._system, "unknown")
        try:
            return sending.result()
        except MCPError as error:
            raise asking.failure or self._told(error) from error
        except ValidationError as error:
            raise asking.failure or failures.unreadable(error, self._system, "result of the protocol") from error

    async def _send(
        self, request: ClientRequest, result: Any, asking: Asking, progress: ProgressFnT | None = None
    ) -> Any:
        ASKING.set(asking)
        return await self._client.session.send_request(request, result, progress_callback=progress)

    def _told(self, error: MCPError) -> FairleadError:
        if error.code == CONNECTION_CLOSED and self._ending.has_come:
            return failures.broken_off(self._system, self._ending.why)
        return failures.told(error, self._system)


def _looked_at(task: asyncio.Task[Any]) -> None:
    """Nobody may wait for it any more, and that is no accident."""
    if not task.cancelled():
        task.exception()


def _reason(error: BaseException | None) -> str:
    if isinstance(error, OSError):
        return (error.strerror or "it could not be started").lower()
    return str(error) if isinstance(error, RuntimeError | ValueError) else ""
