"""Tokens that a provider gives to a client of ours, for a code or a refresh token, checked before they are believed."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.errors import Overloaded, Unauthenticated, Upstream
from fairlead.identity.discovery import Discovery, Endpoints
from fairlead.identity.form_post import posted, reason
from fairlead.identity.issuer_keys import IssuerKeyRings
from fairlead.identity.login_settings import Login
from fairlead.identity.settings import Provider
from fairlead.net.http import Http

PATIENCE: Final = 15.0  # seconds for one request to the provider


class Granted(Struct, frozen=True):
    """What the provider gave; "" for what it did not. `claims` are those of a verified identity token, None without
    one; `lasts` is the access token's life in seconds, 0 where it did not say. It shows nothing of itself."""

    access: str
    refresh: str
    lasts: int
    claims: dict[str, Any] | None

    def __repr__(self) -> str:
        return "Granted()"


class _Tokens(Struct, frozen=True):
    access_token: str = ""
    id_token: str = ""
    refresh_token: str = ""
    expires_in: float | str = 0  # some providers write it as a text
    token_type: str = "Bearer"  # noqa: S105

    def __repr__(self) -> str:
        return "_Tokens()"


class ProviderTokens:
    """Asks providers as our client. `reveal` gives what `env:NAME` stands for, for clients that have a secret."""

    def __init__(
        self,
        http: Http,
        discovery: Discovery,
        rings: IssuerKeyRings,
        clock: Clock,
        reveal: Callable[[str], str | None],
    ) -> None:
        self.discovery = discovery
        self.http = http
        self._rings = rings
        self._clock = clock
        self._reveal = reveal

    async def by_code(
        self, provider: Provider, code: str, verifier: str, redirect: str, nonce: str, resource: str = ""
    ) -> Granted:
        """For the code of one attempt. Raises `Unauthenticated` where the provider, or what it gave, does not hold;
        `Overloaded` where it cannot be asked."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
            "resource": resource,
        }
        granted = await self.asked(provider, form)
        if granted.claims is None:
            refuse("the provider did not say who signed in", why="it gave no identity token", mend="ask for `openid`")
        if granted.claims.get("nonce") != nonce:
            refuse("the provider's answer belongs to another sign-in", why="its identity token has another nonce")
        return granted

    async def by_refresh(self, provider: Provider, refresh: str, resource: str = "") -> Granted:
        """Anew. Raises as `by_code`: `Unauthenticated` is the provider's own no."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh, "resource": resource}
        return await self.asked(provider, form)

    async def revoke(self, provider: Provider, refresh: str) -> None:
        """Have the provider forget the refresh token, where it can (RFC 7009). Raises as `by_code`."""
        endpoints = await self.discovery.of(provider.issuer)
        if endpoints.revocation_endpoint and refresh:
            form = {"token": refresh, "token_type_hint": "refresh_token"}
            await self.post(provider, endpoints, endpoints.revocation_endpoint, form)

    async def asked(self, provider: Provider, form: Mapping[str, str]) -> Granted:
        """What the token endpoint gives for a form. Raises as `by_code`."""
        endpoints = await self.discovery.of(provider.issuer)
        status, said = await self.post(provider, endpoints, endpoints.token_endpoint, form)
        if status == 200:
            return await self.granted(provider, said)
        if 400 <= status < 500 and status != 429:
            refuse("the provider refuses the sign-in", why=reason(said) or f"status {status}")
        raise away(provider, f"status {status}")

    async def post(
        self, provider: Provider, endpoints: Endpoints, url: str, form: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Status and body of the answer to a form of ours. Raises `Overloaded`."""
        login = login_of(provider)
        deadline = self._clock.monotonic() + PATIENCE
        account = None
        if login.secret is None:
            form = {"client_id": login.client_id, **form}
        elif "client_secret_basic" in endpoints.token_endpoint_auth_methods_supported:
            account = (login.client_id, self._secret(login.secret))
        else:
            form = {"client_id": login.client_id, "client_secret": self._secret(login.secret), **form}
        try:
            return await posted(self.http, url, form, account, deadline)
        except Upstream as error:
            raise away(provider, error.why or "it did not answer") from error

    async def granted(self, provider: Provider, said: bytes) -> Granted:
        """What stands in a good answer of the token endpoint, once it is checked. Raises as `by_code`."""
        try:
            tokens = msgspec.json.decode(said, type=_Tokens)
            lasts = max(0, int(float(tokens.expires_in)))
        except (ValueError, OverflowError, RecursionError):  # msgspec's errors are ValueErrors
            raise away(provider, "it gave no tokens that can be read") from None
        if tokens.token_type.lower() != "bearer":
            raise away(provider, "it gave tokens of another kind")
        claims = await self._identity_token(provider, tokens.id_token) if tokens.id_token else None
        return Granted(tokens.access_token, tokens.refresh_token, lasts, claims)

    def _secret(self, reference: str) -> str:
        found = self._reveal(reference)
        if not found:
            raise Overloaded(
                "people cannot sign in just now",
                why=f"{reference} is not set on the server, and the workspace says that the client's secret is there",
                mend="tell whoever runs this Fairlead",
                step="authenticate",
            )
        return found

    async def _identity_token(self, provider: Provider, token: str) -> dict[str, Any]:
        from fairlead.identity.oidc import JWT, check_meant_for_us, genuine

        ring = self._rings.of(provider.issuer, provider.jwks_url)
        ours = for_identity_tokens(provider)
        claims, _ = await genuine(token, {provider.issuer: (ours, ring)}, JWT)
        check_meant_for_us(claims, ours, self._clock.now())
        # OpenID Connect Core 1.0, 3.1.3.7: where there are several audiences, the authorised party says who asked.
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else login_of(provider).client_id) != login_of(provider).client_id:
            refuse("the identity token was given to another program", why="its `azp` is not this client")
        return dict(claims)


def for_identity_tokens(provider: Provider) -> Provider:
    """The provider as its identity tokens are checked: meant for our client, and for nobody who acts for the person."""
    return replace(
        provider, audience=frozenset((login_of(provider).client_id,)), claims=replace(provider.claims, agent=())
    )


def login_of(provider: Provider) -> Login:
    """How our client signs people in there. Only for providers that have `login`."""
    assert provider.login is not None
    return provider.login


def away(provider: Provider, why: str) -> Overloaded:
    """The provider cannot be asked just now."""
    return Overloaded(
        "the identity provider does not answer as it should",
        why=f"{provider.issuer}: {why}",
        mend="try again shortly; if it lasts, tell whoever runs the identity provider",
        retry_after=5.0,
        step="authenticate",
    )


def refuse(message: str, *, why: str, mend: str = "sign in again") -> NoReturn:
    """Raises `Unauthenticated` for a token, or an answer about one, that does not hold."""
    raise Unauthenticated(message, why=why, mend=mend, step="authenticate")
