"""What ends with a person whom their provider makes inactive or takes out: in the transaction that does it.

Whoever gets the same name afterwards is somebody else. Nothing that was somebody's by their name may open to the next.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.clock import Clock
from fairlead.identity.grants import REASONS
from fairlead.identity.keys import Key
from fairlead.identity.name_digests import fold
from fairlead.identity.settings import Provider
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

_LEFT: Final = "left"


class Leaver(Struct, frozen=True):
    """Whose name is given up: `person` as callers are called, `subjects` the ids under which theirs is kept. `folded`:
    the provider knows people by `userName`, in any case."""

    provider: str
    person: str
    subjects: frozenset[str]
    folded: bool

    def has(self, key: Key) -> bool:
        """Whether a key is bound to this very person."""
        same = fold(key.person) == fold(self.person) if self.folded else key.person == self.person
        return same and key.bound_to == self.provider


class Leaving:
    """For one process. `record` makes the log's entries."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, record: "Callable[..., Entry]") -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._record = record
        self._fleet = Fleet(store, clock)

    def leaver(self, provider: Provider, person: str, subject: str) -> Leaver:
        """Looks their ids up. `subject` is that under which the provider's row of them is sealed."""
        assert provider.scim is not None
        found = frozenset(filter(None, (subject, self._vault.id_of(person))))
        return Leaver(provider.name, person, found, provider.scim.person == "userName")

    def sign_out(self, connection: "Connection", leaver: Leaver) -> None:
        """Their browsers are signed in no more: neither now nor once they are active again."""
        from fairlead.storage import browser_rows, grant_rows

        self._store.database.wipe(connection)
        for subject in sorted(leaver.subjects):
            grant_rows.drop_consents(connection, subject)
            for issuer in browser_rows.end_of_subject(connection, subject, self._clock.now()):
                self._note(connection, "signed_out", leaver, f"browser:{issuer}", subject)

    def let_go(self, connection: "Connection", leaver: Leaver) -> None:
        """As `sign_out`; what they have connected ends, and keys that are bound to them are revoked."""
        from fairlead.identity.key_table import list_keys, revoke_key
        from fairlead.storage import grant_rows

        self.sign_out(connection, leaver)
        now, ended = self._clock.now(), False
        for subject in sorted(leaver.subjects):
            for row in grant_rows.listed(connection, subject):
                if grant_rows.end(connection, row.id, "ended", _LEFT, now):
                    ended = True
                    self._note(connection, "grant_ended", leaver, f"{row.id} {row.system}: {REASONS[_LEFT]}", subject)
        for key in list_keys(connection):
            if leaver.has(key) and not key.revoked_at:
                ended = True
                revoke_key(connection, key.name, now)
                self._note(connection, "key_revoked", leaver, key.name)
        if ended:
            self._fleet.announce(connection)  # workers have keys and tokens in memory

    def _note(self, connection: "Connection", kind: str, leaver: Leaver, about: str, subject: str = "") -> None:
        entry = self._record(kind, by=f"scim:{leaver.provider}", about=about, person=subject)
        self._store.database.append(connection, [entry])
