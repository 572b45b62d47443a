"""Signing in a program on a person's own machine: by their browser and this machine's loopback (RFC 8252), or by a code
that they type into a browser anywhere (RFC 8628). The program is a public client: it holds no secret but PKCE's."""

import asyncio
import hmac
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.errors import BadInput, Refused
from fairlead.identity.addresses import check_url
from fairlead.identity.discovery import Endpoints
from fairlead.identity.form_post import error_code, reason, words
from fairlead.identity.login_settings import Login
from fairlead.identity.loopback import Answer, Loopback
from fairlead.identity.provider_tokens import Granted, ProviderTokens, away, login_of, refuse
from fairlead.identity.settings import ALGORITHMS, ClaimSettings, Provider
from fairlead.identity.sign_in import address, begun, code_of

_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_PATIENCE: Final = 300.0  # seconds for a person to sign in
_LONGEST_WAIT: Final = 1800.0
_SLOWER: Final = 5.0  # seconds


class Client(Struct, frozen=True, kw_only=True):
    """How programs sign in at a provider, as a Fairlead server tells it to everybody."""

    name: str
    label: str
    issuer: str
    client_id: str
    scope: str
    resource: str = ""

    @property
    def provider(self) -> Provider:
        """The provider, as its answers are checked here. What its tokens say of groups is the server's business."""
        return Provider(
            name=self.name,
            issuer=self.issuer,
            audience=frozenset((self.client_id,)),
            jwks_url="",
            claims=ClaimSettings(),
            algorithms=frozenset(ALGORITHMS),
            namespace="",
            leeway=60,
            login=Login(client_id=self.client_id, secret=None, scope=self.scope, label=self.label),
        )


class Pairing(Struct, frozen=True, kw_only=True):
    """What a person types where, to sign a program in."""

    user_code: str
    verification_uri: str
    verification_uri_complete: str = ""


class _Device(Struct, frozen=True):
    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str = ""
    expires_in: float = 600
    interval: float = 5


async def by_browser(
    tokens: ProviderTokens, client: Client, clock: Clock, show: Callable[[str], None], patience: float = _PATIENCE
) -> Granted:
    """Wait for the person to sign in at the address that `show` gets. Raises `Unauthenticated`, `Overloaded`,
    `Refused` when nobody comes."""
    endpoints = await tokens.discovery.of(client.issuer)
    attempt = begun(client.issuer, "", "", clock)

    def fits(answer: Answer) -> bool:
        said = answer.get("state", ())
        return len(said) == 1 and hmac.compare_digest(said[0].encode(), attempt.state.encode())

    async with Loopback(fits) as door:
        attempt = replace(attempt, redirect=door.redirect)
        show(address(attempt, login_of(client.provider), endpoints, client.resource))
        try:
            async with asyncio.timeout(patience):
                answer = await door.answer()
        except TimeoutError:
            raise _nobody(patience) from None
    code = code_of(attempt, answer, endpoints)
    return await tokens.by_code(
        client.provider, code, attempt.verifier, attempt.redirect, attempt.nonce, client.resource
    )


async def by_device(tokens: ProviderTokens, client: Client, show: Callable[[Pairing], None]) -> Granted:
    """Wait for the person to type the code that `show` gets. Raises as `by_browser`, `BadInput` where the provider
    offers no such thing."""
    provider = client.provider
    endpoints = await tokens.discovery.of(client.issuer)
    if not endpoints.device_authorization_endpoint:
        raise BadInput(
            f"{client.label} does not sign programs in by a code",
            why="its discovery document names no device_authorization_endpoint",
            mend="fairlead login --no-browser, on a machine with a browser",
        )
    form = {"scope": client.scope, "resource": client.resource}
    status, said = await tokens.post(provider, endpoints, endpoints.device_authorization_endpoint, form)
    if status != 200:
        refuse("the provider gives this program no code", why=reason(said) or f"status {status}")
    device = _device(provider, said)
    show(
        Pairing(
            user_code=words(device.user_code),
            verification_uri=device.verification_uri,
            verification_uri_complete=device.verification_uri_complete,
        )
    )
    patience = min(device.expires_in, _LONGEST_WAIT)
    try:
        async with asyncio.timeout(patience):
            return await _once_typed(tokens, provider, endpoints, device)
    except TimeoutError:
        raise _nobody(patience) from None


async def _once_typed(tokens: ProviderTokens, provider: Provider, endpoints: Endpoints, device: _Device) -> Granted:
    """Ask again and again, as slowly as the provider wants it, until it says yes or no (RFC 8628, section 3.5)."""
    pause, form = max(1.0, device.interval), {"grant_type": _DEVICE, "device_code": device.device_code}
    while True:
        await _pause(pause)
        status, said = await tokens.post(provider, endpoints, endpoints.token_endpoint, form)
        if status == 200:
            return await tokens.granted(provider, said)
        match error_code(said):
            case "authorization_pending":
                continue
            case "slow_down":
                pause += _SLOWER
            case _:
                refuse("the provider did not sign you in", why=reason(said) or f"status {status}")


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


def _device(provider: Provider, said: bytes) -> _Device:
    try:
        device = msgspec.json.decode(said, type=_Device)
        for url in filter(None, (device.verification_uri, device.verification_uri_complete)):
            check_url("verification_uri", url, query=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, BadInput):
        raise away(provider, "it gave no code that a person could use") from None
    return device


def _nobody(seconds: float) -> Refused:
    return Refused(
        "nobody has signed in",
        why=f"no answer came within {seconds / 60:.0f} minutes",
        mend="fairlead login again; --no-browser shows the address, --device a code for another machine's browser",
    )
