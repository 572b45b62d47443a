"""The journal's own connection to SQLite: a few statements, prepared once, each for a whole group of writes."""

import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import msgpack

from fairlead.audit.merkle import Frontier
from fairlead.storage import sqlite, sqlite_turns
from fairlead.storage.group import Balance, Key
from fairlead.storage.turn import Turn
from fairlead.storage.types import Entry, Hold, Write

_CLOSE: Final = "DELETE FROM hold WHERE id IN ({})"
_OPEN: Final = "INSERT INTO hold (id, worker, opened_at, amount, limits, intent) VALUES {}"
_APPEND: Final = "INSERT INTO log (seq, run, at, record, spans) VALUES {}"
_KEEP: Final = "INSERT INTO payload (seq, subject, ciphertext) VALUES {}"
_BALANCE: Final = "SELECT held, spent, extra, passed, told FROM budget WHERE scope = ? AND period = ?"
_SET_BALANCE: Final = (
    "INSERT INTO budget (scope, period, held, spent, passed, told) VALUES {} ON CONFLICT (scope, period)"
    " DO UPDATE SET held = excluded.held, spent = excluded.spent, passed = excluded.passed, told = excluded.told"
)
_TREE: Final = "SELECT peaks FROM tree WHERE id = 1"
_SET_TREE: Final = (
    "INSERT INTO tree (id, size, peaks) VALUES (1, ?, ?) ON CONFLICT (id)"
    " DO UPDATE SET size = excluded.size, peaks = excluded.peaks"
)

# Errors that pass by themselves or by a hand from outside: tried again. Everything else is the write's own fault.
_PASSING: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    )
)

_FIRST_PAUSE: Final = 0.0002
_LONGEST_PAUSE: Final = 0.002

# The most rows that one statement takes. Every count up to it is a statement of its own, and all of them stay prepared:
# six tables' worth.
_ROWS: Final = 16
_PREPARED: Final = 6 * _ROWS + 16


@cache
def _repeated(statement: str, row: str, count: int) -> str:
    """The statement with so many rows of parameters: always the same text object, which is looked up the fastest."""
    return statement.format(", ".join((row,) * count))


_encode_limits = msgpack.Encoder().encode


def passes(error: sqlite3.Error) -> bool:
    """Is this a trouble of the moment (a lock, a full disk), after which the same transaction may succeed?"""
    return _is(error, *_PASSING)


def _is(error: sqlite3.Error, *codes: int) -> bool:
    # Errors that Python raises by itself, such as "too many parameters", have no code.
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in codes


class SqliteJournal:
    """A connection that one thread uses. All methods but `begin` and `end` need an open transaction."""

    def __init__(self, path: Path, turn: Turn, *, synchronous: str, wal_frames: int, lock_wait: float) -> None:
        self._turn = turn
        self._lock_wait = lock_wait
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=_PREPARED
        )
        sqlite.prepare(self._connection, synchronous=synchronous)
        self._connection.execute("PRAGMA busy_timeout=0")  # `_lock` waits instead
        self._connection.execute(f"PRAGMA wal_autocheckpoint={wal_frames}")
        self._execute = self._connection.execute

    def begin(self, closing: Sequence[str] = ()) -> tuple[int, Collection[str]]:
        """Takes the write lock and deletes these holds, which must differ.

        Returns a number that moves whenever somebody else has changed the database, and the ids of holds that were not
        there: somebody had settled them before.
        """
        gone: Collection[str] = ()
        self._lock()
        if closing and self._write(_CLOSE, "?", [(id,) for id in closing]) < len(closing):
            # Rare, and nothing else has been done: begin again and look at each.
            self.undo()
            self._lock()
            gone = {id for id in closing if self._write(_CLOSE, "?", [(id,)]) == 0}
        version: int = self._execute("PRAGMA data_version").fetchone()[0]
        return version, gone

    def _lock(self) -> None:
        """Waits for its turn, and then, in short steps, for whoever writes out of turn."""
        self._turn.take()
        pause, waited = _FIRST_PAUSE, 0.0
        while True:
            try:
                self._execute(sqlite.WRITE)
                return
            except sqlite3.OperationalError as error:
                if not _is(error, sqlite3.SQLITE_BUSY) or waited >= self._lock_wait:
                    raise
            time.sleep(pause)
            waited += pause
            pause = min(_LONGEST_PAUSE, pause * 1.5)

    def _write(self, statement: str, row: str, rows: Sequence[tuple[object, ...]]) -> int:
        """Many rows in one statement: each lets go of the interpreter, and a busy event loop is slow to return it."""
        changed = 0
        for at in range(0, len(rows), _ROWS):
            some = rows[at : at + _ROWS]
            values = [value for values in some for value in values]
            changed += self._execute(_repeated(statement, row, len(some)), values).rowcount
        return changed

    def commit(self) -> None:
        self._execute("COMMIT")
        self._turn.give()

    def undo(self) -> None:
        """Leaves whatever transaction an error has left open."""
        try:
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
        finally:
            self._turn.give()

    def end(self) -> None:
        self._connection.close()
        self._turn.end()

    def open_holds(self, holds: Iterable[Hold], worker: str, now: int) -> None:
        rows = [(h.id, worker, now, h.amount, _encode_limits(h.limits), h.intent) for h in holds]
        self._write(_OPEN, "(?, ?, ?, ?, ?, ?)", rows)

    def remember(self, write: Write) -> bool:
        """Keeps a turn of a conversation, a step of a flow, an outcome, a correction or what a workflow has done. False
        where its person, its conversation or its run is gone."""
        if write.turn is not None and not sqlite_turns.remember(self._connection, write.turn):
            return False
        if write.outcome is not None and not sqlite_turns.judge(self._connection, write.outcome):
            return False
        if write.example is not None and not sqlite_turns.teach(self._connection, write.example):
            return False
        if write.result is not None and not sqlite_turns.finish(self._connection, write.result):
            return False
        return write.step is None or sqlite_turns.keep(self._connection, write.step)

    def balance(self, key: Key) -> Balance:
        row = self._execute(_BALANCE, key).fetchone()
        return Balance(*row) if row else Balance()

    def set_balances(self, balances: Iterable[tuple[Key, Balance]]) -> None:
        rows = [(*key, b.held, b.spent, b.passed, b.told) for key, b in balances]
        self._write(_SET_BALANCE, "(?, ?, ?, ?, ?, ?)", rows)

    def frontier(self) -> Frontier:
        row = self._execute(_TREE).fetchone()
        return Frontier.from_bytes(row[0]) if row else Frontier()

    def append(self, first: int, entries: Sequence[Entry], frontier: Frontier) -> None:
        """Adds entries to the log from index `first` on, with the payloads they seal, and moves the tree's head."""
        rows = [(seq, e.run, e.at, e.record, e.spans) for seq, e in enumerate(entries, first)]
        self._write(_APPEND, "(?, ?, ?, ?, ?)", rows)
        sealed = [(seq, e.payload) for seq, e in enumerate(entries, first) if e.payload is not None]
        if sealed:
            self._write(_KEEP, "(?, ?, ?)", [(seq, payload.subject, payload.ciphertext) for seq, payload in sealed])
        self._execute(_SET_TREE, (frontier.size, frontier.to_bytes()))
