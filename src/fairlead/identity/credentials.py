"""By what a system knows a caller: a token of theirs by exchange, one that they once consented to, their own account
(by a certificate that is issued here, or by a password), or an account that is flagged as nobody's own. Never the token
that they came with, and never a wider identity after a refusal.

What is had is kept until it ends, for one person, agent, token and system. Secrets stand in memory only.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.identity.certificates import Certificates
from fairlead.identity.exchange import exchanged
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.types import Caller
from fairlead.net.http import Http
from fairlead.tools.settings import LoginSettings, ServiceSettings
from fairlead.tools.systems import System
from fairlead.tools.types import Credential

if TYPE_CHECKING:
    from fairlead.identity.grant_tokens import GrantTokens

_MOST_KEPT: Final = 10_000
_EARLY: Final = 30_000  # milliseconds before its end, from which on a token is not used any more
_Key = tuple[str, str, bytes, str]


class Credentials:
    """One per process. `reveal` gives what a reference like `env:NAME` stands for, None where there is nothing.
    Without `grants`, nobody has connected anything."""

    def __init__(
        self, http: Http, clock: Clock, reveal: Callable[[str], str | None], grants: "GrantTokens | None" = None
    ) -> None:
        self._http = http
        self._clock = clock
        self._reveal = reveal
        self._certificates = Certificates(clock, self._revealed)
        self._grants = grants
        self._kept: dict[_Key, tuple[Credential, float]] = {}  # until when in monotonic seconds: clocks are put back
        self._asking: dict[_Key, asyncio.Task[Credential]] = {}

    async def of(self, caller: Caller, token: str, system: System, deadline: float) -> Credential:
        """The first of the declared ways that this caller has. `token` is what they came with, "" for another kind of
        credential; `deadline` is in the clock's monotonic seconds.

        Raises `NoCredential`, `NotAuthorised`, `Upstream`.
        """
        ways = system.settings.credential
        if ways.exchange is not None and token:
            return await self._exchanged(caller, token, system, deadline)
        if ways.grant is not None and self._grants is not None:
            granted = await self._grants.of(caller, system, deadline)
            if granted is not None:
                return granted
        if ways.certificate is not None:
            return self._certificates.of(caller, system.name, ways.certificate)
        if ways.login is not None and (account := self._account(caller, ways.login)) is not None:
            return account
        if ways.service is not None:
            return self._service(system.name, ways.service)
        if ways.exchange is None and ways.login is None and ways.grant is None:
            return Credential()
        if ways.grant is not None and self._grants is not None:
            raise self._grants.none(system.name, "you have not connected it with an account of yours")
        raise NoCredential(
            f"nothing is there by which {system.name} could know you",
            why="an access token is needed, which can be exchanged" if ways.exchange else "you have no account there",
            mend="sign in with the identity provider" if ways.exchange else "have an account of your own made there",
            subject=system.name,
        )

    async def renewed(self, caller: Caller, system: System, refused: Credential, deadline: float) -> Credential | None:
        """Another in place of one that the system did not take; None where there can be none.

        Raises `NoCredential`, `NotAuthorised`, `Upstream`.
        """
        if refused.kind != "grant" or self._grants is None:
            return None
        return await self._grants.of(caller, system, deadline, refused.secret)

    async def _exchanged(self, caller: Caller, token: str, system: System, deadline: float) -> Credential:
        settings = system.settings.credential.exchange
        assert settings is not None
        about = msgspec.json.encode((system.name, settings))
        key = (caller.person, caller.agent, hashlib.sha256(token.encode()).digest(), hashlib.sha256(about).hexdigest())
        known = self._kept.get(key)
        if known is not None and self._clock.now() < known[0].expires - _EARLY and self._clock.monotonic() < known[1]:
            return known[0]
        asking = self._asking.get(key)
        if asking is None:  # of many calls at once, one asks
            work = exchanged(self._http, self._clock, settings, self._revealed, token, deadline)
            asking = self._asking[key] = asyncio.get_running_loop().create_task(work)
            asking.add_done_callback(lambda done: self._had(key, done))
        return await asyncio.shield(asking)

    def _had(self, key: _Key, done: "asyncio.Task[Credential]") -> None:
        self._asking.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._kept) >= _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        left = done.result().expires - _EARLY - self._clock.now()
        self._kept[key] = done.result(), self._clock.monotonic() + left / 1000

    def _account(self, caller: Caller, settings: LoginSettings) -> Credential | None:
        user = settings.role.replace("{person}", caller.person)
        secret = self._passwords(settings.secrets).get(user)
        return None if secret is None else Credential(kind="login", user=user, secret=secret)

    def _passwords(self, reference: str) -> Mapping[str, str]:
        try:
            return msgspec.json.decode(self._revealed(reference), type=dict[str, str])
        except msgspec.DecodeError:
            raise BadInput(
                f"{reference} holds no accounts",
                why="it must be a JSON object of passwords by account",
                mend="correct it",
            ) from None

    def _service(self, name: str, settings: ServiceSettings) -> Credential:
        return Credential(kind="service", user=settings.user, secret=self._revealed(settings.secret))

    def _revealed(self, reference: str) -> str:
        found = self._reveal(reference)
        if not found:
            raise NoCredential(
                f"{reference} is not set on this machine",
                why="the workspace says that a system's credential is there",
                mend=f"set it before starting: export {reference.removeprefix('env:')}=…",
            )
        return found
