"""A program that speaks the Model Context Protocol over its standard input and output.

It sees the environment that was declared and nothing else of ours. What it writes is bounded: a line, what is no
message, what it asks of us, what it says on its error stream. It ends, with everything that it started, when it is
closed.
"""

import asyncio
import logging
import os
import signal
from asyncio.subprocess import PIPE, SubprocessStreamProtocol
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from fairlead.clock import Clock
from fairlead.tools.mcp_session import Ending

log = logging.getLogger("fairlead.tools")

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]

_GRACE_S: Final = 1.0
_SOON_S: Final = 0.5  # between the end of a program's output and its own
_MOST_NOISE: Final = 64  # lines of its output that are no messages
_MOST_ASKED: Final = 256  # questions of its own between two of ours
_MOST_LOGGED: Final = 60  # lines a minute of its error stream
_LONGEST_LOGGED: Final = 500  # characters


class Program(AbstractAsyncContextManager[Streams]):
    """One start of the program. It says by `ending` when it cannot go on."""

    def __init__(
        self,
        system: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        ending: Ending,
        *,
        longest_line: int,
        clock: Clock,
    ) -> None:
        self._ending = ending
        self._system = system
        self._command = command
        self._environment = environment
        self._longest = longest_line
        self._said = _Said(system, clock)
        self._noise = 0
        self._asked = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._exited = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether it was started, and has ended by itself or was ended."""
        return self._exited.is_set()

    async def __aenter__(self) -> Streams:
        loop = asyncio.get_running_loop()
        self._transport, pipes = await loop.subprocess_exec(
            lambda: _Pipes(self._longest, loop, self._exited),
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=dict(self._environment),
            start_new_session=True,
        )
        self._process = asyncio.subprocess.Process(self._transport, pipes, loop)
        self._heard, heard = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        say, self._to_say = anyio.create_memory_object_stream[SessionMessage](0)
        self._streams = (heard, say)
        reading = asyncio.create_task(self._read())
        self._tasks = [reading, *map(asyncio.create_task, (self._write(), self._log(), self._watch(reading)))]
        return heard, say

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.come("it was closed")
        try:
            await self._stop()
        finally:
            self._signal(signal.SIGKILL)  # what it started and left behind
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._transport.close()
            for stream in (*self._streams, self._heard, self._to_say):
                await stream.aclose()

    async def _stop(self) -> None:
        """Ask it to end, as the protocol wants it asked: by the end of its input, then ever less kindly."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await self._exited.wait()
                return
            self._signal(number)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await self._exited.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _watch(self, reading: "asyncio.Task[None]") -> None:
        """Notice the end of the program, also where a child of it keeps its output open."""
        await self._exited.wait()
        await asyncio.wait({reading}, timeout=1)  # its last words
        self._ending.come(self._ended())
        log.warning("system %s: %s", self._system, self._ended())

    def _ended(self) -> str:
        status = self._transport.get_returncode()
        return "it closed its standard output" if status is None else f"the program ended with status {status}"

    async def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        try:
            while line := await stdout.readline():
                message = self._message(line)
                if message is not None:
                    await self._heard.send(SessionMessage(message))
            with suppress(TimeoutError):
                async with asyncio.timeout(_SOON_S):
                    await self._exited.wait()
            self._ending.come(self._ended())
        except ValueError:
            self._ending.come(f"it wrote a line of more than {self._longest} bytes")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, _Floods):
            self._ending.come("it was closed")
        finally:
            await self._heard.aclose()

    def _message(self, line: bytes) -> JSONRPCMessage | None:
        """The message that a line is, None for one that nobody here waits for."""
        if not line.strip():
            return None
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError:
            self._noise += 1
            if self._noise > _MOST_NOISE:
                self._ending.come("it writes to its standard output what is no message of the protocol")
                raise _Floods from None
            return None
        if isinstance(message, JSONRPCNotification):
            return None
        if isinstance(message, JSONRPCRequest):
            self._asked += 1
            if self._asked > _MOST_ASKED:
                self._ending.come("it asks without end")
                raise _Floods
        return message

    async def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            async for item in self._to_say:
                message = item.message
                if isinstance(message, JSONRPCRequest):
                    self._asked = 0
                stdin.write(message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await stdin.drain()
        except (OSError, RuntimeError, anyio.ClosedResourceError):
            self._ending.come("it closed its standard input")
            await self._heard.aclose()

    async def _log(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        rest = b""
        while part := await stderr.read(4096):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self._said.line(line)
            if len(rest) > _LONGEST_LOGGED:
                self._said.line(rest)
                rest = b""
        if rest:
            self._said.line(rest)


class _Floods(Exception):
    """The program writes what nobody can take."""


class _Pipes(SubprocessStreamProtocol):
    """Tells when the program itself has ended; the pipes may stay open in the hands of its children."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop, exited: asyncio.Event) -> None:
        super().__init__(limit, loop)
        self._exited = exited

    def process_exited(self) -> None:
        self._exited.set()
        super().process_exited()


class _Said:
    """Lets so much of an error stream into the log, and no more."""

    def __init__(self, system: str, clock: Clock) -> None:
        self._system = system
        self._clock = clock
        self._since = clock.monotonic()
        self._lines = 0

    def line(self, line: bytes) -> None:
        now = self._clock.monotonic()
        if now - self._since >= 60:
            self._since, self._lines = now, 0
        self._lines += 1
        if self._lines > _MOST_LOGGED:
            return
        text = line[:_LONGEST_LOGGED].decode(errors="replace").rstrip()
        log.info("system %s says: %s", self._system, text)
        if self._lines == _MOST_LOGGED:
            log.info("system %s says more; the rest of this minute is left out", self._system)
