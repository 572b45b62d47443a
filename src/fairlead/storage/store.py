"""The state database, opened: where it lies, whether its schema fits this program, and cold-path connections to it.

The hot path does not come through here: the journal has its own connection. SQLAlchemy is imported when the first
connection is asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.errors import BadInput, Broken
from fairlead.storage import sqlite
from fairlead.storage.turn import in_turn

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# The newest step of `migrations/versions`; a test compares the two.
SCHEMA_VERSION = "0001"

_SQLITE = "sqlite:///"
_TURN_PATIENCE = 2.0


class Store:
    """One state database. Threads may share it; a process that forks must open its own."""

    def __init__(self, path: Path, *, synchronous: str = "full") -> None:
        """For a database that is known to fit; everyone else calls `open`."""
        self.path = path
        self.locks = path.parent / "locks"
        self.synchronous = synchronous

    @classmethod
    def open(cls, where: str | Path, *, synchronous: str = "full") -> "Store":
        """The database at this path or URL. Raises BadInput if there is none, or if its schema is another."""
        path = database_path(where)
        if not path.is_file():
            raise BadInput(
                f"there is no database at {path}",
                why="a state database is made once, by `fairlead migrate` or the first `fairlead serve`",
                mend="run `fairlead migrate`, or correct `storage.url`; `fairlead doctor` shows what is set",
                subject=str(path),
            )
        _require_version(path, sqlite.schema_version(path))
        return cls(path, synchronous=synchronous)

    @cached_property
    def engine(self) -> "Engine":
        """The SQLAlchemy engine. Prefer `reading` and `writing`, which choose the right kind of transaction."""
        from sqlalchemy import create_engine, event

        engine = create_engine(f"{_SQLITE}{self.path}", isolation_level="AUTOCOMMIT")
        event.listen(engine, "connect", lambda raw, _: sqlite.prepare(raw, synchronous=self.synchronous))
        return engine

    @contextmanager
    def reading(self) -> "Iterator[Connection]":
        """A connection that sees one moment of the database, and never waits for a writer.

        Raises Broken if the database cannot be read.
        """
        with self._transaction(sqlite.READ) as connection:
            yield connection

    @contextmanager
    def writing(self) -> "Iterator[Connection]":
        """A transaction: all of the block, or on an exception nothing. Keep it short, the journal waits meanwhile.

        Raises Broken if the database is locked for seconds, or full.
        """
        with in_turn(self.locks, _TURN_PATIENCE), self._transaction(sqlite.WRITE) as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> "Iterator[Connection]":
        from sqlalchemy.exc import OperationalError

        try:
            with self.engine.connect() as connection, sqlite.transaction(connection, begin):
                yield connection
        except OperationalError as error:
            raise Broken(
                f"the state database at {self.path} cannot be used just now",
                why=str(error.orig),
                mend="see whether the disk is full or another program holds the file; `fairlead doctor` looks for both",
                subject=str(self.path),
            ) from error

    def close(self) -> None:
        """Gives back the connections. The journal's own is closed by the journal."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def database_path(where: str | Path) -> Path:
    """The file that a path or a `sqlite:///` URL names."""
    if isinstance(where, Path):
        return where
    if where.startswith(_SQLITE):
        return Path(where.removeprefix(_SQLITE))
    if "://" in where:
        scheme = where.partition("://")[0]
        raise BadInput(
            f"storage.url: {scheme} is not a database that this version can use",
            why="state is kept in SQLite",
            mend="give a path, or sqlite:///path/to/state.db",
            subject="storage.url",
        )
    return Path(where)


def _require_version(path: Path, found: str) -> None:
    if found == SCHEMA_VERSION:
        return
    if found > SCHEMA_VERSION:
        why, mend = "a newer Fairlead has migrated it", "install that version again; a schema never goes back"
    else:
        why, mend = "this Fairlead is newer than the database", "stop all workers and run `fairlead migrate`"
    raise BadInput(
        f"the database at {path} has schema {found or 'none'}, this program needs {SCHEMA_VERSION}",
        why=why,
        mend=f"{mend}; `fairlead doctor` shows both versions",
        subject=str(path),
    )
