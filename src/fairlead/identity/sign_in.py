"""One attempt of a person to sign in: authorization code with PKCE, state and nonce, as RFC 9700 asks.

What must come back with the person travels in a sealed cookie of the browser that began, so that any worker can finish
it, and no other browser.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, NoReturn
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, Unauthenticated
from fairlead.identity.discovery import Endpoints
from fairlead.identity.form_post import words
from fairlead.identity.login_settings import Login
from fairlead.storage.envelope import NONCE_BYTES, DoesNotOpen, seal, unseal

PURPOSE: Final = b"fairlead/login-attempt/1"
LASTS: Final = 600  # seconds
_LONGEST_PATH: Final = 1000
_LONGEST_COOKIE: Final = 8192
_START: Final = "/me"
_STEPS_BACK: Final = 60_000  # milliseconds by which a clock may be set right meanwhile


class Attempt(Struct, frozen=True, array_like=True):
    """What was begun. `until` is in milliseconds since 1970. It shows nothing of itself."""

    issuer: str
    state: str
    nonce: str
    verifier: str
    redirect: str
    next: str
    until: int

    def __repr__(self) -> str:
        return "Attempt()"

    @property
    def digest(self) -> bytes:
        """What is kept of it, so that it makes one session."""
        return sha256(self.state.encode()).digest()


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Attempt)


def begun(issuer: str, redirect: str, path: str, clock: Clock) -> Attempt:
    """A new attempt, all of it unpredictable."""
    state, nonce, verifier = (text_of(clock.random_bytes(32)) for _ in range(3))
    until = clock.now() + LASTS * 1000
    return Attempt(issuer, state, nonce, verifier, redirect, local_path(path), until)


def address(attempt: Attempt, login: Login, endpoints: Endpoints, resource: str = "") -> str:
    """Where the browser is sent. `resource` says what a token is wanted for (RFC 8707), where that must be said."""
    asked = {
        "response_type": "code",
        "client_id": login.client_id,
        "redirect_uri": attempt.redirect,
        "scope": login.scope,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge(attempt.verifier),
        "code_challenge_method": "S256",
        **({"resource": resource} if resource else {}),
    }
    return f"{endpoints.authorization_endpoint}?{urlencode(asked)}"


def challenge(verifier: str) -> str:
    """What a provider is told beforehand of the verifier (RFC 7636)."""
    return text_of(sha256(verifier.encode()).digest())


def sealed(attempt: Attempt, key: bytes, clock: Clock) -> str:
    """The cookie's value."""
    return text_of(seal(AESGCM(key), clock.random_bytes(NONCE_BYTES), _encode(attempt), PURPOSE))


def opened(cookie: str, key: bytes, now: int) -> Attempt:
    """What a browser began. Raises `Unauthenticated` for none, one that is over, or what was not made here."""
    try:
        raw = urlsafe_b64decode(cookie[:_LONGEST_COOKIE] + "==")
        attempt = _decoder.decode(unseal(AESGCM(key), raw, PURPOSE))
    except (Error, ValueError, DoesNotOpen, msgspec.MsgspecError):
        _not_ours()
    if not attempt.until - LASTS * 1000 - _STEPS_BACK <= now < attempt.until:
        _not_ours()
    return attempt


def code_of(attempt: Attempt, answer: Mapping[str, Sequence[str]], endpoints: Endpoints) -> str:
    """The code that the provider gave to this very attempt. Raises `Unauthenticated`, also for the provider's no."""
    given = {name: values[0] for name, values in answer.items() if len(values) == 1}
    if not hmac.compare_digest(given.get("state", "").encode(), attempt.state.encode()):
        _not_ours()
    issuer = given.get("iss")  # RFC 9207: another provider must not pass off its answer as this one's
    if issuer != attempt.issuer and (issuer is not None or endpoints.authorization_response_iss_parameter_supported):
        _refuse(
            "the answer came from another identity provider than you chose",
            why="it does not carry the issuer that was asked",
        )
    if "error" in given:
        told = words(f"{given['error']} {given.get('error_description', '')}")
        _refuse("the identity provider did not sign you in", why=told)
    if not given.get("code"):
        _refuse("the identity provider's answer holds no code", why="it is not the answer to a sign-in")
    return given["code"]


def local_path(path: str) -> str:
    """Where to go afterwards: a path on this server and nothing else, whatever a browser makes of odd characters."""
    if not path:
        return _START
    fit = path.isascii() and path.isprintable() and " " not in path and "\\" not in path and len(path) <= _LONGEST_PATH
    if not fit or not path.startswith("/") or path.startswith("//"):
        raise BadInput(
            "`next` is no path of this server",
            why="a sign-in must not lead to somewhere else",
            mend="leave it out, or give a path such as /approvals",
            param="next",
        )
    return _START if path.partition("?")[0] in ("/login", "/login/callback", "/logout") else path


def text_of(raw: bytes) -> str:
    """Bytes as they may stand in addresses and cookies."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _not_ours() -> NoReturn:
    _refuse(
        "this sign-in was not begun in this browser, or is over",
        why=f"each is good once, in the browser that began it, for {LASTS // 60} minutes",
    )


def _refuse(message: str, *, why: str) -> NoReturn:
    raise Unauthenticated(message, why=why, mend="sign in again", step="authenticate")
