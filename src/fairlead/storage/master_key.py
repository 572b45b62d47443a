"""The master key: 32 random bytes that wrap every other key. It is never in the database.

Whoever holds it and the database can read everything; who loses it can read nothing that was sealed. It comes from
text (the root reads the environment), from a program such as a key service's, or from a file that only its owner may
read.
"""

import os
import stat
import subprocess
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.storage.durable import sync

MASTER_KEY_BYTES: Final = 32
_LONGEST_FILE: Final = 1024
_PATIENCE: Final = 30.0  # seconds for a program to give the key
_FEWEST_DIFFERENT: Final = 8  # of 32 random bytes at least this many differ, but for one case in 10**30


def load_master_key(text: str | None, path: Path) -> bytes:
    """The master key from `text` (base64 or hexadecimal) or, where that is None, from the key file. Raises BadInput.

    Empty text is refused rather than passed over: a secret that failed to arrive must not select another key.
    """
    if text is not None:
        return parse_master_key(text, "the master key that was given")
    return parse_master_key(_read_private(path), f"the key file {path}")


def parse_master_key(text: str, source: str) -> bytes:
    """The key that a text spells. `source` says in the error where the text came from; the text never appears."""
    key = _decode(text.strip())
    if len(key) != MASTER_KEY_BYTES or len(set(key)) < _FEWEST_DIFFERENT:
        raise BadInput(
            f"{source} is not a master key",
            why="a master key is 32 random bytes, written in base64 (44 characters) or hexadecimal (64)",
            mend="copy it whole; for a new deployment make one with `openssl rand -base64 32`",
            subject="master key",
        ) from None
    return key


def master_key_from(command: Sequence[str], folder: Path) -> bytes:
    """The key that a program prints, such as one that has a key service unwrap it. It runs in `folder`, without a shell
    and without input. Raises BadInput; what it printed never appears in an error, only what it said to the side."""
    try:
        done = subprocess.run(
            list(command), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        late = isinstance(error, subprocess.TimeoutExpired)
        why = f"it took longer than {_PATIENCE:g} seconds" if late else str(error)
        raise _no_key(command, why) from None
    if done.returncode:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[-300:]
        raise _no_key(command, f"it ended with status {done.returncode}{f': {said}' if said else ''}")
    return parse_master_key(done.stdout[:_LONGEST_FILE].decode("ascii", "replace"), f"what {command[0]} printed")


def _no_key(command: Sequence[str], why: str) -> BadInput:
    return BadInput(
        f"the program {command[0]} gave no master key",
        why=why,
        mend="run it by hand as the user that runs Fairlead; `master_key.command` names it",
        subject="master key",
    )


def create_key_file(path: Path, clock: Clock) -> bytes:
    """Make a new master key and keep it in a file that only its owner may read. Raises BadInput if there is one.

    The file appears whole or not at all, and is on the disk when this returns. Keep a copy apart from the database.
    """
    key = clock.random_bytes(MASTER_KEY_BYTES)
    draft = path.with_name(f".{path.name}.{clock.random_bytes(8).hex()}")
    try:
        _write_private(draft, b64encode(key) + b"\n")
        try:
            os.link(draft, path)  # unlike a rename, this fails where the name is taken
        finally:
            draft.unlink()
        sync(path.parent)
    except FileExistsError:
        raise BadInput(
            f"there is a key file at {path} already",
            why="what was sealed with the key in it could never be read again",
            mend="use that key, or name another place",
            subject=str(path),
        ) from None
    except OSError as error:
        raise BadInput(
            f"cannot write the key file {path}: {error.strerror}", mend="name a folder that Fairlead may write to"
        ) from error
    return key


def _decode(text: str) -> bytes:
    try:
        if len(text) == 2 * MASTER_KEY_BYTES:
            return bytes.fromhex(text)
        plain = text.replace("-", "+").replace("_", "/")
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (NotBase64, ValueError):
        return b""


def _read_private(path: Path) -> str:
    try:
        # Not to hang on a pipe that somebody put there.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            _check_private(path, found.st_mode)
            return file.read(_LONGEST_FILE).decode("ascii", "replace")
    except FileNotFoundError:
        raise BadInput(
            f"there is no master key: none was given, and there is no key file at {path}",
            why="without it nothing can be sealed or opened",
            mend="put the deployment's key there, or make one with `fairlead init`",
            subject=str(path),
        ) from None
    except OSError as error:
        raise BadInput(
            f"cannot read the key file {path}: {error.strerror}",
            mend=f"let the user that runs Fairlead own it: chown and chmod 600 {path}",
            subject=str(path),
        ) from error


def _check_private(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise BadInput(f"the key file {path} is not a plain file", mend="name the file that holds the key")
    if mode & 0o077:
        raise BadInput(
            f"the key file {path} can be read or written by others (mode {stat.S_IMODE(mode):o})",
            why="whoever reads it can open everything that is sealed",
            mend=f"chmod 600 {path}; if others may have read it, make a new key",
            subject=str(path),
        )


def _write_private(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
