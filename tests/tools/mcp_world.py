"""Systems that speak the Model Context Protocol, put up for a test."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from tests import programs
from tests.models.calls import CLOCK

from fairlead.clock import Clock
from fairlead.net.http import Http
from fairlead.tools.cards import NO_CARD
from fairlead.tools.mcp import McpSystem
from fairlead.tools.settings import McpSettings
from fairlead.tools.systems import compile_system
from fairlead.tools.types import Credential, Definition, SystemCall, ToolResult

HERE = Path(__file__).parent
OURS: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "HOME": "/tmp"}


class Called:
    """A system with the short ways that tests want."""

    def __init__(self, driver: McpSystem, clock: Clock) -> None:
        self.driver = driver
        self._clock = clock

    def deadline(self, seconds: float = 20) -> float:
        return self._clock.monotonic() + seconds

    async def definitions(self, seconds: float = 20, secret: str = "") -> dict[str, Definition]:
        found = await self.driver.definitions(Credential(secret=secret), self.deadline(seconds))
        return {each.name: each for each in found}

    async def call(
        self,
        tool: str,
        person: str = "kim",
        *,
        secret: str = "",
        seconds: float = 20,
        most_bytes: int = 1 << 20,
        schema: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> ToolResult:
        return await self.driver.call(
            SystemCall(
                tool=Definition(name=tool, input=schema or {"type": "object"}),
                arguments=arguments,
                credential=Credential(kind="exchange" if secret else "none", secret=secret),
                person=person,
                deadline=self.deadline(seconds),
                idempotency_key="once",
                most_bytes=most_bytes,
            )
        )


@asynccontextmanager
async def system(clock: Clock = CLOCK, environment: Mapping[str, str] = OURS, **settings: Any) -> AsyncIterator[Called]:
    compiled = compile_system("shop", McpSettings(**settings), NO_CARD, [], {})
    driver = McpSystem(msgspec.structs.replace(compiled, environment=environment), Http(clock), clock)
    try:
        yield Called(driver, clock)
    finally:
        await driver.close()


def program(name: str, *arguments: str) -> list[str]:
    """The command of one of the programs beside this file."""
    return [sys.executable, str(HERE / name), *arguments]


def forked(name: str, *arguments: str) -> list[str]:
    """The same, there at once: for tests in which its start is not what is tested."""
    return programs.command(str(HERE / name), *arguments)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """An ASGI application behind a port of its own, in this loop. Gives its URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="on", ws="none"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await task
