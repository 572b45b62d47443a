"""Restoring a backup without bringing back what must stay gone: erased subjects, revoked keys, spent money.

Everything is done to a copy beside the database: it takes its place only when it is sound and complete. What was erased
since the backup is known from the database that is replaced, from anchors, or from a list that somebody vouches for.
Where nobody knows, nothing is restored.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select, update

from fairlead.errors import BadInput, Broken
from fairlead.storage import grant_rows
from fairlead.storage.approval_rows import end_all
from fairlead.storage.backup import FILE, Manifest, changed, check_sums, grown_tree
from fairlead.storage.browser_rows import end_every
from fairlead.storage.custody_tables import legal_hold, tombstone
from fairlead.storage.durable import open_plain, second_name, sync
from fairlead.storage.erasure import clear_away
from fairlead.storage.legal_holds import LegalHold, legal_holds
from fairlead.storage.migrations import migrate
from fairlead.storage.people_rows import distrust_all
from fairlead.storage.schema import api_key, budget, budget_move, epoch, stop, subject, tree, worker
from fairlead.storage.sqlite import fold, is_intact
from fairlead.storage.store import Store
from fairlead.storage.tombstones import KEY, SUBJECT, Tombstone, bury, tombstones
from fairlead.storage.types import Entry

_STAGE: Final = ".restoring"
_CHUNK: Final = 1 << 20


Row = dict[str, Any]


class Since(Struct, frozen=True):
    """What is known of the time after a backup. `balances` are budgets by scope and period; `records` how many the log
    had; None where nobody knows. `sources` say from where."""

    stones: tuple[Tombstone, ...] = ()
    sources: tuple[str, ...] = ()
    epoch: int = 0
    records: int | None = None
    balances: dict[tuple[str, str], Row] | None = None
    moves: tuple[Row, ...] = ()
    stops: tuple[dict[str, Any], ...] = ()
    holds: tuple[LegalHold, ...] = ()


class Restored(Struct, frozen=True):
    """What came of it. `lost` are records that the replaced database had beyond the backup, and `unseen` what it had
    spent beyond it in all budgets (nano-units); None where it is not known. `old` is where that database is kept."""

    backup: str
    records: int
    erased: int
    revoked: int
    orphaned: int
    lost: int | None
    unseen: int | None
    sources: tuple[str, ...]
    old: str = ""


def require_unchanged(live: Store, manifest: Manifest, since: Since) -> None:
    """Raises Broken if the database that is to be replaced has changed since this was read of it: whoever was erased
    meanwhile would come to life again."""
    if known_from(live, manifest) != since:
        raise Broken(
            f"the database at {live.shown} was changed while the backup was restored, so nothing was replaced",
            why="what was erased, revoked or spent meanwhile would be lost",
            mend="see that nobody works on it, and restore again",
        )


def known_from(live: Store, manifest: Manifest) -> Since:
    """What the database that is to be replaced knows. Raises BadInput if it is another's, or older than the backup."""
    live.bring_in_order()
    with live.reading() as connection:
        size = int(connection.execute(select(tree.c.size)).scalar() or 0)
        begins = grown_tree(connection, manifest.records).root().hex() if size >= manifest.records else ""
        if begins != manifest.root:
            raise BadInput(
                f"the database at {live.shown} does not continue the log of the backup",
                why=f"it has {size} records, the backup {manifest.records}" if not begins else "their pasts differ",
                mend="name another --workspace, or move that database away and tell with --erasures who was erased",
            )
        stones = list(tombstones(connection))
        revoked = connection.execute(select(api_key.c.digest, api_key.c.revoked_at).where(api_key.c.revoked_at > 0))
        # From before there were tombstones.
        stones += [Tombstone(0, KEY, bytes(row.digest).hex(), row.revoked_at) for row in revoked]
        spent = {(row["scope"], row["period"]): dict(row) for row in connection.execute(select(budget)).mappings()}
        moves = tuple(dict(row) for row in connection.execute(select(budget_move)).mappings())
        number = int(connection.execute(select(epoch.c.number)).scalar() or 0)
        stops = tuple(dict(row) for row in connection.execute(stop.select()).mappings())
        held = tuple(legal_holds(connection))
    return Since(tuple(stones), (f"the database at {live.shown}",), number, size, spent, moves, stops, held)


@contextmanager
def staged_copy(folder: Path, beside: Path, manifest: Manifest) -> Iterator[Store]:
    """A copy of the backup's file beside the database, of this program's schema. Whatever comes of it, nothing of it
    stays there. Raises Broken if it does not hold."""
    try:
        with closing(_stage(folder, beside, manifest)) as store:
            yield store
    finally:
        _clear(beside / _STAGE)


def _clear(place: Path) -> None:
    """What another restore, cut short, has left; of a link, the link: what it leads to is not ours to delete."""
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)


def _stage(folder: Path, beside: Path, manifest: Manifest) -> Store:
    place = beside / _STAGE
    _clear(place)
    place.mkdir(mode=0o700, parents=True)
    with open_plain(folder / FILE) as source, (place / FILE).open("xb") as file:
        (place / FILE).chmod(0o600)
        shutil.copyfileobj(source, file, _CHUNK)
    with (place / FILE).open("rb") as file:
        if file_digest(file, "sha256").hexdigest() != manifest.digest:
            raise changed(folder, "its file was changed while it was copied")
    if not is_intact(place / FILE):
        raise Broken("the backup's file is damaged", mend="take another copy of it")
    if manifest.schema == "":
        raise Broken("the backup has no schema", mend="take another backup")
    migrate(place / FILE)
    return Store.open(place / FILE)


