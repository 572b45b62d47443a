"""What a workspace says about callers: `identity:` and `keys:` in fairlead.yaml, and what they compile to."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.identity.addresses import check_url
from fairlead.identity.introspection_settings import (
    Introspection,
    IntrospectionSettings,
    compile_introspection,
    require_one_opaque,
)
from fairlead.identity.key_settings import KeySettings, compile_keys, require_binding
from fairlead.identity.keys import Key
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

    @property
    def pushing(self) -> dict[str, Provider]:
        """The providers that push their people, by name."""
        return {each.name: each for each in self.providers if each.scim is not None}


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
    compiled = Identity(
        providers=providers,
        keys=compile_keys(keys, reveal),
        anonymous=_anonymous(settings.anonymous),
        browser=settings.browser,
    )
    for name, each in keys.items():
        require_binding(f"keys.{name}.bound_to", each.bound_to, each.person, compiled.pushing)
    return compiled


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
        introspection=compile_introspection(f"{key}.introspection", settings.introspection),
    )


def _anonymous(settings: AnonymousSettings) -> Caller | None:
    if not settings.allow:
        return None
    return Caller(
        person="anonymous",
        department=settings.department,
        groups=frozenset(settings.groups),
        roles=frozenset(settings.roles),
    )
