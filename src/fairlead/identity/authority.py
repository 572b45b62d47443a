"""Where an authorization server answers: as the workspace says, and for the rest as the server's own metadata says
(RFC 8414, or OpenID Connect Discovery 1.0)."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, Upstream
from fairlead.identity.addresses import check_named_url
from fairlead.identity.issuer_keys import Fetch
from fairlead.identity.token_endpoint import Client
from fairlead.tools.grant_settings import GrantSettings

_FRESH: Final = 3600.0  # seconds
_AUTH: Final = {"client_secret_basic": "basic", "client_secret_post": "post"}


class Authority(Struct, frozen=True, kw_only=True):
    """An authorization server. `tells_issuer`: its answers in the browser say whose they are (RFC 9207)."""

    issuer: str = ""
    authorize_url: str
    token_url: str
    revoke_url: str = ""
    tells_issuer: bool = False
    takes_post: bool = False


class Authorities:
    """One per process: what servers say of themselves counts for an hour."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}

    async def of(self, settings: GrantSettings) -> Authority:
        """Raises `Upstream` where it cannot be asked, or says what cannot be."""
        if settings.authorize_url and settings.token_url:
            return Authority(
                issuer=settings.issuer,
                authorize_url=settings.authorize_url,
                token_url=settings.token_url,
                revoke_url=settings.revoke_url,
            )
        said = await self._metadata(settings.issuer)
        methods = said.get("token_endpoint_auth_methods_supported")
        known = [_AUTH[each] for each in methods if each in _AUTH] if isinstance(methods, list) else []
        return Authority(
            issuer=settings.issuer,
            authorize_url=settings.authorize_url or _url(said, "authorization_endpoint", settings.issuer),
            token_url=settings.token_url or _url(said, "token_endpoint", settings.issuer),
            revoke_url=settings.revoke_url or _url(said, "revocation_endpoint", settings.issuer, needed=False),
            tells_issuer=said.get("authorization_response_iss_parameter_supported") is True,
            takes_post=known == ["post"],
        )

    async def _metadata(self, issuer: str) -> dict[str, Any]:
        now = self._clock.monotonic()
        known = self._known.get(issuer)
        if known is not None and now < known[0] + _FRESH:
            return known[1]
        try:
            found = await self._asked(issuer)
        except Upstream:
            if known is None:
                raise
            return known[1]  # addresses rarely move
        self._known[issuer] = now, found
        return found

    async def _asked(self, issuer: str) -> dict[str, Any]:
        failure: Upstream | None = None
        for url in _places(issuer):
            try:
                said = msgspec.json.decode(await self._fetch(url), type=dict[str, Any])
            except Upstream as error:
                failure = failure or error
                continue
            except (ValueError, RecursionError):
                failure = failure or Upstream(
                    f"{url} is no metadata of a server",
                    mend="correct `issuer`, or give `authorize_url` and `token_url` in the workspace",
                    subject=issuer,
                )
                continue
            if said.get("issuer") != issuer:
                raise Upstream(
                    f"{url} speaks of another server than {issuer}",
                    why="tokens would go to whom nobody named",
                    mend="write `issuer` exactly as the server names itself",
                    subject=issuer,
                    retryable=False,
                )
            return said
        assert failure is not None
        raise failure


def client_of(settings: GrantSettings, authority: Authority, secret: str) -> Client:
    """As whom Fairlead asks there."""
    if not settings.secret:
        return Client(settings.client)
    return Client(settings.client, secret, settings.client_auth or ("post" if authority.takes_post else "basic"))


def _places(issuer: str) -> list[str]:
    scheme, _, rest = issuer.partition("://")
    host, _, path = rest.partition("/")
    path = f"/{path.rstrip('/')}" if path.rstrip("/") else ""
    return [
        f"{scheme}://{host}/.well-known/oauth-authorization-server{path}",
        f"{issuer.rstrip('/')}/.well-known/openid-configuration",
    ]


def _url(said: dict[str, Any], name: str, issuer: str, *, needed: bool = True) -> str:
    url = said.get(name)
    if url is None and not needed:
        return ""
    try:
        if not isinstance(url, str):
            raise BadInput(f"there is no {name}")
        check_named_url(name, url, issuer, query=True)
    except BadInput as error:
        raise Upstream(
            f"the metadata of {issuer} is of no use",
            why=error.message,
            mend="give its addresses in the workspace: `authorize_url` and `token_url`",
            subject=issuer,
            retryable=False,
        ) from None
    return url
