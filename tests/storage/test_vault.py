"""A person's payloads open while their key exists, and never again; one person has one key whoever makes it."""

import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from tests.erased import erase
from tests.storage.books_of import only_sqlite, where_of
from tests.storage.worker_processes import FRESH, meet_strangers, started

from fairlead.audit import leaf_hash, sign_checkpoint, verify_checkpoint
from fairlead.clock import SystemClock
from fairlead.errors import BadInput, Broken, NotFound
from fairlead.storage import subject_rows
from fairlead.storage.schema import signing_key, subject
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import Opens, StoredSubjects
from fairlead.storage.vault import SigningRow, SubjectRow, Vault

MASTER = bytes(range(200, 232))
OTHER = bytes(range(100, 132))
RUN = b"run_1"


class RowsInMemory:
    """What a vault needs of a database, without one; for properties that draw hundreds of examples."""

    def __init__(self) -> None:
        self.rows: dict[str, SubjectRow] = {}

    def find(self, lookup: bytes) -> SubjectRow | None:
        return next((row for row in self.rows.values() if row.lookup == lookup), None)

    def get(self, subject_id: str) -> SubjectRow | None:
        return self.rows.get(subject_id)

    def insert_if_absent(self, row: SubjectRow, opens: Opens) -> bool:
        if self.find(row.lookup):
            return False
        self.rows[row.id] = row
        return True

    def find_signing(self, name: str) -> SigningRow | None:
        return None

    def insert_signing_if_absent(self, row: SigningRow, opens: Opens) -> bool:
        return True

    def sample(self) -> SubjectRow | SigningRow | None:
        return next(iter(self.rows.values()), None)

    def rewrite(self, subject: object, signing: object) -> int:
        return 0


@pytest.fixture
def vault(store: Store) -> Vault:
    return vault_over(store)


def vault_over(store: Store, master_key: bytes = MASTER, remembered: int = 4096) -> Vault:
    return Vault(master_key, StoredSubjects(store), SystemClock(), remembered=remembered)


def test_what_is_sealed_opens_again(vault: Vault, store: Store) -> None:
    ann = vault.subject_for("ann@acme.example")
    sealed = vault.seal(ann, b"the payload", RUN)
    assert b"payload" not in sealed
    assert vault.open_sealed(ann.id, sealed, RUN) == b"the payload"
    assert vault_over(store).open_sealed(ann.id, sealed, RUN) == b"the payload"


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_anything_can_be_sealed_and_never_twice_alike(plaintext: bytes, context: bytes) -> None:
    vault = Vault(MASTER, RowsInMemory(), SystemClock())
    ann = vault.subject_for("ann")
    sealed = vault.seal(ann, plaintext, context)
    assert sealed != vault.seal(ann, plaintext, context)
    assert vault.open_sealed(ann.id, sealed, context) == plaintext


@given(st.data())
def test_a_changed_or_moved_payload_does_not_open(data: st.DataObject) -> None:
    vault = Vault(MASTER, RowsInMemory(), SystemClock())
    ann, bob = vault.subject_for("ann"), vault.subject_for("bob")
    sealed = vault.seal(ann, b"the payload", RUN)
    changed = bytearray(sealed)
    changed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    cut = sealed[: data.draw(st.integers(0, len(sealed) - 1))]
    for owner, bytes_, context in (
        (ann, bytes(changed), RUN),
        (ann, cut, RUN),
        (ann, sealed, b"run_2"),
        (bob, sealed, RUN),
    ):
        with pytest.raises(Broken, match="does not open"):
            vault.open_sealed(owner.id, bytes_, context)


def test_one_person_has_one_key_and_another_has_another(vault: Vault, store: Store) -> None:
    ann = vault.subject_for("ann")
    assert vault.subject_for("ann") is ann
    assert vault_over(store).subject_for("ann").id == ann.id
    assert vault.subject_for("bob").id != ann.id
    assert re.fullmatch("s_[0-9a-hjkmnp-tv-z]{16}", ann.id)
    assert vault.name_of(ann.id) == "ann"
    assert vault.name_of("s_unknown") is None


def test_the_key_is_at_hand_once_it_was_fetched(vault: Vault) -> None:
    assert vault.cached("ann") is None
    ann = vault.subject_for("ann")
    assert vault.cached("ann") is ann


def test_erasing_ends_it(vault: Vault, store: Store) -> None:
    ann = vault.subject_for("ann")
    sealed = vault.seal(ann, b"the payload", RUN)
    erase(store, vault, "ann")
    with pytest.raises(NotFound, match="erased"):
        vault.open_sealed(ann.id, sealed, RUN)
    assert vault.cached("ann") is None
    assert vault.name_of(ann.id) is None
    assert vault.id_of("ann") is None


