"""Revisions: the same text is the same revision, and damage is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import Broken
from fairlead.workspace.revision import Revision, read_manifest, revision_of
from fairlead.workspace.text import WorkspaceText

TEXTS = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), st.binary(max_size=8), max_size=5
)


def test_the_id_is_the_start_of_the_digest_and_never_changes_between_versions() -> None:
    revision = revision_of(WorkspaceText({"fairlead.yaml": b"organisation: acme\n"}))
    assert revision.digest.startswith(revision.id)
    assert revision.id == "81ff8eb3c6fe42be"


@given(TEXTS)
def test_the_order_of_the_files_does_not_matter(files: dict[str, bytes]) -> None:
    backwards = dict(reversed(files.items()))
    assert revision_of(WorkspaceText(files)).id == revision_of(WorkspaceText(backwards)).id


@given(TEXTS, TEXTS)
def test_different_texts_are_different_revisions(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (one == other) == (revision_of(WorkspaceText(one)).digest == revision_of(WorkspaceText(other)).digest)


@given(TEXTS)
def test_a_manifest_is_read_back(files: dict[str, bytes]) -> None:
    revision = revision_of(WorkspaceText(files))
    assert read_manifest(revision.id, revision.manifest) == revision


@pytest.mark.parametrize("manifest", [b"", b"{}", b'{"format":"x","files":{}}', Revision({"a": "0" * 64}).manifest])
def test_a_manifest_that_is_not_the_published_one_is_refused(manifest: bytes) -> None:
    with pytest.raises(Broken, match="damaged"):
        read_manifest("0123456789abcdef", manifest)
