"""The data folder of a deployment: made once, for its owner only, with a database, a master key and a first API key."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from fairlead.cli.output import say
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


@contextmanager
def made_whole(folder: Path) -> Iterator[None]:
    """What the block makes of a folder that is not there, or is empty, is whole after it, or gone: nobody has to find
    out what is missing. A folder that holds something is left as it is."""
    begun = folder.is_dir()
    empty = not folder.exists() or (begun and not any(folder.iterdir()))
    try:
        yield
    except BaseException as error:
        if empty and folder.is_dir() and (any(folder.iterdir()) or not begun):
            for each in list(folder.iterdir()):
                shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
            if not begun:
                folder.rmdir()
            say(f"{folder} could not be finished, and nothing of it was left behind")
        if not isinstance(error, OSError):
            raise
        mend = "mend it, or free some space, or name another folder, and start again"
        raise BadInput(f"{folder} cannot be made", why=error.strerror or str(error), mend=mend) from error


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
