"""The logins that this user's programs have at Fairlead servers: one file, for nobody else's eyes.

Tokens are never shown but by `fairlead token`. Whoever changes the file holds its lock, so that of many commands at
once one refreshes: a refresh token may be good for one use.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.storage.durable import sync

FILE: Final = "logins.json"
_LOCK: Final = "logins.lock"


class Saved(Struct, frozen=True, kw_only=True):
    """What is kept of one login. `expires` is in milliseconds since 1970, 0 where the provider did not say. It shows
    nothing of its tokens."""

    provider: str
    issuer: str
    client_id: str
    scope: str
    resource: str = ""
    subject: str = ""
    access: str
    refresh: str = ""
    expires: int = 0

    def __repr__(self) -> str:
        return f"Saved({self.issuer})"


_decoder = msgspec.json.Decoder(dict[str, Saved])


class SavedLogins:
    """By the address of the server. `folder` is the user's own for Fairlead's settings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / FILE

    def of(self, server: str) -> Saved | None:
        """The login at a server, None where there is none."""
        return self._read().get(server)

    def all(self) -> dict[str, Saved]:
        """All logins, by server."""
        return self._read()

    @contextmanager
    def changing(self) -> "Iterator[dict[str, Saved]]":
        """All logins, to be changed: what is in it at the end is kept. Others wait meanwhile."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            found = self._read()
            before = dict(found)
            yield found
            if found != before:
                self._write(msgspec.json.format(msgspec.json.encode(found)))
        finally:
            os.close(descriptor)

    def _write(self, text: bytes) -> None:
        """All of it or nothing, and from its first byte on for nobody else."""
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        sync(self._folder)

    def _read(self) -> dict[str, Saved]:
        try:
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                if found.st_mode & 0o077 or found.st_uid != os.getuid():
                    raise BadInput(
                        f"others may read or change {self.path}",
                        why="whoever has what is in it can act as you",
                        mend=f"sign in again after: rm {self.path}",
                    )
                return _decoder.decode(file.read())
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError:
            raise BadInput(
                f"{self.path} cannot be read", why="it is not what was written there", mend=f"rm {self.path}"
            ) from None
