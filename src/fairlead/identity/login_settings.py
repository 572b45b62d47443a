"""What a workspace says about people who sign in with a browser: `login:` of a provider, and `identity.browser`."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.identity.addresses import check_url
from fairlead.identity.secret_references import require_reference

_SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749, 3.3


class LoginSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`login:` of a provider: people may sign in there, with a browser."""

    client_id: Annotated[str, Meta(min_length=1, description="Fairlead's own name at the provider.")]
    client_secret: Annotated[
        str | None, Meta(description="Its secret: `env:NAME` or `file:PATH`; none for a public client.")
    ] = None
    scopes: Annotated[
        tuple[str, ...],
        Meta(
            description="What the provider is asked for. `offline_access`, or what it calls so, gives a session that "
            "is looked at anew while it lasts."
        ),
    ] = ("openid", "profile", "email")
    label: Annotated[str, Meta(description="How the page of choices calls the provider. Default: its name.")] = ""


class CliSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`cli:` of a provider: people may sign in there with `fairlead login`. The server tells this to everybody."""

    client_id: Annotated[
        str, Meta(min_length=1, description="The name of a public client, which may come back to `http://127.0.0.1`.")
    ]
    scopes: Annotated[
        tuple[str, ...],
        Meta(
            description="What the provider is asked for, so that the token names this workspace's `audience` and a "
            "refresh token comes with it."
        ),
    ] = ("openid", "offline_access")
    resource: Annotated[
        str, Meta(description="What the token is for (RFC 8707), where the provider wants to be told.")
    ] = ""


class BrowserSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`identity.browser`: how people reach Fairlead's pages, and how long they stay signed in."""

    url: Annotated[
        str,
        Meta(
            description="Where browsers find Fairlead, such as `https://fairlead.acme.example`. Needed behind a proxy; "
            "default: the address by which they ask."
        ),
    ] = ""
    hours: Annotated[float, Meta(gt=0, le=168, description="The most hours until people must sign in again.")] = 8
    idle_minutes: Annotated[
        float, Meta(gt=0, le=10_080, description="Minutes without a page after which they must sign in again.")
    ] = 60
    refresh_minutes: Annotated[
        float,
        Meta(
            gt=0,
            le=1440,
            description="Minutes after which the provider is asked anew whom the session is of, where it lets us.",
        ),
    ] = 5


class Login(Struct, frozen=True, kw_only=True):
    """`login:` checked. `secret` is the reference, never what it stands for."""

    client_id: str
    secret: str | None
    scope: str
    label: str


def compile_login(key: str, settings: LoginSettings | None, name: str) -> Login | None:
    """Check it. Raises `BadInput` naming the key."""
    if settings is None:
        return None
    secret = settings.client_secret
    if secret is not None:
        require_reference(f"{key}.client_secret", secret)
    _check_scopes(key, settings.scopes)
    return Login(
        client_id=settings.client_id, secret=secret, scope=" ".join(settings.scopes), label=settings.label or name
    )


def check_cli(key: str, settings: CliSettings | None) -> CliSettings | None:
    """The settings themselves. Raises `BadInput` naming the key."""
    if settings is not None:
        _check_scopes(key, settings.scopes)
    return settings


def _check_scopes(key: str, scopes: tuple[str, ...]) -> None:
    if "openid" not in scopes or not all(_SCOPE.fullmatch(each) for each in scopes):
        raise BadInput(
            f"{key}.scopes must be single words, `openid` among them",
            why="without it a provider does not say who has signed in",
            mend="write them as [openid, profile, email]",
        )


def check_browser(settings: BrowserSettings) -> None:
    """Raise `BadInput` unless the address is one that browsers can come back to safely."""
    if settings.url:
        check_url("identity.browser.url", settings.url)
        if urlsplit(settings.url).path.rstrip("/"):
            raise BadInput(
                f"identity.browser.url: {settings.url!r} has a path",
                why="Fairlead's pages stand at the root of their server",
                mend="give it as https://HOST",
            )
