"""The data folder of a deployment: made once, for its owner only, with a database, a master key and a first API key."""

import os
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct

from fairlead.cli.place import MASTER_KEY, Place, key_command, user, variable
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.identity.keys import Key, new_key
from fairlead.storage.master_key import create_key_file
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.workspace.schemas import write_schemas

FIRST_KEY: Final = "admin"


class Made(Struct, frozen=True):
    """What was made. `first_key` is shown once and kept nowhere; "" where there are keys already."""

    folder: bool
    key_file: Path | None
    schema: str
    first_key: str


def set_up(place: Place) -> Made:
    """Make what is missing: the folder, the master key, the database, the first key. Safe to repeat."""
    from fairlead.storage.migrations import migrate

    fresh = not place.data.exists()
    place.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_schemas(place.data / "schemas")
    schema = migrate(place.database)
    key_file = _master_key(place)
    return Made(fresh, key_file, schema, _first_key(place))


def _master_key(place: Place) -> Path | None:
    """The key file, if one had to be made. A key in the environment comes first and is left where it is."""
    if variable(MASTER_KEY) is not None or key_command(place) or place.key_file.exists():
        return None
    _require_no_keys(place)
    create_key_file(place.key_file, SystemClock())
    return place.key_file


def _require_no_keys(place: Place) -> None:
    """A database may be there before the folder: on a server that other hosts use, or where a folder was lost."""
    with closing(Store.open(place.database)) as store:
        if StoredSubjects(store).sample() is not None:
            raise BadInput(
                f"there is no master key here for {place.shown}, which has keys of its own already",
                why="they were wrapped by the master key of whoever made them; another would open nothing",
                mend=f"copy that key file to {place.key_file}, or set {MASTER_KEY}",
                subject="master key",
            )


def _first_key(place: Place) -> str:
    from fairlead.identity.key_table import add_key, list_keys

    store, clock = Store.open(place.database), SystemClock()
    try:
        with store.writing() as connection:
            if list_keys(connection):
                return ""
            secret, digest = new_key(clock)
            key = Key(
                name=FIRST_KEY,
                digest=digest,
                person=user(),
                groups=frozenset({"admins"}),
                roles=frozenset({"admin"}),
                created_at=clock.now(),
                created_by=user(),
            )
            add_key(connection, key)
        return secret
    finally:
        store.close()


def is_private(folder: Path) -> bool:
    """Whether only its owner may look into a folder."""
    return not os.stat(folder).st_mode & 0o077
