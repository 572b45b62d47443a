"""Published revisions come back byte for byte, or not at all."""

import pytest
from sqlalchemy import func, select, update

from fairlead.errors import Broken, NotFound
from fairlead.identity import Key
from fairlead.identity.key_table import add_key, revoke_key
from fairlead.storage.schema import revision as revision_table
from fairlead.storage.schema import workspace_file
from fairlead.storage.store import Store
from fairlead.workspace.published import keep, load_keys, load_revision, publications
from fairlead.workspace.revision import Revision, revision_of
from fairlead.workspace.text import WorkspaceText

TEXT = WorkspaceText({"fairlead.yaml": b"organisation: acme\n", "context/a.md": b"same", "context/b.md": b"same"})


def kept(store: Store, text: WorkspaceText = TEXT, *, at: int = 1, snapshot: str = "") -> Revision:
    revision = revision_of(text, snapshot)
    with store.writing() as connection:
        keep(connection, revision, text.files, by="kim", at=at)
    return revision


def test_a_revision_comes_back_as_it_was_kept(store: Store) -> None:
    revision = kept(store, snapshot="ctx_1")
    loaded = load_revision(store, revision.id)
    assert dict(loaded.text.files) == dict(TEXT.files)
    assert loaded.snapshot == "ctx_1"


def test_equal_contents_are_kept_once(store: Store) -> None:
    kept(store)
    kept(store, WorkspaceText({**TEXT.files, "tasks/q.yaml": b"x"}), at=2)
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(workspace_file)).scalar() == 3


def test_publications_are_listed_newest_first_and_keep_their_first_author(store: Store) -> None:
    first = kept(store, at=1)
    second = kept(store, WorkspaceText({**TEXT.files, "tasks/q.yaml": b"x"}), at=2)
    kept(store, at=3)
    assert [(one.revision, one.at, one.by) for one in publications(store)] == [
        (second.id, 2, "kim"),
        (first.id, 1, "kim"),
    ]


def test_a_revision_that_was_never_published_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="0123456789abcdef"):
        load_revision(store, "0123456789abcdef")


def test_a_changed_file_is_noticed_and_mended_by_publishing_again(store: Store) -> None:
    revision = kept(store)
    with store.writing() as connection:
        connection.execute(update(workspace_file).values(content=b"organisation: evil\n"))
    with pytest.raises(Broken, match="damaged"):
        load_revision(store, revision.id)
    kept(store)
    assert dict(load_revision(store, revision.id).text.files) == dict(TEXT.files)


def test_a_changed_manifest_is_noticed_and_mended_by_publishing_again(store: Store) -> None:
    revision = kept(store)
    other = revision_of(WorkspaceText({"fairlead.yaml": b"same"}))
    with store.writing() as connection:
        connection.execute(update(revision_table).values(manifest=other.manifest))
    with pytest.raises(Broken, match="damaged"):
        load_revision(store, revision.id)
    kept(store)
    assert load_revision(store, revision.id).text.files == TEXT.files


def test_keys_made_at_run_time_are_loaded_revoked_ones_too(store: Store) -> None:
    assert load_keys(store) == ()
    key = Key(name="app", digest=bytes(32), person="kim", created_at=1)
    with store.writing() as connection:
        add_key(connection, key)
        revoke_key(connection, "app", 2)
    assert [(each.name, each.revoked_at) for each in load_keys(store)] == [("app", 2)]
