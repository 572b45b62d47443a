"""Changing the key that signs the log, while workers serve.

The old key names the new one, the new one vouches for the old, and the statement stands in the log and beside the
checkpoints. The old private key is gone with the same transaction: nobody can sign with it any more, and whoever stole
a copy can sign nothing over a log that is longer than it was then.
"""

from collections.abc import Callable

from msgspec import Struct
from sqlalchemy import Connection, insert, select

from fairlead.audit import sign_succession, verifier_key
from fairlead.clock import Clock
from fairlead.storage.custody_tables import succession
from fairlead.storage.schema import tree
from fairlead.storage.store import Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault


class Succeeded(Struct, frozen=True):
    """The verifier keys before and after, and the signed statement that links them. From `size` records on the new key
    signs."""

    old: str
    new: str
    size: int
    note: str


def rotate_signing(
    store: Store,
    vault: Vault,
    origin: str,
    clock: Clock,
    entry: Callable[[str], Entry],
    announce: Callable[[Connection], None],
) -> Succeeded:
    """Put a new signing key into the old one's place. `entry` makes the log's entry of the statement, `announce` begins
    the epoch with which workers drop the old key.

    Raises Broken if somebody else changes a key at the same time.
    """
    old = vault.signing_key(origin)
    named = verifier_key(origin, old.public_key())
    new, row = vault.next_signing_key(origin)
    store.bring_in_order()  # what is acknowledged is still the old key's to sign
    with store.erasing("signing_key") as connection:
        size = int(connection.execute(select(tree.c.size)).scalar() or 0)
        note = sign_succession(origin, size, old, new)
        vault.replace_signing(named, row, connection)
        connection.execute(insert(succession).values(size=size, at=clock.now(), note=note))
        store.database.append(connection, [entry(note)])
        announce(connection)
    vault.clear_cache()
    return Succeeded(named, row.verifier, size, note)