def keep_gone(staged: Store, manifest: Manifest, since: Since, at: int) -> tuple[int, int]:
    """Erase and revoke anew what was erased and revoked since the backup. How many subjects and keys that were."""
    with staged.reading() as connection:
        check_sums(connection, manifest)
    erased = revoked = 0
    with staged.erasing("subject") as connection:
        connection.execute(delete(worker))
        end_all(connection, at)  # what was granted then may have been used since
        end_every(connection)  # who was signed in then may have signed out since
        distrust_all(connection)  # who was active then may have been taken out since
        grant_rows.end_all(connection, "restored", at)  # and what was connected, disconnected
        for stone in since.stones:
            _bury_again(connection, stone, at)
            if stone.kind == SUBJECT:
                erased += connection.execute(delete(subject).where(subject.c.id == stone.what)).rowcount
            else:
                mine = (api_key.c.digest == bytes.fromhex(stone.what)) & (api_key.c.revoked_at == 0)
                revoked += connection.execute(update(api_key).where(mine).values(revoked_at=stone.at)).rowcount
    clear_away(staged, at)
    return erased, revoked


def _bury_again(connection: Connection, stone: Tombstone, at: int) -> None:
    """Under the number that it had, so that anchors are not told of two things by one number."""
    same = (tombstone.c.kind == stone.kind) & (tombstone.c.what == stone.what)
    if connection.execute(select(tombstone.c.n).where(same)).first() is not None:
        return
    taken = connection.execute(select(tombstone.c.n).where(tombstone.c.n == stone.n)).first()
    if stone.n == 0 or taken is not None:
        bury(connection, stone.kind, stone.what, stone.at, done=stone.kind == KEY)
        return
    done = at if stone.kind == KEY else 0
    connection.execute(
        insert(tombstone).values(n=stone.n, kind=stone.kind, what=stone.what, at=stone.at, seq=0, done_at=done)
    )


def carry_over(staged: Store, manifest: Manifest, since: Since) -> int | None:
    """What was spent, allotted and moved since counts as it did; what was stopped or held since stays so.

    Returns how much more money that is than the backup knew of, None where it is not known. The epoch goes on from the
    later of both.
    """
    unseen = 0
    with staged.writing() as connection:
        connection.execute(update(epoch).values(number=max(manifest.epoch, since.epoch) + 1))
        for (scope, period), row in sorted((since.balances or {}).items()):
            mine = (budget.c.scope == scope) & (budget.c.period == period)
            before = connection.execute(select(budget.c.spent).where(mine)).scalar()
            if before is None:
                connection.execute(insert(budget).values({**row, "held": 0}))
            else:
                then = {name: row[name] for name in ("extra", "passed", "told", "alerted", "closed_at")}
                connection.execute(update(budget).where(mine).values(spent=max(before, row["spent"]), **then))
            unseen += max(0, row["spent"] - (before or 0))
        done = set(connection.execute(select(budget_move.c.id)).scalars())
        if new := [row for row in since.moves if row["id"] not in done]:
            connection.execute(insert(budget_move), new)
        for each in since.stops:
            same = (stop.c.kind == each["kind"]) & (stop.c.name == each["name"]) & (stop.c.control == each["control"])
            if connection.execute(select(stop.c.id).where(same | (stop.c.id == each["id"]))).first() is None:
                connection.execute(insert(stop).values(each))
        known = {(each.kind, each.what) for each in legal_holds(connection)}
        for hold in since.holds:
            if (hold.kind, hold.what) not in known:
                connection.execute(insert(legal_hold).values(asdict(hold)))
    return None if since.balances is None else unseen


def record_restore(staged: Store, entry: Entry) -> None:
    """The log says that it was restored, and from what."""
    with staged.writing() as connection:
        staged.database.append(connection, [entry])


def install_file(staged: Store, path: Path, at: int) -> Path | None:
    """Put the copy into the place of the file at `path`, in one step. Returns where the old file is kept, if there was
    one. Nobody may have either open."""
    source = staged.path
    staged.close()
    for each in (source, path):
        if each.exists():
            fold(each)
    sync(source)
    old = second_name(path, at) if path.exists() else None
    source.replace(path)
    sync(path.parent)
    return old


def set_aside_checkpoints(folder: Path, records: int, at: int) -> int:
    """Copies beside the database that cover more than the restored log go into a folder of their own: they speak of a
    past that this log does not have any more. Those in anchors are not ours to move."""
    beyond = [path for path in folder.glob("*.txt") if path.stem.isdecimal() and int(path.stem) > records]
    if beyond:
        aside = folder / f"before-restore-{at}"
        aside.mkdir(mode=0o700)
        for path in beyond:
            path.rename(aside / path.name)
    return len(beyond)


def merged(known: Iterable[Since]) -> Since:
    """All that is known, from wherever. Raises BadInput where nobody knows anything."""
    known = list(known)
    if not known:
        raise BadInput(
            "nobody knows who was erased since this backup, so it is not restored",
            why="whoever was erased would come to life again",
            mend="let the anchors of fairlead.yaml be reached; or list whom you know to be erased since in a file, a "
            "person or subject id a line, and give it with --erasures (an empty file says: nobody)",
        )
    stones = {(each.kind, each.what): each for since in known for each in since.stones if each.n == 0}
    stones |= {(each.kind, each.what): each for since in known for each in since.stones if each.n}
    return Since(
        tuple(sorted(stones.values(), key=lambda each: (each.n == 0, each.n))),
        tuple(source for since in known for source in since.sources),
        max(since.epoch for since in known),
        next((since.records for since in known if since.records is not None), None),
        next((since.balances for since in known if since.balances is not None), None),
        next((since.moves for since in known if since.balances is not None), ()),
        tuple(each for since in known for each in since.stops),
        tuple(each for since in known for each in since.holds),
    )
