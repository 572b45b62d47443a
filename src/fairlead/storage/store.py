"""The state database, opened: where it lies, whether its schema fits this program, and cold-path connections to it.

The hot path does not come through here: the journal has its own connection. SQLAlchemy is imported when the first
connection is asked for.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import finalize

from fairlead.errors import BadInput, Broken
from fairlead.storage.database import Database, Where, database_at
from fairlead.storage.sqlite import SqliteDatabase
from fairlead.storage.worker_lock import FileLocks, WorkerLocks

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# The newest step of `migrations/versions`; a test compares the two.
SCHEMA_VERSION = "0031"


class Away(Broken):
    """The state database cannot be used just now: it is locked, full, or its server is down.

    Retry after a short wait; `fairlead doctor` looks for the cause.
    """

    code = "database_away"
    status = 503


class Store:
    """One state database. Threads may share it; a process that forks must open its own."""

    def __init__(self, where: Where, *, synchronous: str = "full", beside: Path | None = None) -> None:
        """For a database that is known to fit; everyone else calls `open`. `beside` is the folder for what belongs
        near the database and not in it; that of the file, unless told otherwise."""
        self.database: Database = database_at(where, synchronous=synchronous)
        self.shown = self.database.shown
        self._beside = beside

    @classmethod
    def open(cls, where: Where, *, synchronous: str = "full", beside: Path | None = None) -> "Store":
        """The database at this path or URL. Raises BadInput if there is none, or if its schema is another, Broken if
        its server does not answer."""
        store = cls(where, synchronous=synchronous, beside=beside)
        if not store.database.exists():
            raise BadInput(
                f"there is no database at {store.shown}",
                why="a state database is made once, by `fairlead migrate` or the first `fairlead serve`",
                mend="run `fairlead migrate`, or correct `storage.url`; `fairlead doctor` shows what is set",
                subject=store.shown,
            )
        try:
            found = store.database.schema_version()
        except sqlite3.DatabaseError as error:
            raise _away(store.shown, error) from error
        _require_version(store.shown, found)
        return store

    @property
    def path(self) -> Path:
        """The file. Only where the database is one."""
        assert isinstance(self.database, SqliteDatabase)
        return self.database.path

    @property
    def locks(self) -> Path:
        """The folder in which workers on a file tell that they live, and whose turn it is."""
        assert isinstance(self.database, SqliteDatabase)
        return self.database.locks

    @property
    def beside(self) -> Path:
        """The folder for what belongs near the database and not in it, such as copies of checkpoints."""
        return self.path.parent if self._beside is None else self._beside

    @cached_property
    def workers(self) -> WorkerLocks:
        """Who of the workers on this database lives."""
        if isinstance(self.database, SqliteDatabase):
            return FileLocks(self.database.locks)
        from fairlead.storage.postgres import PostgresDatabase
        from fairlead.storage.postgres_locks import SessionLocks

        assert isinstance(self.database, PostgresDatabase)
        return SessionLocks(self.database)

    def listen(self, woken: Callable[[], None]) -> Callable[[], None]:
        """Calls `woken`, from another thread, soon after something was announced, where the database can tell. What is
        returned ends it."""
        return self.database.listen(woken)

    def ring(self, bell: str) -> None:
        """Wake who waits for this, once something was committed (see `Database.hear`). Never fails: it only hurries."""
        with suppress(Broken, OSError), self._told(), self.engine.connect() as connection:
            self.database.ring(connection, bell)

    @cached_property
    def engine(self) -> "Engine":
        """The SQLAlchemy engine. Prefer `reading` and `writing`, which choose the right kind of transaction."""
        engine = self.database.make_engine()
        finalize(self, engine.dispose)  # a command that only looks may drop its store without closing it
        return engine

    @contextmanager
    def reading(self) -> "Iterator[Connection]":
        """A connection that sees one moment of the database, and never waits for a writer.

        Raises Broken if the database cannot be read.
        """
        with self._told(), self.engine.connect() as connection, self.database.reading(connection):
            yield connection

    @contextmanager
    def writing(self) -> "Iterator[Connection]":
        """A transaction: all of the block, or on an exception nothing. Keep it short, others wait meanwhile. What is
        read in it stays true until it ends, but for what the journal writes.

        Raises Broken if the database is locked for seconds, or full.
        """
        with (
            self.database.in_turn(),
            self._told(),
            self.engine.connect() as connection,
            self.database.writing(connection),
        ):
            yield connection

    @contextmanager
    def erasing(self, *tables: str) -> "Iterator[Connection]":
        """A writing transaction that deletes from these tables what must not be found in the database's pages."""
        with self.writing() as connection:
            self.database.wipe(connection)
            yield connection
        with self._told():
            for table in tables:
                self.database.wiped(self.engine, table)

    def bring_in_order(self) -> None:
        """Give every acknowledged entry its place in the log, so that the next reading sees it."""
        with self._told():
            self.database.bring_in_order(self.engine)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tells what a driver says in our own words."""
        from sqlalchemy.exc import DataError, InterfaceError, InternalError, OperationalError

        try:
            yield
        except DataError as error:
            if "NUL" not in str(error.orig):
                raise
            raise BadInput(  # PostgreSQL keeps no such text, so nothing there has such a name
                "a name or id holds a NUL character", mend="send it as it was given to you"
            ) from None
        except (OperationalError, InterfaceError, InternalError) as error:
            raise _away(self.shown, error.orig) from error

    def close(self) -> None:
        """Gives back the connections. The journal's own is closed by the journal."""
        if "engine" in self.__dict__:
            self.engine.dispose()
        self.database.close()


def _away(shown: str, error: BaseException | None) -> Away:
    return Away(
        f"the state database at {shown} cannot be used just now",
        why=" ".join(str(error).split()),
        mend="see whether its disk is full, you may write to its folder, another program locks it or its server is "
        "down; `fairlead doctor` looks for these",
        subject=shown,
    )


def _require_version(shown: str, found: str) -> None:
    if found == SCHEMA_VERSION:
        return
    if found > SCHEMA_VERSION:
        why, mend = "a newer Fairlead has migrated it", "install that version again; a schema never goes back"
    elif found:
        why, mend = "this Fairlead is newer than the database", "stop all workers and run `fairlead migrate`"
    else:
        why, mend = "it has no tables of ours yet", "run `fairlead migrate`"
    raise BadInput(
        f"the database at {shown} has schema {found or 'none'}, this program needs {SCHEMA_VERSION}",
        why=why,
        mend=f"{mend}; `fairlead doctor` shows both versions",
        subject=shown,
    )
