"""Publishing: a folder's text becomes the revision that every live worker decides under."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.context import publish_items
from fairlead.context.embedding import embedder_of
from fairlead.context.page_vectors import PageVectors
from fairlead.context.vector_rows import embed_sections
from fairlead.context.vector_space import vector_space
from fairlead.costs import encode_rates
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store
from fairlead.workspace.compile import Secrets, Workspace, compile_workspace
from fairlead.workspace.policy_tests import require_policy_tests
from fairlead.workspace.published import keep, load_keys, snapshot_of
from fairlead.workspace.remarks import NOBODY_KNOWN, NOBODY_NAMED
from fairlead.workspace.revision import revision_of
from fairlead.workspace.text import PRICES, WorkspaceText

Progress = Callable[[int, int], None]


class Published(Struct, frozen=True, kw_only=True):
    """What came of a publish. `changed` is False where this very revision was in force already.

    `waited_for` are the workers that decide under it, `lapsed` those whose lease ran out first: they refuse until they
    have caught up. `missing` are those that did neither in time, which takes a broken clock. `to_embed` is how many
    sections the workspace's model for embeddings has not been given. `warnings` are the workspace's.
    """

    revision: str
    epoch: int
    changed: bool = True
    waited_for: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    to_embed: int = 0
    warnings: tuple[str, ...] = ()


def checked(text: WorkspaceText, secrets: Secrets, clock: Clock) -> Workspace:
    """The workspace, if it could be published: it compiles, and its policies decide as `policies/tests.yaml` says.

    Raises `InvalidWorkspace` with every problem.
    """
    workspace = compile_workspace(text, secrets, now=clock.now())
    require_policy_tests(workspace, text)
    return workspace


def publish(
    store: Store,
    fleet: Fleet,
    text: WorkspaceText,
    secrets: Secrets,
    *,
    by: str,
    clock: Clock,
    timeout: float = 10.0,
    progress: Progress | None = None,
) -> Published:
    """Publish `text`, and return when every live worker decides under it (or has lapsed), at the latest after `timeout`
    seconds.

    The context is stored (and embedded, where this process does that) first and in pieces; files, revision and epoch
    then change in one transaction, so that there is never half a publish. Raises `InvalidWorkspace`, and `BadInput`
    where something that it needs is not installed; then nothing has changed.
    """
    workspace = checked(text, secrets, clock)
    snapshot, lacking = _stored_context(store, fleet, workspace, clock, progress)
    priced = with_prices(text, workspace)
    revision = revision_of(priced, snapshot)
    in_force = fleet.current()
    epoch, changed = in_force.number, in_force.revision != revision.id
    with store.writing() as connection:
        keep(connection, revision, priced.files, by=by, at=clock.now())
        if changed:
            epoch = fleet.announce(connection, revision.id)
    seen = fleet.wait_until_seen(epoch, timeout=timeout)
    return Published(
        revision=revision.id,
        epoch=epoch,
        changed=changed,
        waited_for=seen.acknowledged,
        lapsed=seen.lapsed,
        missing=seen.missing,
        to_embed=lacking,
        warnings=_still_true(workspace.warnings, store),
    )


def _stored_context(
    store: Store, fleet: Fleet, workspace: Workspace, clock: Clock, progress: Progress | None
) -> tuple[str, int]:
    """The snapshot of the workspace's pages ("" for none), indexed, and embedded where this process does that; and how
    many of its sections a model of the workspace has not embedded yet."""
    embedder = embedder_of(workspace.settings.context)
    halves = _halves(progress) if progress is not None and embedder is not None else (progress, None)
    before = snapshot_of(store, fleet.current().revision)
    snapshot = publish_items(store, workspace.items, clock, halves[0], before=before) if workspace.items else ""
    if embedder is not None and snapshot:
        embed_sections(store, snapshot, embedder, halves[1])
    space = vector_space(workspace.settings.context, workspace.models.models.values())
    if space is None or not snapshot:
        return snapshot, 0
    return snapshot, len(PageVectors(store, snapshot, space.key).lacking())


def _halves(progress: Progress) -> tuple[Progress, Progress]:
    """Indexing and embedding as the two halves of one bar."""
    return lambda done, total: progress(done, 2 * total), lambda done, total: progress(total + done, 2 * total)


def _still_true(warnings: tuple[str, ...], store: Store) -> tuple[str, ...]:
    """With what a look into the database adds or refutes: keys may have been made at run time."""
    if NOBODY_NAMED not in warnings:
        return warnings
    known = any(not key.revoked_at for key in load_keys(store))
    others = tuple(each for each in warnings if each != NOBODY_NAMED)
    return others if known else (*others, NOBODY_KNOWN)


def with_prices(text: WorkspaceText, workspace: Workspace) -> WorkspaceText:
    """The text with the price list that it was compiled with: workers never look prices up."""
    files = {**text.files, PRICES: msgspec.json.format(encode_rates(workspace.rates), indent=1)}
    return msgspec.structs.replace(text, files=dict(sorted(files.items())))
