"""Token exchange (RFC 8693): from the token that a caller came with, one of their own for a system.

The caller's token is shown to nobody but the identity provider that issued it, or one that the workspace names.
"""

import base64
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import Upstream
from fairlead.net.http import Http, Patience
from fairlead.tools.failures import NotAuthorised
from fairlead.tools.settings import ExchangeSettings
from fairlead.tools.types import Credential

_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
_MOST_BYTES: Final = 64 << 10
_PATIENCE: Final = Patience(connect=5, first_byte=10, idle=10)
_USUAL_LIFE: Final = 60  # seconds, where the provider says nothing


class _Token(Struct, frozen=True):
    access_token: str
    expires_in: int = _USUAL_LIFE
    token_type: str = "Bearer"  # noqa: S105


class _Error(Struct, frozen=True):
    error: str = ""
    error_description: str = ""


async def exchanged(
    http: Http, clock: Clock, settings: ExchangeSettings, reveal: Callable[[str], str], token: str, deadline: float
) -> Credential:
    """A token of the caller's own. Raises `NotAuthorised` where the provider refuses, which is final, or `Upstream`."""
    asked = {
        "grant_type": _GRANT,
        "subject_token": token,
        "subject_token_type": _ACCESS,
        "requested_token_type": _ACCESS,
        "audience": settings.audience,
        "resource": settings.resource,
        "scope": settings.scope,
    }
    account = f"{quote(settings.client, safe='')}:{quote(reveal(settings.secret), safe='')}"  # RFC 6749, 2.3.1
    headers = {
        "authorization": "Basic " + base64.b64encode(account.encode()).decode(),
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
        "accept-encoding": "identity",
    }
    body = urlencode({name: value for name, value in asked.items() if value}).encode()
    url = settings.token_url
    async with await http.ask("POST", url, headers, body, deadline=deadline, patience=_PATIENCE, subject=url) as answer:
        said = await answer.read(_MOST_BYTES)
        status = answer.status
    if status == 200:
        return _credential(said, url, clock)
    if 400 <= status < 500 and status != 429:
        raise NotAuthorised(
            f"{url} gives this caller no token for the system",
            why=_reason(said) or f"status {status}",
            mend="ask whoever runs the identity provider, or sign in again",
            retryable=False,
        )
    raise Upstream(f"{url} answered with status {status}", subject=url)


def _credential(said: bytes, url: str, clock: Clock) -> Credential:
    try:
        token = msgspec.json.decode(said, type=_Token)
    except msgspec.DecodeError:
        raise Upstream(f"{url} gave no token that can be read", subject=url) from None
    if token.token_type.lower() != "bearer" or not token.access_token.isprintable() or " " in token.access_token:
        raise Upstream(f"{url} gave a token of a kind that cannot be sent", why=token.token_type[:40], subject=url)
    return Credential(kind="exchange", secret=token.access_token, expires=clock.now() + max(0, token.expires_in) * 1000)


def _reason(said: bytes) -> str:
    """The provider's own words, as far as they are words: never a token that it might have echoed."""
    try:
        error = msgspec.json.decode(said, type=_Error)
    except msgspec.DecodeError:
        return ""
    text = " ".join(each for each in (error.error, error.error_description) if each)
    return " ".join(word for word in text[:300].split() if len(word) < 60)
