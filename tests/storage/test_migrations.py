"""Each step keeps what was there, and all of them together make the schema that the program uses.

A new step needs no new test here: a database is filled at every version, and all of it is upgraded to the newest.
"""

import os
import signal
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from tests.postgres import Server

from fairlead.storage import migrations, postgres, sqlite
from fairlead.storage.migrations import migrate
from fairlead.storage.schema import metadata
from fairlead.storage.store import SCHEMA_VERSION

FOLDER = Path(migrations.__file__).parent


def steps() -> list[str]:
    """All versions, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()][::-1]


SOME = steps()[:-1:7]
"""Versions that all later steps are taken from at once, in one transaction; one by one they are taken from all."""


def search_index(name: str | None) -> bool:
    return (name or "").startswith(("context_word", "context_occurrence"))


def filled(path: Path, first: int = 1, rows: int = 3) -> dict[str, list[tuple[object, ...]]]:
    """Puts rows into every table that the database has at its version, numbered from `first`, and returns all that is
    there."""
    with closing(sqlite3.connect(path)) as connection, connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if search_index(table) or table.startswith(("alembic", "sqlite", "epoch", "tree")):
                continue
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            marks = ", ".join("?" * len(columns))
            for number in range(first, first + rows):
                values = [value_for(kind, number) for _, _, kind, *_ in columns]
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
        return contents(connection, tables)


def value_for(kind: str, number: int) -> object:
    return {"TEXT": f"text {number}", "BLOB": b"bytes %d" % number}.get(kind, number)


def contents(connection: sqlite3.Connection, tables: list[str]) -> dict[str, list[tuple[object, ...]]]:
    own = [table for table in tables if not search_index(table) and not table.startswith(("alembic", "sqlite"))]
    return {table: sorted(connection.execute(f"SELECT * FROM {table}")) for table in own}


def test_the_steps_lead_to_the_version_that_opening_asks_for() -> None:
    assert steps()[-1] == SCHEMA_VERSION
    assert steps() == sorted(steps()), "versions are compared as text: give the next one the next number"


def test_a_database_that_is_filled_at_every_version_is_upgraded_and_keeps_its_rows(tmp_path: Path) -> None:
    """Each step finds rows of its version, and those of all versions before as the steps between have left them."""
    path, before = tmp_path / "state.db", dict[str, int]()
    for number, version in enumerate(steps()):
        assert migrate(path, to=version) == version
        with closing(sqlite3.connect(path)) as connection:
            assert {table: len(rows) for table, rows in contents(connection, list(before)).items()} == before
        before = {table: len(rows) for table, rows in filled(path, first=10 * number + 1).items()}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("first", SOME)
def test_a_filled_database_is_upgraded_in_one_go_and_keeps_its_rows(tmp_path: Path, first: str) -> None:
    path = tmp_path / "state.db"
    assert migrate(path, to=first) == first
    before = filled(path)
    assert any(before.values())
    assert migrate(path) == SCHEMA_VERSION
    with closing(sqlite3.connect(path)) as connection:
        after = contents(connection, list(before))
        assert {table: len(rows) for table, rows in after.items()} == {t: len(rows) for t, rows in before.items()}
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_steps_make_exactly_the_schema(empty_database: Path) -> None:
    engine = create_engine(f"sqlite:///{empty_database}")
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": lambda _, name, *__: not search_index(name),
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_steps_say_the_same_to_the_database_as_the_schema_would(tmp_path: Path, empty_database: Path) -> None:
    """What Alembic does not compare: WITHOUT ROWID, primary keys, checks, the spelling of INTEGER."""
    engine = create_engine(f"sqlite:///{tmp_path / 'direct.db'}")
    metadata.create_all(engine)
    engine.dispose()
    assert shape(tmp_path / "direct.db") == shape(empty_database)


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        listed = connection.execute("PRAGMA table_list").fetchall()
        found: dict[str, list[tuple[object, ...]]] = {}
        for _, name, kind, _, without_rowid, strict in listed:
            if kind != "table" or search_index(name) or name.startswith(("alembic", "sqlite")):
                continue
            columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
            keys = [row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({name})")]
            indexes = sorted(row[1:] for row in connection.execute(f"PRAGMA index_list({name})"))
            found[name] = [(without_rowid, strict), *columns, *sorted(keys), *indexes]
        return found


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    migrate(path)
    before = filled(path)
    assert migrate(path) == SCHEMA_VERSION
    with closing(sqlite3.connect(path)) as connection:
        assert contents(connection, list(before)) == before


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fairlead.storage import sqlite_fts

    def fail(_: object) -> None:
        raise RuntimeError("in the middle of the first step")

    monkeypatch.setattr(sqlite_fts, "create", fail)
    path = tmp_path / "state.db"
    with pytest.raises(RuntimeError, match="in the middle"):
        migrate(path)
    assert sqlite.schema_version(path) == ""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_a_program_that_is_killed_in_the_middle_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    migrate(path, to="0011")
    before = filled(path)
    if (child := os.fork()) == 0:
        _killed(path, 30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert sqlite.schema_version(path) == "0011"
    with closing(sqlite3.connect(path)) as connection:
        assert contents(connection, list(before)) == before
    assert migrate(path) == SCHEMA_VERSION


def _killed(path: Path, statement: int) -> None:
    said: list[object] = []

    def count(*about: object) -> None:
        said.append(about)
        if len(said) == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        event.listen(Engine, "before_cursor_execute", count)
        migrate(path)
    finally:
        os._exit(1)


# What a server has and a file has not: entries on their way to the log, answers of the last groups, the word index.
ONLY_ON_A_SERVER = ("arrived", "last_group", "context_word")


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made: Server = request.getfixturevalue("postgres")
    url = made.make_database()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    yield engine
    engine.dispose()
    made.drop_database(url)


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False).replace("+psycopg", "", 1)


COLUMNS = """SELECT table_name, array_agg(data_type::text ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name"""
VALUES = {"text": "'text {0}'", "bytea": "'bytes {0}'", "boolean": "true", "bigint": "{0}", "integer": "{0}"}


def filled_on(engine: Engine, first: int = 1, rows: int = 3) -> dict[str, int]:
    """Puts rows into every table that the server has at its version, numbered from `first`, and returns how many there
    are."""
    with engine.begin() as connection:
        tables = {name: kinds for name, kinds in connection.exec_driver_sql(COLUMNS) if not name.startswith("alembic")}
        said = ["SET LOCAL session_replication_role = replica"]  # parents need not come first
        for name, kinds in tables.items():
            if not name.startswith(("epoch", "tree", *ONLY_ON_A_SERVER)):
                row = ", ".join(VALUES[kind] for kind in kinds)
                said += [f"INSERT INTO {name} VALUES ({row.format(number)})" for number in range(first, first + rows)]
        connection.exec_driver_sql("; ".join(said))
    return counted_on(engine, tables)


def counted_on(engine: Engine, tables: Iterable[str]) -> dict[str, int]:
    counts = " UNION ALL ".join(f"SELECT '{table}', COUNT(*) FROM {table}" for table in tables)
    with engine.connect() as connection:
        return dict(connection.exec_driver_sql(counts).all())


def test_a_server_that_is_filled_at_every_version_is_upgraded_and_keeps_its_rows(server: Engine) -> None:
    """As a file that is."""
    before: dict[str, int] = {}
    for number, version in enumerate(steps()):
        assert migrate(url_of(server), to=version) == version
        assert not before or counted_on(server, before) == before
        before = filled_on(server, first=10 * number + 1)
        assert sum(before.values()) > 20 * (number + 1)


@pytest.mark.parametrize("first", SOME)
def test_a_filled_server_is_upgraded_in_one_go_and_keeps_its_rows(server: Engine, first: str) -> None:
    assert migrate(url_of(server), to=first) == first
    before = filled_on(server)
    assert sum(before.values()) > 20
    assert migrate(url_of(server)) == SCHEMA_VERSION
    assert migrate(url_of(server)) == SCHEMA_VERSION
    assert counted_on(server, before) == before


def test_the_steps_make_exactly_the_schema_on_a_server(server: Engine) -> None:
    migrate(url_of(server))
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": lambda _, name, kind, *__: kind != "table" or name not in ONLY_ON_A_SERVER,
    }
    with server.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_a_step_that_fails_leaves_a_server_as_it_was(server: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(url_of(server), to=steps()[-2])
    real = postgres.PostgresDatabase.writing

    @contextmanager
    def dies(self: postgres.PostgresDatabase, connection: Connection) -> Iterator[None]:
        with real(self, connection):
            yield
            raise RuntimeError("at the end of the last step")

    monkeypatch.setattr(postgres.PostgresDatabase, "writing", dies)
    with pytest.raises(RuntimeError, match="at the end"):
        migrate(url_of(server))
    monkeypatch.undo()
    assert postgres.PostgresDatabase(url_of(server)).schema_version() == steps()[-2]
    assert migrate(url_of(server)) == SCHEMA_VERSION


def test_the_files_of_the_steps_are_part_of_the_package() -> None:
    assert {path.stem[:4] for path in (FOLDER / "versions").glob("*.py")} == set(steps())
