"""Whoever can take a worker's lock knows that it is dead."""

from pathlib import Path

import pytest
from tests.storage.worker_processes import FRESH, hold_lock, started

from fairlead.errors import Broken
from fairlead.storage.worker_lock import WorkerLock, known_workers


def test_the_lock_of_a_living_worker_cannot_be_seized_and_that_of_a_killed_one_can(tmp_path: Path) -> None:
    here, there = FRESH.Pipe()
    with started(hold_lock, tmp_path, there):
        assert here.recv() == "held"
        assert WorkerLock.seize(tmp_path, "w") is None
    lock = WorkerLock.seize(tmp_path, "w")
    assert lock is not None
    assert WorkerLock.seize(tmp_path, "w") is None
    lock.release()
    here.close()
    there.close()


def test_a_released_lock_leaves_no_file(tmp_path: Path) -> None:
    lock = WorkerLock.take(tmp_path / "locks", "w")
    assert known_workers(tmp_path / "locks") == ["w"]
    lock.release()
    lock.release()
    assert known_workers(tmp_path / "locks") == []
    assert (tmp_path / "locks").stat().st_mode & 0o777 == 0o700


def test_a_lock_on_a_file_that_somebody_removed_guards_nothing_and_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def removed_meanwhile(descriptor: int, operation: int) -> None:
        real(descriptor, operation)
        monkeypatch.setattr(fcntl, "flock", real)
        (tmp_path / "w.lock").unlink()

    real = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    assert WorkerLock.seize(tmp_path, "w") is None
    WorkerLock.take(tmp_path, "w").release()


def test_two_workers_cannot_live_under_one_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.storage.worker_lock._PAUSE", 0.0)
    lock = WorkerLock.take(tmp_path, "w")
    with pytest.raises(Broken, match="held by another process"):
        WorkerLock.take(tmp_path, "w")
    lock.release()
