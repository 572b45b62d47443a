"""Access tokens of grants, for calls: from memory while they are good, and renewed early."""

import asyncio
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import Broken, DeadlineExceeded, NotFound, Upstream
from fairlead.identity.grant_server import GrantServer
from fairlead.identity.grants import EVERY_AGENT, Grant, Grants, agents_of, authority_of, has_ended
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.renewals import LEASE, Renewals
from fairlead.identity.token_endpoint import Tokens
from fairlead.identity.types import Caller
from fairlead.tools.failures import CredentialRefused
from fairlead.tools.grant_settings import GrantSettings
from fairlead.tools.systems import System
from fairlead.tools.types import Credential

if TYPE_CHECKING:
    from fairlead.storage.grant_rows import GrantRow

_EARLY: Final = 60_000  # milliseconds before its end, from which on a token is renewed; a quarter of a short life
_YOUNG: Final = 30_000  # a token that is refused so soon after it was given would be refused again
_STEPS_BACK: Final = 60_000  # by which hosts may differ; a token from further ahead came before a clock was put back
_LOOK: Final = 0.1  # seconds between looks at what another renews
_MOST_KEPT: Final = 10_000

_Key = tuple[str, str, str]


class _Held(Struct, frozen=True):
    """An access token in memory, and under what it counts."""

    settings: GrantSettings
    agents: tuple[str, ...]
    tokens: Tokens


