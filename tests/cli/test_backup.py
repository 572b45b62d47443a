"""A backup brings everything back but what must stay gone; where nobody knows what that is, it brings back nothing."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import HOTEL, Fairlead, ask
from tests.cli.test_anchors import declare

from fairlead.cli.main import run
from fairlead.cli.opening import open_store
from fairlead.cli.place import find
from fairlead.costs.budgets import scope_name
from fairlead.execution import Answer
from fairlead.identity import Caller
from fairlead.storage import backup as making
from fairlead.storage.backup_copy import copy_state
from fairlead.storage.journal import Journal
from fairlead.storage.store import Store
from fairlead.storage.types import Hold, ScopeLimit, Write

LEE = Caller(person="lee", department="sales", groups=frozenset({"everyone"}), credential="key:test")


def database(folder: Path) -> Path:
    return folder / ".fairlead" / "state.db"


@pytest.fixture(scope="session")
def backed_once(answered: tuple[Path, Answer], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `backed` copies from."""
    beside = tmp_path_factory.mktemp("backed")
    folder = beside / "acme"
    shutil.copytree(answered[0], folder)
    ask(folder, HOTEL, caller=LEE)
    assert run(["key", "add", "app", "--person", "kim", "-w", str(folder)]) == 0
    assert run(["backup", str(beside / "backup"), "-w", str(folder)]) == 0
    assert json.loads((beside / "backup" / "manifest.json").read_text())["records"] == 2
    return beside


