"""Published revisions in the state database: each file's content once, each revision a list of them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.errors import Broken, NotFound
from fairlead.storage.store import Store
from fairlead.workspace.revision import Revision, damaged, digest_of, read_manifest
from fairlead.workspace.text import WorkspaceText, is_page

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.identity import Key
    from fairlead.policy.stops import Stop

_AT_ONCE = 200  # contents in one statement: far below what a database takes as parameters


class Loaded(Struct, frozen=True):
    """A published revision as it was published, with its pages or without. `snapshot` names its context, "" for
    none."""

    text: WorkspaceText
    snapshot: str


class Publication(Struct, frozen=True):
    """When and by whom a revision was published. `at` is in milliseconds since 1970."""

    revision: str
    at: int
    by: str


def load_revision(store: Store, id: str, *, with_pages: bool = True) -> Loaded:
    """A published revision, every byte checked against its digest. Who decides under it needs no pages: what they say
    is in the snapshot.

    Raises `NotFound` if it was never published here, `Broken` if the database no longer holds what was published.
    """
    from sqlalchemy import select

    from fairlead.storage.schema import revision as table

    with store.reading() as connection:
        manifest = connection.execute(select(table.c.manifest).where(table.c.id == id)).scalar()
        if manifest is None:
            raise NotFound(
                f"there is no revision {id}", why="it was never published here", mend="see `fairlead revisions`"
            )
        revision = read_manifest(id, bytes(manifest))
        files = {path: each for path, each in revision.files.items() if with_pages or not is_page(path)}
        contents = dict(_contents(connection, sorted(set(files.values()))))
    if missing := [path for path, digest in files.items() if digest not in contents]:
        raise damaged(id, f"{missing[0]} is missing or has been changed")
    text = WorkspaceText({path: contents[digest] for path, digest in files.items()})
    return Loaded(text, revision.snapshot)


def snapshot_of(store: Store, id: str) -> str:
    """The context snapshot of a revision, "" where it has none or can no longer be read."""
    from sqlalchemy import select

    from fairlead.storage.schema import revision as table

    with store.reading() as connection:
        manifest = connection.execute(select(table.c.manifest).where(table.c.id == id)).scalar()
    try:
        return read_manifest(id, bytes(manifest)).snapshot if manifest is not None else ""
    except Broken:
        return ""


def load_keys(store: Store) -> "tuple[Key, ...]":
    """The keys of callers that were ever made at run time: who shows a revoked one is told that it was revoked."""
    from fairlead.identity.key_table import list_keys

    with store.reading() as connection:
        return list_keys(connection)


def load_stops(store: Store) -> "tuple[Stop, ...]":
    """What is stopped now."""
    from fairlead.policy.stop_table import all_stops

    with store.reading() as connection:
        return all_stops(connection)


def publications(store: Store, most: int = 50) -> list[Publication]:
    """The latest publications, newest first."""
    from sqlalchemy import select

    from fairlead.storage.schema import revision as table

    wanted = select(table.c.id, table.c.published_at, table.c.published_by)
    with store.reading() as connection:
        rows = connection.execute(wanted.order_by(table.c.published_at.desc(), table.c.id).limit(most))
        return [Publication(id, at, by) for id, at, by in rows]


def keep(connection: "Connection", revision: Revision, files: Mapping[str, bytes], *, by: str, at: int) -> None:
    """Store a revision, and those of its files that are not stored yet. Mends what was stored and has been damaged."""
    from sqlalchemy import delete, insert, select

    from fairlead.storage.schema import revision as table
    from fairlead.storage.schema import workspace_file

    contents = {digest: files[path] for path, digest in revision.files.items()}
    sound = {digest for digest, _ in _contents(connection, sorted(contents))}
    rows = [{"digest": digest, "content": content} for digest, content in contents.items() if digest not in sound]
    for row in rows:
        connection.execute(delete(workspace_file).where(workspace_file.c.digest == row["digest"]))
    if rows:
        connection.execute(insert(workspace_file), rows)
    manifest = connection.execute(select(table.c.manifest).where(table.c.id == revision.id)).scalar()
    if manifest is not None and bytes(manifest) == revision.manifest:
        return
    connection.execute(delete(table).where(table.c.id == revision.id))
    entry = {"id": revision.id, "published_at": at, "published_by": by, "manifest": revision.manifest}
    connection.execute(insert(table), entry)


def _contents(connection: "Connection", digests: list[str]) -> Iterator[tuple[str, bytes]]:
    """Each content that is stored under its own digest."""
    from sqlalchemy import select

    from fairlead.storage.schema import workspace_file

    for start in range(0, len(digests), _AT_ONCE):
        some = digests[start : start + _AT_ONCE]
        chosen = select(workspace_file.c.digest, workspace_file.c.content).where(workspace_file.c.digest.in_(some))
        for digest, content in connection.execute(chosen):
            if digest_of(bytes(content)) == digest:
                yield digest, bytes(content)
