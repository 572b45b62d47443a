"""A person is erased as `fairlead data erase` does it: one transaction, with its record, tombstone and cascades."""

from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.storage.erasure import erase_subject
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault

_CLOCK = SystemClock()


def erase_id(store: Store, subject: str) -> None:
    """Whoever has the key in memory keeps it, as a worker does that has not seen the next epoch yet."""
    entry = deed(_CLOCK, "erasure", by="os:kim", person=subject)
    erase_subject(store, subject, entry, _CLOCK.now(), lambda _: None)


def erase(store: Store, vault: Vault, person: str) -> None:
    """The vault knows of it, as it does once its worker follows the epoch."""
    subject = vault.id_of(person)
    assert subject is not None, f"nothing is sealed for {person}"
    erase_id(store, subject)
    vault.clear_cache()
