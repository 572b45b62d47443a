"""The public keys of identity providers: fetched, remembered, and fetched again when a provider changes them.

Keys in hand keep working while their issuer is down, for a day; then tokens are refused. A token signed with a key
that is not known makes the keys be fetched at most every half minute, so that forged tokens cannot make us flood an
issuer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from fairlead.clock import Clock
from fairlead.errors import BadInput, FairleadError, Overloaded, Unauthenticated
from fairlead.identity.addresses import check_named_url

if TYPE_CHECKING:
    from joserfc.jwk import Key as PublicKey

Fetch = Callable[[str], Awaitable[bytes]]
"""GET of a URL. Raises a `FairleadError` or `OSError` unless it was answered with status 200."""

REFRESH_AFTER = 600.0  # seconds; then the keys are fetched anew, in the background
USABLE_FOR = 86_400.0  # seconds without a successful fetch
PAUSE = 30.0  # seconds between fetches that succeeded
PAUSE_AFTER_FAILURE = 5.0
PATIENCE = 10.0  # seconds for one fetch
_MOST_BYTES = 1 << 20
_MOST_KEYS = 100
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}  # by how the algorithm's name begins
_PUBLIC_MEMBERS = frozenset({"kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"})


class IssuerKeys:
    """The keys of one issuer. Lives as long as the process, across revisions. Belongs to one event loop."""

    def __init__(self, issuer: str, jwks_url: str, fetch: Fetch, clock: Clock) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[PublicKey, ...] = ()
        self._fetched_at: float | None = None
        self._may_fetch_at = 0.0
        self._failure = ""
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str | None, algorithm: str) -> "PublicKey":
        """The key that signed a token. Raises `Unauthenticated` if the issuer has no such key, `Overloaded` if nobody
        can tell because the issuer cannot be reached."""
        age = self._age()
        found = self._find(kid, algorithm) if age < USABLE_FOR else None
        if found is None or age >= REFRESH_AFTER:
            fetching = self._refresh()
            if found is None and fetching is not None:
                await asyncio.shield(fetching)  # a caller that leaves must not end it for the others
                found = self._find(kid, algorithm) if self._age() < USABLE_FOR else None
        if found is not None:
            return found
        if self._failure or self._fetched_at is None:
            raise Overloaded(
                "the identity provider cannot be reached to check this token",
                why=f"{self._issuer}: {self._failure or 'its keys were not fetched yet'}",
                mend="try again shortly; keys made by `fairlead key add` keep working",
                retry_after=PAUSE_AFTER_FAILURE,
                step="authenticate",
            )
        raise Unauthenticated(
            "the token is signed with a key that its issuer does not publish",
            why="no one signing key of the issuer has this key id and fits this algorithm",
            mend="get a new token",
            step="authenticate",
        )

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock.monotonic() - self._fetched_at

    def _find(self, kid: str | None, algorithm: str) -> "PublicKey | None":
        fit = [key for key in self._keys if _signs_with(key, algorithm) and (kid is None or key.get("kid") == kid)]
        # Without a key id, a choice among several would be a guess.
        return fit[0] if fit and (kid is not None or len(fit) == 1) else None

    def _refresh(self) -> asyncio.Task[None] | None:
        if self._fetching is None:
            if self._clock.monotonic() < self._may_fetch_at:
                return None
            self._fetching = asyncio.get_running_loop().create_task(self._fetch_keys())
        return self._fetching

    async def _fetch_keys(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                self._keys = _public_keys(await self._document(await self._locate()))
            self._fetched_at = self._clock.monotonic()
            self._failure = ""
        except TimeoutError:
            self._failure = f"no answer within {PATIENCE:.0f} seconds"
        except FairleadError as error:
            self._failure = error.message
        except OSError as error:
            self._failure = error.strerror or type(error).__name__
        finally:
            pause = PAUSE_AFTER_FAILURE if self._failure else PAUSE
            self._may_fetch_at = self._clock.monotonic() + pause
            self._fetching = None

    async def _locate(self) -> str:
        """Where the keys are, by OpenID Connect Discovery 1.0, section 4."""
        if self._jwks_url:
            return self._jwks_url
        document = await self._document(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer:
            raise BadInput("its discovery document names another issuer", mend="write `issuer` exactly as it does")
        url = document.get("jwks_uri")
        if not isinstance(url, str):
            raise BadInput("its discovery document names no jwks_uri")
        check_named_url("jwks_uri", url, self._issuer)
        return url

    async def _document(self, url: str) -> Mapping[str, Any]:
        body = await self._fetch(url)
        if len(body) > _MOST_BYTES:
            raise BadInput(f"{url} is larger than {_MOST_BYTES >> 20} MiB")
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadInput(f"{url} is not a JSON object") from error


class IssuerKeyRings:
    """The keys of all issuers that any revision has named, so that a publish does not forget them."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._rings: dict[tuple[str, str], IssuerKeys] = {}

    def of(self, issuer: str, jwks_url: str) -> IssuerKeys:
        """The keys of one issuer, fetched when a token first names one of them; the same for all who ask."""
        at = (issuer, jwks_url)
        if at not in self._rings:
            self._rings[at] = IssuerKeys(issuer, jwks_url, self._fetch, self._clock)
        return self._rings[at]


def _signs_with(key: "PublicKey", algorithm: str) -> bool:
    return key.key_type == _KEY_TYPES[algorithm[:2]] and key.get("alg") in (None, algorithm)


def _public_keys(document: Mapping[str, Any]) -> tuple["PublicKey", ...]:
    """The usable signing keys of a JWK Set (RFC 7517); those that are not understood are left out, as it asks."""
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise BadInput("its key set has no `keys`")
    usable = [key for entry in entries[:_MOST_KEYS] if (key := _public_key(entry)) is not None]
    if not usable:
        raise BadInput("its key set holds no usable signing key")
    return tuple(usable)


def _public_key(entry: object) -> "PublicKey | None":
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    if not isinstance(entry, dict) or entry.get("kty") not in _KEY_TYPES.values() or entry.get("use", "sig") != "sig":
        return None
    modulus = entry.get("n", "")
    if entry["kty"] == "RSA" and not (isinstance(modulus, str) and 2048 <= len(modulus) * 6 <= 16_384 + 12):
        return None  # too weak to trust, or so large that checking it would stall the worker
    public = {name: value for name, value in entry.items() if name in _PUBLIC_MEMBERS}
    try:
        return JWKRegistry.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
