"""Another key signs the log: what the old one has signed holds, and it signs nothing more."""

from pathlib import Path

import pytest
from tests.storage.conftest import OpenJournal
from tests.storage.test_checkpoints import NAME, recorded

from fairlead.audit import ring_of, verify_checkpoint
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import Broken
from fairlead.storage.checkpoints import check_log, copies, known_verifier, log_origin, sign_head, successions
from fairlead.storage.signing_rotation import Succeeded, rotate_signing
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault

CLOCK = SystemClock()


@pytest.fixture
def vault(store: Store) -> Vault:
    return Vault(bytes(range(32)), StoredSubjects(store), CLOCK)


def rotate(store: Store, vault: Vault) -> Succeeded:
    return rotate_signing(
        store, vault, NAME, CLOCK, lambda note: deed(CLOCK, "signing_key", by="os:kim", about=note), lambda _: None
    )


async def test_checkpoints_from_before_and_after_hold_under_either_key(
    store: Store, open_journal: OpenJournal, vault: Vault, tmp_path: Path
) -> None:
    journal = open_journal()
    await recorded(journal, "a", "b")
    store.bring_in_order()
    before = sign_head(store, vault, NAME, tmp_path, 1)
    first, second = rotate(store, vault), rotate(store, vault)
    await recorded(journal, "c")
    store.bring_in_order()
    after = sign_head(store, vault, NAME, tmp_path, 2)
    assert before is not None
    assert after is not None
    assert (first.new, first.size, after.size) == (second.old, 2, 5)
    assert known_verifier(store, log_origin(store, "")) == second.new
    for pinned in (first.old, first.new, second.new):
        ring = ring_of(pinned, successions(store))
        assert verify_checkpoint(before.note, ring).size == 2
        assert verify_checkpoint(after.note, ring).size == 5
        assert check_log(store, pinned, copies(tmp_path)).problems == ()


async def test_a_worker_that_still_has_the_old_key_signs_nothing_with_it(
    store: Store, open_journal: OpenJournal, vault: Vault, tmp_path: Path
) -> None:
    other = Vault(bytes(range(32)), StoredSubjects(store), CLOCK)
    other.signing_key(NAME)
    await recorded(open_journal(), "a")
    done = rotate(store, vault)
    store.bring_in_order()
    assert sign_head(store, other, NAME, tmp_path, 1) is None
    signed = sign_head(store, other, NAME, tmp_path, 1)  # it has asked for the key anew
    assert signed is not None
    assert verify_checkpoint(signed.note, done.new).size == 2


def test_two_who_change_it_at_once_do_not_both_succeed(store: Store, vault: Vault) -> None:
    other = Vault(bytes(range(32)), StoredSubjects(store), CLOCK)
    other.signing_key(NAME)
    rotate(store, vault)
    with pytest.raises(Broken, match="changed meanwhile"):
        rotate(store, other)
