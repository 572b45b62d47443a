"""PostgreSQL, as the person: its own rights and row policies decide, whatever statement arrives.

A read is a cursor in a transaction that only reads, fetched in portions, so that neither rows nor bytes pile up here. A
cursor can be opened for one SELECT and for nothing else.
"""

import asyncio
import select
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fairlead.clock import Clock
from fairlead.errors import BadInput, DeadlineExceeded
from fairlead.tools.failures import NotAuthorised, SystemFailed
from fairlead.tools.settings import SqlSettings
from fairlead.tools.sql_address import address_of
from fairlead.tools.sql_logins import Logins
from fairlead.tools.sql_postgresql_login import log_in
from fairlead.tools.sql_postgresql_values import adapted, sent
from fairlead.tools.sql_queries import Query
from fairlead.tools.sql_rows import Rows, failed, too_large
from fairlead.tools.sql_statement import Restriction
from fairlead.tools.types import Credential, SystemCall, ToolResult

if TYPE_CHECKING:
    import psycopg

_MOST_LOGINS: Final = 64  # of one worker, for everybody together
_EACH: Final = 4  # for one person and credential
_GRACE_S: Final = 0.25  # the server ends a statement by itself; if it does not, we leave
_AT_ONCE: Final = 64 << 20  # bytes of one portion at the very most
_FIRST: Final = 8  # rows of the first portion

_MARK: Final = "fairlead: this row is too large"

_BEGIN_READ: Final = "BEGIN READ ONLY; SET LOCAL statement_timeout = {wait}; SET LOCAL lock_timeout = {wait}"
_BEGIN_WRITE: Final = "BEGIN READ WRITE; SET LOCAL statement_timeout = {wait}; SET LOCAL lock_timeout = {wait}"
# Whoever may create functions or operators must not be able to slip theirs under a name that was checked.
_BUILT_IN_ONLY: Final = "; SET LOCAL search_path = pg_catalog, pg_temp"
# A row is measured where it is made: one of a gigabyte never comes here. An error that names us is how SQL can say it.
_CURSOR: Final = (
    'DECLARE "fairlead rows" NO SCROLL CURSOR FOR SELECT "fairlead row".* FROM (\n{text}\n) AS "fairlead row"'
    ' WHERE CASE WHEN pg_catalog.octet_length("fairlead row"::pg_catalog.text) > {most}'
    " THEN ('fairlead: this row is too large' OPERATOR(pg_catalog.||)"
    ' pg_catalog.octet_length("fairlead row"::pg_catalog.text)::pg_catalog.text)::pg_catalog.int4'
    " OPERATOR(pg_catalog.=) 0 ELSE TRUE END"
)
_FETCH: Final = 'FETCH FORWARD {count} FROM "fairlead rows"'

_GONE: Final = ("08", "53", "57P", "58", "XX", "F0")
_NO_RIGHT: Final = ("28", "42501")


class _Session:
    """One connection, as `Logins` keeps it."""

    def __init__(self, connection: "psycopg.AsyncConnection[Any]") -> None:
        self.connection = connection
        self.committing = False

    def is_fit(self) -> bool:
        from psycopg.pq import TransactionStatus

        server = self.connection.pgconn
        if self.connection.closed or server.transaction_status != TransactionStatus.IDLE:
            return False
        waiting = select.poll()  # a server says nothing to a session that is idle, unless it has ended it
        waiting.register(server.socket, select.POLLIN)
        return not waiting.poll(0)

    def close(self) -> None:
        self.connection.pgconn.finish()


class _Course:
    """How far a call has come."""

    session: _Session | None = None


