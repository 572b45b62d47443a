"""Wrapping keys under the master key, and what each wrapped or sealed thing is bound to.

A master key can be changed while others serve. Whoever finds something that the known one does not open asks for those
that may have taken its place, and goes on with the one that opens it.
"""

from collections.abc import Callable, Iterable, Iterator

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.storage.envelope import NONCE_BYTES, DoesNotOpen, MasterKeys, seal, unseal
from fairlead.storage.subject_rows import SigningRow, SubjectRow


class Wrapping:
    """The master key in force, as far as this process knows. `anew` gives those that may be in force by now."""

    def __init__(self, master_key: bytes, clock: Clock, anew: Callable[[], Iterable[bytes]]) -> None:
        self.master = MasterKeys(master_key)
        self._anew = anew
        self._clock = clock

    def wrap(self, master: MasterKeys, key: bytes, about: bytes) -> bytes:
        """A key sealed under this master key, bound to what it is for."""
        return seal(master.wrapping, self._clock.random_bytes(NONCE_BYTES), key, about)

    def unwrap(self, wrapped: bytes, about: bytes, what: str) -> bytes:
        """Raises `BadInput` where no master key opens it; `what` it is, for people."""
        for master in self._candidates():
            try:
                opened = unseal(master.wrapping, wrapped, about)
            except DoesNotOpen:
                continue
            self.master = master
            return opened
        raise BadInput(
            f"the master key does not open {what}",
            why="this database was made, or last rotated, with another master key; or the row was changed",
            mend="start with the deployment's own master key, or restore the database from a backup",
            subject="master key",
        )

    def _candidates(self) -> Iterator[MasterKeys]:
        """The master key, and only where that opens nothing, those that may have taken its place."""
        yield self.master
        yield from map(MasterKeys, self._anew())


def opens(master: MasterKeys, row: SubjectRow | SigningRow) -> bool:
    """Whether this master key opens what the row holds."""
    about = about_subject(row.id, row.lookup) if isinstance(row, SubjectRow) else about_signing(row.name)
    try:
        unseal(master.wrapping, row.wrapped_key if isinstance(row, SubjectRow) else row.wrapped, about)
    except DoesNotOpen:
        return False
    return True


# What each sealed thing is bound to. The first word keeps one kind from being passed off as another.
def about_payload(context: bytes) -> bytes:
    """What a payload is bound to: one that is moved to another run does not open."""
    return b"payload\x00" + context


def about_name(subject_id: str) -> bytes:
    """What a name is bound to: the subject whose it is."""
    return b"name\x00" + subject_id.encode()


def about_subject(subject_id: str, lookup: bytes) -> bytes:
    """What a person's wrapped key is bound to: its row."""
    return b"subject\x00" + subject_id.encode() + b"\x00" + lookup


def about_signing(name: str) -> bytes:
    """What a wrapped signing key is bound to: the log that it signs."""
    return b"signing\x00" + name.encode()