def test_who_returns_after_an_erasure_is_somebody_new(vault: Vault, store: Store) -> None:
    before = vault.subject_for("ann")
    erase(store, vault, "ann")
    after = vault.subject_for("ann")
    assert before.id != after.id
    sealed = vault.seal(before, b"from a call that was under way", RUN)
    with pytest.raises(NotFound):
        vault.open_sealed(before.id, sealed, RUN)
    with pytest.raises(Broken):
        vault.open_sealed(after.id, sealed, RUN)


def test_an_erasure_by_another_process_counts_at_once_for_opening_and_at_the_next_epoch_for_sealing(
    vault: Vault, store: Store
) -> None:
    ann = vault.subject_for("ann")
    sealed = vault.seal(ann, b"the payload", RUN)
    erase(store, vault_over(store), "ann")
    with pytest.raises(NotFound):
        vault.open_sealed(ann.id, sealed, RUN)
    vault.clear_cache()
    assert vault.subject_for("ann").id != ann.id


@only_sqlite
def test_an_erased_key_leaves_no_bytes_in_the_database(vault: Vault, store: Store) -> None:
    # Some builds of SQLite overwrite what they delete anyway; this one shall not, unless it is told to.
    event.listen(store.engine, "connect", lambda raw, _: raw.execute("PRAGMA secure_delete=OFF"))
    store.engine.dispose()
    for number in range(50):
        vault.subject_for(f"person {number}")
    row = StoredSubjects(store).get(vault.subject_for("person 25").id)
    assert row is not None

    def stored() -> bytes:
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return store.path.read_bytes()

    assert row.wrapped_key in stored()
    erase(store, vault, "person 25")
    assert row.wrapped_key not in stored()
    assert row.sealed_name not in stored()


@only_sqlite
def test_the_database_alone_tells_no_names(vault: Vault, store: Store) -> None:
    vault.subject_for("ann@acme.example")
    with store.reading() as connection:
        stored = repr(connection.execute(subject.select()).all()).encode()
    assert b"ann" not in stored
    assert MASTER not in store.path.read_bytes()


def test_only_the_most_recent_people_are_remembered(store: Store) -> None:
    vault = vault_over(store, remembered=3)
    for person in ("ann", "bob", "cid"):
        vault.subject_for(person)
    vault.subject_for("ann")
    vault.subject_for("dan")
    assert [person for person in ("ann", "bob", "cid", "dan") if vault.cached(person)] == ["ann", "cid", "dan"]


def test_threads_that_meet_the_same_stranger_agree(store: Store) -> None:
    vaults = [vault_over(store) for _ in range(3)]
    start = threading.Barrier(12)

    def meet(number: int) -> str:
        start.wait()
        return vaults[number % 3].subject_for("ann").id

    with ThreadPoolExecutor(12) as threads:
        assert len(set(threads.map(meet, range(12)))) == 1


def test_processes_that_meet_the_same_strangers_agree(store: Store) -> None:
    ids = FRESH.Queue()
    with started(meet_strangers, where_of(store), MASTER, ids), started(meet_strangers, where_of(store), MASTER, ids):
        first, second = ids.get(timeout=60), ids.get(timeout=60)
    ids.close()
    assert first == second
    assert len(set(first[0])) == 10


class ErasedMeanwhile(RowsInMemory):
    """Rows of which one is erased after it was read and before the reader has done anything with it."""

    vault: Vault | None = None

    def find(self, lookup: bytes) -> SubjectRow | None:
        row = super().find(lookup)
        if self.vault is not None:
            vault, self.vault = self.vault, None
            self.rows.clear()
            vault.clear_cache()
        return row


def test_a_key_erased_while_it_was_read_is_not_used() -> None:
    rows = ErasedMeanwhile()
    vault = Vault(MASTER, rows, SystemClock())
    before = vault.subject_for("ann")
    vault.clear_cache()
    rows.vault = vault
    after = vault.subject_for("ann")
    assert after.id != before.id
    assert vault.cached("ann") is after
    assert rows.get(after.id) is not None


def test_erasing_while_others_seal_never_leaves_an_erased_key_in_memory(store: Store) -> None:
    vault = vault_over(store)
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            vault.seal(vault.subject_for("ann"), b"payload", RUN)
            time.sleep(0.001)  # without a pause the two threads leave the third neither interpreter nor database

    with ThreadPoolExecutor(3) as threads:
        uses = [threads.submit(use) for _ in range(2)]
        for _ in range(40):
            old = vault.subject_for("ann").id
            erase(store, vault, "ann")
            now = vault.cached("ann")
            assert now is None or now.id != old
        stop.set()
        for done in uses:
            done.result()


def test_a_wrong_master_key_is_refused_before_it_makes_a_second_key_for_anybody(vault: Vault, store: Store) -> None:
    ann = vault.subject_for("ann")
    wrong = vault_over(store, OTHER)
    attempts = (
        wrong.check,
        lambda: wrong.subject_for("ann"),
        lambda: wrong.name_of(ann.id),
        lambda: wrong.signing_key("audit.example"),
    )
    for attempt in attempts:
        with pytest.raises(BadInput, match="master key does not open") as refused:
            attempt()
        assert refused.value.mend
    vault.signing_key("audit.example")
    with pytest.raises(BadInput, match="does not open the signing key"):
        wrong.check()
    vault.check()


