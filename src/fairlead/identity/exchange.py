"""Token exchange (RFC 8693): from the token that a caller came with, one of their own for a system.

The caller's token is shown to nobody but the identity provider that issued it, or one that the workspace names.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import Upstream
from fairlead.identity.form_post import posted, reason
from fairlead.net.http import Http
from fairlead.tools.failures import NotAuthorised
from fairlead.tools.settings import ExchangeSettings
from fairlead.tools.types import Credential

_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
_USUAL_LIFE: Final = 60  # seconds, where the provider says nothing


class _Token(Struct, frozen=True):
    access_token: str
    expires_in: int = _USUAL_LIFE
    token_type: str = "Bearer"  # noqa: S105


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
    account = (settings.client, reveal(settings.secret))
    url = settings.token_url
    status, said = await posted(http, url, asked, account, deadline)
    if status == 200:
        return _credential(said, url, clock)
    if 400 <= status < 500 and status != 429:
        raise NotAuthorised(
            f"{url} gives this caller no token for the system",
            why=reason(said) or f"status {status}",
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
