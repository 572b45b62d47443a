"""Fairlead's own keys for callers: how one is made, what is remembered of it, and why one is not accepted.

A key is `fl_`, 256 random bits and a checksum, in letters and digits. Only its SHA-256 digest is kept: with that many
random bits a slow hash would protect nothing and cost every request.
"""

import zlib
from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import Unauthenticated
from fairlead.identity.types import Caller

PREFIX = "fl_"
NEVER = 1 << 62  # later than any clock, in milliseconds

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43  # base-62 digits of 256 bits
_CHECK = 6  # base-62 digits of 32 bits


class Key(Struct, frozen=True, kw_only=True):
    """What is known of a key. Times are in milliseconds since 1970; 0 means never."""

    name: str
    digest: bytes
    person: str
    agent: str = ""
    department: str = ""
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    created_at: int = 0
    expires_at: int = 0
    revoked_at: int = 0
    created_by: str = ""
    bound_to: str = ""  # the provider at which the person must be active


def new_key(clock: Clock) -> tuple[str, bytes]:
    """A fresh key and its digest. The key is shown to its owner once and kept nowhere."""
    body = _base62(int.from_bytes(clock.random_bytes(32), "big"), _BODY)
    secret = PREFIX + body + _checksum(body)
    return secret, digest_of(secret)


def digest_of(secret: str) -> bytes:
    """What is stored and looked up in place of the key."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def is_well_formed(secret: str) -> bool:
    """Whether a text was ever made by `new_key`: a typing error is told from a key that is not known."""
    body, check = secret[len(PREFIX) : -_CHECK], secret[-_CHECK:]
    return secret.startswith(PREFIX) and len(body) == _BODY and check == _checksum(body)


def as_known(person: str, keys: Iterable[Key], now: int) -> Caller:
    """The person as their own keys know them, without any credential. Keys of agents say nothing of it, and the groups
    of a key that is bound to the person are their provider's to give."""
    mine = [each for each in keys if each.person == person and not each.agent and not each.revoked_at]
    mine = [each for each in mine if not each.expires_at or each.expires_at > now]
    return Caller(
        person=person,
        department=next((each.department for each in mine if each.department), ""),
        groups=frozenset().union(*(each.groups for each in mine if not each.bound_to)),
        roles=frozenset().union(*(each.roles for each in mine)),
        credential="",
    )


def caller_of(key: Key, now: int) -> Caller:
    """The caller whom the key stands for. Raises `Unauthenticated` if it was revoked or has expired."""
    if key.revoked_at:
        raise Unauthenticated(
            f"the key {key.name!r} was revoked", mend="make another with `fairlead key add`", step="authenticate"
        )
    if key.expires_at and key.expires_at <= now:
        raise Unauthenticated(
            f"the key {key.name!r} has expired", mend="make another with `fairlead key add`", step="authenticate"
        )
    return Caller(
        person=key.person,
        agent=key.agent,
        department=key.department,
        groups=key.groups,
        roles=key.roles,
        credential=f"key:{key.name}",
        expires=key.expires_at,
    )


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = _ALPHABET[digit] + text
    return text


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("utf-8", "surrogatepass")), _CHECK)
