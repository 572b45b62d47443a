"""What an identity provider tells of a person who has just signed in, or is still signed in: proven claims.

The same checks and the same mapping as for access tokens; what an identity token does not say, userinfo may.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import Upstream
from fairlead.identity.provider_tokens import PATIENCE, ProviderTokens, away, for_identity_tokens, refuse
from fairlead.identity.settings import Provider
from fairlead.identity.types import Caller
from fairlead.net.http import Patience, header_value

_PATIENCE: Final = Patience(connect=5, first_byte=10, idle=10)
_MOST_BYTES: Final = 256 << 10
_OF_THE_TOKEN: Final = ("iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "cnf", "act", "typ")


class Proof(Struct, frozen=True):
    """Claims that the provider stands for, and its refresh token, "" where it gave none. It shows nothing of itself."""

    claims: dict[str, Any]
    refresh: str = ""

    def __repr__(self) -> str:
        return "Proof()"


class Proofs:
    """Asks providers. Lives as long as the process."""

    def __init__(self, tokens: ProviderTokens, clock: Clock) -> None:
        self.tokens = tokens
        self.discovery = tokens.discovery
        self._clock = clock

    async def by_code(self, provider: Provider, code: str, verifier: str, redirect: str, nonce: str) -> Proof:
        """Turn a code into claims. Raises `Unauthenticated` where the provider, or what it gave, does not hold;
        `Overloaded` where it cannot be asked."""
        granted = await self.tokens.by_code(provider, code, verifier, redirect, nonce)
        return Proof(await self._with_userinfo(provider, granted.claims or {}, granted.access), granted.refresh)

    async def by_refresh(self, provider: Provider, before: Proof) -> Proof:
        """The person's claims as they are now. Raises as `by_code`: `Unauthenticated` is the provider's own no."""
        granted = await self.tokens.by_refresh(provider, before.refresh)
        claims = granted.claims
        if claims is None:  # what was true then is not believed now: only who it is stays
            claims = {name: before.claims[name] for name in _OF_THE_TOKEN if name in before.claims}
        if claims.get("sub") != before.claims.get("sub"):
            refuse("the provider's answer is about somebody else", why="its `sub` has changed")
        whole = await self._with_userinfo(provider, claims, granted.access, needed=granted.claims is None)
        return Proof(whole, granted.refresh or before.refresh)

    async def revoke(self, provider: Provider, refresh: str) -> None:
        """Have the provider forget the refresh token, where it can. Raises as `by_code`."""
        await self.tokens.revoke(provider, refresh)

    async def _with_userinfo(
        self, provider: Provider, claims: Mapping[str, Any], access: str, *, needed: bool = False
    ) -> dict[str, Any]:
        url = (await self.discovery.of(provider.issuer)).userinfo_endpoint
        if not url or not access:
            if needed:
                refuse("the provider does not say any more who you are", why="it gave neither token nor userinfo")
            return dict(claims)
        headers = {
            "authorization": "Bearer " + header_value(access, name="the provider's access token"),
            "accept": "application/json",
            "accept-encoding": "identity",
        }
        deadline = self._clock.monotonic() + PATIENCE
        try:
            async with await self.tokens.http.get(
                url, headers, deadline=deadline, patience=_PATIENCE, subject=url
            ) as answer:
                said, status = await answer.read(_MOST_BYTES), answer.status
        except Upstream as error:
            raise away(provider, error.why or "it did not answer") from error
        if status != 200:
            if 400 <= status < 500 and status != 429:
                refuse("the provider does not tell who has signed in", why=f"its userinfo answers with {status}")
            raise away(provider, f"its userinfo answers with {status}")
        told = _object(provider, said)
        if told.get("sub") != claims.get("sub"):  # OpenID Connect Core 1.0, 5.3.2
            refuse("the provider's answers are about different people", why="token and userinfo differ in `sub`")
        return {**told, **claims}


def person_of(provider: Provider, proof: Proof, expires: int) -> Caller:
    """Whom a proof is of, by the claims as the workspace in force reads them. Raises `Unauthenticated`."""
    from fairlead.identity.oidc import caller_named

    return caller_named(proof.claims, for_identity_tokens(provider), f"browser:{provider.issuer}", expires)


def _object(provider: Provider, said: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(said, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise away(provider, "its userinfo is no JSON object") from None
