"""Empty databases of each kind, migrated once and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgres import MISSING, Server, programs, server

from fairlead.storage.database import Where
from fairlead.storage.migrations import migrate
from fairlead.storage.postgres_locks import SessionLocks
from fairlead.storage.store import Store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that was migrated once: tests get copies."""
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
    """Every test that takes it runs over each kind of store that Fairlead has."""
    opened = Store.open(where, beside=tmp_path)
    if isinstance(opened.workers, SessionLocks):
        opened.workers.grace = 0.0  # one look is enough: no session of these tests is cut
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests of a session; each takes a database of its own."""
    if programs() is None:
        pytest.skip(MISSING)
    with server() as made:
        yield made


@pytest.fixture(scope="session")
def empty_postgres(postgres: Server) -> str:
    """The name of a database that was migrated once: tests copy it."""
    url = postgres.make_database()
    migrate(url)
    return url.rpartition("/")[2]