class PostgresqlDatabase:
    """One database, for all persons who come to it."""

    def __init__(self, name: str, settings: SqlSettings, clock: Clock) -> None:
        self._name = name
        self._address = address_of(settings.url, f"systems.{name}.url")
        self._most_rows = settings.most_rows
        self._clock = clock
        self._adapters = adapted()
        self._ending: set[asyncio.Future[ToolResult]] = set()
        self.logins = Logins(self._opened, clock, most=_MOST_LOGINS, each=min(_EACH, settings.at_once))

    async def select(self, text: str, restriction: Restriction, call: SystemCall) -> ToolResult:
        """A statement that has been restricted, with nothing in reach but what PostgreSQL itself brings."""

        async def work(session: _Session) -> ToolResult:
            return await self._read(session, text, None, call, _BEGIN_READ + _BUILT_IN_ONLY)

        return await self._within(call, work)

    async def query(self, query: Query, call: SystemCall) -> ToolResult:
        """A declared query. What writes is one transaction: it is done as a whole, or not at all."""
        values = {
            name: sent(value) for name, value in query.values(call.arguments, call.person, call.idempotency_key).items()
        }
        text = query.text("%({})s", quoted=True)

        async def work(session: _Session) -> ToolResult:
            if query.reads:
                return await self._read(session, text, values, call, _BEGIN_READ)
            return await self._write(session, text, values, call)

        return await self._within(call, work)

    async def close(self) -> None:
        self.logins.close()

    async def _opened(self, credential: Credential) -> _Session:
        return _Session(await log_in(self._address, credential, self._name, self._adapters))

    async def _within(self, call: SystemCall, work: Callable[[_Session], Awaitable[ToolResult]]) -> ToolResult:
        """Does it with a login of this person's, until the deadline. A server that does not even let go of a statement
        then keeps its connection waiting, and not the caller."""
        course = _Course()

        async def done() -> ToolResult:
            async with self.logins.taken(call.person, call.credential) as session:
                course.session = session
                return await work(session)

        task = asyncio.ensure_future(done())
        try:
            await asyncio.wait((task,), timeout=self._left(call) + _GRACE_S)
        finally:
            if not task.done():
                task.cancel()
                self._ending.add(task)
                task.add_done_callback(self._ended)
        if task.done():
            return task.result()
        raise self._late("unknown" if course.session is not None and course.session.committing else "no")

    def _ended(self, task: "asyncio.Future[ToolResult]") -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked has been told already

    async def _read(
        self, session: _Session, text: str, values: Mapping[str, Any] | None, call: SystemCall, begin: str
    ) -> ToolResult:
        import psycopg

        most = 2 * call.most_bytes + 1024  # of a row as text, where quotes are doubled
        connection = session.connection
        try:
            await connection.execute(begin.format(wait=self._milliseconds(call)))
            await connection.execute(_CURSOR.format(text=text, most=most), values)
            rows = await self._fetched(connection, call, most)
            return rows.result()
        except (psycopg.Error, UnicodeError) as error:
            return self._told(error, "no")
        finally:
            await self._undone(session)

    async def _fetched(self, connection: "psycopg.AsyncConnection[Any]", call: SystemCall, most: int) -> Rows:
        rows: Rows | None = None
        while True:
            wanted = _FIRST if rows is None else rows.portion()
            count = max(1, min(wanted, _AT_ONCE // most))
            cursor = await connection.execute(_FETCH.format(count=count))
            portion = await cursor.fetchall()
            if rows is None:
                rows = Rows(_columns(cursor), self._most_rows, call.most_bytes, self._name)
            if not rows.take(portion) or len(portion) < count:
                return rows

    async def _write(self, session: _Session, text: str, values: Mapping[str, Any], call: SystemCall) -> ToolResult:
        import psycopg

        connection = session.connection
        try:
            await connection.execute(_BEGIN_WRITE.format(wait=self._milliseconds(call)))
            cursor = await connection.execute(text, values)
            rows = Rows(_columns(cursor), self._most_rows, call.most_bytes, self._name)
            if cursor.description is not None:
                rows.take(await cursor.fetchall())
            session.committing = True  # from here on only the server knows
            await connection.execute("COMMIT")
            return rows.result(changed=max(cursor.rowcount, 0))
        except (psycopg.Error, UnicodeError) as error:
            refused = isinstance(error, psycopg.Error) and error.sqlstate and not connection.closed
            return self._told(error, "unknown" if session.committing and not refused else "no")
        finally:
            await self._undone(session)
            session.committing = False

    async def _undone(self, session: _Session) -> None:
        """Rolls back; a connection on which that does not work ends here, and the server rolls back."""
        import psycopg
        from psycopg.pq import TransactionStatus

        waiting = session.connection.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)
        try:
            if waiting and not session.connection.closed:
                await session.connection.execute("ROLLBACK")
        except (psycopg.Error, asyncio.CancelledError):
            session.close()

    def _told(self, error: "psycopg.Error | UnicodeError", charged: str) -> ToolResult:
        """What an error of the database means: an answer, or a failure that is raised."""
        state = getattr(error, "sqlstate", "") or ""
        diagnosis = getattr(error, "diag", None)
        said = (diagnosis and diagnosis.message_primary) or str(error)
        if _MARK in said:
            raise too_large(self._name) from None
        if state.startswith(_NO_RIGHT):
            raise NotAuthorised(
                f"{self._name} does not let this person do it",
                why=said,
                mend="ask the owner of the database for the right",
                subject=self._name,
                retryable=False,
            ) from None
        if state == "57014":
            raise self._late("no") from None
        if state and not state.startswith(_GONE):
            return failed(said, state)
        if not state and not _is_lost(error):
            raise BadInput(f"{self._name} cannot take these values", why=said, mend="send plain values") from None
        raise SystemFailed(
            f"{self._name} broke off",
            why=said,
            mend="look whether the change was made before calling again" if charged == "unknown" else "call again",
            subject=self._name,
            retryable=charged == "no",
            charged=charged,
        ) from None

    def _late(self, charged: str) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"{self._name} took too long",
            mend=f"ask for less, or raise systems.{self._name}.timeout",
            subject=self._name,
            retryable=False,
            charged=charged,
        )

    def _left(self, call: SystemCall) -> float:
        left = call.deadline - self._clock.monotonic()
        if left <= 0:
            raise self._late("no")
        return left

    def _milliseconds(self, call: SystemCall) -> int:
        return max(1, int(self._left(call) * 1000))


def _columns(cursor: "psycopg.AsyncCursor[Any]") -> list[str]:
    return [column.name for column in cursor.description or ()]


def _is_lost(error: Exception) -> bool:
    import psycopg

    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | psycopg.InternalError)
