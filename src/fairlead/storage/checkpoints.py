"""Signed checkpoints of the audit log: kept in the database, and as files beside it that belong elsewhere.

A checkpoint fixes everything recorded before it. Whoever can write the database cannot forge one without the master
key, and cannot take one back that lies in another place.
"""

from pathlib import Path

from msgspec import Struct

from fairlead.audit import Frontier, sign_checkpoint
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault


class Signed(Struct, frozen=True):
    """A checkpoint over the first `size` records, and the file in which a copy of it lies."""

    size: int
    note: str
    file: Path


def log_origin(store: Store, organisation: str) -> str:
    """The name under which the log signs: that of its first key, else one made of the organisation's name."""
    from sqlalchemy import select

    from fairlead.storage.schema import signing_key

    with store.reading() as connection:
        known = connection.execute(select(signing_key.c.name).order_by(signing_key.c.created_at).limit(1)).scalar()
    if known is not None:
        return str(known)
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in organisation)
    return f"fairlead/{plain.strip('-') or 'log'}"


def sign_head(store: Store, vault: Vault, origin: str, folder: Path, at: int) -> Signed | None:
    """Sign the log as it stands, if it has grown since the last checkpoint. `at` in milliseconds since 1970.

    Returns None where there is nothing new to sign. The head is what the journal keeps; that it belongs to the records
    is for `fairlead audit verify` to check.
    """
    from sqlalchemy import func, insert, select

    from fairlead.storage.schema import checkpoint, tree

    with store.reading() as connection:
        peaks = connection.execute(select(tree.c.peaks)).scalar()
        last = connection.execute(select(func.max(checkpoint.c.size))).scalar() or 0
    head = Frontier.from_bytes(bytes(peaks)) if peaks is not None else Frontier()
    if head.size <= last:
        return None
    note = sign_checkpoint(origin, head.size, head.root(), vault.signing_key(origin))
    with store.writing() as connection:
        known = connection.execute(select(checkpoint.c.size).where(checkpoint.c.size == head.size)).first()
        if known is None:
            connection.execute(insert(checkpoint).values(size=head.size, at=at, note=note))
    return Signed(head.size, note, keep_copy(folder, head.size, note))


def keep_copy(folder: Path, size: int, note: str) -> Path:
    """Write a checkpoint beside the database, whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{size:012d}.txt"
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(note, "utf-8")
    unfinished.replace(file)
    return file
