"""An authorization server as grants need it: tokens for a code, for a refresh token, and taking them back."""

from collections.abc import Callable, Mapping
from typing import Final

from fairlead.clock import Clock
from fairlead.errors import FairleadError
from fairlead.identity.authority import Authorities, Authority, client_of
from fairlead.identity.fetch import fetcher
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.token_endpoint import Client, Declined, Tokens, asked_for_tokens, taken_back
from fairlead.net.http import Http
from fairlead.tools.grant_settings import GrantSettings

PATIENCE: Final = 20.0
"""Seconds for one question, all of it."""


class GrantServer:
    """One per process, for all servers. `reveal` gives what a reference like `env:NAME` stands for."""

    def __init__(self, http: Http, clock: Clock, reveal: Callable[[str], str | None]) -> None:
        self._http = http
        self._clock = clock
        self._reveal = reveal
        self._authorities = Authorities(fetcher(http, clock), clock)

    async def authority(self, settings: GrantSettings) -> Authority:
        """Where it answers. Raises `Upstream`."""
        return await self._authorities.of(settings)

    async def tokens(self, settings: GrantSettings, form: Mapping[str, str]) -> Tokens | Declined:
        """Ask for tokens, for the resource and audience that the workspace names. Raises `Upstream`: `charged` is "no"
        where nothing came of it for sure; `NoCredential` where the client's secret is not on this machine."""
        authority = await self.authority(settings)
        client = self._client(settings, authority)
        whole = {**form, "resource": settings.resource, "audience": settings.audience}
        deadline = self._clock.monotonic() + PATIENCE
        return await asked_for_tokens(self._http, self._clock, authority.token_url, client, whole, deadline)

    async def take_back(self, settings: GrantSettings, tokens: Tokens) -> str:
        """Ask it to end a grant as well. Returns why it did not, "" where it did."""
        try:
            authority = await self.authority(settings)
            if not authority.revoke_url:
                return "it names no address for that"
            client, deadline = self._client(settings, authority), self._clock.monotonic() + PATIENCE
            return await taken_back(self._http, authority.revoke_url, client, tokens, deadline)
        except FairleadError as error:
            return error.message

    def _client(self, settings: GrantSettings, authority: Authority) -> Client:
        secret = self._reveal(settings.secret) if settings.secret else ""
        if secret is None:
            raise NoCredential(
                f"{settings.secret} is not set on this machine",
                why="the workspace says that a client's secret is there",
                mend=f"set it before starting: export {settings.secret.removeprefix('env:')}=…",
            )
        return client_of(settings, authority, secret)
