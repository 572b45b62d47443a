"""A deployment moves from a file to a server whole, with every proof, or not at all; the file is left as it was."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.databases import Lent
from tests.storage.books_of import a_hold, balance, check_log, entry, limit, open_ids, payloads, runs, tampered

from fairlead.clock import SystemClock
from fairlead.errors import BadInput, Broken
from fairlead.storage import move as moving
from fairlead.storage import word_index
from fairlead.storage.checkpoints import check_log as check_proofs
from fairlead.storage.checkpoints import known_verifier, sign_checked
from fairlead.storage.context_tables import context_item, context_section
from fairlead.storage.fleet import Fleet
from fairlead.storage.journal import Journal
from fairlead.storage.move import move
from fairlead.storage.recover import recover
from fairlead.storage.schema import metadata, worker
from fairlead.storage.section_words import SectionWords
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import Entry, Sealed, Write
from fairlead.storage.vault import Vault

NAME = "fairlead/acme"
MASTER = bytes(range(32))


@pytest.fixture
def target(lent: Lent) -> Iterator[Store]:
    url = lent.lend()
    opened = Store.open(url)
    yield opened
    opened.close()
    lent.take_back(url)


@pytest.fixture
async def source(tmp_path: Path, empty_database: Path) -> Store:
    """A deployment with money, records, people, context and a signed head."""
    path = tmp_path / "state.db"
    path.write_bytes(empty_database.read_bytes())
    store = Store.open(path)
    journal = Journal(store, "w", SystemClock())
    for number in range(40):
        hold = a_hold(f"run_{number}", 10, limit(10**6), limit(10**6, "person/kim", warn=(1,)))
        await journal.commit(Write(open=hold))
        sealed = Sealed("s_1", b"ciphertext %d" % number) if number % 3 else None
        await journal.commit(Write(close=hold, spent=7, entries=(Entry(hold.id, 1, b"%d" % number, b"", sealed),)))
    journal.close()
    with store.writing() as connection:
        row = {"id": "a", "version": "1", "title": "Ä \\N\t", "text": "x", "owner": "", "audience": "[]"}
        row |= {"data_class": 0, "verified": "", "verified_by": "", "review_by": ""}
        connection.execute(context_item.insert(), row)
        section = {"rowid": 7, "item": "a", "version": "1", "ordinal": 0, "heading": "h", "text": "x", "access": "[]"}
        connection.execute(context_section.insert(), section)
        word_index.add(connection, [SectionWords(7, ["return"], ["how"], ["return", "return", "arger"])])
        Fleet(store, SystemClock()).announce(connection, "rev_1")
    vault = Vault(MASTER, StoredSubjects(store), SystemClock())
    vault.subject_for("kim")
    sign_checked(store, vault, NAME, tmp_path / "kept", 7)
    yield store
    store.close()


def digest(store: Store) -> str:
    found = hashlib.sha256()
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table).order_by(*table.primary_key.columns)):
                found.update(repr((table.name, [bytes(v) if isinstance(v, memoryview) else v for v in row])).encode())
    return found.hexdigest()


async def test_everything_arrives_and_the_proofs_hold(source: Store, target: Store) -> None:
    before, told = digest(source), list[int]()
    # Vectors that a deployment which was here before had copied for pgvector, of sections with the same keys.
    tampered(
        target,
        "CREATE TABLE context_pgvector (model text, section bigint, text text, vector text)",
        "INSERT INTO context_pgvector VALUES ('m', 7, 'x', '[1]')",
    )
    moved = move(source, target, told.append)
    assert digest(source) == digest(target) == before
    assert (moved.size, moved.spent, sum(told)) == (40, 2 * 40 * 7, sum(moved.rows.values()))
    with target.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM context_pgvector").scalar() == 0
    verifier = known_verifier(target, NAME)
    assert verifier is not None
    verdict = check_proofs(target, verifier, ())
    assert (verdict.ok, verdict.signed) == (True, 40)
    assert (
        Vault(MASTER, StoredSubjects(target), SystemClock()).name_of(
            Vault(MASTER, StoredSubjects(source), SystemClock()).subject_for("kim").id
        )
        == "kim"
    )
    for store in (source, target):
        with store.reading() as connection:
            assert sorted(word_index.occurrences(connection, "return")) == [(7, "body"), (7, "body"), (7, "title")]
            assert word_index.occurrences(connection, "arger") == [(7, "body")]


async def test_the_journal_goes_on_where_it_was(source: Store, target: Store) -> None:
    move(source, target)
    journal = Journal(target, "next", SystemClock())
    hold = a_hold("new", 10, limit(10**6), limit(10**6, "person/kim", warn=(1,)))
    await journal.commit(Write(open=hold))
    receipt = await journal.commit(Write(close=hold, spent=1, entries=(entry("new"),)))
    journal.close()
    assert receipt.warnings == ()  # it was given before the move
    assert (balance(target), runs(target)[-1], len(payloads(target))) == ((0, 281), "new", 26)
    check_log(target)


async def test_nothing_moves_while_a_worker_lives(source: Store, target: Store) -> None:
    journal = Journal(source, "lives", SystemClock())
    with pytest.raises(BadInput, match="worker lives lives"):
        move(source, target)
    journal.close()
    assert move(source, target).size == 40


async def test_nothing_moves_while_holds_are_open(source: Store, target: Store) -> None:
    journal = Journal(source, "gone", SystemClock())
    await journal.commit(Write(open=a_hold("left", 5, limit(10**6))))
    journal.close()
    with pytest.raises(BadInput, match="1 holds are still open"):
        move(source, target)
    journal = Journal(source, "next", SystemClock())
    await recover(source, journal, lambda hold: entry(hold.id))
    journal.close()
    assert (move(source, target).size, open_ids(target)) == (41, set())


async def test_a_database_that_is_in_use_is_left_alone(source: Store, target: Store) -> None:
    move(source, target)
    with pytest.raises(BadInput, match="not empty"):
        move(source, target)
    tampered(target, *(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables)))
    with target.writing() as connection:
        values = {"id": "w", "host": "", "pid": 1, "started_at": 1, "seen_epoch": 1, "renewals": 1, "lease_until": 1}
        connection.execute(worker.insert(), values)
    with pytest.raises(BadInput, match="rows in worker"):
        move(source, target)


async def test_an_interrupted_move_leaves_nothing_and_can_be_begun_again(
    source: Store, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = digest(target)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(moving, "_copy_words", interrupted)
        with pytest.raises(KeyboardInterrupt):
            move(source, target)
    assert digest(target) == empty
    assert move(source, target).size == 40


async def test_a_log_that_does_not_hold_is_not_moved(source: Store, target: Store) -> None:
    tampered(source, "UPDATE log SET record = x'00' WHERE seq = 3")
    empty = digest(target)
    with pytest.raises(Broken, match="nothing was kept"):
        move(source, target)
    assert digest(target) == empty


async def test_only_a_file_moves_and_only_to_a_server(source: Store, target: Store) -> None:
    for pair in ((source, source), (target, target), (target, source)):
        with pytest.raises(BadInput, match="cannot move"):
            move(*pair)
