"""The writer thread's books: its connection, its worker's lock, and what it need not read again while nobody else
writes. Those on PostgreSQL are in `postgres_journal`."""

import sqlite3
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from fairlead.audit.merkle import Frontier, leaf_hash
from fairlead.clock import Clock
from fairlead.errors import FairleadError, OverBudget
from fairlead.storage.group import Balance, Key, decide
from fairlead.storage.settings import JournalSettings
from fairlead.storage.sqlite import SqliteDatabase
from fairlead.storage.sqlite_journal import SqliteJournal, passes
from fairlead.storage.store import Store
from fairlead.storage.turn import Turn
from fairlead.storage.types import Receipt, Write
from fairlead.storage.worker_lock import WorkerLock

_REMEMBERED: Final = 20_000  # balances; beyond it they are read again


class Books(Protocol):
    """Carries out groups of writes, each in one transaction. For one thread, once made.

    It has the worker's lock for as long as it lives: no hold is ever opened that recovery could take for a dead one's.
    """

    @property
    def pulse(self) -> float | None:
        """After so many seconds without work its thread shall call `check`; None: never."""

    def write(self, writes: Sequence[Write]) -> Sequence[Receipt | OverBudget]:
        """All of it in one transaction, or an exception. What `passes` may then be given again, whole or in part."""

    def passes(self, error: Exception) -> bool:
        """Is this a trouble of the moment, after which the same writes may succeed?"""

    def check(self) -> None:
        """Keep alive what only lives while somebody looks after it."""

    def end(self) -> None:
        """Let go of the database, and of the worker's lock at last. Nothing is written afterwards."""


def open_books(store: Store, worker: str, clock: Clock, settings: JournalSettings, lock_wait: float) -> Books:
    """The books of this worker. Raises Broken if another process lives under the same id."""
    if isinstance(store.database, SqliteDatabase):
        return SqliteBooks(store, worker, clock, settings, lock_wait)
    from fairlead.storage.postgres import PostgresDatabase
    from fairlead.storage.postgres_journal import PostgresBooks

    assert isinstance(store.database, PostgresDatabase)
    return PostgresBooks(store.database, worker, clock, lock_wait=lock_wait)


class SqliteBooks:
    """The books in a file."""

    pulse: float | None = None

    def __init__(self, store: Store, worker: str, clock: Clock, settings: JournalSettings, lock_wait: float) -> None:
        self._database = database = SqliteJournal(
            store.path,
            Turn(store.locks),
            synchronous=settings.synchronous,
            wal_frames=settings.wal_frames,
            lock_wait=lock_wait,
        )
        try:
            self._alive = WorkerLock.take(store.locks, worker)
        except (FairleadError, OSError):
            database.end()
            raise
        self._worker = worker
        self._clock = clock
        self._version = -1
        self._frontier: Frontier | None = None
        self._balances: dict[Key, Balance] = {}

    def passes(self, error: Exception) -> bool:
        """As `sqlite_journal.passes` says; what is no error of SQLite's lasts."""
        return isinstance(error, sqlite3.Error) and passes(error)

    def check(self) -> None:
        """A file needs no looking after."""

    def end(self) -> None:
        self._database.end()
        self._alive.release()

    def write(self, writes: Sequence[Write]) -> list[Receipt | OverBudget]:
        """All of it in one transaction, or nothing and an exception."""
        try:
            return self._write(writes)
        except BaseException:
            self._forget()
            self._database.undo()
            raise

    def _write(self, writes: Sequence[Write]) -> list[Receipt | OverBudget]:
        database = self._database
        version, gone = database.begin([write.close.id for write in writes if write.close is not None])
        if version != self._version or len(self._balances) > _REMEMBERED:
            self._forget()
            self._version = version
        if self._frontier is None:
            self._frontier = database.frontier()
        decision = decide(writes, gone, self._frontier.size, self._balance)
        if decision.touched:
            database.set_balances(decision.touched.items())
        if decision.opened:
            database.open_holds(decision.opened, self._worker, self._clock.now())
        if decision.entries:
            grown = self._frontier.extend([leaf_hash(entry.record) for entry in decision.entries])
            database.append(self._frontier.size, decision.entries, grown)
            self._frontier = grown
        for number, write in enumerate(writes):
            if write.remembers:
                self._remember(write, number, decision.answers)
        database.commit()
        return decision.answers

    def _remember(self, write: Write, number: int, answers: list[Receipt | OverBudget]) -> None:
        answer = answers[number]
        if isinstance(answer, Receipt) and answer.closed and not self._database.remember(write):
            answers[number] = replace(answer, remembered=False)

    def _balance(self, key: Key) -> Balance:
        balance = self._balances.get(key)
        if balance is None:
            balance = self._balances[key] = self._database.balance(key)
        return balance

    def _forget(self) -> None:
        self._version = -1
        self._frontier = None
        self._balances.clear()
