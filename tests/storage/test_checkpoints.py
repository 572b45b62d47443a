"""What is signed is what was checked; a log that does not hold is never signed, and copies elsewhere count."""

from pathlib import Path

import pytest
from tests.storage.books_of import tampered

from fairlead.audit import verify_checkpoint
from fairlead.clock import SystemClock
from fairlead.errors import BadInput, Broken
from fairlead.storage.checkpoints import check_log, copies, known_verifier, log_origin, sign_checked, sign_head
from fairlead.storage.journal import Journal
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import Entry, Write
from fairlead.storage.vault import Vault

NAME = "fairlead/acme"


@pytest.fixture
def vault(store: Store) -> Vault:
    return Vault(bytes(range(32)), StoredSubjects(store), SystemClock())


async def recorded(journal: Journal, *runs: str) -> None:
    await journal.commit(Write(entries=tuple(Entry(run, 1, f'{{"run":"{run}"}}'.encode()) for run in runs)))


async def test_a_head_is_signed_once_and_a_copy_is_kept(
    store: Store, journal: Journal, vault: Vault, tmp_path: Path
) -> None:
    await recorded(journal, "a", "b")
    store.bring_in_order()
    signed = sign_head(store, vault, NAME, tmp_path / "kept", 7)
    assert signed is not None
    assert signed.file.read_text() == signed.note
    verifier = known_verifier(store, NAME)
    assert verifier is not None
    assert verify_checkpoint(signed.note, verifier).size == 2
    assert sign_head(store, vault, NAME, tmp_path / "kept", 8) is None
    assert sign_checked(store, vault, NAME, tmp_path / "kept", 9) == signed
    assert log_origin(store, "another name") == NAME
    assert check_log(store, verifier, copies(tmp_path / "kept")).signed == 2


async def test_a_log_that_does_not_hold_is_never_signed(
    store: Store, journal: Journal, vault: Vault, tmp_path: Path
) -> None:
    await recorded(journal, "a", "b")
    store.bring_in_order()
    tampered(store, "UPDATE log SET record = '' WHERE seq = 0")
    with pytest.raises(Broken, match="was not signed"):
        sign_checked(store, vault, NAME, tmp_path / "kept", 7)
    assert copies(tmp_path / "kept") == []


async def test_a_log_that_is_shorter_than_a_kept_copy_says_is_never_signed(
    store: Store, journal: Journal, vault: Vault, tmp_path: Path
) -> None:
    await recorded(journal, "a", "b")
    sign_checked(store, vault, NAME, tmp_path / "kept", 7)
    tampered(store, "DELETE FROM log", "DELETE FROM tree", "DELETE FROM checkpoint")
    with pytest.raises(Broken, match="missing"):
        sign_checked(store, vault, NAME, tmp_path / "kept", 8)


def test_an_empty_log_cannot_be_signed(store: Store, vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to sign"):
        sign_checked(store, vault, NAME, tmp_path, 7)
    assert sign_head(store, vault, NAME, tmp_path, 7) is None
    assert known_verifier(store, "fairlead/other") is None
    assert log_origin(store, "") == NAME
