"""Tokens of identity providers: whether one is genuine and meant for us, and whom it names.

JSON Web Tokens by RFC 7519 with the profile of RFC 9068 where an issuer follows it, read by the advice of RFC 8725:
asymmetric algorithms only, from the workspace's list and never from the token's word alone.
"""

import math
from collections.abc import Mapping
from typing import Any, NoReturn, TypeGuard

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from fairlead.clock import Clock
from fairlead.errors import Unauthenticated
from fairlead.identity.introspection import Introspections, Told
from fairlead.identity.issuer_keys import IssuerKeyRings, IssuerKeys
from fairlead.identity.settings import ALGORITHMS, ClaimName, Provider
from fairlead.identity.types import Caller

Claims = Mapping[str, Any]
JWT = frozenset({"jwt", "application/jwt"})
_ACCESS = JWT | {"at+jwt", "application/at+jwt"}
_KNOWN_ALGORITHMS = frozenset({*ALGORITHMS, "none", "HS256", "HS384", "HS512"})  # only these are shown as they came
_LONGEST_NAME = 512
_MOST_NAMES = 2_000
_LATEST = 253_402_300_799  # the last second of the year 9999


class AccessTokens:
    """Verifies the access tokens of one workspace's providers."""

    def __init__(
        self,
        providers: tuple[Provider, ...],
        rings: IssuerKeyRings,
        clock: Clock,
        introspections: Introspections | None,
    ) -> None:
        self._introspections = introspections
        self._opaque = next((each for each in providers if each.introspection and each.introspection.opaque), None)
        self._providers = {one.issuer: (one, rings.of(one.issuer, one.jwks_url)) for one in providers}
        self._clock = clock

    async def verify(self, token: str) -> tuple[Caller, float]:
        """The caller whom a genuine token names, and until when (monotonic seconds) that may be remembered.

        `expires` is the token's end plus the leeway.

        Raises `Unauthenticated`, or `Overloaded` if the issuer's keys cannot be had.
        """
        claims, provider = await genuine(token, self._providers, _ACCESS)
        expires = check_meant_for_us(claims, provider, self._clock.now())
        if provider.introspection is None:
            return caller_named(claims, provider, f"oidc:{provider.issuer}", expires), math.inf
        told = await self._told(provider, token)
        subject = told.claims.get("sub")
        if subject is not None and subject != claims.get("sub"):
            _refuse("the provider says that the token is somebody else's", why="its `sub` is another there")
        return caller_named(_renewed(claims, told.claims, provider), provider, f"oidc:{provider.issuer}", expires), (
            told.until
        )

    @property
    def takes_opaque(self) -> bool:
        """Whether tokens may be none that can be read here."""
        return self._opaque is not None

    async def verify_opaque(self, token: str) -> tuple[Caller, float]:
        """As `verify`, by the provider's answer alone."""
        provider = self._opaque
        assert provider is not None
        assert provider.introspection is not None
        told = await self._told(provider, token)
        if told.claims.get("iss", provider.issuer) != provider.issuer:
            _refuse("the token is of another issuer", why="the provider's answer names another in `iss`")
        now = self._clock.now()
        # An answer that does not say when the token ends holds until the provider is asked again.
        claims = {"exp": now / 1000 + provider.introspection.every, **told.claims}
        expires = check_meant_for_us(claims, provider, now)
        return caller_named(claims, provider, f"oidc:{provider.issuer}", expires), told.until

    async def _told(self, provider: Provider, token: str) -> Told:
        assert self._introspections is not None
        return await self._introspections.ask(provider, token)


def _renewed(claims: Claims, told: Claims, provider: Provider) -> Claims:
    """The token's claims, with what the provider says by now of the person's groups and the like."""
    names = (provider.claims.groups, provider.claims.roles, provider.claims.department, provider.claims.tenant)
    tops = {each if isinstance(each, str) else each[0] for each in names if each}
    return {**claims, **{name: told[name] for name in tops if name in told}}


async def genuine(
    token: str, providers: Mapping[str, tuple[Provider, IssuerKeys]], kinds: frozenset[str]
) -> tuple[Claims, Provider]:
    """The claims of a token that one of these providers (by issuer) has signed, and which. `kinds` are the values of
    `typ` that are accepted. Raises `Unauthenticated`, or `Overloaded` if the issuer's keys cannot be had."""
    signed, header, claims, signature = _take_apart(token)
    issuer = claims.get("iss")
    known = providers.get(issuer) if isinstance(issuer, str) else None
    if known is None:
        _refuse("the token's issuer is none that this workspace accepts", mend="see `identity.providers`")
    provider, ring = known
    algorithm = _algorithm(header, provider, kinds)
    key = await ring.key(header.kid, algorithm)
    _check_signature(algorithm, key, signed, signature)
    return claims, provider


class _Header(msgspec.Struct):
    alg: str
    kid: str | None = None
    typ: str | None = None
    crit: Any = None


_header = msgspec.json.Decoder(_Header).decode
_claims = msgspec.json.Decoder(dict[str, Any]).decode


def _refuse(message: str, *, why: str = "", mend: str = "get a new token") -> NoReturn:
    raise Unauthenticated(message, why=why, mend=mend, step="authenticate")