@pytest.fixture
def backed(backed_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A workspace, and a backup of it in which kim and lee have said something, and the key `app` is valid."""
    folder, backup = tmp_path / "acme", tmp_path / "backup"
    shutil.copytree(backed_once / "acme", folder)
    shutil.copytree(backed_once / "backup", backup)
    monkeypatch.chdir(folder)
    return folder, backup


def lose(folder: Path) -> None:
    for path in (folder / ".fairlead").glob("state.db*"):
        path.unlink()


def said_by(fairlead: Fairlead) -> str:
    runs = fairlead("runs", "--json").json
    return "".join(fairlead("trace", run["run"], "--payload").out for run in runs)


def test_a_backup_brings_everything_back(backed: tuple[Path, Path], fairlead: Fairlead, tmp_path: Path) -> None:
    folder, backup = backed
    assert sorted(path.name for path in backup.iterdir()) == ["manifest.json", "manifest.txt", "state.db"]
    lose(folder)
    (tmp_path / "nobody").write_text("")
    said = fairlead("restore", backup, "--erasures", tmp_path / "nobody", "--yes", "--json")
    assert said.status == 0, said.err
    assert (said.json["records"], said.json["erased"], said.json["lost"]) == (2, 0, None)
    assert said_by(fairlead).count(HOTEL) == 2
    assert fairlead("audit", "verify").status == 0
    assert ask(folder, HOTEL)
    assert fairlead("doctor").status == 0


def test_without_knowing_who_was_erased_nothing_is_restored(backed: tuple[Path, Path], fairlead: Fairlead) -> None:
    folder, backup = backed
    lose(folder)
    said = fairlead("restore", backup, "--yes")
    assert said.status == 2
    assert "--erasures" in said.err
    assert not database(folder).exists()


def test_whoever_was_erased_since_stays_erased_and_revoked_keys_stay_revoked(
    backed: tuple[Path, Path], fairlead: Fairlead
) -> None:
    folder, backup = backed
    fairlead("data", "erase", "kim", "--yes")
    fairlead("key", "revoke", "app")
    assert "--replace" in fairlead("restore", backup, "--yes").err
    assert "would restore" in fairlead("restore", backup, "--replace", "--dry-run").err
    said = fairlead("restore", backup, "--replace", "--yes", "--json")
    assert said.status == 0, said.err
    assert (said.json["erased"], said.json["revoked"], said.json["lost"]) == (1, 1, 3)
    told = fairlead("trace", fairlead("runs", "--json").json[1]["run"], "--payload")
    assert HOTEL not in told.out
    assert [key["name"] for key in fairlead("key", "list", "--json").json if key["revoked_at"]] == ["app"]
    with closing(sqlite3.connect(database(folder))) as connection:
        assert connection.execute("SELECT count(*) FROM subject").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM payload").fetchone() == (1,)
    places = [each["place"] for each in fairlead("data", "where", "lee", "--json").json["kept"]]
    assert (Path(said.json["old"]).exists(), f"file {said.json['old']}" in places) == (True, True)
    assert fairlead("audit", "verify").status == 0


def test_anchors_know_who_was_erased_when_the_database_is_lost(
    backed: tuple[Path, Path], fairlead: Fairlead, tmp_path: Path
) -> None:
    folder, backup = backed
    (tmp_path / "worm").mkdir()
    declare(folder, worm={"folder": str(tmp_path / "worm")})
    fairlead("data", "erase", "lee", "--yes")
    fairlead("audit", "checkpoint")
    lose(folder)
    said = fairlead("restore", backup, "--yes", "--json")
    assert said.status == 0, said.err
    assert (said.json["erased"], said.json["sources"]) == (1, ["the anchor worm, up to record 4"])
    assert fairlead("audit", "verify").status == 0
    assert "missing" in fairlead("audit", "verify", "--anchors").out, "the log was rolled back, and they say so"


def test_an_anchor_that_is_behind_the_backup_or_has_a_gap_does_not_count(
    backed: tuple[Path, Path], fairlead: Fairlead, tmp_path: Path
) -> None:
    folder, backup = backed
    (tmp_path / "worm").mkdir()
    declare(folder, worm={"folder": str(tmp_path / "worm")})
    lose(folder)
    assert "nobody knows" in fairlead("restore", backup, "--yes").err


def test_persons_of_a_list_are_erased_by_name(backed: tuple[Path, Path], fairlead: Fairlead, tmp_path: Path) -> None:
    folder, backup = backed
    lose(folder)
    (tmp_path / "erased").write_bytes("kim".encode("utf-16"))
    assert "no text in UTF-8" in fairlead("restore", backup, "--erasures", tmp_path / "erased", "--yes").err
    (tmp_path / "erased").write_text("\ufeffkim\n# since November\nsomebody unknown\n")
    said = fairlead("restore", backup, "--erasures", tmp_path / "erased", "--yes", "--json")
    assert said.json["erased"] == 1
    assert "knows nobody called 'somebody unknown'" in said.err
    assert said_by_lee_only(fairlead)


def said_by_lee_only(fairlead: Fairlead) -> bool:
    runs = fairlead("runs", "--json").json
    opened = [fairlead("trace", run["run"], "--payload").status == 0 for run in runs]
    return opened == [True, False]


@pytest.mark.parametrize("file", ["state.db", "manifest.json", "manifest.txt"])
def test_a_backup_that_was_changed_is_refused(backed: tuple[Path, Path], fairlead: Fairlead, file: str) -> None:
    folder, backup = backed
    content = bytearray((backup / file).read_bytes())
    content[len(content) // 2] ^= 1
    (backup / file).write_bytes(content)
    before = database(folder).read_bytes()
    assert fairlead("restore", backup, "--replace", "--yes").status != 0
    assert database(folder).read_bytes() == before


@pytest.mark.parametrize("file", ["state.db", "manifest.json", "manifest.txt"])
def test_a_backup_that_was_cut_off_or_leads_elsewhere_is_refused(
    backed: tuple[Path, Path], fairlead: Fairlead, tmp_path: Path, file: str
) -> None:
    folder, backup = backed
    before = database(folder).read_bytes()
    whole = (backup / file).read_bytes()
    for size in (0, len(whole) // 2, len(whole) - 1):
        (backup / file).write_bytes(whole[:size])
        said = fairlead("restore", backup, "--replace", "--yes")
        assert (said.status != 0, said.err.startswith("error: ")) == (True, True), said
    (backup / file).unlink()
    assert "is no backup" in fairlead("restore", backup, "--replace", "--yes").err
    (tmp_path / "elsewhere").write_bytes(whole)
    (backup / file).symlink_to(tmp_path / "elsewhere")
    assert "is no backup" in fairlead("restore", backup, "--replace", "--yes").err
    (backup / file).unlink()
    os.mkfifo(backup / file)
    assert "is no backup" in fairlead("restore", backup, "--replace", "--yes").err
    assert database(folder).read_bytes() == before


def test_what_was_checked_is_what_is_restored(
    backed: tuple[Path, Path], fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody puts another file there while the operator thinks about it."""
    folder, backup = backed

    def swapped(*_: object) -> None:
        with closing(sqlite3.connect(backup / "state.db")) as raw, raw:
            raw.execute("INSERT INTO budget (scope, period, held, spent) VALUES ('organisation', 'all', 0, 0)")

    monkeypatch.setattr("fairlead.cli.restore.confirm", swapped)
    before = database(folder).read_bytes()
    assert "was changed while it was copied" in fairlead("restore", backup, "--replace").err
    assert database(folder).read_bytes() == before
    assert not (folder / ".fairlead" / ".restoring").exists(), "it held the keys of all persons"


def test_who_is_erased_while_a_backup_is_restored_is_not_revived(
    backed: tuple[Path, Path], fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, backup = backed

    def erased(*_: object) -> None:
        assert fairlead("data", "erase", "kim", "--yes").status == 0

    monkeypatch.setattr("fairlead.cli.restore.confirm", erased)
    assert "was changed while the backup was restored" in fairlead("restore", backup, "--replace").err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    said = fairlead("restore", backup, "--replace", "--yes", "--json")
    assert (said.status, said.json["erased"]) == (0, 1), said.err
    assert said_by_lee_only(fairlead)


def test_only_one_restore_goes_on_at_a_time(
    backed: tuple[Path, Path], fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would work on the same copy, and one could put the other's unfinished one into place."""
    folder, backup = backed
    second: list[str] = []

    def meanwhile(*_: object) -> None:
        monkeypatch.undo()
        monkeypatch.chdir(folder)
        second.append(fairlead("restore", backup, "--replace", "--yes").err)

    monkeypatch.setattr("fairlead.cli.restore.confirm", meanwhile)
    assert fairlead("restore", backup, "--replace").status == 0
    assert "another restore is under way" in second[0]


def test_a_backup_from_before_a_change_of_both_keys_and_an_erasure_revives_nobody(
    backed: tuple[Path, Path], fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, backup = backed
    (tmp_path / "worm").mkdir()
    declare(folder, worm={"folder": str(tmp_path / "worm")})
    pinned = fairlead("audit", "key").out.strip()
    fairlead("audit", "checkpoint")
    assert fairlead("key", "rotate-master", "--yes").status == 0
    assert fairlead("key", "rotate-signing", "--yes").status == 0
    assert fairlead("data", "erase", "kim", "--yes").status == 0
    fairlead("audit", "checkpoint")
    lose(folder)
    refused = fairlead("restore", backup, "--yes")
    assert (refused.status, "until-" in refused.err) == (2, True), refused.err
    assert not database(folder).exists()
    key = folder / ".fairlead" / "master.key"
    new, (old,) = key.read_text().strip(), key.parent.glob("master.key.until-*")
    monkeypatch.setenv("FAIRLEAD_MASTER_KEY", old.read_text().strip())
    said = fairlead("restore", backup, "--yes", "--json")
    assert (said.status, said.json["erased"]) == (0, 1), said.err
    monkeypatch.setenv("FAIRLEAD_NEW_MASTER_KEY", new)
    assert fairlead("key", "rotate-master", "--yes").status == 0
    monkeypatch.delenv("FAIRLEAD_MASTER_KEY")
    monkeypatch.delenv("FAIRLEAD_NEW_MASTER_KEY")
    assert said_by_lee_only(fairlead)
    assert fairlead("audit", "verify", "--key", pinned).status == 0


def test_a_backup_that_would_not_be_accepted_is_not_left(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key that was about to sign it was changed while it was copied."""

    def late(*given: Any) -> None:
        assert fairlead("key", "rotate-signing", "--yes").status == 0
        copy_state(*given)

    with monkeypatch.context() as patched:
        patched.setattr(making, "copy_state", late)
        assert "does not hold" in fairlead("backup", tmp_path / "backup").err
    assert list(tmp_path.glob("*backup*")) == []
    assert fairlead("backup", tmp_path / "backup").status == 0
    assert fairlead("restore", tmp_path / "backup", "--replace", "--yes").status == 0


def test_a_backup_is_on_the_disk_when_the_command_ends(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, real = list[str](), os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        real(descriptor)

    monkeypatch.setattr("fairlead.storage.durable.os.fsync", noted)
    (tmp_path / "out").mkdir()
    assert fairlead("backup", tmp_path / "out" / "backup").status == 0
    assert synced[:3] == ["state.db", "manifest.json", "manifest.txt"]
    assert synced[3].startswith(".backup.part-"), "the names of the files"
    assert synced[4] == "out", "the name of the folder, once it is whole"
    synced.clear()
    assert fairlead("restore", tmp_path / "out" / "backup", "--replace", "--yes").status == 0
    assert synced == ["state.db", ".fairlead"]


def test_a_manifest_that_another_key_has_signed_is_refused(
    backed: tuple[Path, Path], fairlead: Fairlead, tmp_path: Path
) -> None:
    _, backup = backed
    shutil.copytree(backup, tmp_path / "forged")
    manifest = json.loads((tmp_path / "forged" / "manifest.json").read_text())
    (tmp_path / "forged" / "manifest.json").write_text(json.dumps(manifest | {"spent": 0, "tombstones": 9}))
    assert "not the one that was signed" in fairlead("restore", tmp_path / "forged", "--replace", "--yes").err


async def test_open_holds_are_settled_and_spending_since_still_counts(
    backed: tuple[Path, Path], fairlead: Fairlead, tmp_path: Path
) -> None:
    from fairlead.clock import SystemClock, day_of
    from fairlead.costs.record import Record, encode_record

    folder, _ = backed
    month = day_of(SystemClock().now())[:7]
    limits = (ScopeLimit("organisation", month, 10**12),)
    intent = encode_record(Record(v=1, kind="attempt", run="run_x", at=1, held=500))
    with closing(open_store(find(folder))) as store:
        journal = Journal(store, "worker_x", SystemClock())
        hold = Hold("run_x.1", 500, limits, intent)
        await journal.commit(Write(open=hold))
        assert await run_in_thread(fairlead, "backup", tmp_path / "second") == 0
        await journal.commit(Write(close=hold, spent=100))
        await journal.commit(Write(open=Hold("run_y.1", 700, limits, intent)))
        await journal.commit(Write(close=Hold("run_y.1", 700, limits, intent), spent=700))
        journal.close()
    said = await said_in_thread(fairlead, "restore", tmp_path / "second", "--replace", "--yes", "--json")
    assert (said["orphaned"], said["unseen"]) == (1, 300)
    with closing(Store.open(database(folder))) as store, store.reading() as connection:
        from sqlalchemy import text

        query = text("SELECT held, spent FROM budget WHERE scope = 'organisation' AND period = :month")
        assert connection.execute(query, {"month": month}).all() == [(0, 800)]
        assert connection.execute(text("SELECT count(*) FROM hold")).scalar() == 0


async def run_in_thread(fairlead: Fairlead, *arguments: object) -> int:
    import asyncio

    return (await asyncio.to_thread(fairlead, *arguments)).status


async def said_in_thread(fairlead: Fairlead, *arguments: object) -> dict[str, object]:
    import asyncio

    done = await asyncio.to_thread(fairlead, *arguments)
    assert done.status == 0, done.err
    found: dict[str, object] = done.json
    return found


def test_a_live_worker_keeps_a_restore_away(backed: tuple[Path, Path], fairlead: Fairlead) -> None:
    from fairlead.storage.worker_lock import WorkerLock

    folder, backup = backed
    lock = WorkerLock.take(folder / ".fairlead" / "locks", "worker_x")
    assert "worker_x lives" in fairlead("restore", backup, "--replace", "--yes").err
    lock.release()


def test_no_name_of_the_erased_comes_back_and_no_hold_is_lost(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path
) -> None:
    folder = asked[0]
    ask(folder, HOTEL, caller=LEE)
    with closing(sqlite3.connect(database(folder))) as raw, raw:
        raw.execute(
            "INSERT INTO budget (scope, period, held, spent) VALUES (?, '2020-01', 0, 5)",
            (scope_name("person", "kim"),),
        )
    assert fairlead("stop", "person", "kim", "--reason", "a drill").status == 0
    assert fairlead("backup", tmp_path / "backup").status == 0
    assert fairlead("resume", "person", "kim").status == 0
    assert fairlead("data", "erase", "kim", "--yes").status == 0
    assert fairlead("data", "hold", "lee", "--reason", "a case").status == 0
    said = fairlead("restore", tmp_path / "backup", "--replace", "--yes")
    assert said.status == 0, said.err
    with closing(sqlite3.connect(database(folder))) as raw:
        assert raw.execute("SELECT name FROM stop").fetchall() == []
        assert raw.execute("SELECT period FROM budget WHERE period = '2020-01'").fetchall() == []
    assert [each["reason"] for each in fairlead("data", "holds", "--json").json] == ["a case"]
    assert "a case" in fairlead("data", "erase", "lee", "--yes").err


def test_a_backup_that_fails_leaves_no_copy_behind(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fairlead.storage.backup.sign_checkpoint", full)
    (tmp_path / "out").mkdir()
    assert fairlead("backup", tmp_path / "out" / "backup").status != 0
    assert list((tmp_path / "out").iterdir()) == []
