"""What a run holds, sealed under a key of its own: whoever deletes that key, or its person's, has erased the run."""

from typing import Any, Final, Protocol

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, Broken
from fairlead.identity.types import Caller
from fairlead.storage.envelope import KEY_BYTES, NONCE_BYTES, DoesNotOpen, seal, unseal
from fairlead.storage.vault import Vault

_encode: Final = msgspec.msgpack.Encoder().encode


class Begun(Struct, frozen=True, array_like=True):
    """What a run began with. `key` is the run's own; `caller` as they stood when they began it."""

    key: bytes
    caller: Caller
    input: Any
    door: str


_begun: Final = msgspec.msgpack.Decoder(Begun)


class Keeping(Protocol):
    """Where what belongs to a run is while it is walked: sealed in its rows, or in this process alone."""

    def seal(self, place: str, value: Any) -> bytes:
        """What is written of it."""
        ...

    def open(self, place: str, sealed: bytes) -> Any:
        """The value again."""
        ...


class InMemory:
    """Keeps what belongs to a run here, and has nothing written of it: gone with the process, and with this object."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def seal(self, place: str, value: Any) -> bytes:
        """Keep it here; what is to be written of it is empty."""
        self._kept[place] = value
        return b""

    def open(self, place: str, sealed: bytes) -> Any:
        """None for what is not known here."""
        return self._kept.get(place)


class RunKey:
    """Seals and opens what belongs to one run. What is sealed at one place opens at no other."""

    def __init__(self, run: str, key: bytes, clock: Clock) -> None:
        self._run = run
        self._key = AESGCM(key)
        self._clock = clock

    def seal(self, place: str, value: Any) -> bytes:
        """Any value that msgpack has: texts, numbers, bytes, lists and mappings."""
        nonce = self._clock.random_bytes(NONCE_BYTES)
        return seal(self._key, nonce, encoded(value), self._about(place))

    def open(self, place: str, sealed: bytes) -> Any:
        """What was sealed. Raises `Broken` where it was changed, or moved to another place."""
        try:
            return msgspec.msgpack.decode(unseal(self._key, bytes(sealed), self._about(place)))
        except DoesNotOpen as error:
            raise Broken(
                f"what run {self._run} has done at {place} does not open: {error}",
                why="its bytes were changed, or it belongs to another run or place",
                mend="compare with a backup; `fairlead audit verify` tells whether the log was changed",
                subject=self._run,
            ) from None

    def _about(self, place: str) -> bytes:
        return f"workflow\0{self._run}\0{place}".encode()


def encoded(value: Any) -> bytes:
    """A value as it is sealed. Raises `BadInput` for what cannot be kept."""
    try:
        return _encode(value)
    except (OverflowError, TypeError, ValueError, RecursionError) as error:
        why = "texts, decimals, lists, mappings and whole numbers of 64 bits are kept"
        raise BadInput(f"it cannot be kept: {error}", why=why, mend="give a longer number as a text") from None


def new_key(clock: Clock) -> bytes:
    """A fresh key for one run, of the clock's chance."""
    return clock.random_bytes(KEY_BYTES)


def sealed_begin(vault: Vault, run: str, begun: Begun) -> tuple[str, bytes]:
    """The id of the subject whose run it is, and what it begins with, sealed for them."""
    subject = vault.subject_for(begun.caller.person)
    return subject.id, vault.seal(subject, encoded(begun), _about(run))


def opened_begin(vault: Vault, run: str, subject: str, sealed: bytes) -> Begun:
    """Raises `NotFound` once its person was erased."""
    return _begun.decode(vault.open_sealed(subject, bytes(sealed), _about(run)))


def _about(run: str) -> bytes:
    return b"workflow\0" + run.encode()
