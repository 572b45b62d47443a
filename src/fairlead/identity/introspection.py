"""Asking a provider about a token (RFC 7662): whether it is active now, and what the provider says of its person.

An answer counts for the seconds that the workspace says, from before it was asked for. Of many callers with one token
one asks. Who cannot be asked vouches for nobody.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import FairleadError, Overloaded, Unauthenticated
from fairlead.identity.discovery import Discovery
from fairlead.identity.form_post import posted
from fairlead.identity.keys import digest_of
from fairlead.identity.settings import Provider
from fairlead.net.http import Http

_PATIENCE: Final = 5.0  # seconds for one question
_MOST_KNOWN: Final = 10_000
_MOST_ASKED: Final = 256  # questions at once
_RETRY: Final = 2.0
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_Key = tuple[str, bytes]


class Told(Struct, frozen=True):
    """What the provider said of an active token. Counts until `until`, in the clock's monotonic seconds."""

    claims: Mapping[str, Any]
    until: float

    def __repr__(self) -> str:
        return "Told()"


class Introspections:
    """One per process. `reveal` gives what a reference like `env:NAME` stands for. Belongs to one event loop."""

    def __init__(self, http: Http, discovery: Discovery, clock: Clock, reveal: Callable[[str], str | None]) -> None:
        self._http = http
        self._discovery = discovery
        self._clock = clock
        self._reveal = reveal
        self._known: dict[_Key, Told] = {}
        self._asking: dict[_Key, asyncio.Task[Told]] = {}

    async def ask(self, provider: Provider, token: str) -> Told:
        """What the provider says of a token. Raises `Unauthenticated` where it is not active, `Overloaded` where nobody
        can tell."""
        key = (provider.issuer, digest_of(token))
        known = self._known.get(key)
        if known is not None and self._clock.monotonic() < known.until:
            return known
        asking = self._asking.get(key)
        if asking is None:
            if len(self._asking) >= _MOST_ASKED:
                raise _away(provider, f"{_MOST_ASKED} tokens are being asked about already")
            asking = self._asking[key] = asyncio.get_running_loop().create_task(self._asked(provider, token))
            asking.add_done_callback(lambda done: self._had(key, done))
        return await asyncio.shield(asking)  # a caller that leaves must not end it for the others

    def _had(self, key: _Key, done: "asyncio.Task[Told]") -> None:
        self._asking.pop(key, None)
        self._known.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[key] = done.result()

    async def _asked(self, provider: Provider, token: str) -> Told:
        settings, began = provider.introspection, self._clock.monotonic()
        assert settings is not None
        url = settings.url or (await self._discovery.of(provider.issuer)).introspection_endpoint
        secret = self._reveal(settings.secret)
        if not url:
            raise _away(provider, "its discovery document names no introspection_endpoint")
        if not secret:
            raise _away(provider, f"{settings.secret} is not set on this machine")
        form = {"token": token, "token_type_hint": "access_token"}
        try:
            async with asyncio.timeout(_PATIENCE):
                status, said = await posted(
                    self._http, url, form, (settings.client_id, secret), self._clock.monotonic() + _PATIENCE
                )
        except TimeoutError:
            raise _away(provider, f"no answer within {_PATIENCE:g} seconds") from None
        except (FairleadError, OSError) as error:
            raise _away(provider, error.why or error.message if isinstance(error, FairleadError) else "") from error
        if status != 200:
            said_no = ": it does not know `client_id` and `client_secret`" if status in (400, 401, 403) else ""
            raise _away(provider, f"it answered with status {status}{said_no}")
        return Told(_active(provider, said), began + settings.every)


def _active(provider: Provider, said: bytes) -> Mapping[str, Any]:
    try:
        claims = _decode(said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        claims = {}
    active = claims.get("active")
    if active is False:
        raise Unauthenticated(
            "the token is not active any more",
            why=f"{provider.name} says so: it was revoked, has ended, or is none of its own",
            mend="get a new token",
            step="authenticate",
        )
    if active is not True:
        raise _away(provider, "its answer does not say whether the token is active")
    return claims


def _away(provider: Provider, why: str) -> Overloaded:
    return Overloaded(
        "the identity provider cannot be asked about this token",
        why=f"{provider.name}: {why}",
        mend="try again shortly; if it lasts, see `introspection` of the provider, and fairlead doctor",
        retry_after=_RETRY,
        step="authenticate",
    )
