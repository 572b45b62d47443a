"""Keys: one per person whose payloads are sealed, one per log that signs checkpoints, all wrapped by the master key.

Deleting a person's row (`storage.erasure`) erases all that was sealed for them, their name included, and leaves every
audit proof valid: the log holds hashes of ciphertexts. An erased person who returns is a new subject.

A master key can be changed while workers serve (`storage.rotation`). A vault that finds a row it cannot open asks
whoever made it for the key anew, and goes on with the one that opens the row.

`cached` and `seal` are for the event loop. Everything else reads the database and may wait for a disk: call it in a
thread. Threads may share a vault.
"""

from base64 import b32encode
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from fairlead.audit.checkpoint import verifier_key
from fairlead.clock import Clock
from fairlead.errors import BadInput, Broken, NotFound
from fairlead.storage.envelope import KEY_BYTES, NONCE_BYTES, DoesNotOpen, MasterKeys, derive, seal, unseal
from fairlead.storage.signing_keys import SigningKeys
from fairlead.storage.subject_rows import SigningRow, SubjectRow, SubjectRows
from fairlead.storage.wrapping import Wrapping, about_name, about_payload, about_subject, opens

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from sqlalchemy import Connection

_REMEMBERED: Final = 4096  # people; about 2 KB each
_PATIENCE: Final = 8
_NAMING: Final = b"fairlead/pseudonyms/1"
_TO_CROCKFORD: Final = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz")


class SubjectKey:
    """A person's key, good for sealing. It shows nothing of itself."""

    __slots__ = ("_key", "_naming", "id")

    def __init__(self, subject_id: str, key: AESGCM, naming: bytes) -> None:
        self.id = subject_id
        self._key = key
        self._naming = naming

    def naming_secret(self, about: str) -> bytes:
        """What the pseudonyms of this person's values are made with, for one conversation: gone with the key."""
        return blake2b(about.encode("utf-8", "surrogatepass"), key=self._naming, digest_size=KEY_BYTES).digest()

    def __repr__(self) -> str:
        return f"SubjectKey({self.id})"


