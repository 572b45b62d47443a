"""Killed in the middle of an erasure, a sweep, a restore or a change of keys: doing the same again ends it, nobody is
revived, and the log holds."""

import gc
import importlib
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import HOTEL, Fairlead, ask
from tests.cli.test_backup import LEE, backed, backed_once, database, said_by_lee_only

from fairlead.cli.main import run
from fairlead.cli.opening import open_store
from fairlead.cli.place import find
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.execution import Answer
from fairlead.storage.retention import Rules, sweep
from fairlead.workspace.custody import read

__all__ = ["backed", "backed_once"]


def killed(at: str, work: Callable[[], object], *, after: bool = False, time: int = 1) -> None:
    """Do it in a process of its own, which is killed as it enters (or leaves) a function for the so-many-th time."""
    child = os.fork()
    if child == 0:
        module, _, name = at.rpartition(".")
        place = importlib.import_module(module)
        real, calls = getattr(place, name), 0

        def dies(*given: object, **named: object) -> object:
            nonlocal calls
            calls += 1
            if calls == time and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            done = real(*given, **named)
            if calls == time:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        setattr(place, name, dies)
        try:
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"it never came to {at}"


def count(folder: Path, query: str) -> int:
    with closing(sqlite3.connect(database(folder))) as raw:
        return int(raw.execute(f"SELECT count(*) FROM {query}").fetchone()[0])


ERASURE = "fairlead.storage.erasure"


@pytest.mark.parametrize(
    ("at", "after"),
    [
        (f"{ERASURE}.bury", True),
        ("fairlead.cli.data.forget_by_name", True),
        ("fairlead.cli.data.wait", False),
        (f"{ERASURE}.delete_payloads", True),
        (f"{ERASURE}.mark_done", True),
        ("fairlead.cli.anchors.deliver", False),
    ],
)
def test_an_erasure_is_ended_by_the_next(asked: tuple[Path, Answer], fairlead: Fairlead, at: str, after: bool) -> None:
    folder = asked[0]
    ask(folder, HOTEL, caller=LEE)
    killed(at, lambda: run(["data", "erase", "kim", "--yes"]), after=after)
    assert fairlead("audit", "verify").status == 0
    assert fairlead("data", "erase", "kim", "--yes").status == 0
    assert "no such run" in fairlead("data", "where", "kim").err
    assert (count(folder, "subject"), count(folder, "payload")) == (1, 1)
    assert count(folder, "tombstone WHERE kind = 'subject' AND done_at > 0") == 1
    assert count(folder, "log WHERE CAST(record AS TEXT) LIKE '%\"erasure\"%'") == 1
    assert fairlead("audit", "verify").status == 0


@pytest.mark.parametrize("at", ["_not_held", "_set_mark"])
def test_a_sweep_is_gone_on_with(asked: tuple[Path, Answer], fairlead: Fairlead, at: str) -> None:
    folder, clock = asked[0], SystemClock()

    def swept() -> int:
        with closing(open_store(find(folder))) as store:
            later = clock.now() + 10
            return sweep(
                store, Rules(otherwise=1), later, read, lambda s: deed(clock, "retention", by="test", about=s)
            ).payloads

    killed(f"fairlead.storage.retention.{at}", swept, after=True)
    assert (count(folder, "payload"), count(folder, "retention_mark")) == (1, 0)
    assert swept() == 1
    assert (count(folder, "payload"), count(folder, "log WHERE CAST(record AS TEXT) LIKE '%\"retention\"%'")) == (0, 1)
    assert fairlead("audit", "verify").status == 0


RESTORING = "fairlead.storage.restoring"


@pytest.mark.parametrize(
    ("at", "after", "time"),
    [
        (f"{RESTORING}._stage", True, 1),
        ("fairlead.cli.restore.carry_over", True, 1),
        ("fairlead.cli.restore.install_file", False, 1),
        (f"{RESTORING}.fold", True, 2),
        (f"{RESTORING}.second_name", True, 1),
        (f"{RESTORING}.sync", False, 2),
        ("fairlead.cli.restore.set_aside_checkpoints", False, 1),
    ],
)
def test_a_restore_is_done_again(
    backed: tuple[Path, Path], fairlead: Fairlead, at: str, after: bool, time: int
) -> None:
    folder, backup = backed
    assert fairlead("data", "erase", "kim", "--yes").status == 0
    fairlead("key", "revoke", "app")
    fairlead("audit", "checkpoint")
    killed(at, lambda: run(["restore", str(backup), "--replace", "--yes"]), after=after, time=time)
    assert fairlead("runs").status == 0
    assert said_by_lee_only(fairlead) or count(folder, "subject") == 1
    gc.collect()  # what the commands before had open goes with their processes, of which there is one here
    done = fairlead("restore", backup, "--replace", "--yes")
    assert done.status == 0, done.err
    assert said_by_lee_only(fairlead)
    assert count(folder, "api_key WHERE revoked_at = 0 AND name = 'app'") == 0
    assert fairlead("audit", "verify").status == 0
    assert not (folder / ".fairlead" / ".restoring").exists()


@pytest.mark.parametrize(
    ("at", "after"),
    [
        ("fairlead.storage.signing_rotation.sign_succession", True),
        ("fairlead.cli.key_rotation.wait", False),
        ("fairlead.cli.key_rotation.sign", False),
    ],
)
def test_a_change_of_the_signing_key_is_whole_or_never_was(
    asked: tuple[Path, Answer], fairlead: Fairlead, at: str, after: bool
) -> None:
    fairlead("audit", "checkpoint")
    key = fairlead("audit", "key").out.strip()
    killed(at, lambda: run(["key", "rotate-signing", "--yes"]), after=after)
    assert fairlead("audit", "verify", "--key", key).status == 0
    assert fairlead("key", "rotate-signing", "--yes").status == 0
    assert fairlead("audit", "verify", "--key", key).status == 0