def test_an_empty_database_fits_every_master_key_until_one_has_made_the_first_row(store: Store) -> None:
    one, other = vault_over(store), vault_over(store, OTHER)
    for each in (one, other):
        each.check()
    other.subject_for("ann")
    other.check()
    with pytest.raises(BadInput, match="master key does not open"):
        one.check()


def test_rows_that_were_swapped_in_the_database_do_not_open(vault: Vault, store: Store) -> None:
    ann, bob = vault.subject_for("ann"), vault.subject_for("bob")
    rows = StoredSubjects(store)
    hers, his = rows.get(ann.id), rows.get(bob.id)
    assert hers
    assert his
    with store.writing() as connection:
        connection.execute(subject.update().where(subject.c.id == ann.id).values(wrapped_key=his.wrapped_key))
        connection.execute(subject.update().where(subject.c.id == bob.id).values(sealed_name=hers.sealed_name))
    vault.clear_cache()
    with pytest.raises(BadInput, match="does not open"):
        vault.subject_for("ann")
    with pytest.raises(Broken, match="name of subject"):
        vault.name_of(bob.id)


def test_the_signing_key_is_made_once_and_signs_checkpoints(vault: Vault, store: Store) -> None:
    note = sign_checkpoint("audit.example", 1, leaf_hash(b"a"), vault.signing_key("audit.example"))
    known = vault_over(store).verifier_key("audit.example")
    assert verify_checkpoint(note, known).size == 1
    assert vault.verifier_key("other.example") != known
    with pytest.raises(BadInput, match="cannot name a log"):
        vault.signing_key("two words")


def test_a_verifier_that_was_changed_in_the_database_is_noticed(vault: Vault, store: Store) -> None:
    vault.signing_key("audit.example")
    other = vault.verifier_key("other.example")
    with store.writing() as connection:
        connection.execute(signing_key.update().values(verifier=other))
    vault.clear_cache()
    with pytest.raises(Broken, match="verifier"):
        vault.signing_key("audit.example")


def test_a_new_master_key_takes_over_everything(vault: Vault, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject_rows, "_PAGE", 10)  # more people than that
    people = {f"person {number}": vault.subject_for(f"person {number}") for number in range(25)}
    sealed = {person: vault.seal(key, person.encode(), RUN) for person, key in people.items()}
    verifier = vault.verifier_key("audit.example")
    assert vault.rewrap(OTHER) == 26
    for after in (vault, vault_over(store, OTHER)):
        assert after.verifier_key("audit.example") == verifier
        for person in list(people)[::4]:
            assert after.subject_for(person).id == people[person].id
            assert after.open_sealed(people[person].id, sealed[person], RUN) == person.encode()
            assert after.name_of(people[person].id) == person
    with pytest.raises(BadInput):
        vault_over(store).check()


def test_a_rotation_that_meets_a_damaged_row_changes_nothing(vault: Vault, store: Store) -> None:
    ann, bob = vault.subject_for("ann"), vault.subject_for("bob")
    last = max(ann.id, bob.id)
    with store.writing() as connection:
        connection.execute(subject.update().where(subject.c.id == last).values(wrapped_key=b"damaged"))
        before = connection.execute(subject.select()).all()
    with pytest.raises(BadInput, match=last):
        vault.rewrap(OTHER)
    with store.reading() as connection:
        assert connection.execute(subject.select()).all() == before
    assert vault.name_of(min(ann.id, bob.id)) is not None


@pytest.mark.parametrize("person", ["", "half\ud800"])
def test_a_name_that_is_no_text_is_refused(vault: Vault, person: str) -> None:
    with pytest.raises(BadInput, match="must be text"):
        vault.subject_for(person)
    with pytest.raises(BadInput, match="must be text"):
        vault.id_of(person)


def test_nothing_secret_shows(vault: Vault) -> None:
    ann = vault.subject_for("ann@acme.example")
    shown = f"{vault!r} {ann!r} {ann} {vault._wrapping.master!r}"
    assert shown.count("SubjectKey(") == 2
    assert "ann@" not in shown
    assert str(MASTER) not in shown
    with pytest.raises(Broken) as broken:
        vault.open_sealed(ann.id, b"\x01" * 40, RUN)
    assert "ann@" not in repr(broken.value) + broken.value.why + broken.value.mend
    with pytest.raises(ValueError, match="has 32 bytes") as refused:
        Vault(b"too short, and secret", RowsInMemory(), SystemClock())
    assert "secret" not in str(refused.value)


def test_the_vault_needs_no_sqlalchemy_until_it_reads() -> None:
    script = "import sys, fairlead.storage.vault, fairlead.storage.subject_rows; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
