"""Databases to write to. Every test that takes `store` runs over each kind of store that Fairlead has."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from fairlead.clock import SystemClock
from fairlead.storage.journal import Journal
from fairlead.storage.migrations import migrate
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store

OpenJournal = Callable[..., Journal]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; tests get copies."""
    path = tmp_path_factory.mktemp("empty") / "state.db"
    migrate(path)
    return path


@pytest.fixture(params=["sqlite"])
def store(tmp_path: Path, empty_database: Path) -> Store:
    shutil.copy(empty_database, tmp_path / "state.db")
    with ExitStack() as stack:
        opened = Store.open(tmp_path / "state.db")
        stack.callback(opened.close)
        yield opened


@pytest.fixture
async def open_journal(store: Store) -> AsyncIterator[OpenJournal]:
    """Journals in this loop, each a worker of its own, closed at the end. Settings as keywords."""
    opened: list[Journal] = []

    def open_one(worker: str = "", **settings: object) -> Journal:
        quick = {"synchronous": "normal", "patience": 5.0, **settings}
        journal = Journal(store, worker or f"worker_{len(opened)}", SystemClock(), JournalSettings(**quick))
        opened.append(journal)
        return journal

    yield open_one
    for journal in opened:
        journal.close()


@pytest.fixture
async def journal(open_journal: OpenJournal) -> Journal:
    return open_journal()
