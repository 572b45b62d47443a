"""A database is opened only if it is there and its schema is this program's; opening stays light."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from tests.storage.books_of import locked

from fairlead.errors import BadInput, Broken
from fairlead.storage import postgres, sqlite
from fairlead.storage.database import database_at, database_path
from fairlead.storage.migrations import migrate
from fairlead.storage.schema import epoch, signing_key
from fairlead.storage.store import SCHEMA_VERSION, Store


def set_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))


def test_a_database_that_is_not_there_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no database") as refused:
        Store.open(tmp_path / "state.db")
    assert "fairlead migrate" in refused.value.mend
    assert not (tmp_path / "state.db").exists()


@pytest.mark.parametrize(("version", "mend"), [("0000", "fairlead migrate"), ("9999", "install that version")])
def test_another_schema_is_refused_with_the_way_out(
    tmp_path: Path, empty_database: Path, version: str, mend: str
) -> None:
    path = Path(shutil.copy(empty_database, tmp_path))
    set_version(path, version)
    with pytest.raises(BadInput, match=f"schema {version}") as refused:
        Store.open(path)
    assert mend in refused.value.mend
    assert "fairlead doctor" in refused.value.mend


def test_a_file_without_tables_is_refused(tmp_path: Path) -> None:
    sqlite.create(tmp_path / "state.db")
    with pytest.raises(BadInput, match="schema none"):
        Store.open(tmp_path / "state.db")


def test_a_database_that_cannot_be_read_is_a_fault_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(Broken, match="cannot be used just now"):
        Store.open(tmp_path / "state.db")


@pytest.mark.parametrize("where", ["sqlite:///some/state.db", "some/state.db", Path("some/state.db")])
def test_a_place_is_a_path_or_a_url(where: str | Path) -> None:
    assert database_path(where) == Path("some/state.db")


def test_an_unknown_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="mysql is not"):
        database_at("mysql://host/fairlead")


def test_a_new_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    migrate(tmp_path / "new" / "state.db")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "state.db").stat().st_mode & 0o777 == 0o600


def test_a_failed_block_changes_nothing(store: Store) -> None:
    with pytest.raises(KeyError), store.writing() as connection:
        connection.execute(epoch.update().values(number=7))
        raise KeyError
    with store.reading() as connection:
        assert connection.execute(select(epoch.c.number)).scalar() == 0


def test_a_reader_sees_one_moment_while_others_write(store: Store) -> None:
    with store.reading() as reader:
        assert reader.execute(select(epoch.c.number)).scalar() == 0
        with store.writing() as writer:
            writer.execute(epoch.update().values(number=1))
        assert reader.execute(select(epoch.c.number)).scalar() == 0


def test_a_locked_database_is_a_fault_that_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite.prepare, "__kwdefaults__", {"busy_milliseconds": 10})
    monkeypatch.setitem(postgres.connect.__kwdefaults__, "lock_wait", 10)
    with locked(store), pytest.raises(Broken, match="cannot be used") as failed, store.writing():
        pass
    assert "lock" in failed.value.why


def test_a_broken_rule_of_the_schema_is_left_to_the_caller(store: Store) -> None:
    row = {"name": "a", "wrapped": b"", "verifier": "", "created_at": 0}
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(signing_key.insert(), [row, row])


def test_opening_imports_neither_alembic_nor_sqlalchemy(empty_database: Path) -> None:
    code = (
        "import sys; from fairlead.storage.store import Store; import fairlead.storage.journal\n"
        f"Store.open({str(empty_database)!r}).close()\n"
        "print([name for name in ('alembic', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert done.stdout.strip() == "[]"


def environment() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(sys.path)}


def test_the_version_is_written_where_opening_looks(empty_database: Path) -> None:
    assert sqlite.schema_version(empty_database) == SCHEMA_VERSION
