"""A person's consent that Fairlead acts for them at a system: from the button to the tokens (authorization code with
PKCE, as RFC 9700 asks).

What is begun in a browser session can be finished in that session alone, by the same person, once, by any worker: a
link that somebody else has begun attaches nothing to whoever opens it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, NotFound, Refused
from fairlead.identity.authority import Authority
from fairlead.identity.form_post import words
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.grants import Grant, authority_of
from fairlead.identity.sign_in import challenge, text_of
from fairlead.identity.token_endpoint import Declined
from fairlead.identity.types import Caller
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.tools.grant_settings import GrantSettings

LASTS: Final = 600_000
"""Milliseconds for which a consent may be finished."""

MOST_AGENTS: Final = 50


class NotConnected(Refused):
    """A system was not connected: the person, or its provider, said no, or the answer is not one to what was asked.

    Nothing was kept. Open /connect/SYSTEM again, in the browser in which you are signed in.
    """

    code = "not_connected"


class _Begun(Struct, frozen=True):
    """What finishing needs. Sealed for the person."""

    verifier: str
    redirect: str
    authority: str
    agents: tuple[str, ...]


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_Begun)


class Consents:
    """All of a deployment."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, tokens: GrantTokens) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._tokens = tokens

    async def begin(
        self, caller: Caller, session: str, system: str, settings: GrantSettings, agents: Sequence[str], redirect: str
    ) -> str:
        """Where to send the browser. `session` is its secret, `redirect` where it comes back to, `agents` who may use
        what comes of it. Raises `Upstream`, `BadInput`."""
        if len(agents) > MOST_AGENTS or any(len(each) > 200 for each in agents):
            raise BadInput("these are too many agents", mend="let every agent use it; policies decide which may")
        authority = await self._tokens.server.authority(settings)
        state, verifier = (text_of(self._clock.random_bytes(32)) for _ in range(2))
        begun = _Begun(verifier, redirect, authority_of(settings), tuple(agents))
        await asyncio.to_thread(self._keep, caller, session, system, state, begun)
        # Servers that also tell who somebody is may want it; no identity token is looked at here.
        nonce = text_of(self._clock.random_bytes(16)) if "openid" in settings.scopes else ""
        return _address(settings, authority, redirect, {"state": state, "nonce": nonce}, verifier)

    async def finish(
        self,
        caller: Caller,
        session: str,
        answer: Mapping[str, Sequence[str]],
        settings_of: Callable[[str], GrantSettings],
    ) -> Grant:
        """Keep what the provider's answer brings. `settings_of` gives what the workspace says of a system, or raises.

        Raises `NotConnected`, `Upstream`, and what `settings_of` raises.
        """
        given = {name: values[0] for name, values in answer.items() if len(values) == 1}
        system, begun = await asyncio.to_thread(self._taken, caller, session, given.get("state", ""))
        settings = settings_of(system)
        if authority_of(settings) != begun.authority:
            raise _not_connected(system, "the workspace names another provider or client since you began")
        authority = await self._tokens.server.authority(settings)
        if "error" in given:  # nothing comes of it, whoever says so
            raise _not_connected(system, words(f"{given['error']} {given.get('error_description', '')}"))
        issuer = given.get("iss")  # RFC 9207: another server must not pass off its answer as this one's
        if authority.issuer and issuer != authority.issuer and (issuer is not None or authority.tells_issuer):
            raise _not_connected(system, "the answer came from another server than was asked")
        if not given.get("code"):
            raise _not_connected(system, "the answer holds no code")
        form = {
            "grant_type": "authorization_code",
            "code": given["code"],
            "redirect_uri": begun.redirect,
            "code_verifier": begun.verifier,
        }
        tokens = await self._tokens.server.tokens(settings, form)
        if isinstance(tokens, Declined):
            raise _not_connected(system, tokens.why)
        grants = self._tokens.grants
        return await asyncio.to_thread(
            grants.put, caller.person, caller.tenant, system, settings, begun.agents, tokens, caller.credential
        )

    def _keep(self, caller: Caller, session: str, system: str, state: str, begun: _Begun) -> None:
        from fairlead.storage import grant_rows as table

        key, now, digest = self._vault.subject_for(caller.person), self._clock.now(), _digest(state)
        row = table.ConsentRow(
            state=digest,
            subject=key.id,
            tenant=caller.tenant,
            session=_digest(session),
            system=system,
            expires_at=now + LASTS,
            sealed=self._vault.seal(key, _encode(begun), _about(digest)),
        )
        with self._store.writing() as connection:
            table.begin(connection, row, now)

    def _taken(self, caller: Caller, session: str, state: str) -> tuple[str, _Begun]:
        """What was begun by this very person in this very session; it is used up. Raises `NotConnected`."""
        from fairlead.storage import grant_rows as table

        digest = _digest(state)
        with self._store.writing() as connection:
            row = table.take(connection, digest, _digest(session), self._clock.now())
        mine = row is not None and (row.subject, row.tenant) == (self._vault.id_of(caller.person), caller.tenant)
        try:
            if row is not None and mine:
                return row.system, _decoder.decode(self._vault.open_sealed(row.subject, row.sealed, _about(digest)))
        except NotFound:  # erased meanwhile
            mine = False
        raise _not_connected("", f"each is good once, in the browser that began it, for {LASTS // 60_000} minutes")


def _address(
    settings: GrantSettings, authority: Authority, redirect: str, marks: Mapping[str, str], verifier: str
) -> str:
    asked = {
        **settings.extra,
        "response_type": "code",
        "client_id": settings.client,
        "redirect_uri": redirect,
        "scope": " ".join(settings.scopes),
        "resource": settings.resource,
        "audience": settings.audience,
        **marks,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    join = "&" if "?" in authority.authorize_url else "?"
    return authority.authorize_url + join + urlencode({name: value for name, value in asked.items() if value})


def _not_connected(system: str, why: str) -> NotConnected:
    return NotConnected(
        f"{system or 'the system'} was not connected",
        why=why,
        mend=f"begin again at /connect/{system}" if system else "begin again at /connections",
        subject=system,
    )


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _about(digest: str) -> bytes:
    """What a sealed row is bound to: it opens in no other place."""
    return f"consent\x00{digest}".encode()
