"""Opening what a place holds: its state database, the keys, the log.

SQLAlchemy takes a third of a second to load, so what needs it is imported here, when it is asked for, and nowhere in
the commands: a command that is only completed, or asked for its help, does without.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fairlead.cli.place import MASTER_KEY, Place, key_command, variable
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.storage.database import database_at
from fairlead.storage.fleet import Fleet
from fairlead.storage.master_key import load_master_key, master_key_from
from fairlead.storage.rotation import key_files
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault

if TYPE_CHECKING:
    from fairlead.storage.balances import Standing
    from fairlead.storage.log import Log

    Balances = dict[tuple[str, str], Standing]


def open_store(place: Place) -> Store:
    """The state database. Raises `BadInput` where it was not made yet or has another schema."""
    if not database_at(place.database).exists():
        raise BadInput(
            f"there is no state yet: {place.shown} does not exist",
            why="it is made by the first publish",
            mend=f"fairlead serve {place.workspace}, or: fairlead migrate -w {place.workspace}",
        )
    return Store.open(place.database, beside=place.beside)


def master_key(place: Place) -> bytes:
    """The master key of the environment, of the program that gives it, or of the key file. Raises `BadInput` where
    there is none."""
    if command := key_command(place):
        return master_key_from(command, place.workspace)
    return load_master_key(variable(MASTER_KEY), place.key_file)


def master_keys(place: Place) -> Iterable[bytes]:
    """The keys that may have taken its place since. The environment never changes under a running program; a program is
    asked anew."""
    if key_command(place):
        return (master_key(place),)
    return () if variable(MASTER_KEY) is not None else key_files(place.key_file)


def open_vault(place: Place, store: Store, new: bytes = b"") -> Vault:
    """The keys, under the master key of the environment or of the key file, or `new`, which is to follow it. Raises
    `BadInput`."""

    def anew() -> Iterable[bytes]:
        return [new] if new else master_keys(place)

    vault = Vault(master_key(place), StoredSubjects(store), SystemClock(), anew=anew)
    vault.check()
    return vault


def fleet_of(store: Store) -> Fleet:
    """The workers, and the epoch that they decide by."""
    return Fleet(store, SystemClock())


def log_of(store: Store) -> "Log":
    """The log, for reading."""
    from fairlead.storage.log import Log

    return Log(store)


def balances_of(store: Store) -> "Balances":
    """What is held and spent, by scope and period."""
    from fairlead.storage.balances import balances

    return balances(store)


def keys_of(store: Store, person: str) -> tuple[str, ...]:
    """The names of the keys that act for a person."""
    from fairlead.workspace.published import load_keys

    return tuple(key.name for key in load_keys(store) if key.person == person)
