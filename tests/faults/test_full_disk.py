"""A database that fills up: new work is refused, nothing acknowledged is lost, and space mends it."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.world import MASTER_KEY, Served, served, wait_until

from fairlead.clock import SystemClock
from fairlead.storage.checkpoints import check_log, known_verifier, log_origin, sign_checked
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault

QUESTION = {"model": "small", "messages": [{"role": "user", "content": "hello " * 2000}]}


def ask(s: Served) -> int:
    return httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth("kim"), json=QUESTION, timeout=60).status_code


def fills(s: Served, most: int) -> list[int]:
    """Asks until it is refused."""
    said = []
    while len(said) < most and (not said or said[-1] == 200):
        said.append(ask(s))
    return said


def mended(s: Served, answered: int, given_up: int) -> None:
    """Whatever was paid for is recorded, once, and the log proves it. `given_up` are replies that could not be recorded
    at the time and so were not given."""
    wait_until(lambda: ask(s) == 200)
    wait_until(lambda: not s.holds())
    done = [record for record in s.records("call_model") if record.outcome == "done"]
    assert len(done) == answered + given_up + 1
    assert s.balance("organisation") == (0, sum(record.cost for record in done))
    vault = Vault(MASTER_KEY, StoredSubjects(s.store), SystemClock())
    origin = log_origin(s.store, "acme")
    sign_checked(s.store, vault, origin, s.store.beside / "checkpoints", 1)
    verifier = known_verifier(s.store, origin)
    assert verifier is not None
    assert check_log(s.store, verifier, ()).problems == ()


JOURNAL = {"storage": {"journal": {"patience": 0.5}}, "budgets": {"organisation": {"total": 1000}}}


def test_a_full_database_refuses_new_work_and_loses_nothing(tmp_path: Path) -> None:
    """SQLite itself says that it is full: the same error as of a disk."""
    with served(tmp_path, **JOURNAL) as s:
        connection = s.running.fairlead.ledger.journal._books._database._connection
        assert ask(s) == 200
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 20}")
        said = fills(s, 60)
        assert said[-1] in (500, 503), said
        connection.execute("PRAGMA max_page_count=1000000")
        mended(s, 1 + said.count(200), said.count(500))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path, spare: int) -> None:
    """Leave so many bytes of the file system that a file is on."""
    found = os.statvfs(path.parent)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL)
    with contextlib.suppress(OSError):
        os.write(descriptor, bytes(found.f_bavail * found.f_bsize - spare))
    os.close(descriptor)


@pytest.mark.parametrize("spare", [0, 150_000])
def test_a_full_file_system_refuses_new_work_and_loses_nothing(disk: Path, spare: int) -> None:
    """All at once, or in the midst of calls: the small hold may still fit where the large settlement does not. Such a
    reply is not given, and its bill waits in memory for a place on the disk."""
    with served(disk, **JOURNAL) as s:
        assert ask(s) == 200
        fill(disk / "filler", spare)
        said = fills(s, 60)
        while said[-1] != 503 and len(said) < 60:
            said.append(ask(s))
        assert said[-1] == 503, said
        assert set(said) <= {200, 500, 503}, said
        assert len(s.provider.received) <= 1 + said.count(200) + said.count(500), "who is refused costs nothing"
        (disk / "filler").unlink()
        mended(s, 1 + said.count(200), said.count(500))
