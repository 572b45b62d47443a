"""Empty databases of each kind: files are migrated once and copied, those of a server emptied and lent again."""

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

from fairlead.storage import postgres_vectors
from fairlead.storage.database import Where
from fairlead.storage.migrations import migrate
from fairlead.storage.postgres_locks import SessionLocks
from fairlead.storage.store import Store
from tests.postgres import MISSING, Server, programs, programs_with_vectors, server

if TYPE_CHECKING:
    import psycopg

_OTHERS = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
)
_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
_SEQUENCES = "SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences"
# Whatever a test makes, drops or changes in the structure is seen in one of these.
_STRUCTURE = """SELECT (SELECT max(oid) FROM pg_class), (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),
    (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_constraint),
    (SELECT count(*) FROM pg_namespace), (SELECT count(*) FROM pg_db_role_setting)"""


class Lent:
    """Copies of a database. To empty one costs the server a hundredth of what a new one does; one whose structure a
    test has changed is dropped."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self._template = template.rpartition("/")[2]
        self._free: list[str] = []
        import psycopg

        with psycopg.connect(template) as connection:
            self._tables = [name for (name,) in connection.execute(_TABLES)]
            self._rows = {name: rows for name in self._tables if (rows := _rows(connection, name))}
            self._structure = connection.execute(_STRUCTURE).fetchone()

    def lend(self) -> str:
        """The URL of one that is as if it was new."""
        return self._free.pop() if self._free else self._server.make_database(self._template)

    def take_back(self, url: str) -> None:
        if self._empty(url):
            self._free.append(url)
        else:
            self._server.drop_database(url)

    def _empty(self, url: str) -> bool:
        """False where it cannot be as new again."""
        import psycopg

        with psycopg.connect(url) as connection:
            connection.execute(_OTHERS, (connection.info.backend_pid,))
            if connection.execute(_STRUCTURE).fetchone() != self._structure:
                return False
            # Foreign keys mind no order then.
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("; ".join(f"DELETE FROM {name}" for name in self._tables))
            for name, rows in self._rows.items():
                with connection.cursor().copy(f"COPY {name} FROM STDIN") as copy:
                    copy.write(rows)
            connection.execute(_SEQUENCES)
        return True


def _rows(connection: "psycopg.Connection[tuple[str, ...]]", table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(copy)


@cache
def migrated_file() -> Path:
    """A migrated file, made once for all tests of all workers: they copy it."""
    path = Path(mkdtemp(prefix="fairlead-test-")) / "state.db"
    migrate(path)
    return path


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that was migrated once: tests get copies."""
    return Path(shutil.copyfile(migrated_file(), tmp_path_factory.mktemp("empty") / "state.db"))


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "state.db")
        yield tmp_path / "state.db"
        return
    lent: Lent = request.getfixturevalue("lent")
    url = lent.lend()
    yield url
    lent.take_back(url)


@pytest.fixture(params=["sqlite", "postgres", "pgvector"])
def scored_where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    """An empty database of each kind that vectors are scored in: by us beside the first two, by the third itself."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "state.db")
        yield tmp_path / "state.db"
        return
    there: Lent = request.getfixturevalue("lent" if request.param == "postgres" else "lent_with_vectors")
    url = there.lend()
    yield url
    there.take_back(url)


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
def lent(postgres: Server) -> Lent:
    """Migrated databases on the server, one or more for a test."""
    url = postgres.make_database()
    migrate(url)
    return Lent(postgres, url)


@pytest.fixture(scope="session")
def lent_with_vectors() -> Iterator[Lent]:
    """The same on a server that has pgvector."""
    if (of := programs_with_vectors()) is None:
        pytest.skip("there is no PostgreSQL with pgvector: the package pgserver has no wheel for this system")
    with server(of=of) as made:
        url = made.make_database()
        migrate(url)
        store = Store(url)
        assert postgres_vectors.make(store)
        store.close()
        yield Lent(made, url)
