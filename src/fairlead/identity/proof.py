"""What an identity provider tells of a person who has just signed in, or is still signed in: proven claims.

The same checks and the same mapping as for access tokens; the audience of an identity token is Fairlead's own client.
"""

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
from fairlead.identity.types import Caller
from fairlead.net.http import Http, Patience, header_value

_PATIENCE_IN_ALL: Final = 15.0  # seconds for one request to the provider
_PATIENCE: Final = Patience(connect=5, first_byte=10, idle=10)
_MOST_BYTES: Final = 256 << 10
_OF_THE_TOKEN: Final = ("iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "cnf", "act", "typ")


class Proof(Struct, frozen=True):
    """Claims that the provider stands for, and its refresh token, "" where it gave none. It shows nothing of itself."""

    claims: dict[str, Any]
    refresh: str = ""

    def __repr__(self) -> str:
        return "Proof()"


class _Tokens(Struct, frozen=True):
    access_token: str = ""
    id_token: str = ""
    refresh_token: str = ""
    token_type: str = "Bearer"  # noqa: S105

    def __repr__(self) -> str:
        return "_Tokens()"


class Proofs:
    """Asks providers. Lives as long as the process. `reveal` gives what `env:NAME` stands for."""

    def __init__(
        self,
        http: Http,
        discovery: Discovery,
        rings: IssuerKeyRings,
        clock: Clock,
        reveal: Callable[[str], str | None],
    ) -> None:
        self.discovery = discovery
        self._http = http
        self._rings = rings
        self._clock = clock
        self._reveal = reveal

    async def by_code(self, provider: Provider, code: str, verifier: str, redirect: str, nonce: str) -> Proof:
        """Turn a code into claims. Raises `Unauthenticated` where the provider, or what it gave, does not hold;
        `Overloaded` where it cannot be asked."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
        }
        tokens = await self._asked(provider, form)
        if not tokens.id_token:
            _refuse("the provider did not say who signed in", why="it gave no identity token", mend="ask for `openid`")
        claims = await self._identity_token(provider, tokens.id_token)
        if claims.get("nonce") != nonce:
            _refuse("the provider's answer belongs to another sign-in", why="its identity token has another nonce")
        return Proof(await self._with_userinfo(provider, claims, tokens), tokens.refresh_token)

    async def by_refresh(self, provider: Provider, before: Proof) -> Proof:
        """The person's claims as they are now. Raises as `by_code`: `Unauthenticated` is the provider's own no."""
        tokens = await self._asked(provider, {"grant_type": "refresh_token", "refresh_token": before.refresh})
        if tokens.id_token:
            claims = await self._identity_token(provider, tokens.id_token)
        else:  # what was true then is not believed now: only who it is stays
            claims = {name: before.claims[name] for name in _OF_THE_TOKEN if name in before.claims}
        if claims.get("sub") != before.claims.get("sub"):
            _refuse("the provider's answer is about somebody else", why="its `sub` has changed")
        whole = await self._with_userinfo(provider, claims, tokens, needed=not tokens.id_token)
        return Proof(whole, tokens.refresh_token or before.refresh)

    async def revoke(self, provider: Provider, refresh: str) -> None:
        """Have the provider forget the refresh token, where it can (RFC 7009). Raises as `by_code`."""
        endpoints = await self.discovery.of(provider.issuer)
        if endpoints.revocation_endpoint and refresh:
            form = {"token": refresh, "token_type_hint": "refresh_token"}
            await self._post(provider, endpoints, endpoints.revocation_endpoint, form)

    async def _asked(self, provider: Provider, form: dict[str, str]) -> _Tokens:
        endpoints = await self.discovery.of(provider.issuer)
        status, said = await self._post(provider, endpoints, endpoints.token_endpoint, form)
        if status == 200:
            try:
                tokens = msgspec.json.decode(said, type=_Tokens)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                raise _away(provider, "it gave no tokens that can be read") from None
            if tokens.token_type.lower() != "bearer":
                raise _away(provider, "it gave tokens of another kind")
            return tokens
        if 400 <= status < 500 and status != 429:
            _refuse("the provider refuses the sign-in", why=reason(said) or f"status {status}")
        raise _away(provider, f"status {status}")

    async def _post(
        self, provider: Provider, endpoints: Endpoints, url: str, form: dict[str, str]
    ) -> tuple[int, bytes]:
        login = _login(provider)
        deadline = self._clock.monotonic() + _PATIENCE_IN_ALL
        account = None
        if login.secret is None:
            form = {"client_id": login.client_id, **form}
        elif "client_secret_basic" in endpoints.token_endpoint_auth_methods_supported:
            account = (login.client_id, self._secret(login.secret))
        else:
            form = {"client_id": login.client_id, "client_secret": self._secret(login.secret), **form}
        try:
            return await posted(self._http, url, form, account, deadline)
        except Upstream as error:
            raise _away(provider, error.why or "it did not answer") from error

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
        if claims.get("azp", None if several else _login(provider).client_id) != _login(provider).client_id:
            _refuse("the identity token was given to another program", why="its `azp` is not this client")
        return dict(claims)

    async def _with_userinfo(
        self, provider: Provider, claims: Mapping[str, Any], tokens: _Tokens, *, needed: bool = False
    ) -> dict[str, Any]:
        url = (await self.discovery.of(provider.issuer)).userinfo_endpoint
        if not url or not tokens.access_token:
            if needed:
                _refuse("the provider does not say any more who you are", why="it gave neither token nor userinfo")
            return dict(claims)
        headers = {
            "authorization": "Bearer " + header_value(tokens.access_token, name="the provider's access token"),
            "accept": "application/json",
            "accept-encoding": "identity",
        }
        deadline = self._clock.monotonic() + _PATIENCE_IN_ALL
        try:
            async with await self._http.get(url, headers, deadline=deadline, patience=_PATIENCE, subject=url) as answer:
                said, status = await answer.read(_MOST_BYTES), answer.status
        except Upstream as error:
            raise _away(provider, error.why or "it did not answer") from error
        if status != 200:
            if 400 <= status < 500 and status != 429:
                _refuse("the provider does not tell who has signed in", why=f"its userinfo answers with {status}")
            raise _away(provider, f"its userinfo answers with {status}")
        told = _object(provider, said)
        if told.get("sub") != claims.get("sub"):  # OpenID Connect Core 1.0, 5.3.2
            _refuse("the provider's answers are about different people", why="token and userinfo differ in `sub`")
        return {**told, **claims}


def for_identity_tokens(provider: Provider) -> Provider:
    """The provider as its identity tokens are checked: meant for our client, and for nobody who acts for the person."""
    return replace(
        provider, audience=frozenset((_login(provider).client_id,)), claims=replace(provider.claims, agent=())
    )


def person_of(provider: Provider, proof: Proof, expires: int) -> Caller:
    """Whom a proof is of, by the claims as the workspace in force reads them. Raises `Unauthenticated`."""
    from fairlead.identity.oidc import caller_named

    return caller_named(proof.claims, for_identity_tokens(provider), f"browser:{provider.issuer}", expires)


def _login(provider: Provider) -> Login:
    assert provider.login is not None
    return provider.login


def _object(provider: Provider, said: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(said, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _away(provider, "its userinfo is no JSON object") from None


def _away(provider: Provider, why: str) -> Overloaded:
    return Overloaded(
        "the identity provider does not answer as it should",
        why=f"{provider.issuer}: {why}",
        mend="try again shortly; if it lasts, tell whoever runs the identity provider",
        retry_after=5.0,
        step="authenticate",
    )


def _refuse(message: str, *, why: str, mend: str = "sign in again") -> NoReturn:
    raise Unauthenticated(message, why=why, mend=mend, step="authenticate")
