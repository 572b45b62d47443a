"""Changing the master key of a deployment, while it serves.

The new key is on the disk, beside the old one, before anything is wrapped by it; then every key is wrapped anew in one
transaction; then the new key takes the old one's place. Whoever opens the vault meanwhile, or after a crash at any of
these points, has both keys at hand (`key_files`) and goes on with the one that opens the database. Running the rotation
again ends one that was interrupted. The old key file is kept: backups from before open with nothing else.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.storage.durable import second_name, sync
from fairlead.storage.master_key import create_key_file, load_master_key
from fairlead.storage.vault import Vault

_NEXT: Final = ".next"


class Rotated(Struct, frozen=True):
    """How many keys were wrapped anew, and where the old master key is kept."""

    keys: int
    old: Path


def key_files(path: Path) -> Iterator[bytes]:
    """The master key in this file, and the one that a rotation under way, or cut short, is about to put there.

    A file that is missing is passed over: between asking for the one and for the other, a rotation may have ended.
    """
    for each in (path, _next(path), path):
        try:
            yield load_master_key(None, each)
        except BadInput:
            if each.exists():
                raise


def rotate(path: Path, vault: Vault, origin: str, clock: Clock) -> Rotated:
    """Put a new master key into the key file and wrap every key of the database by it. `origin` is the log's name.

    Raises BadInput if the vault's key is not the database's, or if another rotation is under way.
    """
    with _alone(path):
        vault.check()
        vault.signing_key(origin)  # a database without a single key would not tell which master key is in force
        prepared = _next(path)
        new = load_master_key(None, prepared) if prepared.exists() else create_key_file(prepared, clock)
        count = vault.rewrap(new)
        old = second_name(path, clock.now() // 1000)
        prepared.replace(path)
        sync(path.parent)
        return Rotated(count, old)


def replace_given(vault: Vault, origin: str, new: bytes) -> int:
    """Wrap every key by a master key that is kept elsewhere, and return how many there were. Whoever serves with the
    old one can open nothing more: stop them first. Doing it again is harmless."""
    vault.check()
    vault.signing_key(origin)
    return vault.rewrap(new)


def _next(path: Path) -> Path:
    return path.with_name(path.name + _NEXT)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One rotation at a time. The kernel ends the lock with its holder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BadInput("the master key is being changed already", mend="wait for the other rotation to end") from None
    finally:
        os.close(folder)