class Vault:
    """All keys of one deployment."""

    def __init__(
        self,
        master_key: bytes,
        rows: SubjectRows,
        clock: Clock,
        *,
        remembered: int = _REMEMBERED,
        anew: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        """Reads nothing yet: call `check` before serving. `anew` gives the master keys that may be in force by now."""
        self._wrapping = Wrapping(master_key, clock, anew)
        self._rows = rows
        self._clock = clock
        self._remembered = remembered
        self._cache: OrderedDict[str, SubjectKey] = OrderedDict()
        self._signing = SigningKeys(self._wrapping, rows, clock, self.check)
        self._lock = Lock()
        self._forgotten = 0  # grows with every epoch, so that a key read before an erasure is not remembered after it

    def check(self) -> None:
        """Raises BadInput if the master key is not the one that this database was made with."""
        row = self._rows.sample()
        if isinstance(row, SubjectRow):
            self._data_key(row)
        elif row is not None:
            self._signing.require_opening(row)

    def cached(self, person: str) -> SubjectKey | None:
        """The person's key if this process knows it. Never waits."""
        with self._lock:
            subject = self._cache.get(person)
            if subject is not None:
                self._cache.move_to_end(person)
            return subject

    def subject_for(self, person: str) -> SubjectKey:
        """The person's key, made if they have none. Raises BadInput for a wrong master key or an unfit name."""
        subject = self.cached(person)
        if subject is not None:
            return subject
        name = _encode(person)
        for _ in range(_PATIENCE):
            before = self._forgotten
            row = self._find_or_create(name)
            if row is None:
                continue
            subject = self._key(row)
            if self._remember(person, subject, before):
                return subject
        raise Broken(
            "a subject's key vanished as often as it was made",
            mend="see who erases, or changes the master key, in a loop",
        )

    def seal(self, subject: SubjectKey, plaintext: bytes, context: bytes) -> bytes:
        """The plaintext sealed for this person. It opens only with the same context, such as the run's id."""
        nonce = self._clock.random_bytes(NONCE_BYTES)
        return seal(subject._key, nonce, plaintext, about_payload(context))

    def open_sealed(self, subject_id: str, sealed: bytes, context: bytes) -> bytes:
        """What was sealed. Raises NotFound once the person was erased, Broken if it was changed or moved.

        Always asks the database for the key, so that an erasure by another process counts at once.
        """
        row = self._rows.get(subject_id)
        if row is None:
            raise NotFound(
                f"this payload was erased with its subject {subject_id}",
                why="the key that opened it was deleted; the audit record of it remains",
                mend="nothing brings it back; `fairlead trace` without --payload shows what remains",
                subject=subject_id,
            )
        try:
            return unseal(AESGCM(self._data_key(row)), sealed, about_payload(context))
        except DoesNotOpen as error:
            raise Broken(
                f"a payload of subject {subject_id} does not open: {error}",
                why="its bytes were changed, or it belongs to another run or subject",
                mend="compare with a backup; `fairlead audit verify` tells whether the log was changed",
                subject=subject_id,
            ) from None

    def open_own(self, subject: SubjectKey, sealed: bytes, context: bytes) -> bytes:
        """What was sealed by this very key, which the caller knows to be in force. Raises Broken if it was changed."""
        try:
            return unseal(subject._key, sealed, about_payload(context))
        except DoesNotOpen as error:
            raise Broken(
                f"what is kept of subject {subject.id} does not open: {error}",
                why="its bytes were changed, or it belongs to somebody else",
                mend="compare with a backup; `fairlead audit verify` tells whether the log was changed",
                subject=subject.id,
            ) from None

    def key_of(self, subject_id: str) -> SubjectKey | None:
        """A subject's key as the database has it now, for many payloads of theirs; None once they were erased."""
        row = self._rows.get(subject_id)
        return None if row is None else self._key(row)

    def name_of(self, subject_id: str) -> str | None:
        """Whose payloads these are; None once they were erased."""
        row = self._rows.get(subject_id)
        return None if row is None else self._name(row, self._data_key(row)).decode()

    def id_of(self, person: str) -> str | None:
        """The id under which a person's payloads are sealed; None for who has none, or was erased."""
        row = self._find(_encode(person))
        return None if row is None else row.id

    def clear_cache(self) -> None:
        """Drop every key from memory: call it whenever the epoch changes, since whoever erases begins one."""
        with self._lock:
            self._forgotten += 1
            self._cache.clear()
            self._signing.forget()

    def signing_key(self, origin: str) -> "Ed25519PrivateKey":
        """The key that signs this log's checkpoints, made once. Raises BadInput for an unfit name."""
        return self._signing.key(origin)

    def verifier_key(self, origin: str) -> str:
        """The text to give to whoever checks this log's checkpoints. Makes the key if there is none."""
        return verifier_key(origin, self.signing_key(origin).public_key())

    def derived_key(self, origin: str, purpose: bytes) -> bytes:
        """A secret for one purpose, the same for all who have the master key until the signing key is changed."""
        return derive(self.signing_key(origin).private_bytes_raw(), purpose)

    def next_signing_key(self, origin: str) -> "tuple[Ed25519PrivateKey, SigningRow]":
        """A new key to sign this log with, and its row. It counts once the row stands in the old one's place."""
        return self._signing.next_one(origin)

    def replace_signing(self, old: str, row: SigningRow, connection: "Connection") -> None:
        """Within a writing transaction: put the row into the place of the one with the verifier `old`.

        Raises Broken if that has gone, or if the master key was changed since the row was made.
        """
        self._signing.put_in_place(old, row, connection)

    def rewrap(self, new_master_key: bytes) -> int:
        """Wrap every key anew under another master key, in one transaction, and return how many there were.

        Payloads stay as they are, and so do the keys that others have in memory. See `storage.rotation`, which keeps
        the new key where others find it before this is called.
        """
        new = MasterKeys(new_master_key)
        count = self._rows.rewrite(
            lambda row: self._rewrap_subject(row, new), lambda row: self._signing.rewrapped(row, new)
        )
        self._wrapping.master = new
        self.clear_cache()
        return count

    def _find_or_create(self, name: bytes) -> SubjectRow | None:
        """None if somebody erased the row that somebody else had made just before."""
        row = self._find(name)
        if row is not None:
            return row
        master = self._wrapping.master
        made = self._new_row(name, master)
        return made if self._rows.insert_if_absent(made, lambda other: opens(master, other)) else None

    def _find(self, name: bytes) -> SubjectRow | None:
        """The person's row. Under a wrong master key nobody is ever found, so that is looked into before it is said
        that there is none. Raises BadInput for a wrong one."""
        while True:
            master = self._wrapping.master
            row = self._rows.find(master.lookup(name))
            if row is not None:
                return row
            self.check()
            if self._wrapping.master is master:
                return None

    def _new_row(self, name: bytes, master: MasterKeys) -> SubjectRow:
        lookup = master.lookup(name)
        subject_id = "s_" + b32encode(self._clock.random_bytes(10)).translate(_TO_CROCKFORD).decode()
        data_key = self._clock.random_bytes(KEY_BYTES)
        return SubjectRow(
            id=subject_id,
            lookup=lookup,
            wrapped_key=self._wrapping.wrap(master, data_key, about_subject(subject_id, lookup)),
            sealed_name=seal(AESGCM(data_key), self._clock.random_bytes(NONCE_BYTES), name, about_name(subject_id)),
            created_at=self._clock.now(),
        )

    def _remember(self, person: str, subject: SubjectKey, before: int) -> bool:
        """False if an epoch was begun since `before`: the key may be gone, and must be read again."""
        with self._lock:
            if self._forgotten != before:
                return False
            self._cache[person] = subject
            while len(self._cache) > self._remembered:
                self._cache.popitem(last=False)
            return True

    def _key(self, row: SubjectRow) -> SubjectKey:
        key = self._data_key(row)
        return SubjectKey(row.id, AESGCM(key), derive(key, _NAMING))

    def _data_key(self, row: SubjectRow) -> bytes:
        return self._wrapping.unwrap(row.wrapped_key, about_subject(row.id, row.lookup), f"the key of subject {row.id}")

    def _name(self, row: SubjectRow, data_key: bytes) -> bytes:
        try:
            return unseal(AESGCM(data_key), row.sealed_name, about_name(row.id))
        except DoesNotOpen:
            raise Broken(
                f"the name of subject {row.id} was changed in the database",
                mend="restore the table `subject` from a backup",
                subject=row.id,
            ) from None

    def _rewrap_subject(self, row: SubjectRow, new: MasterKeys) -> SubjectRow:
        data_key = self._data_key(row)
        lookup = new.lookup(self._name(row, data_key))
        wrapped = self._wrapping.wrap(new, data_key, about_subject(row.id, lookup))
        return replace(row, lookup=lookup, wrapped_key=wrapped)


def _encode(person: str) -> bytes:
    try:
        name = person.encode()
    except UnicodeEncodeError:
        name = b""
    if not name:
        raise BadInput(
            "a person's name must be text, and not empty",
            mend="name the person as keys and tokens do",
            subject="person",
        )
    return name
