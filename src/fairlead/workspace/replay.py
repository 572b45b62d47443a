"""Making the pack of a past action again, from what was published then and what was kept of it."""

import asyncio

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.context import Context, Pack
from fairlead.context.embedding import embedder_of
from fairlead.costs.payload import decode_payload
from fairlead.costs.record import Record, decode_record
from fairlead.errors import BadInput, NotFound
from fairlead.execution.replaying import Gathering, decode_gathering, gathered_again
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.workspace.compile import Secrets, Workspace, compile_workspace
from fairlead.workspace.published import load_revision


class Replayed(Struct, frozen=True, kw_only=True):
    """What came of it. `recorded` and `made` are the digests then and now, the rest is what was given only then, or
    only now."""

    run: str
    revision: str
    snapshot: str
    recorded: str
    made: str
    same: bool
    only_then: tuple[str, ...] = ()
    only_now: tuple[str, ...] = ()


def replay(store: Store, vault: Vault, run: str, secrets: Secrets, clock: Clock) -> tuple[Replayed, Pack]:
    """Make the pack of a run again. Raises `NotFound` for a run of which nothing was kept, or that had no pack."""
    record, gathering = _kept(store, vault, run)
    loaded = load_revision(store, record.revision, with_pages=False)
    workspace = compile_workspace(loaded.text, secrets, now=clock.now(), pages_elsewhere=bool(loaded.snapshot))
    type_ = workspace.tasks.types.get(record.task) or workspace.tasks.default
    context = _opened(store, record.snapshot, loaded.snapshot, workspace)
    try:
        pack = asyncio.run(gathered_again(context, workspace.policy, type_, gathering))
    finally:
        context.close()
    then, now = record.citations, tuple(each.where for each in pack.citations)
    told = Replayed(
        run=record.run,
        revision=record.revision,
        snapshot=record.snapshot,
        recorded=record.pack,
        made=pack.digest,
        same=record.pack == pack.digest,
        only_then=tuple(each for each in then if each not in now),
        only_now=tuple(each for each in now if each not in then),
    )
    return told, pack


def _kept(store: Store, vault: Vault, run: str) -> tuple[Record, Gathering]:
    from fairlead.storage.log import Log

    log = Log(store)
    found = [(row, decode_record(row.record)) for row in log.of_run(run)]
    row, record = next(((row, each) for row, each in reversed(found) if each.kind == "call_model"), (None, None))
    if row is None or record is None or not record.pack:
        raise NotFound(f"{run} was given no context", mend="fairlead runs lists others")
    sealed = log.payload(row.seq)
    kept = None if sealed is None else vault.open_sealed(sealed.subject, sealed.ciphertext, row.run.encode())
    gathered = b"" if kept is None else decode_payload(kept).gathered
    if not gathered:
        raise NotFound(
            f"what {run} looked for was not kept",
            why="the workspace says `payloads: none`, or it was made before this was kept",
            mend="`payloads: keep` in fairlead.yaml keeps it of those to come, encrypted per person",
        )
    try:
        return record, decode_gathering(gathered)
    except msgspec.MsgspecError as error:
        raise BadInput(
            f"what was kept of {run} was written by another version",
            why=str(error),
            mend="replay it with the version of Fairlead that answered it",
        ) from None


def _opened(store: Store, snapshot: str, in_force: str, workspace: Workspace) -> Context:
    """The snapshot that was read, under the rights of that which was in force."""
    names_items, embedder = workspace.policy.names_items, embedder_of(workspace.settings.context)
    if not snapshot:
        return Context()
    if snapshot == in_force or not in_force:
        return Context.open(store, snapshot, names_items=names_items, embedder=embedder)
    live = Context.open(store, in_force, names_items=names_items, embedder=embedder)
    try:
        return Context.open(store, snapshot, names_items=names_items, live=live)
    finally:
        live.close()
