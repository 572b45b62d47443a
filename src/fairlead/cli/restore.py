"""`fairlead restore`: the way back from a backup, which revives nobody."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec.structs import replace

from fairlead.audit import Ring, ring_of
from fairlead.audit.malformed import Malformed
from fairlead.cli.forgetting import forget_again
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import fleet_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, json_data, progress, say
from fairlead.cli.place import Data, Place, Workspace, currency_of, find, secrets, user
from fairlead.cli.sealing import changed_payloads, checkpoint_folder, in_words, known_key, links_of, log_key
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.costs.money import format_money
from fairlead.costs.outcomes import orphaned
from fairlead.costs.record import deed
from fairlead.errors import BadInput, Broken, FairleadError
from fairlead.storage.backup import Manifest, read_backup
from fairlead.storage.checkpoints import check_log
from fairlead.storage.database import database_at, is_postgres
from fairlead.storage.journal import Journal
from fairlead.storage.recover import recover
from fairlead.storage.restoring import (
    Restored,
    Since,
    carry_over,
    install_file,
    keep_gone,
    known_from,
    merged,
    record_restore,
    require_unchanged,
    set_aside_checkpoints,
    staged_copy,
)
from fairlead.storage.store import Store
from fairlead.storage.tombstones import SUBJECT, Tombstone
from fairlead.storage.vault import Vault

app = typer.Typer(**PLAIN)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="The folder that `fairlead backup` made.")],
    over: Annotated[
        bool, typer.Option("--replace", help="Put it into the place of the database that is there.")
    ] = False,
    erasures: Annotated[
        Path | None,
        typer.Option("--erasures", help="Whom you know to be erased since: a person or subject id a line."),
    ] = None,
    key: Annotated[str, typer.Option("--key", help="The log's verifier key.", show_default="what is known here")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Bring a backup back, whole and checked. Stop all workers first.

    Whoever was erased since stays erased, and keys that were revoked stay revoked: that is known from the database that
    is replaced, from the anchors, or from --erasures. Where nobody knows, nothing is restored.
    """
    place = find(workspace, data_folder)
    with ExitStack() as stack:
        if not stack.enter_context(database_at(place.database).elected("restoring")):
            raise BadInput("another restore is under way", mend="wait for it to end")
        live = _live(place, over, stack)
        manifest = read_backup(source, _trusted(live, key))
        before = None if live is None else known_from(live, manifest)
        since = merged([*([before] if before else []), *_known(place, manifest, erasures)])
        made = f"the backup {manifest.id} of {shown(manifest.at)} ({manifest.records} records)"
        known = ", ".join(since.sources)
        if dry_run:
            say(f"would restore {made} to {place.shown}; who was erased since is known from {known}")
            return
        confirm(f"Restore {made} to {place.shown}?", yes)
        with staged_copy(source, place.beside, manifest) as staged:
            restored = _made_sound(place, staged, manifest, since)
            if live is not None and before is not None:
                _require_stopped(live, [])
                require_unchanged(live, manifest, before)
            restored = replace(restored, old=_install(place, live, staged))
        set_aside_checkpoints(checkpoint_folder(place), manifest.records, SystemClock().now() // 1000)
    if json:
        json_data(restored)
        return
    _tell(place, restored)


def _live(place: Place, over: bool, stack: ExitStack) -> Store | None:
    """The database that is to be replaced, kept from its workers; None where there is none. Raises `BadInput`."""
    database = database_at(place.database)
    if not database.exists() or database.schema_version() == "":
        return None
    store = stack.enter_context(closing(open_store(place)))
    held: list[str] = []
    if not is_postgres(place.database):
        for name in store.workers.known():
            lock = store.workers.seize(name, 0.0)
            if lock is None:
                held.append(name)
            else:
                stack.callback(lock.release)
    _require_stopped(store, held)
    if not over:
        raise BadInput(
            f"there is a database at {place.shown} already",
            why="a restore loses what came after the backup",
            mend="add --replace once you are sure, or --dry-run to look first",
        )
    return store


def _require_stopped(store: Store, held: list[str]) -> None:
    """`held` are workers whose locks somebody has."""
    now = SystemClock().now()
    serving = [*held, *(member.id for member in fleet_of(store).members() if member.lease_until >= now)]
    if serving:
        raise BadInput(
            f"the worker {serving[0]} lives", why="what it writes would be lost", mend="stop every worker, then restore"
        )


def _trusted(live: Store | None, key: str) -> Ring | None:
    pinned = key or (known_key(live) if live is not None else None)
    if not pinned:
        return None
    with in_words():
        return ring_of(pinned, links_of(live) if live is not None else ())


def _known(place: Place, manifest: Manifest, erasures: Path | None) -> Iterator[Since]:
    """What others know than the database that is replaced."""
    yield from _from_anchors(place, manifest)
    if erasures is not None:
        now = SystemClock().now()
        yield Since(tuple(Tombstone(0, SUBJECT, name, now) for name in _listed(erasures)), (str(erasures),))


def _listed(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8-sig")  # a mark at its beginning must not become part of a name
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no text in UTF-8", mend="save it as UTF-8: a person or subject id a line") from None
    return [line for each in text.splitlines() if (line := each.strip()) and not line.startswith("#")]


def _from_anchors(place: Place, manifest: Manifest) -> Iterator[Since]:
    """What each anchor knows that has seen the log at least as it is in the backup."""
    from fairlead.cli.compiled import in_folder
    from fairlead.storage.anchors import largest, read_tombstones
    from fairlead.workspace.anchoring import Reach, compile_anchors

    anchors = compile_anchors(in_folder(place).settings.audit.anchors)
    for name, kept in Reach(place.beside, secrets(place.workspace), SystemClock()).read(anchors).items():
        if isinstance(kept, FairleadError):
            say(f"warning: the anchor {name} could not be read: {kept}")
        elif not kept.key or largest(kept) < manifest.records:
            say(f"warning: the anchor {name} knows a log of {largest(kept)} records, fewer than the backup has")
        else:
            try:
                stones = read_tombstones(kept.tombstones, ring_of(kept.key, kept.successions))
            except Malformed as error:
                raise Broken(f"the anchor {name} does not hold: {error.message}") from error
            yield Since(tuple(stones), (f"the anchor {name}, up to record {largest(kept)}",))


def _made_sound(place: Place, staged: Store, manifest: Manifest, since: Since) -> Restored:
    """All that a copy needs before it may take the database's place. Raises `Broken` where it does not hold."""
    clock = SystemClock()
    vault = _vault_of(place, staged)
    since = _with_ids(since, vault)
    names = [vault.name_of(each.what) for each in since.stones if each.kind == SUBJECT]
    erased, revoked = keep_gone(staged, manifest, since, clock.now())
    settled = asyncio.run(_settle(staged))
    with staged.writing() as connection:
        staged.database.wipe(connection)
        for name in filter(None, names):
            forget_again(connection, name)
    unseen = carry_over(staged, manifest, since)
    lost = None if since.records is None else since.records - manifest.records
    about = f"{manifest.id}, {manifest.records} records; lost since: {'unknown' if lost is None else lost}"
    record_restore(staged, deed(clock, "restore", by=f"os:{user()}", about=about))
    with in_words():
        verdict, altered = check_log(staged, log_key(place, staged), ()), changed_payloads(staged)
    if not verdict.ok or altered:
        why = "; ".join(verdict.problems[:3]) or f"the payload of record {altered[0]} was changed"
        raise Broken("what was restored does not hold, so nothing was replaced", why=why, mend="take another backup")
    return Restored(manifest.id, manifest.records, erased, revoked, settled, lost, unseen, since.sources)


def _vault_of(place: Place, staged: Store) -> Vault:
    try:
        return open_vault(place, staged)
    except BadInput as error:
        raise BadInput(
            f"the keys in the backup do not open: {error}",
            why="it is from before the master key was changed, or of another deployment",
            mend="give the key of then as FAIRLEAD_MASTER_KEY (a change keeps it as master.key.until-TIME), restore, "
            "and let `fairlead key rotate-master` lead to the key of now, given as FAIRLEAD_NEW_MASTER_KEY",
            subject="master key",
        ) from error


def _with_ids(since: Since, vault: Vault) -> Since:
    """Persons of a list by their ids. Of whom the backup knows nothing, there is nothing to erase."""
    stones = []
    for each in since.stones:
        named = each.kind == SUBJECT and each.n == 0 and not each.what.startswith("s_")
        what = vault.id_of(each.what) if named else each.what
        if what is None:
            say(f"warning: the backup knows nobody called {each.what!r}: look for another spelling of the name")
        else:
            stones.append(replace(each, what=what))
    return replace(since, stones=tuple(stones))


async def _settle(staged: Store) -> int:
    """Holds that were open when the backup was made: nobody knows how they ended, so they are billed at the most."""
    clock = SystemClock()
    journal = Journal(staged, "restore", clock)
    try:
        return await recover(staged, journal, lambda hold: orphaned(hold, clock.now()))
    finally:
        await asyncio.to_thread(journal.close)


def _install(place: Place, live: Store | None, staged: Store) -> str:
    if not is_postgres(place.database):
        assert isinstance(place.database, Path)
        if live is not None:
            live.close()
        old = install_file(staged, place.database, SystemClock().now() // 1000)
        return str(old or "")
    from fairlead.storage.migrations import migrate
    from fairlead.storage.move import count_rows, move

    migrate(place.database)
    with closing(Store.open(place.database)) as target, progress("copying", count_rows(staged)) as told:
        move(staged, target, told, over=live is not None)
    return ""


def _tell(place: Place, done: Restored) -> None:
    say(f"{place.shown} is the backup {done.backup}: {done.records} records, checked")
    say(f"- who was erased since is known from {', '.join(done.sources)}: {done.erased} erased again")
    say(f"- {done.revoked} keys that were revoked since are revoked again")
    say(f"- {done.orphaned} holds that were open then are settled at what was held, to be reconciled")
    if done.lost is None or done.unseen is None:
        say("- what was recorded and spent since is not known: budgets stand as they did then")
    else:
        spent = format_money(done.unseen, currency_of(place))
        say(f"- {done.lost} records since are gone; {spent} more, over all budgets, stays counted against the caps")
    if done.old:
        say(f"- the database that was there is kept as {done.old}: delete it once you need nothing of it")
    say("- anchors that know a longer log will say that it was rolled back, and they are right")


def commands() -> dict[str, Any]:
    return {"restore": typer.main.get_command(app)}
