"""An erased person stays erased, and nothing of theirs stays, whatever dies in between."""

import pytest
from sqlalchemy import func, select
from tests.erased import erase_id
from tests.storage.conftest import OpenJournal

from fairlead.clock import SystemClock
from fairlead.errors import BadInput, NotFound
from fairlead.storage import erasure
from fairlead.storage.custody_tables import tombstone
from fairlead.storage.erasure import Kept, clear_away, kept_of
from fairlead.storage.legal_holds import LegalHold, legal_holds, place_hold, release_hold
from fairlead.storage.log import Log
from fairlead.storage.schema import log, payload, tree
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.tombstones import KEY, bury, read_line, spell, tombstones
from fairlead.storage.types import Entry, Sealed, Write
from fairlead.storage.vault import Vault

CLOCK = SystemClock()


@pytest.fixture
def vault(store: Store) -> Vault:
    return Vault(bytes(range(32)), StoredSubjects(store), CLOCK)


async def said(open_journal: OpenJournal, vault: Vault, person: str, count: int) -> str:
    """So many payloads of a person, and their subject id."""
    journal, key = open_journal(), vault.subject_for(person)
    for number in range(count):
        run = f"{person}_{number}"
        sealed = Sealed(key.id, vault.seal(key, b"said", run.encode()))
        await journal.commit(Write(entries=(Entry(run, 1, f'{{"run":"{run}"}}'.encode(), b"", sealed),)))
    return key.id


def counted(store: Store, subject: str) -> Kept:
    store.bring_in_order()
    with store.reading() as connection:
        return kept_of(connection, subject)


async def test_erasing_deletes_every_payload_of_one_person_and_records_it(
    store: Store, open_journal: OpenJournal, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_PAGE", 2)
    kim, lee = await said(open_journal, vault, "kim", 5), await said(open_journal, vault, "lee", 2)
    assert vault.id_of("kim") == kim
    erase_id(store, kim)
    assert clear_away(store, CLOCK.now()) == 5
    assert counted(store, kim) == Kept(0, 0, 0)
    assert counted(store, lee) == Kept(2, 0, 0)
    vault.clear_cache()
    assert vault.id_of("kim") is None
    assert b'"kind":"erasure"' in Log(store).latest(1)[0].record
    with store.reading() as connection:
        assert connection.execute(select(tree.c.size)).scalar() == 8
        assert connection.execute(select(func.count()).select_from(log)).scalar() == 8
    with pytest.raises(NotFound, match="erased meanwhile"):
        erase_id(store, kim)


async def test_an_erasure_that_was_cut_short_is_ended_by_whoever_comes_next(
    store: Store, open_journal: OpenJournal, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    kim = await said(open_journal, vault, "kim", 5)
    erase_id(store, kim)
    monkeypatch.setattr(erasure, "_PAGE", 2)
    real, calls = erasure.delete_payloads, []

    def dies(store: Store, seqs: list[int]) -> int:
        calls.append(seqs)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(store, seqs)

    monkeypatch.setattr(erasure, "delete_payloads", dies)
    with pytest.raises(KeyboardInterrupt):
        clear_away(store, CLOCK.now())
    assert counted(store, kim).payloads == 3
    assert clear_away(store, CLOCK.now()) == 3
    with store.reading() as connection:
        assert connection.execute(select(tombstone.c.done_at)).scalar() != 0


async def test_what_a_call_under_way_leaves_after_the_erasure_is_cleared_away_too(
    store: Store, open_journal: OpenJournal, vault: Vault
) -> None:
    kim = await said(open_journal, vault, "kim", 1)
    key = vault.subject_for("kim")
    erase_id(store, kim)
    clear_away(store, CLOCK.now())
    sealed = Sealed(kim, vault.seal(key, b"late", b"late"))
    await open_journal().commit(Write(entries=(Entry("late", 1, b'{"run":"late"}', b"", sealed),)))
    store.bring_in_order()
    assert clear_away(store, CLOCK.now()) == 1
    assert clear_away(store, CLOCK.now()) == 0
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(payload)).scalar() == 0


async def test_what_is_held_is_not_erased_until_it_is_released(
    store: Store, open_journal: OpenJournal, vault: Vault
) -> None:
    kim = await said(open_journal, vault, "kim", 1)
    hold = LegalHold("run", "kim_0", kim, 1, "max", "a case")
    with store.writing() as connection:
        place_hold(connection, hold)
        with pytest.raises(BadInput, match="held already"):
            place_hold(connection, hold)
    with pytest.raises(BadInput, match="legal hold on run kim_0: a case"):
        erase_id(store, kim)
    assert vault.id_of("kim") == kim
    with store.writing() as connection:
        assert legal_holds(connection, kim) == [hold]
        assert release_hold(connection, "run", "kim_0") == hold
        with pytest.raises(NotFound, match="no hold"):
            release_hold(connection, "run", "kim_0")
    erase_id(store, kim)


def test_tombstones_are_numbered_without_a_gap_and_read_as_they_are_spelt(store: Store) -> None:
    with store.writing() as connection:
        first = bury(connection, KEY, "aa", 5, done=True)
        assert bury(connection, KEY, "aa", 9) == first
        second = bury(connection, "subject", "s_1", 6)
        assert [each.n for each in tombstones(connection)] == [1, 2]
        assert tombstones(connection, 1) == [second]
    assert [read_line(line) for line in spell([second])] == [second]
    with pytest.raises(BadInput, match="no line"):
        read_line("1 subject s_1")
