"""By what a person's names are found in the database: digests under a key that only this deployment's vault opens."""

import hmac
from threading import Lock
from typing import Final

from fairlead.clock import Clock
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault

_HOLDER: Final = "fairlead:people"  # in whose name the key is sealed; no caller can have this name
_ABOUT: Final = b"people"
_FOLDED: Final = dict(zip(range(ord("A"), ord("Z") + 1), range(ord("a"), ord("z") + 1), strict=True))


def fold(name: str) -> str:
    """A user's name as it is compared. Only A to Z are folded: by the wider rules of Unicode `straße` is `strasse`, and
    where those are two people, one would have the other's rights."""
    return name.translate(_FOLDED)


class NameDigests:
    """The key is made with the first person who is pushed. Blocking: call it in a thread."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._key = b""
        self._lock = Lock()

    def digest(self, provider: str, attribute: str, value: str) -> bytes:
        """`externalId` is compared to the letter, `userName` by `fold`. Once `made` or `find` gave true."""
        assert self._key
        told = fold(value) if attribute == "userName" else value
        return hmac.digest(self._key, "\0".join((provider, attribute, told)).encode("utf-8", "surrogatepass"), "sha256")

    def find(self) -> bool:
        """Whether anybody was ever pushed; then digests can be made."""
        from fairlead.storage.people_rows import find_mark

        if not self._key:
            with self._store.reading() as connection:
                mark = find_mark(connection)
            if mark is not None:
                self._key = self._vault.open_sealed(mark.holder, mark.sealed, _ABOUT)
        return bool(self._key)

    def make(self) -> None:
        """As `find`, and makes the key where there is none."""
        from fairlead.storage.people_rows import find_mark, insert_mark

        with self._lock:
            if self.find():
                return
            holder = self._vault.subject_for(_HOLDER)
            sealed = self._vault.seal(holder, self._clock.random_bytes(32), _ABOUT)
            with self._store.writing() as connection:
                if find_mark(connection) is None:  # or another worker was faster
                    insert_mark(connection, holder.id, sealed)
            self.find()
