"""Servers that speak the Model Context Protocol, by its official SDK: at an address, over streamable HTTP, or as a
program that is started, over its standard input and output. Which revision is spoken, 2026-07-28 or 2025-11-25, the two
sides find out when they meet.

At an address every person has a session of their own, under their own credential. A program is one process with one
session for everybody, and so it never gets anyone's credential.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from mcp.shared.inbound import mcp_param_headers, x_mcp_header_map
from mcp_types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsRequest,
    ListToolsResult,
    PaginatedRequestParams,
    Tool,
)
from pydantic import TypeAdapter, ValidationError

from fairlead.clock import Clock
from fairlead.errors import DeadlineExceeded, FairleadError
from fairlead.net.addresses import checked_address
from fairlead.net.http import Http
from fairlead.tools import mcp_failures as failures
from fairlead.tools.failures import SystemFailed
from fairlead.tools.mcp_definitions import MOST_PAGES, MOST_TOOLS, read_definitions
from fairlead.tools.mcp_methods import done
from fairlead.tools.mcp_results import bounded, read_result
from fairlead.tools.mcp_session import Asking, Session
from fairlead.tools.mcp_sessions import OnePerPerson, OneProgram, Sessions
from fairlead.tools.mcp_talk import answers, listen, not_answers, progress, questions
from fairlead.tools.settings import McpSettings
from fairlead.tools.systems import System, check_mcp
from fairlead.tools.types import Credential, Definition, SystemCall, ToolResult

_IDEMPOTENCY: Final = "fairlead/idempotency-key"
_LIST_BYTES: Final = 8 << 20  # one page of tools
_Answer = CallToolResult | InputRequiredResult | ToolResult
_RESULT: Final[TypeAdapter[CallToolResult | InputRequiredResult]] = TypeAdapter(CallToolResult | InputRequiredResult)


class McpSystem:
    """One server. `http` is not used: connections here are pinned to addresses that were judged for this system."""

    def __init__(self, system: System, http: Http, clock: Clock) -> None:
        settings = system.settings
        assert isinstance(settings, McpSettings)
        check_mcp(f"systems.{system.name}", settings)
        _hush()
        self._name = system.name
        self._only = settings.only
        self._clock = clock
        longest = max(_on_the_wire(settings.most_bytes), _LIST_BYTES)
        self._sessions: Sessions
        if settings.command:
            self._sessions = OneProgram(system.name, settings, system.environment, clock, longest)
        else:
            address = checked_address(
                settings.url,
                key=f"systems.{system.name}.url",
                at_home=settings.at_home,
                plain_http=settings.plain_http,
                of="system",
            )
            self._sessions = OnePerPerson(system.name, settings, address, clock, longest)

    async def definitions(self, credential: Credential, deadline: float) -> tuple[Definition, ...]:
        """What the server offers now, all pages of it, as far as the workspace wants it."""
        until = self._until(deadline)
        async with self._sessions.using(None, credential, until) as session:
            tools = await self._listed(session, until)
        return read_definitions(tools, self._only, self._name)

    async def call(self, call: SystemCall) -> ToolResult:
        """Make the call, once. Only where the server had forgotten the session, and so did nothing, a second one is
        opened and asked."""
        until = self._until(call.deadline)
        try:
            result = await self._called(call, until)
        except _Forgotten:
            result = await self._called(call, until)
        if isinstance(result, InputRequiredResult):
            if call.talk is None or not call.talk.abilities:
                raise _asks_back(self._name)
            return bounded(ToolResult(questions=questions(result)), most_bytes=call.most_bytes, system=self._name)
        if isinstance(result, ToolResult):
            return result
        return read_result(result, most_bytes=call.most_bytes, system=self._name)

    async def close(self) -> None:
        """End all sessions, and the program with everything that it started."""
        await self._sessions.close()

    async def _called(self, call: SystemCall, until: float) -> _Answer:
        if call.tool.kind == "method":
            return await self._method(call, until)
        arguments = dict(call.arguments)
        headers = mcp_param_headers(x_mcp_header_map(call.tool.input), arguments)
        asking = Asking(until, _on_the_wire(call.most_bytes), headers)
        meta: Any = {_IDEMPOTENCY: call.idempotency_key} if call.idempotency_key else None
        params = {"name": call.tool.name, "arguments": arguments, "_meta": meta, **answers(call.talk)}
        try:
            request = CallToolRequest(params=CallToolRequestParams.model_validate(params))
        except ValidationError as error:
            raise not_answers(error) from None
        told = progress(call.talk)
        return await self._asked(call, until, asking, lambda session: session.ask(request, _RESULT, asking, told))

    async def _method(self, call: SystemCall, until: float) -> _Answer:
        asking = Asking(until, max(_on_the_wire(call.most_bytes), _LIST_BYTES))
        return await self._asked(
            call,
            until,
            asking,
            lambda session: done(call, self._name, lambda request, kind: session.ask(request, kind, asking)),
        )

    async def _asked(
        self, call: SystemCall, until: float, asking: Asking, ask: Callable[[Session], Awaitable[_Answer]]
    ) -> _Answer:
        async with self._session_for(call, until, asking) as session:
            try:
                result = await ask(session)
            except FairleadError as error:
                self._sessions.heard(answered=not isinstance(error, DeadlineExceeded))
                if asking.forgotten:
                    raise _Forgotten(f"{self._name} forgets its sessions", subject=self._name) from error
                raise
        self._sessions.heard(answered=True)
        return result

    @asynccontextmanager
    async def _session_for(self, call: SystemCall, until: float, asking: Asking) -> AsyncIterator[Session]:
        """The caller's own, or, where the server may ask or note something, one for this call alone."""
        if call.talk is None or not (call.talk.abilities or call.talk.log):
            async with self._sessions.using(call.person, call.credential, until) as session:
                yield session
            return
        async with self._sessions.talking(call.credential, call.talk, until) as (session, client):
            await listen(session, client, call.talk, Asking(until, asking.limit))
            yield session

    async def _listed(self, session: Session, until: float) -> list[Tool]:
        tools: list[Tool] = []
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            params = PaginatedRequestParams(cursor=cursor) if cursor else None
            request = ListToolsRequest(params=params)
            page: ListToolsResult = await session.ask(request, ListToolsResult, Asking(until, _LIST_BYTES))
            tools += page.tools
            cursor = page.next_cursor
            if not cursor:
                return tools
            if cursor in seen or len(tools) > MOST_TOOLS:
                break
            seen.add(cursor)
        raise SystemFailed(
            f"{self._name} lists tools without end",
            why=f"after {len(tools)} of them it has more",
            mend="tell whoever runs the system",
            subject=self._name,
            retryable=False,
        )

    def _until(self, deadline: float) -> float:
        """A deadline of the clock's in the loop's time."""
        left = deadline - self._clock.monotonic()
        if left <= 0:
            raise failures.too_late(self._name, "no")
        return asyncio.get_running_loop().time() + left


class _Forgotten(SystemFailed):
    """The server did not know the session, and so did nothing."""


def _on_the_wire(most_bytes: int) -> int:
    """How many bytes an answer may take whose content has `most_bytes`: the protocol says results twice, as text and as
    data, and escapes what stands inside text."""
    return 4 * most_bytes + (64 << 10)


def _asks_back(system: str) -> SystemFailed:
    return SystemFailed(
        f"{system} asks something before it does what it was asked",
        why="it wants the caller or a model to add to the arguments",
        mend="call a tool that needs nothing but its arguments",
        subject=system,
        retryable=False,
    )


def _hush() -> None:
    """The SDK logs parts of what servers say, and the ids of sessions. Ours tells in errors what matters of it."""
    for name in ("mcp", "client", "httpx2"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
