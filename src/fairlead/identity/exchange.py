"""Token exchange (RFC 8693): from the token that a caller came with, one of their own for a system.

The caller's token is shown to nobody but the identity provider that issued it, or one that the workspace names.
"""

from collections.abc import Callable
from typing import Final

from fairlead.clock import Clock
from fairlead.identity.token_endpoint import Client, Declined, asked_for_tokens
from fairlead.net.http import Http
from fairlead.tools.failures import NotAuthorised
from fairlead.tools.settings import ExchangeSettings
from fairlead.tools.types import Credential

_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
_USUAL_LIFE: Final = 60_000  # milliseconds, where the provider says nothing


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
    client, url = Client(settings.client, reveal(settings.secret), "basic"), settings.token_url
    answer = await asked_for_tokens(http, clock, url, client, asked, deadline)
    if isinstance(answer, Declined):
        raise NotAuthorised(
            f"{url} gives this caller no token for the system",
            why=answer.why,
            mend="ask whoever runs the identity provider, or sign in again",
            retryable=False,
        )
    return Credential(kind="exchange", secret=answer.access, expires=answer.expires_at or answer.got_at + _USUAL_LIFE)
