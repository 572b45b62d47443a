"""Sealing bytes: AES-256-GCM with a random nonce, and the two keys that a master key is split into.

What is sealed says nothing about its key. Its context (`about`) is authenticated, not stored: bytes that were moved to
another row or another run do not open.
"""

import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fairlead.storage.master_key import MASTER_KEY_BYTES

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
_FORMAT: Final = b"\x01"
_SHORTEST: Final = 1 + NONCE_BYTES + 16


class DoesNotOpen(ValueError):
    """The key is not the one that sealed this, its context is another, or it was changed."""


def seal(key: AESGCM, nonce: bytes, plaintext: bytes, about: bytes) -> bytes:
    """The format's number, the nonce, ciphertext with tag. `nonce` must be fresh random bytes."""
    return _FORMAT + nonce + key.encrypt(nonce, plaintext, about)


def unseal(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    """What was sealed. Raises DoesNotOpen."""
    if len(sealed) < _SHORTEST or sealed[:1] != _FORMAT:
        raise DoesNotOpen("not something that was sealed")
    try:
        return key.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], about)
    except InvalidTag:
        raise DoesNotOpen("it was changed, or sealed otherwise") from None


class MasterKeys:
    """What a master key is used for: wrapping other keys, and finding a person without storing their name."""

    __slots__ = ("_lookup", "wrapping")

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"a master key has {MASTER_KEY_BYTES} bytes")
        self._lookup = derive(master_key, b"fairlead/subject-lookup/1")
        self.wrapping = AESGCM(derive(master_key, b"fairlead/key-wrapping/1"))

    def lookup(self, person: bytes) -> bytes:
        """A person's place in the table: the same for the same name, and meaningless without the master key."""
        return hmac.digest(self._lookup, person, "sha256")


def derive(master_key: bytes, purpose: bytes) -> bytes:
    """A key for one purpose."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master_key)
