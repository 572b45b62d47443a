"""What is said to an authorization server's own addresses, and what its answers mean: tokens, or why there are none.

An answer is data from outside: it may be garbage, late, or repeat what it was sent. Nothing of it that is no word is
shown to anybody.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import Upstream
from fairlead.identity.form_post import error_code, posted, reason, words
from fairlead.net.http import Http

_LONGEST: Final = 16 << 10  # characters of a token
_LONGEST_LIFE: Final = 10 * 365 * 86_400  # seconds

ClientAuth = Literal["none", "basic", "post"]


class Client(Struct, frozen=True):
    """Who asks. It shows nothing of its secret."""

    id: str
    secret: str = ""
    auth: ClientAuth = "none"

    def __repr__(self) -> str:
        return f"Client({self.id!r})"


class Tokens(Struct, frozen=True, kw_only=True):
    """What was given, and when, in milliseconds since 1970. `expires_at` is 0 where the server does not say.
    `scopes` is None where they are those that were asked for."""

    access: str
    refresh: str = ""
    got_at: int = 0
    expires_at: int = 0
    scopes: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"Tokens(expires_at={self.expires_at})"


class Declined(Struct, frozen=True):
    """The server gives nothing. `error` is its code by RFC 6749, `why` what it says, as far as that are words."""

    error: str
    why: str


class _Given(Struct, frozen=True):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: float | str | None = None
    refresh_token: str | None = None
    scope: str | None = None


async def asked_for_tokens(
    http: Http, clock: Clock, url: str, client: Client, form: Mapping[str, str], deadline: float
) -> Tokens | Declined:
    """Ask for tokens. Raises `Upstream` where nobody can tell what came of it; `charged` is "no" where nothing did."""
    before = clock.now()
    status, said = await _posted(http, url, client, form, deadline)
    if status == 200:
        return _tokens(said, url, before)
    if 400 <= status < 500 and status not in (408, 425, 429):
        return declined(said, status, (*form.values(), client.secret))
    raise _useless(url, f"answered with status {status}", charged="no" if status == 429 else "unknown")


async def taken_back(http: Http, url: str, client: Client, tokens: Tokens, deadline: float) -> str:
    """Ask the server to end a grant (RFC 7009). Returns why it did not, "" where it did."""
    form = {"token": tokens.refresh or tokens.access, "token_type_hint": _hint(tokens)}
    try:
        status, said = await _posted(http, url, client, form, deadline)
    except Upstream as error:
        return error.why or error.message
    return "" if status == 200 else declined(said, status, (*form.values(), client.secret)).why


def _hint(tokens: Tokens) -> str:
    return "refresh_token" if tokens.refresh else "access_token"


async def _posted(http: Http, url: str, client: Client, form: Mapping[str, str], deadline: float) -> tuple[int, bytes]:
    if client.auth == "basic":
        return await posted(http, url, form, (client.id, client.secret), deadline)
    secret = {"client_secret": client.secret} if client.auth == "post" else {}
    return await posted(http, url, {**form, "client_id": client.id, **secret}, None, deadline)


def _tokens(said: bytes, url: str, before: int) -> Tokens:
    """What was given, with its life counted from before it was asked for."""
    try:
        given = msgspec.json.decode(said, type=_Given)
        life = float(given.expires_in or 0)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _useless(url, "gave no token that can be read") from None
    refresh = given.refresh_token or ""
    if (
        given.token_type.lower() != "bearer"
        or not _sendable(given.access_token)
        or (refresh and not _sendable(refresh))
    ):
        raise _useless(url, "gave a token of a kind that cannot be sent")
    return Tokens(
        access=given.access_token,
        refresh=refresh,
        got_at=before,
        expires_at=before + int(min(life, _LONGEST_LIFE) * 1000) if life > 0 else 0,
        scopes=None if given.scope is None else tuple(sorted(set(given.scope.split()))),
    )


def _useless(url: str, what: str, charged: str = "unknown") -> Upstream:
    return Upstream(
        f"{url} {what}",
        mend="try again shortly; if it lasts, tell whoever runs the identity provider",
        subject=url,
        charged=charged,
    )


def _sendable(token: str) -> bool:
    return 0 < len(token) <= _LONGEST and token.isascii() and token.isprintable() and " " not in token


def declined(said: bytes, status: int, secrets: Iterable[str]) -> Declined:
    """Why there is nothing. What was sent is never shown again, whatever the server repeats."""
    secrets = tuple(secrets)
    return Declined(words(error_code(said), secrets), reason(said, secrets) or f"status {status}")
