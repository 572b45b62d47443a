"""The keys that sign logs' checkpoints: one per log, made once, wrapped by the master key. The vault hands them out."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from fairlead.audit.checkpoint import verifier_key
from fairlead.audit.malformed import Malformed
from fairlead.clock import Clock
from fairlead.errors import BadInput, Broken
from fairlead.storage.envelope import KEY_BYTES, MasterKeys
from fairlead.storage.subject_rows import SigningRow, SubjectRows
from fairlead.storage.wrapping import Wrapping, about_signing, opens

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from sqlalchemy import Connection


class SigningKeys:
    """Those of one deployment, opened when they are first asked for. `check` looks into the master key."""

    def __init__(self, wrapping: Wrapping, rows: SubjectRows, clock: Clock, check: Callable[[], None]) -> None:
        self._wrapping = wrapping
        self._rows = rows
        self._clock = clock
        self._check = check
        self._known: dict[str, Ed25519PrivateKey] = {}

    def key(self, origin: str) -> "Ed25519PrivateKey":
        """The key of this log, made if there is none. Raises `BadInput` for an unfit name."""
        known = self._known.get(origin)
        if known is None:
            row = self._rows.find_signing(origin) or self._created(origin)
            known = self._known[origin] = self._opened(row)
        return known

    def next_one(self, origin: str) -> "tuple[Ed25519PrivateKey, SigningRow]":
        """A new key, and its row, which counts once it stands in the old one's place."""
        self._check()
        seed, master = self._clock.random_bytes(KEY_BYTES), self._wrapping.master
        key = _signer(seed)
        wrapped = self._wrapping.wrap(master, seed, about_signing(origin))
        return key, SigningRow(origin, wrapped, _verifier(origin, key), self._clock.now())

    def put_in_place(self, old: str, row: SigningRow, connection: "Connection") -> None:
        """Within a writing transaction: the row in place of the one with the verifier `old`. Raises `Broken`."""
        if not self._rows.replace_signing(connection, old, row, lambda other: opens(self._wrapping.master, other)):
            raise Broken(f"the signing key {row.name}, or the master key, was changed meanwhile", mend="try again")

    def rewrapped(self, row: SigningRow, new: MasterKeys) -> SigningRow:
        """The row, wrapped by another master key."""
        about = about_signing(row.name)
        seed = self._wrapping.unwrap(row.wrapped, about, f"the signing key {row.name}")
        return replace(row, wrapped=self._wrapping.wrap(new, seed, about))

    def require_opening(self, row: SigningRow) -> None:
        """Raises `BadInput` if the master key does not open it."""
        self._wrapping.unwrap(row.wrapped, about_signing(row.name), f"the signing key {row.name}")

    def forget(self) -> None:
        """Forgets the keys that were opened; each is opened again when it is next asked for."""
        self._known.clear()

    def _created(self, origin: str) -> SigningRow:
        _, row = self.next_one(origin)
        master = self._wrapping.master
        if self._rows.insert_signing_if_absent(row, lambda other: opens(master, other)):
            return row
        found = self._rows.find_signing(origin)
        if found is None:
            raise Broken(
                f"the signing key {origin} could not be made: the master key was changed meanwhile", mend="try again"
            )
        return found

    def _opened(self, row: SigningRow) -> "Ed25519PrivateKey":
        key = _signer(self._wrapping.unwrap(row.wrapped, about_signing(row.name), f"the signing key {row.name}"))
        if verifier_key(row.name, key.public_key()) != row.verifier:
            raise Broken(f"the verifier of {row.name} was changed in the database", mend="restore it from a backup")
        return key


def _verifier(origin: str, key: "Ed25519PrivateKey") -> str:
    try:
        return verifier_key(origin, key.public_key())
    except Malformed as error:
        raise BadInput(error.message, why=error.why, mend=error.mend, subject=origin) from None


def _signer(seed: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)
