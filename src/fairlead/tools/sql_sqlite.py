"""A SQLite file: opened anew for each call, in a thread, for reading only unless the call writes.

A file knows no persons, so who may do what is up to policies, and to `:person` in declared queries.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.errors import BadInput, DeadlineExceeded
from fairlead.tools.failures import SystemFailed
from fairlead.tools.settings import SqlSettings
from fairlead.tools.sql_queries import Query
from fairlead.tools.sql_rows import Rows, failed, too_large
from fairlead.tools.sql_statement import OURS, Restriction
from fairlead.tools.types import SystemCall, ToolResult

_LOOK_EVERY: Final = 10_000  # steps of SQLite's machine: well under a millisecond
_LOCK_WAIT_S: Final = 5.0
_OPERATORS: Final = frozenset(("like", "glob", "->", "->>"))  # to SQLite these are functions
# Whatever the workspace's own text says: other files, settings and code stay outside.
_NEVER: Final = frozenset((sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA))
_UNREACHABLE: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM,
    )
)  # fmt: skip

Guard = Callable[[sqlite3.Connection], Callable[..., int]]


class SqliteFile:
    """One file, for all calls of one system."""

    def __init__(self, name: str, path: Path, settings: SqlSettings, clock: Clock) -> None:
        self._name = name
        self._path = path
        self._most_rows = settings.most_rows
        self._clock = clock
        self._threads = ThreadPoolExecutor(max_workers=settings.at_once, thread_name_prefix=f"sql-{name}")

    async def select(self, text: str, restriction: Restriction, call: SystemCall) -> ToolResult:
        """A statement that has been restricted. SQLite asks at every table and function whether it may."""
        return await self._in_thread(call, text, {}, True, partial(_guard, restriction))

    async def query(self, query: Query, call: SystemCall) -> ToolResult:
        """A declared query. What writes is one transaction: it is done as a whole, or not at all."""
        values = {
            name: _bound(name, value)
            for name, value in query.values(call.arguments, call.person, call.idempotency_key).items()
        }
        return await self._in_thread(call, query.text(":{}", quoted=False), values, query.reads, lambda _: _own_text)

    async def close(self) -> None:
        """Threads that still work end at their calls' deadlines."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(
        self, call: SystemCall, text: str, values: Mapping[str, Any], reads: bool, guard: Guard
    ) -> ToolResult:
        left = _Left(self._clock, call.deadline)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._run, call, text, values, reads, guard, left)
        finally:
            left.given_up = True  # a thread cannot be stopped, SQLite's work in it can

    def _run(
        self,
        call: SystemCall,
        text: str,
        values: Mapping[str, Any],
        reads: bool,
        guard: Guard,
        left: "_Left",
    ) -> ToolResult:
        try:
            with self._opened(call, reads, guard, left) as connection:
                if not reads:
                    connection.execute("BEGIN IMMEDIATE")
                connection.set_authorizer(guard(connection))
                result = self._rows(connection, call, text, values, reads)
                connection.set_authorizer(None)
                if not reads:
                    self._commit(connection)
                return result
        except sqlite3.Error as error:
            return self._told(error)
        except (sqlite3.Warning, OverflowError, UnicodeError) as error:
            raise BadInput(f"{call.tool.name}: {error}", mend="send one statement, and values that fit") from None

    @contextmanager
    def _opened(self, call: SystemCall, reads: bool, guard: Guard, left: "_Left") -> Iterator[sqlite3.Connection]:
        seconds = left.seconds()
        if seconds <= 0:
            raise _late(self._name)
        where = f"{self._path.absolute().as_uri()}?mode={'ro' if reads else 'rw'}"
        wait = min(seconds, _LOCK_WAIT_S)
        with closing(sqlite3.connect(where, uri=True, timeout=wait, isolation_level=None)) as connection:
            connection.text_factory = _decoded
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            if reads:
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(call.most_bytes, len(where), 1 << 16))
            connection.set_progress_handler(left.is_over, _LOOK_EVERY)
            yield connection

    def _rows(
        self, connection: sqlite3.Connection, call: SystemCall, text: str, values: Mapping[str, Any], reads: bool
    ) -> ToolResult:
        cursor = connection.execute(text, values)
        columns = [each[0] for each in cursor.description or ()]
        rows = Rows(columns, self._most_rows, call.most_bytes, self._name)
        while columns and (portion := cursor.fetchmany(rows.portion())):
            if not rows.take(portion):
                break
        if reads:
            return rows.result()
        cursor.fetchall()  # a write is done once its last row has been asked for
        return rows.result(changed=max(cursor.rowcount, 0))

    def _commit(self, connection: sqlite3.Connection) -> None:
        connection.set_progress_handler(None, 0)
        try:
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            in_doubt = _code(error) == sqlite3.SQLITE_IOERR
            raise SystemFailed(
                f"{self._name} did not confirm the change",
                why=str(error),
                mend="look whether it was made before calling again",
                subject=self._name,
                retryable=False,
                charged="unknown" if in_doubt else "no",
            ) from error

    def _told(self, error: sqlite3.Error) -> ToolResult:
        code = _code(error)
        if code == sqlite3.SQLITE_INTERRUPT:
            raise _late(self._name) from None
        if code == sqlite3.SQLITE_TOOBIG:
            raise too_large(self._name) from None
        if code in _UNREACHABLE:
            raise SystemFailed(
                f"{self._name} cannot be read or written just now",
                why=str(error),
                mend=f"look at the file that systems.{self._name}.url names",
                subject=self._name,
            ) from None
        return failed(str(error), getattr(error, "sqlite_errorname", ""))


class _Left:
    """The time that is left, asked from the thread that works."""

    def __init__(self, clock: Clock, deadline: float) -> None:
        self._clock = clock
        self._deadline = deadline
        self.given_up = False

    def seconds(self) -> float:
        return 0.0 if self.given_up else self._deadline - self._clock.monotonic()

    def is_over(self) -> bool:
        return self.seconds() <= 0


def _guard(restriction: Restriction, connection: sqlite3.Connection) -> Callable[..., int]:
    """SQLite's own look at a statement: every table that it opens and every function that it calls.

    What a view reads is read for the view. SQLite says so of a subquery in WITH as well, so the views are asked for.
    """
    tables = frozenset((schema, name.lower()) for schema, name in restriction.tables)
    found = connection.execute("SELECT lower(name) FROM sqlite_master WHERE type = 'view'").fetchall()
    views = frozenset(name for (name,) in found if ("main", name) in tables)
    functions = restriction.functions | _OPERATORS

    def judged(action: int, first: str | None, second: str | None, schema: str | None, view: str | None) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            name = (first or "").lower()
            seen = (schema or "main", name) in tables or (view or "").lower() in views or name.startswith(OURS)
            return sqlite3.SQLITE_OK if seen else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in functions:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    return judged


def _own_text(action: int, first: str | None, second: str | None, schema: str | None, view: str | None) -> int:
    code = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() == "load_extension"
    return sqlite3.SQLITE_DENY if code or action in _NEVER else sqlite3.SQLITE_OK


def _bound(name: str, value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise BadInput(f"{name} is too large a number for SQLite", param=name)
    return value


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _late(name: str) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"{name} took too long", mend=f"ask for less, or raise systems.{name}.timeout", subject=name, retryable=False
    )
