"""Which session a call goes by: that of the one program, started again when it ended, or that of who calls."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import Final, Literal, Protocol

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from fairlead.clock import Clock
from fairlead.net.addresses import Address, pinned
from fairlead.net.http import Http, Patience, header_value
from fairlead.tools import mcp_failures as failures
from fairlead.tools.failures import SystemFailed
from fairlead.tools.mcp_http import Wire
from fairlead.tools.mcp_program import Program
from fairlead.tools.mcp_session import OURSELVES, Asking, Ending, Session
from fairlead.tools.mcp_talk import callbacks
from fairlead.tools.settings import McpSettings
from fairlead.tools.talk import Talk
from fairlead.tools.types import Credential

_LONG_ENOUGH_S: Final = 60.0  # a program that lived so long is started again at once
_LONGEST_PAUSE_S: Final = 60.0
_MOST_SILENCE: Final = 3  # calls in a row without an answer
_IDLE_S: Final = 300.0
_MOST_KEPT: Final = 64


class Sessions(Protocol):
    """Gives the session that a call of `person` goes by; None is nobody's, for asking which tools there are."""

    def using(self, person: str | None, credential: Credential, until: float) -> AbstractAsyncContextManager[Session]:
        """A session for one call among others, opened where there is none. `until` in seconds of the loop's clock."""

    def talking(
        self, credential: Credential, talk: Talk, until: float
    ) -> AbstractAsyncContextManager[tuple[Session, Client]]:
        """A session for one call alone, so that whatever is said in it belongs to that call."""
        ...

    def heard(self, *, answered: bool) -> None:
        """Say how a call ended: with an answer of any kind, or in silence."""
        ...

    async def close(self) -> None:
        """End all of them."""


class OneProgram:
    """The session of a program, which is started when it is first needed and again, ever later, when it ended."""

    def __init__(
        self, system: str, settings: McpSettings, environment: Mapping[str, str], clock: Clock, longest: int
    ) -> None:
        self._system = system
        self._settings = settings
        self._environment = environment
        self._clock = clock
        self._longest = longest
        self._kept: Session | None = None
        self._program: Program | None = None
        self._ending = Ending()
        self._mode: Literal["auto", "legacy"] = "auto"
        self._ended_soon = 0  # times in a row
        self._rests_until = 0.0  # in the clock's monotonic seconds
        self._silent = 0
        self._closed = False

    @asynccontextmanager
    async def using(self, person: str | None, credential: Credential, until: float) -> AsyncIterator[Session]:
        """The program's session, whoever calls. Where an older program left at a greeting that it did not know, it is
        started again and greeted in the older way."""
        while True:
            session = await self._current(until)
            try:
                await session.opened(until)
                break
            except SystemFailed:
                if not self._left_at_greeting(session):
                    raise
        yield session

    def talking(
        self, credential: Credential, talk: Talk, until: float
    ) -> AbstractAsyncContextManager[tuple[Session, Client]]:
        """Raises at once: everybody's calls share the program's one session."""
        raise failures.no_connection(self._system, "a program that is started has no talk with one caller")

    def heard(self, *, answered: bool) -> None:
        """Ends a program that has been silent to several calls in a row; the next call starts it again."""
        self._silent = 0 if answered else self._silent + 1
        if self._silent >= _MOST_SILENCE:
            self._silent = 0
            self._ending.come(f"it did not answer {_MOST_SILENCE} times in a row")

    async def close(self) -> None:
        self._closed = True
        if self._kept is not None:
            await self._kept.close()

    async def _current(self, until: float) -> Session:
        while self._kept is not None and self._kept.is_over and not self._kept.task.done():
            # Two of them at once could get into each other's way.
            await asyncio.wait({self._kept.task}, timeout=_seconds(until))
            if _seconds(until) == 0:
                raise failures.too_late(self._system, "no")
        if self._kept is None or self._kept.is_over:
            self._kept = self._start()
        return self._kept

    def _start(self) -> Session:
        now = self._clock.monotonic()
        if self._closed:
            raise failures.no_connection(self._system, "it was closed")
        if now < self._rests_until:
            why = f"it ended {self._ended_soon} times in a row, and is not started again yet: {self._ending.why}"
            raise failures.no_connection(self._system, why, retry_after=self._rests_until - now)
        ending = self._ending = Ending()
        self._program = Program(
            self._system,
            self._settings.command,
            self._environment,
            ending,
            longest_line=self._longest,
            clock=self._clock,
        )
        client = Client(self._program, mode=self._mode, cache=None, client_info=OURSELVES)
        session = Session(self._system, client, ending, Asking.aside(self._settings.timeout, self._longest))
        session.task.add_done_callback(lambda _: self._ended(now))
        return session

    def _ended(self, started: float) -> None:
        now = self._clock.monotonic()
        self._ended_soon = 0 if now - started >= _LONG_ENOUGH_S else self._ended_soon + 1
        pause = 0.0 if self._ended_soon < 2 else min(2.0 ** (self._ended_soon - 2), _LONGEST_PAUSE_S)
        self._rests_until = now + pause

    def _left_at_greeting(self, session: Session) -> bool:
        """Whether the program ended because it was greeted in the newer way, as some of the older revision do. It is
        then started once more and greeted in the older."""
        ended = self._program is not None and self._program.has_ended and session is self._kept
        if self._mode == "auto" and ended:
            self._mode = "legacy"
            self._ended_soon = max(0, self._ended_soon - 1)
            return True
        if session is self._kept:
            self._mode = "auto"
        return False


