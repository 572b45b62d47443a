"""Signed checkpoints of the audit log: kept in the database, and as files beside it that belong elsewhere.

A checkpoint fixes everything recorded before it. Whoever can write the database cannot forge one without the master
key, and cannot take one back that lies in another place. Copies beside the database count in every check, so that
whoever can only write the database is found out.
"""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct
from sqlalchemy import insert, select

from fairlead.audit import Frontier, Ring, Verdict, ring_of, sign_checkpoint, verifier_key, verify_records
from fairlead.errors import BadInput, Broken
from fairlead.storage.custody_tables import succession
from fairlead.storage.log import Log, Moment
from fairlead.storage.schema import checkpoint, signing_key
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault


class Signed(Struct, frozen=True):
    """A checkpoint over the first `size` records, and the file in which a copy of it lies."""

    size: int
    note: str
    file: Path


def log_origin(store: Store, organisation: str) -> str:
    """The name under which the log signs: that of its first key, else one made of the organisation's name."""
    with store.reading() as connection:
        known = connection.execute(select(signing_key.c.name).order_by(signing_key.c.created_at).limit(1)).scalar()
    if known is not None:
        return str(known)
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in organisation)
    return f"fairlead/{plain.strip('-') or 'log'}"


def known_verifier(store: Store, origin: str) -> str | None:
    """The verifier key under which this log signs, as the database has it; None before its key is made."""
    with store.reading() as connection:
        known = connection.execute(select(signing_key.c.verifier).where(signing_key.c.name == origin)).scalar()
    return None if known is None else str(known)


def successions(store: Store) -> tuple[str, ...]:
    """The statements by which signing keys have followed one another, oldest first."""
    with store.reading() as connection:
        return tuple(connection.execute(select(succession.c.note).order_by(succession.c.size)).scalars())


def check_log(store: Store, verifier: str, kept: Iterable[str], links: Iterable[str] = ()) -> Verdict:
    """Check every record against the stored head, the stored checkpoints and those that were kept elsewhere. `links`
    are successions of signing keys that were kept elsewhere, too."""
    ring = ring_of(verifier, [*successions(store), *links])
    with Log(store).at_one_moment() as moment:
        return _checked(moment, ring, kept)


def sign_head(store: Store, vault: Vault, origin: str, folder: Path, at: int) -> Signed | None:
    """Sign the log as it stands, if it has grown since the last checkpoint. `at` in milliseconds since 1970.

    Returns None where there is nothing new to sign. The head is what the journal keeps; that it belongs to the records
    is for `fairlead audit verify` to check.
    """
    with Log(store).at_one_moment() as moment:
        head, last = moment.head(), moment.last_signed()
    if head.size <= (last[0] if last else 0):
        return None
    return _sign(store, vault, origin, head, folder, at)


def sign_checked(store: Store, vault: Vault, origin: str, folder: Path, at: int) -> Signed:
    """Check the log and sign it as it was checked, or give the checkpoint that it has. One that does not hold is never
    signed. `at` in milliseconds since 1970.

    Raises `Broken` where it does not hold, `BadInput` where there is nothing to sign.
    """
    ring = ring_of(verifier_key(origin, vault.signing_key(origin).public_key()), successions(store))
    with Log(store).at_one_moment() as moment:
        head, last = moment.head(), moment.last_signed()
        verdict, notes = _checked(moment, ring, copies(folder)), moment.checkpoints()
    if not verdict.ok:
        raise Broken(
            f"the log does not hold and was not signed: {verdict.problems[0]}",
            why="a signature would vouch for what was changed",
            mend="fairlead audit verify tells everything that was found; compare with a backup",
        )
    if head.size == 0:
        raise BadInput("there is nothing to sign: the log is empty", mend='fairlead ask "What can you do?"')
    if last is not None and last[0] == head.size:
        return Signed(head.size, notes[-1], _keep_copy(folder, head.size, notes[-1]))
    signed = _sign(store, vault, origin, head, folder, at)
    if signed is None:
        raise Broken("the signing key was changed while the log was checked", mend="try again")
    return signed


def copies(folder: Path) -> list[str]:
    """The checkpoints that lie beside the database."""
    return [path.read_text("utf-8", "replace") for path in sorted(folder.glob("*.txt"))]


def _checked(moment: Moment, ring: Ring, kept: Iterable[str]) -> Verdict:
    checkpoints = dict.fromkeys([*moment.checkpoints(), *kept])
    return verify_records(moment.records(), moment.head(), checkpoints, ring)


def _sign(store: Store, vault: Vault, origin: str, head: Frontier, folder: Path, at: int) -> Signed | None:
    """None if this key signs no more: another process may have put the next into its place."""
    key = vault.signing_key(origin)
    note = sign_checkpoint(origin, head.size, head.root(), key)
    with store.writing() as connection:
        signs = connection.execute(select(signing_key.c.verifier).where(signing_key.c.name == origin)).scalar()
        if signs != verifier_key(origin, key.public_key()):
            vault.clear_cache()
            return None
        known = connection.execute(select(checkpoint.c.size).where(checkpoint.c.size == head.size)).first()
        if known is None:
            connection.execute(insert(checkpoint).values(size=head.size, at=at, note=note))
    return Signed(head.size, note, _keep_copy(folder, head.size, note))


def _keep_copy(folder: Path, size: int, note: str) -> Path:
    """Write a checkpoint beside the database, whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{size:012d}.txt"
    unfinished = file.with_suffix(".tmp")
    unfinished.write_text(note, "utf-8")
    unfinished.replace(file)
    return file
