"""`credential.grant:` of a system: that each person connects it once with an account of their own there (OAuth 2)."""

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.net.addresses import checked_address

# What a request for a grant says itself: none of it is the workspace's to say.
_OURS: Final = frozenset(
    (
        "client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "request",
        "request_uri", "resource", "audience", "response_mode", "response_type", "scope", "state",
    )
)  # fmt: skip
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, 3.3
_URLS: Final = ("issuer", "authorize_url", "token_url", "revoke_url")


class GrantSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's own account at the system, which they connect once in a browser (OAuth 2). The tokens are kept
    encrypted for them, renewed, and ended when they disconnect."""

    issuer: Annotated[
        str,
        Meta(description="The authorization server, as it names itself: its metadata says the rest (RFC 8414, OIDC)."),
    ] = ""
    authorize_url: Annotated[str, Meta(description="Where people consent. Default: as its metadata says.")] = ""
    token_url: Annotated[str, Meta(description="Where tokens are given. Default: as its metadata says.")] = ""
    revoke_url: Annotated[str, Meta(description="Where they are taken back (RFC 7009). Default: as it says.")] = ""
    client: Annotated[str, Meta(min_length=1, description="As which client Fairlead is registered there.")]
    secret: Annotated[str, Meta(description="The client's secret: `env:NAME`. Default: none, a public client.")] = ""
    client_auth: Annotated[
        Literal["basic", "post"] | None,
        Meta(description="How the secret is shown. Default: as its metadata says, else `basic`."),
    ] = None
    scopes: Annotated[
        dict[str, str], Meta(description="What is asked for: each scope, with what it means in words for the person.")
    ] = {}
    resource: Annotated[str, Meta(description="The system's own address, where the server wants it (RFC 8707).")] = ""
    audience: Annotated[str, Meta(description="For which service tokens are meant, where the server wants that.")] = ""
    extra: Annotated[
        dict[str, str], Meta(description="More for the consent's address, such as `access_type: offline`.")
    ] = {}

    @property
    def authority(self) -> tuple[str, ...]:
        """To whom tokens may be shown, and as whose. A grant that was made under another counts no more."""
        urls = (self.issuer, self.authorize_url, self.token_url, self.revoke_url)
        return (*urls, self.client, self.resource, self.audience)


def check_grant(key: str, settings: GrantSettings, system: str) -> None:
    """Raises `BadInput` where nobody could connect by it, or would not be safe to."""
    if system == "callback":
        raise BadInput(
            f"{key}: a system that people connect cannot be named callback",
            why="/connect/callback is where browsers come back to",
            mend="give the system another name",
        )
    for name in _URLS:
        if url := getattr(settings, name):
            checked_address(url, key=f"{key}.{name}", at_home=True, plain_http=False, of="system")
    if not settings.issuer and not (settings.authorize_url and settings.token_url):
        raise BadInput(
            f"{key} says nowhere where people consent",
            why="an authorization server is known by its `issuer`, or by `authorize_url` and `token_url`",
            mend="write for example `issuer: https://login.example.com`",
        )
    if stray := sorted(_OURS & settings.extra.keys()):
        raise BadInput(
            f"{key}.extra.{stray[0]} is not for the workspace to say",
            why="it is a part of each request itself, and what keeps it safe",
            mend=f"leave it out{', and use `' + stray[0] + ':`' if stray[0] in ('resource', 'audience') else ''}",
        )
    if wrong := [each for each in settings.scopes if not _SCOPE.fullmatch(each)]:
        raise BadInput(
            f"{key}.scopes: {wrong[0]!r} is no scope",
            why="a scope has no blanks",
            mend="write each as a key of its own",
        )
    if settings.resource and (not urlsplit(settings.resource).scheme or "#" in settings.resource):
        raise BadInput(f"{key}.resource is no address", why="RFC 8707 wants one", mend="write https://HOST/PATH")
    if settings.client_auth and not settings.secret:
        raise BadInput(f"{key}.client_auth is about a secret that there is not", mend="write `secret: env:NAME`")
