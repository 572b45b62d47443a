"""All SQL and all pragmas that only SQLite understands."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairlead.audit.merkle import Frontier, leaf_hash
from fairlead.storage import sqlite_turns
from fairlead.storage.bell import hear, ring
from fairlead.storage.turn import in_turn
from fairlead.storage.types import Entry, NewTurn

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_READ: Final = "BEGIN"
WRITE: Final = "BEGIN IMMEDIATE"  # take the lock first: a reader that turns writer can fail half-way

_TREE: Final = "SELECT peaks FROM tree WHERE id = 1"
_APPEND: Final = "INSERT INTO log (seq, run, at, record, spans) VALUES (?, ?, ?, ?, ?)"
_SET_TREE: Final = (
    "INSERT INTO tree (id, size, peaks) VALUES (1, ?, ?) ON CONFLICT (id)"
    " DO UPDATE SET size = excluded.size, peaks = excluded.peaks"
)
_BUSY_MILLISECONDS: Final = 5000
_BRIEFLY: Final = 100  # milliseconds
_PAGE_BYTES: Final = 4096
_TURN_PATIENCE: Final = 2.0


class SqliteDatabase:
    """A file on this machine."""

    def __init__(self, path: Path, *, synchronous: str = "full") -> None:
        self.path = path
        self.locks = path.parent / "locks"
        self.synchronous = synchronous
        self.shown = str(path)

    def exists(self) -> bool:
        return self.path.is_file()

    def create(self) -> None:
        create(self.path)

    def schema_version(self) -> str:
        return schema_version(self.path)

    def make_engine(self) -> "Engine":
        """Every connection of it is set up as `prepare` says."""
        from sqlalchemy import create_engine, event

        engine = create_engine(f"sqlite:///{self.path}", isolation_level="AUTOCOMMIT")
        event.listen(engine, "connect", lambda raw, _: prepare(raw, synchronous=self.synchronous))
        return engine

    def close(self) -> None:
        """Nothing is kept open."""

    def reading(self, connection: "Connection") -> AbstractContextManager[None]:
        """One snapshot throughout, from the first statement on."""
        return transaction(connection, _READ)

    def writing(self, connection: "Connection") -> AbstractContextManager[None]:
        """Takes the write lock at once (BEGIN IMMEDIATE): a reader that turns writer can fail half-way."""
        return transaction(connection, WRITE)

    def in_turn(self) -> AbstractContextManager[None]:
        return in_turn(self.locks, _TURN_PATIENCE)

    def wipe(self, connection: "Connection") -> None:
        """What is deleted from now on is overwritten where it lay, so that the file itself does not keep it."""
        connection.exec_driver_sql("PRAGMA secure_delete=ON")

    def wiped(self, engine: "Engine", table: str) -> None:
        """The write-ahead log still has the pages as they were: it is emptied, unless a reader needs it just now.
        Then it is written over before long."""
        with engine.connect() as connection:
            # It keeps writers out while it waits for readers, so it must not wait for long.
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_BRIEFLY}")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")

    def append(self, connection: "Connection", entries: Sequence[Entry]) -> None:
        """The write lock is ours, so the tree stands still."""
        stored = connection.exec_driver_sql(_TREE).scalar()
        frontier = Frontier() if stored is None else Frontier.from_bytes(bytes(stored))
        for entry in entries:
            row = (frontier.size, entry.run, entry.at, entry.record, entry.spans)
            connection.exec_driver_sql(_APPEND, row)
            frontier = frontier.append(leaf_hash(entry.record))
        connection.exec_driver_sql(_SET_TREE, (frontier.size, frontier.to_bytes()))

    def remember(self, connection: "Connection", turn: NewTurn) -> bool:
        raw: Any = connection.connection.driver_connection
        return sqlite_turns.remember(raw, turn)

    @contextmanager
    def elected(self, office: str) -> Iterator[bool]:
        """A lock on a file, which the kernel lets go of when its holder dies."""
        self.locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.locks / f"{office}.office", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            won = True
        except BlockingIOError:
            won = False
        try:
            yield won
        finally:
            os.close(descriptor)

    def announce(self, connection: "Connection") -> None:
        """A file cannot call: who follows looks often enough."""

    def listen(self, woken: Callable[[], None]) -> Callable[[], None]:
        """Never calls: a file cannot."""
        return _nothing

    def ring(self, connection: "Connection", bell: str) -> None:
        """By a file of the bell's own, on this machine."""
        ring(self.locks, bell)

    def hear(self, bell: str, woken: Callable[[], None]) -> Callable[[], None]:
        return hear(self.locks, bell, woken)

    def bring_in_order(self, engine: "Engine") -> None:
        """Every entry has its place from the moment on that it is there."""


def prepare(connection: sqlite3.Connection, *, synchronous: str, busy_milliseconds: int = _BUSY_MILLISECONDS) -> None:
    """Sets up a fresh connection. The WAL mode stays in the file; everything else is the connection's own."""
    connection.execute(f"PRAGMA busy_timeout={busy_milliseconds}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")


def create(path: Path) -> None:
    """Makes an empty database that only its owner may read. An existing one is left alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    if path.stat().st_size == 0:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode=WAL")


def is_intact(path: Path) -> bool:
    """Whether SQLite itself finds nothing wrong with a file."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except sqlite3.DatabaseError:
        return False


def fold(path: Path) -> None:
    """Bring all of a database that nobody has open into its one file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    for left in ("-wal", "-shm"):
        path.with_name(path.name + left).unlink(missing_ok=True)


def _nothing() -> None:
    """There is nothing to end."""


@contextmanager
def transaction(connection: "Connection", begin: str) -> Iterator[None]:
    """Runs the block between BEGIN and COMMIT, and rolls back whatever is left open by an exception."""
    connection.exec_driver_sql(begin)
    try:
        yield
        connection.exec_driver_sql("COMMIT")
    finally:
        raw = connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection) and raw.in_transaction:
            raw.execute("ROLLBACK")


def schema_version(path: Path) -> str:
    """What the last migration left, "" for a database without tables."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return str(row[0]) if row else ""