class GrantTokens:
    """One per process. `address` is where people reach this Fairlead in a browser, "" where that is not known."""

    def __init__(self, grants: Grants, server: GrantServer, clock: Clock) -> None:
        self.grants = grants
        self.server = server
        self.address = ""
        self._clock = clock
        self._renewals = Renewals(grants, server, clock)
        self._kept: dict[_Key, _Held] = {}
        self._asking: dict[_Key, asyncio.Task[_Held | None]] = {}
        self._outdated: set[asyncio.Task[_Held | None]] = set()  # began before something was forgotten
        self._forgotten = 0

    def forget(self) -> None:
        """A grant may have ended, or its person been erased: whatever is needed next is read anew."""
        self._forgotten += 1
        self._kept.clear()
        self._outdated.update(self._asking.values())
        self._asking.clear()  # who asks from now on is not answered by what was read before

    async def close(self) -> None:
        """Before the HTTP client: renewals come to their end."""
        await self._renewals.close()
        asking = (*self._asking.values(), *self._outdated)
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def of(self, caller: Caller, system: System, deadline: float, refused: str = "") -> Credential | None:
        """A token of the caller's own; None where they have never connected the system. `refused` is an access token
        that the system did not take: another is given, or none. `deadline` is in the clock's monotonic seconds.

        Raises `NoCredential` where the grant has ended or is not for this agent, `Upstream` where it cannot be renewed.
        """
        settings = system.settings.credential.grant
        assert settings is not None
        key = (caller.person, caller.tenant, system.name)
        held = self._kept.get(key)
        if held is None or held.settings != settings or held.tokens.access == refused or self._is_early(held.tokens):
            held = await self._asked(key, settings, refused, deadline)
        if held is None:
            return None
        if caller.agent not in held.agents and EVERY_AGENT not in held.agents:
            raise self.none(system.name, f"{caller.agent or 'you without an agent'} may not use what you connected")
        return Credential(kind="grant", secret=held.tokens.access, expires=held.tokens.expires_at)

    async def disconnect(self, grant: Grant, reason: str, by: str, settings: GrantSettings | None) -> str | None:
        """End a grant here, for good, and then ask the provider to end it too. None where it had ended before; else why
        the provider did not, "" where it did. `settings` are what the workspace says of its system now."""
        tokens = await asyncio.to_thread(self.grants.revoke, grant, reason, by)
        if tokens is None:
            return None
        if settings is None or authority_of(settings) != grant.authority:
            return "the workspace does not know the provider any more"
        return await self.server.take_back(settings, tokens)

    def none(self, system: str, why: str) -> NoCredential:
        """What whoever has none is told: where to connect."""
        return NoCredential(
            f"nothing is there by which {system} could know you",
            why=why,
            mend=f"open {self.address}/connect/{system} in a browser",
            subject=system,
        )

    async def _asked(self, key: _Key, settings: GrantSettings, refused: str, deadline: float) -> _Held | None:
        """Of many calls at once, one asks. Who leaves does not end it for the others."""
        while True:
            asking = self._asking.get(key)
            if asking is None:
                asking = self._asking[key] = asyncio.get_running_loop().create_task(self._found(key, settings, refused))
                asking.add_done_callback(lambda done: self._had(key, done))
            try:
                async with asyncio.timeout(deadline - self._clock.monotonic()):
                    held = await asyncio.shield(asking)
            except TimeoutError:
                raise DeadlineExceeded(
                    f"the token for {key[2]} was not renewed in time",
                    why="its authorization server has not answered yet",
                    mend="try again; the renewal goes on meanwhile",
                    subject=key[2],
                ) from None
            except NoCredential as error:
                self._kept.pop(key, None)
                raise self.none(key[2], error.why) from error
            if held is None or (held.settings == settings and held.tokens.access != refused):
                return held

    def _had(self, key: _Key, done: "asyncio.Task[_Held | None]") -> None:
        self._outdated.discard(done)
        if self._asking.get(key) is done:
            del self._asking[key]
        if not done.cancelled():
            done.exception()  # whoever waited has it; where nobody did, nobody needs it

    async def _found(self, key: _Key, settings: GrantSettings, refused: str) -> _Held | None:
        """Look at the row until its tokens are good, renewing them or waiting for who does."""
        until = self._clock.monotonic() + 2 * LEASE
        while self._clock.monotonic() < until:
            before = self._forgotten
            row = await asyncio.to_thread(self.grants.row_of, *key)
            if row is None:
                return None
            held = await self._opened(row, settings)
            tokens = held.tokens
            is_refused = tokens.access == refused
            if is_refused and 0 <= self._clock.now() - tokens.got_at < _YOUNG:
                raise CredentialRefused(
                    f"{key[2]} refuses a token that was given just now",
                    why="another renewal would be refused as well",
                    mend=f"have `systems.{key[2]}.credential.grant` corrected: its scopes, `resource` or `audience`",
                    retryable=False,
                )
            if not is_refused and not self._is_early(tokens):
                return self._remembered(key, held, before)
            is_usable = not is_refused and (not tokens.expires_at or self._clock.now() < tokens.expires_at)
            if is_usable and not tokens.refresh:
                return held
            try:
                renewing = await self._renewals.begun(row, tokens, settings, key[0])
            except (Upstream, Broken):
                if not is_usable:
                    raise
                renewing = None
            if is_usable:
                return held  # and nobody waits for the other
            if renewing is not None:
                return self._remembered(key, _Held(settings, held.agents, await asyncio.shield(renewing)), before)
            await asyncio.sleep(_LOOK)
        raise Upstream(
            f"the token for {key[2]} is being renewed without end",
            why="one worker after the other has begun to renew it, and none has ended",
            mend=f"look at its authorization server, or connect it anew: /connect/{key[2]}",
            subject=key[2],
        )

    async def _opened(self, row: "GrantRow", settings: GrantSettings) -> _Held:
        if row.state != "active":
            raise has_ended(row.system, row.reason)
        if row.authority != authority_of(settings):
            raise has_ended(row.system, "the workspace names another provider or client than when you connected it")
        try:
            return _Held(settings, agents_of(row), await asyncio.to_thread(self.grants.opened, row))
        except NotFound:
            raise has_ended(row.system, "it was erased") from None

    def _remembered(self, key: _Key, held: _Held, before: int) -> _Held:
        if self._forgotten == before:  # else it may have ended while it was read
            if len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = held
        return held

    def _is_early(self, tokens: Tokens) -> bool:
        """Whether it is time to renew them."""
        if not tokens.expires_at:
            return False
        early, now = min(_EARLY, (tokens.expires_at - tokens.got_at) // 4), self._clock.now()
        return now >= tokens.expires_at - early or now < tokens.got_at - _STEPS_BACK
