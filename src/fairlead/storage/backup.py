"""Backups: one file of a deployment's state as it stood at one moment, with a signed manifest of what is in it.

The file is an SQLite database, whatever kind the deployment runs on: it is checked, and restored to either kind, in the
same way. The master key is not in it, so what is sealed opens with nothing that lies there.
"""

import shutil
import sqlite3
from contextlib import closing
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, select

from fairlead.audit import Frontier, Ring, sign_checkpoint, verify_checkpoint
from fairlead.audit.checkpoint import extensions_of
from fairlead.audit.malformed import Malformed
from fairlead.audit.merkle import leaf_hash
from fairlead.clock import Clock, new_id
from fairlead.errors import BadInput, Broken
from fairlead.storage.backup_copy import Progress, copy_state
from fairlead.storage.checkpoints import log_origin
from fairlead.storage.counts import count_of, sum_of
from fairlead.storage.custody_tables import backup as backup_table
from fairlead.storage.custody_tables import tombstone
from fairlead.storage.database import database_at
from fairlead.storage.durable import open_plain, sync
from fairlead.storage.schema import budget, epoch, hold, log, metadata, tree
from fairlead.storage.sqlite import fold
from fairlead.storage.store import SCHEMA_VERSION, Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault

FILE: Final = "state.db"
MANIFEST: Final = "manifest.json"
NOTE: Final = "manifest.txt"
_VERSION: Final = 1
_TITLE: Final = "fairlead backup 1"
_LARGEST: Final = 1 << 20  # bytes of a manifest
_PAGE: Final = 1000


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds. `digest` is the SHA-256 of the file, `tombstones` the number of the last one. `spent` is the
    sum over all budgets and `held` over open holds, in nano-units; `at` in milliseconds since 1970."""

    version: int
    id: str
    at: int
    origin: str
    schema: str
    revision: str
    epoch: int
    records: int
    root: str
    rows: dict[str, int]
    spent: int
    held: int
    tombstones: int
    digest: str


def make_backup(
    store: Store, vault: Vault, organisation: str, folder: Path, clock: Clock, progress: Progress
) -> Manifest:
    """Write a backup into a folder that does not exist yet. Workers go on meanwhile.

    It appears whole or not at all, and is on the disk when this returns. Raises BadInput if the folder is there, Broken
    if what was written is not sound.
    """
    if folder.exists():
        raise BadInput(f"{folder} exists already", why="a backup never overwrites", mend="name another folder")
    draft = folder.with_name(f".{folder.name}.part-{clock.random_bytes(4).hex()}")
    draft.mkdir(mode=0o700, parents=True)
    try:
        _written(store, vault, organisation, draft, clock, progress)
        manifest = read_backup(draft, None)  # the key that signed it may have been changed meanwhile
        for each in (*(draft / name for name in (FILE, MANIFEST, NOTE)), draft):
            sync(each)
        draft.rename(folder)
        sync(folder.parent)
    except BaseException:  # nobody would ever look for a copy under this name, and everything is in it
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def _written(store: Store, vault: Vault, organisation: str, draft: Path, clock: Clock, progress: Progress) -> None:
    origin = log_origin(store, organisation)
    key = vault.signing_key(origin)  # made before the copy, which is checked by it
    store.bring_in_order()
    copy_state(store, draft / FILE, progress)
    manifest = _described(draft / FILE, origin, clock)
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    lines = (_TITLE, f"sha256 {sha256(text).hexdigest()}")
    note = sign_checkpoint(origin, manifest.records, bytes.fromhex(manifest.root), key, lines)
    (draft / MANIFEST).write_bytes(text)
    (draft / NOTE).write_text(note, "utf-8")


def note_backup(store: Store, manifest: Manifest, place: str, entry: Entry) -> None:
    """Remember that there is this backup, and record it."""
    with store.writing() as connection:
        connection.execute(
            backup_table.insert().values(
                id=manifest.id,
                at=manifest.at,
                place=place,
                size=manifest.records,
                root=manifest.root,
                digest=manifest.digest,
            )
        )
        store.database.append(connection, [entry])


def read_backup(folder: Path, ring: Ring | None) -> Manifest:
    """The manifest of a backup whose file is the one that was written, and whose signature holds. `check_sums` compares
    what is in the file. `ring` are the keys that may have signed it; None for the file's own: then it agrees with
    itself.

    Raises BadInput where it is none, Broken where it was changed.
    """
    try:
        text, note = _said(folder / MANIFEST), _said(folder / NOTE).decode()
        manifest = msgspec.json.decode(text, type=Manifest)
        with open_plain(folder / FILE) as file:
            digest = file_digest(file, "sha256").hexdigest()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{folder} is no backup: {error}", mend="give the folder whole, as `fairlead backup` wrote it"
        ) from error
    if manifest.version != _VERSION or manifest.schema > SCHEMA_VERSION:
        raise BadInput(f"{folder} was made by a newer Fairlead", mend="install that version, or a later one")
    if digest != manifest.digest:
        raise changed(folder, "its file is not the one that was written")
    try:
        point = verify_checkpoint(note, ring or _own_ring(folder / FILE, manifest.origin))
        signed = extensions_of(note)
    except Malformed as error:
        raise changed(folder, error.message) from error
    if signed != (_TITLE, f"sha256 {sha256(text).hexdigest()}"):
        raise changed(folder, "its manifest is not the one that was signed")
    if (point.size, point.root.hex()) != (manifest.records, manifest.root):
        raise changed(folder, "its signature is over another log")
    return manifest


def _said(path: Path) -> bytes:
    with open_plain(path) as file:
        return file.read(_LARGEST)


def _own_ring(path: Path, origin: str) -> Ring:
    from fairlead.audit import ring_of

    with closing(_looking(path)) as raw:
        key = raw.execute("SELECT verifier FROM signing_key WHERE name = ?", (origin,)).fetchone()
        links = [row[0] for row in raw.execute("SELECT note FROM succession ORDER BY size")]
    return ring_of(str(key[0]) if key else "", links)


def changed(folder: Path, why: str) -> Broken:
    """What is raised where a backup is not the one that was made."""
    return Broken(f"the backup in {folder} does not hold", why=why, mend="take another copy of it, or another backup")


def _looking(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _described(path: Path, origin: str, clock: Clock) -> Manifest:
    """Read from the copy itself: what is stated is what is there. Raises Broken where the log in it does not hold."""
    store = Store(path)
    with closing(store), store.reading() as connection:
        rows = {table.name: count_of(connection, table) for table in metadata.sorted_tables}
        stored = connection.execute(select(tree.c.peaks)).scalar()
        found = connection.execute(select(epoch.c.number, epoch.c.revision)).first()
        spent, held = sum_of(connection, budget.c.spent), sum_of(connection, hold.c.amount)
        last = connection.execute(select(func.max(tombstone.c.n))).scalar() or 0
        grown = grown_tree(connection)
    if grown != (Frontier() if stored is None else Frontier.from_bytes(bytes(stored))):
        raise Broken(
            "the log does not hold, so it was not backed up", mend="fairlead audit verify tells what was changed"
        )
    schema = database_at(path).schema_version()
    fold(path)
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return Manifest(
        version=_VERSION,
        id=new_id(clock, "backup"),
        at=clock.now(),
        origin=origin,
        schema=schema,
        revision=found.revision if found else "",
        epoch=found.number if found else 0,
        records=grown.size,
        root=grown.root().hex(),
        rows=rows,
        spent=spent,
        held=held,
        tombstones=int(last),
        digest=digest,
    )


def grown_tree(connection: Connection, most: int | None = None) -> Frontier:
    """The tree that the records themselves grow to, or the first so many of them."""
    query = select(log.c.record).order_by(log.c.seq).limit(most).execution_options(yield_per=_PAGE)
    return Frontier().extend(leaf_hash(bytes(record)) for record in connection.execute(query).scalars())


def check_sums(connection: Connection, manifest: Manifest) -> None:
    """That the rows and the money of a copy are those that its manifest states. Raises Broken."""
    rows = {name: count_of(connection, metadata.tables[name]) for name in manifest.rows}
    found = (
        rows,
        sum_of(connection, budget.c.spent),
        sum_of(connection, hold.c.amount),
        grown_tree(connection).root().hex(),
    )
    if found != (manifest.rows, manifest.spent, manifest.held, manifest.root):
        raise Broken(
            "the backup does not hold what its manifest states",
            why=f"rows {found[0]}, spent {found[1]}, held {found[2]}, root {found[3]}",
            mend="take another backup",
        )
