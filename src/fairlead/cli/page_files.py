"""The files of pages in the folder: their names, and how one takes its new form."""

import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from fairlead.errors import BadInput

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@+")


def names_of(workspace: Path) -> list[str]:
    """The names of all pages of a workspace's folder."""
    root = workspace / "context"
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.md"))


def scalar(text: str) -> str:
    """A text as YAML reads it again, whatever is in it."""
    plain = set(text) <= _PLAIN and text[:1].isalpha()
    return text if plain else msgspec.json.encode(text).decode()


def replace_file(path: Path, old: bytes | None, content: bytes) -> None:
    """Writes a file whole or not at all, with the rights that it had; `old` is None where it was not there. Raises
    `BadInput` where somebody saved it in the meantime: their words are not to be lost."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:100]}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            there = path.exists()
            os.chmod(file.name, path.stat().st_mode & 0o7777 if there else 0o644)
            if (path.read_bytes() if there else None) != old:
                raise BadInput(
                    f"{path.name} was changed while this was written", mend="run it again", subject=path.name
                )
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