class OnePerPerson:
    """Sessions at an address: each belongs to one person under one credential, and ends when it is idle for long."""

    def __init__(self, system: str, settings: McpSettings, address: Address, clock: Clock, longest: int) -> None:
        self._system = system
        self._settings = settings
        self._url = address.url
        self._clock = clock
        self._longest = longest
        inside = settings.at_home or address.is_loopback
        self._http = Http(clock, largest_answer=longest, reach=partial(pinned, inside=inside))
        self._opened = False
        self._kept: dict[tuple[str, bytes], Session] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def using(self, person: str | None, credential: Credential, until: float) -> AsyncIterator[Session]:
        """The session of this person under this credential, or one for this call alone where it is nobody's."""
        await self._ready()
        session = self._new(credential)[0] if person is None else self._of(person, credential)
        session.calls += 1
        try:
            await session.opened(until)
            yield session
        finally:
            session.calls -= 1
            session.used = self._clock.monotonic()
            if person is None:
                self._leave(session)

    @asynccontextmanager
    async def talking(self, credential: Credential, talk: Talk, until: float) -> AsyncIterator[tuple[Session, Client]]:
        """A session that begins and ends with the call."""
        await self._ready()
        session, client = self._new(credential, talk)
        try:
            await session.opened(until)
            yield session, client
        finally:
            self._leave(session)

    async def _ready(self) -> None:
        if not self._opened:
            await self._http.open()
            self._opened = True

    def heard(self, *, answered: bool) -> None:
        """Every request has a connection of its own here, and its own end."""

    async def close(self) -> None:
        for session in self._kept.values():
            self._leave(session)
        self._kept.clear()
        await asyncio.gather(*self._leaving)
        await self._http.close()

    def _of(self, person: str, credential: Credential) -> Session:
        # The secret itself stays out of what a debugger or a dump shows of a table.
        mark = sha256(f"{credential.kind}\0{credential.user}\0{credential.secret}".encode()).digest()
        self._sweep()
        session = self._kept.get((person, mark))
        if session is None:
            session = self._kept[person, mark] = self._new(credential)[0]
        return session

    def _sweep(self) -> None:
        """Let go of sessions that are over, that were idle for long, or that are too many."""
        idle_since = self._clock.monotonic() - _IDLE_S
        for key, session in list(self._kept.items()):
            if session.is_over or (not session.calls and session.used < idle_since):
                self._leave(self._kept.pop(key))
        while len(self._kept) >= _MOST_KEPT:
            idle = [(session.used, key) for key, session in self._kept.items() if not session.calls]
            if not idle:
                break  # no more than may call at once
            self._leave(self._kept.pop(min(idle)[1]))

    def _new(self, credential: Credential, talk: Talk | None = None) -> tuple[Session, Client]:
        bearer = header_value(credential.secret, name=f"the credential for {self._system}") if credential.secret else ""
        ending = Ending()
        seconds = self._settings.timeout
        patience = Patience(first_byte=seconds, idle=seconds)
        wire = Wire(self._system, self._url, self._http, self._clock, ending, bearer=bearer, patience=patience)
        # Only in the older revision can a server ask in the midst of a call.
        mode = "legacy" if talk is not None and talk.ask is not None else "auto"
        said = callbacks(talk) if talk is not None else {}
        client = Client(_streams(wire, self._url), mode=mode, cache=None, client_info=OURSELVES, **said)
        session = Session(self._system, client, ending, Asking.aside(seconds, self._longest))
        session.used = self._clock.monotonic()
        return session, client

    def _leave(self, session: Session) -> None:
        leaving = asyncio.create_task(session.close())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


@asynccontextmanager
async def _streams(wire: Wire, url: str):  # type: ignore[no-untyped-def]  # the SDK keeps the type to itself
    async with (
        httpx2.AsyncClient(transport=wire, trust_env=False, timeout=None) as client,
        streamable_http_client(url, http_client=client, max_sse_event_size=None) as streams,
    ):
        yield streams


def _seconds(until: float) -> float:
    return max(0.0, until - asyncio.get_running_loop().time())