def _take_apart(token: str) -> tuple[bytes, _Header, dict[str, Any], bytes]:
    """What was signed, the header, the claims (not to be believed yet) and the signature."""
    try:
        head, body, signature = token.encode("ascii").split(b".")
        header, claims = _header(urlsafe_b64decode(head)), _claims(urlsafe_b64decode(body))
        return head + b"." + body, header, claims, urlsafe_b64decode(signature)
    except (ValueError, IndexError, RecursionError):  # msgspec's errors are ValueErrors
        _refuse("the token is malformed", why="it is not a signed JSON Web Token", mend="send an access token or a key")


def _algorithm(header: _Header, provider: Provider, kinds: frozenset[str]) -> str:
    algorithm = header.alg
    if algorithm not in provider.algorithms:
        named = algorithm if algorithm in _KNOWN_ALGORITHMS else "an unknown one"
        _refuse(
            f"the token's signature algorithm ({named}) is not allowed",
            why=f"allowed here: {', '.join(sorted(provider.algorithms))}",
            mend="have the issuer sign with one of these, or add it to the provider's `algorithms`",
        )
    if header.crit is not None:
        _refuse("the token demands an extension that Fairlead does not have", why="its header has `crit`")
    if header.typ is not None and header.typ.lower() not in kinds:
        wanted = "an access token" if kinds is _ACCESS else "an identity token"
        _refuse("the token is of another kind", why=f"its `typ` is not that of {wanted}", mend=f"send {wanted}")
    return algorithm


def _check_signature(algorithm: str, key: Key, signed: bytes, signature: bytes) -> None:
    model = JWSRegistry.algorithms[algorithm]
    try:
        model.check_key(key)
        genuine = model.verify(signed, signature, key)
    except (JoseError, ValueError, TypeError):
        genuine = False
    if not genuine:
        _refuse("the token's signature is wrong")


def check_meant_for_us(claims: Claims, provider: Provider, now: int) -> int:
    """Until when (milliseconds, like `now`) a genuine token holds, its leeway included. Raises `Unauthenticated`."""
    expires = _check_times(claims, provider.leeway, now / 1000)
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not any(
        isinstance(one, str) and one in provider.audience for one in audiences
    ):
        _refuse(
            "the token is for another audience",
            why=f"it must name {' or '.join(map(repr, sorted(provider.audience)))} in `aud`",
            mend="ask the issuer for a token for this audience",
        )
    if "cnf" in claims:
        _refuse(
            "the token is bound to its holder's key",
            why="no proof of that key is checked here",
            mend="send a bearer token",
        )
    return expires


def caller_named(claims: Claims, provider: Provider, credential: str, expires: int) -> Caller:
    """Whom genuine claims name. Raises `Unauthenticated` where one that is needed is missing or not as it should be."""
    wanted = provider.claims
    # Some issuers write the claim as a text; others, who verify every address, leave it out.
    if wanted.person in ("email", ["email"]) and claims.get("email_verified", True) not in (True, "true"):
        _refuse("the token's email address was not verified by its issuer", mend="verify the address, or map `sub`")
    return Caller(
        person=f"{provider.name}|{_text(claims, wanted.person, required=True)}",
        agent=_named(_agent(claims, wanted.agent), provider),
        department=_named(_text(claims, wanted.department), provider),
        groups=_names(claims, wanted.groups, provider),
        roles=_names(claims, wanted.roles, provider),
        tenant=_text(claims, wanted.tenant),
        credential=credential,
        expires=expires,
    )


def _check_times(claims: Claims, leeway: int, now: float) -> int:
    expires, begins, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None:
        _refuse("the token never expires", why="it has no `exp`", mend="have the issuer limit its tokens")
    if expires + leeway <= now:
        _refuse("the token has expired")
    if begins is not None and begins - leeway > now:
        _refuse("the token is not valid yet", why="its `nbf` lies ahead", mend="check both clocks")
    if issued is not None and issued - leeway > now:
        _refuse("the token was issued in the future", why="its `iat` lies ahead", mend="check both clocks")
    return int((expires + leeway) * 1000)


def _time(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        _wrong_type(name, "a time in seconds")
    return float(min(max(value, -_LATEST), _LATEST))


def _found(claims: Claims, name: ClaimName | None) -> object:
    if name is None:
        return None
    found: object = claims
    for part in [name] if isinstance(name, str) else name:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(claims: Mapping[str, Any], name: ClaimName | None, *, required: bool = False) -> str:
    value = _found(claims, name)
    if value is None and not required:
        return ""
    if not _is_name(value):
        _wrong_type(name, "a text")
    return value


def _names(claims: Mapping[str, Any], name: ClaimName | None, provider: Provider) -> frozenset[str]:
    value = _found(claims, name)
    if value is None:
        return frozenset()
    if not isinstance(value, list) or len(value) > _MOST_NAMES or not all(map(_is_name, value)):
        _wrong_type(name, "a list of texts")
    return frozenset(provider.namespace + one for one in value)


def _agent(claims: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = claims.get(name)
        if value is not None:
            # RFC 8693: `act` holds the actor's own claims.
            actor = value.get("sub") if isinstance(value, Mapping) else value
            if not _is_name(actor):
                _wrong_type(name, "a text, or an actor with `sub`")
            return str(actor)
    return ""


def _named(name: str, provider: Provider) -> str:
    return provider.namespace + name if name else ""


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _wrong_type(name: ClaimName | None, wanted: str) -> NoReturn:
    shown = name if isinstance(name, str) else ".".join(name or ())
    _refuse(
        f"the token's claim {shown!r} is missing or not what it should be",
        why=f"expected {wanted}",
        mend="correct the provider's `claims`, or what the issuer puts into its tokens",
    )
