"""A master key is changed while others serve, and nothing is lost wherever it is cut short."""

import os
import signal
from pathlib import Path

import pytest
from tests.storage.books_of import where_of
from tests.storage.worker_processes import rotate_and_die, started

from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.storage import rotation
from fairlead.storage.master_key import create_key_file, load_master_key
from fairlead.storage.rotation import key_files, replace_given, rotate
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault

LOG = "fairlead/acme"
RUN = b"run_1"
PEOPLE = [f"person {number}" for number in range(20)]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    create_key_file(path, SystemClock())
    return path


def opened(store: Store, path: Path) -> Vault:
    """As every process opens it."""
    vault = Vault(load_master_key(None, path), StoredSubjects(store), SystemClock(), anew=lambda: key_files(path))
    vault.check()
    return vault


def old_keys(path: Path) -> list[Path]:
    return sorted(path.parent.glob("master.key.until-*"))


def test_everything_opens_with_the_new_key_and_nothing_with_the_old(store: Store, key_file: Path) -> None:
    before, vault = key_file.read_bytes(), opened(store, key_file)
    keys = {person: vault.subject_for(person) for person in PEOPLE}
    sealed = {person: (key.id, vault.seal(key, b"x", RUN)) for person, key in keys.items()}
    verifier = vault.verifier_key(LOG)
    done = rotate(key_file, vault, LOG, SystemClock())
    assert done.keys == len(PEOPLE) + 1
    assert (done.old.read_bytes(), done.old.stat().st_mode & 0o777) == (before, 0o600)
    assert key_file.read_bytes() != before
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in key_file.parent.glob("master.key*")) == ["master.key", done.old.name]
    after = opened(store, key_file)
    assert after.verifier_key(LOG) == verifier
    for person, (id, text) in sealed.items():
        assert after.subject_for(person).id == id
        assert after.open_sealed(id, text, RUN) == b"x"
    with pytest.raises(BadInput, match="master key does not open"):
        Vault(load_master_key(None, done.old), StoredSubjects(store), SystemClock()).check()


def test_who_serves_meanwhile_goes_on_with_the_new_key(store: Store, key_file: Path) -> None:
    """A worker that has not looked since finds the same people, makes new ones, and signs."""
    worker = opened(store, key_file)
    kim = worker.subject_for("kim")
    text = worker.seal(kim, b"asked", RUN)
    rotate(key_file, opened(store, key_file), LOG, SystemClock())
    assert worker.seal(kim, b"asked again", RUN)
    assert worker.open_sealed(kim.id, text, RUN) == b"asked"
    worker = _before(store, key_file)
    new = worker.subject_for("lee")
    assert opened(store, key_file).subject_for("lee").id == new.id
    assert worker.subject_for("kim").id == kim.id
    for act in (lambda old: old.id_of("kim"), lambda old: old.signing_key(LOG), lambda old: old.name_of(new.id)):
        assert act(_before(store, key_file))
    with pytest.raises(BadInput, match="does not open"):
        Vault(bytes(range(32)), StoredSubjects(store), SystemClock()).subject_for("lee")


def _before(store: Store, key_file: Path) -> Vault:
    """A vault that was opened before another rotation, and knows nothing of it."""
    vault = opened(store, key_file)
    rotate(key_file, opened(store, key_file), LOG, SystemClock())
    return vault


def test_a_person_met_between_the_look_and_the_insert_is_not_made_under_the_old_key(
    store: Store, key_file: Path
) -> None:
    class Slow(StoredSubjects):
        """The rotation falls between a worker's look for a person and its insert."""

        rotated = False

        def insert_if_absent(self, row: object, opens: object) -> bool:
            if not Slow.rotated:
                Slow.rotated = True
                rotate(key_file, opened(store, key_file), LOG, SystemClock())
            return super().insert_if_absent(row, opens)  # type: ignore[arg-type]

    opened(store, key_file).signing_key(LOG)
    worker = Vault(load_master_key(None, key_file), Slow(store), SystemClock(), anew=lambda: key_files(key_file))
    kim = worker.subject_for("kim")
    after = opened(store, key_file)
    assert after.subject_for("kim").id == kim.id
    assert after.name_of(kim.id) == "kim"


STEPS = ["create_key_file", "rewrap", "second_name", "replace", "sync"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_rotation_killed_at_any_step_loses_nothing_and_is_ended_by_the_next(
    store: Store, key_file: Path, step: str, when: str
) -> None:
    vault, people = opened(store, key_file), PEOPLE[:6]
    ids = {person: vault.subject_for(person).id for person in people}
    verifier = vault.verifier_key(LOG)
    with started(rotate_and_die, where_of(store), key_file, step, when) as dying:
        dying.join()
        assert dying.exitcode == -signal.SIGKILL
    # Both who served before and who comes now can read everything, and meet new people.
    for each in (opened(store, key_file), vault):
        each.clear_cache()
        assert {person: each.subject_for(person).id for person in people} == ids
        assert each.verifier_key(LOG) == verifier
    newcomer = vault.subject_for("newcomer").id
    rotate(key_file, opened(store, key_file), LOG, SystemClock())
    last = Vault(load_master_key(None, key_file), StoredSubjects(store), SystemClock())
    assert {person: last.subject_for(person).id for person in people} == ids
    assert last.subject_for("newcomer").id == newcomer
    assert not key_file.with_name("master.key.next").exists()
    assert old_keys(key_file)


def test_only_one_rotation_goes_on_at_a_time(store: Store, key_file: Path) -> None:
    vault = opened(store, key_file)
    with rotation._alone(key_file), pytest.raises(BadInput, match="being changed already"):
        rotate(key_file, vault, LOG, SystemClock())
    assert rotate(key_file, vault, LOG, SystemClock()).keys == 1


def test_old_keys_are_never_overwritten(store: Store, key_file: Path) -> None:
    kept = [key_file.read_bytes()]
    for _ in range(3):
        rotate(key_file, opened(store, key_file), LOG, SystemClock())
        kept.append(key_file.read_bytes())
    assert {path.read_bytes() for path in old_keys(key_file)} == set(kept[:-1])


def test_a_key_that_is_not_the_databases_changes_nothing(store: Store, key_file: Path) -> None:
    opened(store, key_file).subject_for("kim")
    other = Vault(bytes(range(32)), StoredSubjects(store), SystemClock())
    before = key_file.read_bytes()
    with pytest.raises(BadInput, match="does not open"):
        rotate(key_file, other, LOG, SystemClock())
    assert key_file.read_bytes() == before
    assert os.listdir(key_file.parent).count("master.key.next") == 0


def test_a_key_that_is_kept_elsewhere_is_replaced_and_doing_it_again_is_harmless(store: Store) -> None:
    first, second = bytes(range(32)), bytes(range(32, 64))
    kim = Vault(first, StoredSubjects(store), SystemClock()).subject_for("kim")
    for _ in range(2):
        vault = Vault(first, StoredSubjects(store), SystemClock(), anew=lambda: [second])
        assert replace_given(vault, LOG, second) == 2
    assert Vault(second, StoredSubjects(store), SystemClock()).subject_for("kim").id == kim.id
