"""What a workspace says about callers: `identity:` and `keys:` in fairlead.yaml, and what they compile to."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.identity.introspection_settings import (
    Introspection,
    IntrospectionSettings,
    compile_introspection,
    require_one_opaque,
)
from fairlead.identity.keys import Key, digest_of
from fairlead.identity.login_settings import (
    BrowserSettings,
    CliSettings,
    Login,
    LoginSettings,
    check_browser,
    check_cli,
    compile_login,
)
from fairlead.identity.people_settings import Scim, ScimSettings, compile_scim
from fairlead.identity.types import Caller

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
ALGORITHMS: tuple[Algorithm, ...] = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
ClaimName = str | list[str]
_SHORTEST_SECRET = 20
_PROVIDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}")


class ClaimSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`claims:` of a provider: which claim tells what. A claim inside another is a list: `[realm_access, roles]`."""

    person: Annotated[
        ClaimName,
        Meta(
            description="Who it is. Must be unique at the issuer and never be given to somebody else: rarely an email."
        ),
    ] = "sub"
    agent: Annotated[
        tuple[str, ...],
        Meta(description="The program that acts for the person: the first of these that the token has."),
    ] = ("act", "azp", "client_id")
    department: Annotated[ClaimName | None, Meta(description="The person's department.")] = None
    groups: Annotated[ClaimName | None, Meta(description="A list of the person's groups.")] = "groups"
    roles: Annotated[ClaimName | None, Meta(description="A list of the person's roles.")] = "roles"
    tenant: Annotated[ClaimName | None, Meta(description="The person's tenant.")] = None


class ProviderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `identity.providers`: an OpenID Connect issuer whose access tokens are accepted."""

    issuer: Annotated[str, Meta(description="The issuer exactly as tokens name it in `iss`.")]
    audience: Annotated[str | list[str], Meta(description="What tokens must name in `aud`; any one of a list.")]
    name: Annotated[
        str, Meta(description="Stands before the person's name (`name|sub`). Default: the issuer without `https://`.")
    ] = ""
    jwks_url: Annotated[
        str, Meta(description="Where the signing keys are; default: what the issuer's discovery says.")
    ] = ""
    claims: ClaimSettings = ClaimSettings()
    algorithms: Annotated[
        tuple[Algorithm, ...], Meta(min_length=1, description="Signature algorithms that are accepted.")
    ] = ALGORITHMS
    namespace: Annotated[
        str,
        Meta(
            description="Put before this issuer's groups, roles, departments and agents (`partner/`), so that an "
            "issuer that is trusted less cannot name the groups of another."
        ),
    ] = ""
    leeway: Annotated[int, Meta(ge=0, le=300, description="Seconds by which the issuer's clock may differ.")] = 30
    login: LoginSettings | None = None
    scim: ScimSettings | None = None
    cli: CliSettings | None = None
    introspection: IntrospectionSettings | None = None


class AnonymousSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`identity.anonymous`: whether a caller on the same machine needs no credential. Never for others."""

    allow: Annotated[bool, Meta(description="Accept callers without a credential from this machine.")] = False
    groups: Annotated[list[str], Meta(description="Groups of such a caller.")] = []
    roles: Annotated[list[str], Meta(description="Roles of such a caller.")] = []
    department: Annotated[str, Meta(description="Department of such a caller.")] = ""


class IdentitySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`identity:` in fairlead.yaml."""

    providers: Annotated[list[ProviderSettings], Meta(description="Issuers whose access tokens are accepted.")] = []
    anonymous: AnonymousSettings = AnonymousSettings()
    browser: BrowserSettings = BrowserSettings()


class KeySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `keys:` in fairlead.yaml: a key that comes with the workspace, known by a secret or its digest."""

    secret: Annotated[
        str,
        Meta(description="Where the key is: `env:NAME`, or `sha256:HEX`, the digest that `fairlead key add` prints."),
    ]
    person: Annotated[str, Meta(min_length=1, description="Who acts with this key.")]
    agent: Annotated[str, Meta(description="The program that acts for the person.")] = ""
    department: Annotated[str, Meta(description="The person's department.")] = ""
    groups: Annotated[list[str], Meta(description="The person's groups.")] = []
    roles: Annotated[list[str], Meta(description="The person's roles.")] = []
    bound_to: Annotated[
        str,
        Meta(
            description="The provider with `scim` at which the person (`NAME|…`) must be active. Of the key's groups "
            "those count that were pushed for the person."
        ),
    ] = ""


class AgentSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `agents:` in fairlead.yaml: what the organisation knows of a program that acts for people."""

    passes_words_on: Annotated[
        bool,
        Meta(
            description="Whether it sends in role `user` what its person has written, and nothing else. Values in it "
            "then count as the person's own. Whoever can have it send something else there can speak as the person."
        ),
    ] = False


class Provider(Struct, frozen=True, kw_only=True):
    """An issuer, checked and ready."""

    name: str
    issuer: str
    audience: frozenset[str]
    jwks_url: str
    claims: ClaimSettings
    algorithms: frozenset[str]
    namespace: str
    leeway: int
    login: Login | None = None
    scim: Scim | None = None
    cli: CliSettings | None = None
    introspection: Introspection | None = None


class Identity(Struct, frozen=True, kw_only=True):
    """`identity:` and `keys:` compiled. `anonymous` is None where a credential is always needed."""

    providers: tuple[Provider, ...] = ()
    keys: tuple[Key, ...] = ()
    anonymous: Caller | None = None
    browser: BrowserSettings = BrowserSettings()


def compile_identity(
    settings: IdentitySettings, keys: Mapping[str, KeySettings], reveal: Callable[[str], str]
) -> Identity:
    """Check and compile. `reveal` gives the secret that a reference like `env:NAME` stands for, or raises `BadInput`.

    Raises `BadInput` naming the key of the workspace.
    """
    providers = tuple(_provider(f"identity.providers[{n}]", one, reveal) for n, one in enumerate(settings.providers))
    for key, values in (("issuer", [p.issuer for p in providers]), ("name", [p.name for p in providers])):
        for number, value in enumerate(values):
            if value in values[:number]:
                raise BadInput(
                    f"identity.providers[{number}].{key}: {value!r} occurs twice",
                    why="the person of one issuer must never be taken for the person of another",
                    mend="give each provider its own `name`" if key == "name" else "name every issuer once",
                )
    check_browser(settings.browser)
    require_one_opaque([each.introspection for each in providers])
    declared = _declared(keys, reveal)
    for key_name, each in keys.items():
        require_binding(f"keys.{key_name}.bound_to", each.bound_to, each.person, providers)
    return Identity(
        providers=providers, keys=declared, anonymous=_anonymous(settings.anonymous), browser=settings.browser
    )


def missing_secrets(settings: IdentitySettings, reveal: Callable[[str], str]) -> list[str]:
    """Warnings about secrets of providers that this machine lacks."""
    found = []
    for number, each in enumerate(settings.providers):
        tokens = [] if each.scim is None else [each.scim.token] if isinstance(each.scim.token, str) else each.scim.token
        found += [
            f"identity.providers[{number}].scim: {one.removeprefix('env:')} is not set, so nobody can push with it here"
            for one in tokens
            if one.startswith("env:") and not reveal(one)
        ]
        if each.introspection is not None and not reveal(each.introspection.client_secret):
            variable = each.introspection.client_secret.partition(":")[2]
            key = f"identity.providers[{number}].introspection.client_secret"
            found.append(f"{key}: {variable} is not set, so tokens of this provider are refused here")
        secret = each.login.client_secret if each.login is not None else None
        if secret and secret.startswith("env:") and not reveal(secret):
            found.append(
                f"identity.providers[{number}].login: {secret.removeprefix('env:')} is not set, so nobody signs in here"
            )
    return found


def require_binding(key: str, bound_to: str, person: str, providers: Iterable[Provider]) -> None:
    """Raises `BadInput` if a key is bound to a provider that does not push its people, or to nobody of them."""
    if not bound_to:
        return
    pushing = [each.name for each in providers if each.scim is not None]
    if bound_to not in pushing:
        raise BadInput(
            f"{key}: {bound_to!r} is no provider that pushes its people",
            why="whether a person is active is known only where the provider pushes it",
            mend=f"name one of {', '.join(pushing)}"
            if pushing
            else "add `scim` to the provider, or leave `bound_to` out",
        )
    if not person.startswith(f"{bound_to}|"):
        raise BadInput(
            f"{key}: the person {person!r} is none of {bound_to}",
            why=f"people of that provider are called {bound_to}|…",
            mend=f"set the person to {bound_to}| and what `scim.person` names them by",
        )


def _provider(key: str, settings: ProviderSettings, reveal: Callable[[str], str]) -> Provider:
    check_url(f"{key}.issuer", settings.issuer)
    if settings.jwks_url:
        check_url(f"{key}.jwks_url", settings.jwks_url)
    audience = [settings.audience] if isinstance(settings.audience, str) else settings.audience
    if not audience or not all(audience):
        raise BadInput(
            f"{key}.audience is empty",
            why="a token for another service would open this one",
            mend="name what the issuer puts into `aud` for Fairlead",
        )
    name = settings.name or settings.issuer.partition("://")[2].rstrip("/")
    if not _PROVIDER_NAME.fullmatch(name):
        raise BadInput(
            f"{key}.name: {name!r} is no fit name",
            why="it stands before `|` in a person's name",
            mend="use letters, digits, dots, dashes and slashes",
        )
    return Provider(
        name=name,
        issuer=settings.issuer,
        audience=frozenset(audience),
        jwks_url=settings.jwks_url,
        claims=settings.claims,
        algorithms=frozenset(settings.algorithms),
        namespace=settings.namespace,
        leeway=settings.leeway,
        login=compile_login(f"{key}.login", settings.login, name),
        scim=compile_scim(key, name, settings.scim, reveal) if settings.scim else None,
        cli=check_cli(f"{key}.cli", settings.cli),
        introspection=compile_introspection(f"{key}.introspection", settings.introspection, check_url),
    )


def check_url(key: str, url: str) -> None:
    """Raise `BadInput` unless keys may be fetched from the URL: over TLS, or from this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not host or parts.query or parts.fragment or parts.username is not None or not url.isprintable() or " " in url:
        raise BadInput(f"{key}: {url!r} is no address of an issuer", mend="give it as https://HOST/PATH")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise BadInput(
            f"{key}: {url!r} is not protected by TLS",
            why="whoever can change what comes from there could sign tokens",
            mend="use https://",
        )


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _declared(keys: Mapping[str, KeySettings], reveal: Callable[[str], str]) -> tuple[Key, ...]:
    seen: dict[bytes, str] = {}
    declared = []
    for name, settings in keys.items():
        digest = _digest(f"keys.{name}.secret", settings.secret, reveal)
        if digest in seen:
            raise BadInput(
                f"keys.{name}.secret is the same key as keys.{seen[digest]}.secret",
                why="one key is one caller",
                mend="give each its own",
            )
        seen[digest] = name
        declared.append(
            Key(
                name=name,
                digest=digest,
                person=settings.person,
                agent=settings.agent,
                department=settings.department,
                groups=frozenset(settings.groups),
                roles=frozenset(settings.roles),
                bound_to=settings.bound_to,
            )
        )
    return tuple(declared)


def _digest(key: str, secret: str, reveal: Callable[[str], str]) -> bytes:
    kind, _, rest = secret.partition(":")
    if kind == "sha256":
        if not re.fullmatch(r"\s*[0-9a-fA-F]{64}", rest):
            raise BadInput(f"{key} is no SHA-256 digest", mend="give 64 hexadecimal digits after `sha256:`")
        return bytes.fromhex(rest)
    if kind != "env" or not rest:
        raise BadInput(
            f"{key} must be `env:NAME` or `sha256:HEX`",
            why="the text of a workspace is kept in git and holds no secret",
            mend="put the key into an environment variable and name that",
        )
    revealed = reveal(secret)
    if len(revealed) < _SHORTEST_SECRET or not revealed.isprintable() or " " in revealed:
        raise BadInput(
            f"{key}: what {secret} holds is no fit key",
            why=f"a key has at least {_SHORTEST_SECRET} characters, none of them a space",
            mend="make one with `fairlead key add`",
        )
    return digest_of(revealed)


def _anonymous(settings: AnonymousSettings) -> Caller | None:
    if not settings.allow:
        return None
    return Caller(
        person="anonymous",
        department=settings.department,
        groups=frozenset(settings.groups),
        roles=frozenset(settings.roles),
    )
