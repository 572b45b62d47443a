"""Databases to write to. Every test that takes `store` runs over each kind of store that Fairlead has."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from fairlead.clock import SystemClock
from fairlead.storage.database import Where
from fairlead.storage.journal import Journal
from fairlead.storage.migrations import migrate
from fairlead.storage.postgres_locks import SessionLocks
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store

OpenJournal = Callable[..., Journal]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; tests get copies."""
    path = tmp_path_factory.mktemp("empty") / "state.db"
    migrate(path)
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "state.db")
        yield tmp_path / "state.db"
        return
    server = request.getfixturevalue("postgres")
    url = server.make_database(request.getfixturevalue("empty_postgres"))
    yield url
    server.drop_database(url)


@pytest.fixture
def store(where: Where, tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(where, beside=tmp_path)
    if isinstance(opened.workers, SessionLocks):
        opened.workers.grace = 0.0  # one look is enough: no session of these tests is cut
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    """For what only a file does."""
    shutil.copy(empty_database, tmp_path / "file.db")
    opened = Store.open(tmp_path / "file.db")
    yield opened
    opened.close()


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
