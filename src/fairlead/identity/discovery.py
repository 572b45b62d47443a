"""Where an identity provider wants browsers and programs to go, by its own word (OpenID Connect Discovery 1.0)."""

from typing import Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, FairleadError, Overloaded
from fairlead.identity.addresses import check_named_url
from fairlead.identity.issuer_keys import Fetch

_ANEW_AFTER: Final = 600.0  # seconds
_USABLE_FOR: Final = 86_400.0
_PAUSE: Final = 5.0
_MOST_BYTES: Final = 1 << 20


class Endpoints(Struct, frozen=True):
    """What the discovery document says that signing in needs. An address that is empty is one that it does not name."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str = ""
    device_authorization_endpoint: str = ""
    revocation_endpoint: str = ""
    introspection_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def addresses(self) -> dict[str, str]:
        """All addresses that it names, by their key in the document."""
        return {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name.endswith("_endpoint") and getattr(self, name)
        }


class Discovery:
    """The documents of all providers, remembered. Lives as long as the process. Belongs to one event loop."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self.fetch = fetch
        self._clock = clock
        self._known: dict[str, tuple[float, Endpoints]] = {}
        self._failed: dict[str, tuple[float, Overloaded]] = {}

    async def of(self, issuer: str) -> Endpoints:
        """What an issuer says. What it said last counts for a day while it is down; then, or where it says what
        cannot be used, raises `Overloaded`."""
        now = self._clock.monotonic()
        at, known = self._known.get(issuer, (0.0, None))
        if known is not None and now - at < _ANEW_AFTER:
            return known
        until, failure = self._failed.get(issuer, (0.0, None))
        if failure is None or now >= until:
            try:
                found = await self._read(issuer)
            except (FairleadError, OSError) as error:
                failure = _away(issuer, error)
                self._failed[issuer] = (now + _PAUSE, failure)
            else:
                self._failed.pop(issuer, None)
                self._known[issuer] = (now, found)
                return found
        if known is not None and now - at < _USABLE_FOR:
            return known
        raise failure

    async def _read(self, issuer: str) -> Endpoints:
        body = await self.fetch(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if len(body) > _MOST_BYTES:
            raise BadInput("its discovery document is too large")
        try:
            found = msgspec.json.decode(body, type=Endpoints)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise BadInput("its discovery document does not say where to sign in") from None
        if found.issuer != issuer:
            raise BadInput("its discovery document names another issuer", mend="write `issuer` exactly as it does")
        for name, url in found.addresses.items():
            check_named_url(name, url, issuer)
        return found


def _away(issuer: str, error: FairleadError | OSError) -> Overloaded:
    said = error.message if isinstance(error, FairleadError) else error.strerror or type(error).__name__
    return Overloaded(
        "the identity provider cannot be reached",
        why=f"{issuer}: {said}",
        mend="try again shortly; if it lasts, tell whoever runs the identity provider",
        retry_after=_PAUSE,
        step="authenticate",
    )
