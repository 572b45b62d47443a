"""PostgreSQL for the cold paths, and what every connection to it is told. SQL that only PostgreSQL understands stands
here, in the other modules named `postgres_…`, and in the migrations.

psycopg is an extra: it is imported when the first connection is made.
"""

import select
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from fairlead.errors import BadInput, Broken
from fairlead.storage import postgres_turns
from fairlead.storage.postgres_spare import Spare
from fairlead.storage.types import Entry, NewTurn, Write

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection, Engine

CHANNEL: Final = "fairlead"
# A server that vanished without a word is noticed after some ten seconds.
_SOCKET: Final = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_OLDEST: Final = 130000  # as libpq numbers servers: PostgreSQL 13

# A client that vanished without a word must not keep its locks: the server looks after half a minute.
_SESSION: Final = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;"
    " SET lock_timeout = '{lock}ms'; SET idle_in_transaction_session_timeout = '60s'; SET timezone = 'UTC';"
    " SET default_transaction_read_only = off; SET synchronous_commit = {commit}"
)
_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Cold-path writers follow one another, as they do on SQLite: what is read in a writing transaction stays true in it.
# One whose process stands still in the midst of that keeps all hosts from renewing their leases: the server ends it.
_WRITE: Final = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL idle_in_transaction_session_timeout = '20s';"
    " SELECT pg_advisory_xact_lock(hashtext('fairlead'), 2)"
)
_ARRIVE: Final = (
    "INSERT INTO arrived (run, at, record, spans, subject, ciphertext) VALUES (%s, %s, %s, %s, '', ''::bytea)"
)
_OFFICE: Final = "SELECT pg_try_advisory_lock(%s)"
_GIVE_BACK: Final = "SELECT pg_advisory_unlock(%s)"
_LAST_ARRIVED: Final = "SELECT max(ticket) FROM arrived"
_ARRIVED: Final = "SELECT EXISTS (SELECT 1 FROM arrived WHERE ticket <= %s)"
_SEQUENCE: Final = "SELECT fairlead_sequence(5000)"
_LOCK_WAIT: Final = 5000  # milliseconds
_SEQUENCE_TRIES: Final = 500
_SEQUENCE_PAUSE: Final = 0.02


def connect(
    url: str, *, name: str, synchronous: str = "full", lock_wait: int = _LOCK_WAIT
) -> "psycopg.Connection[Any]":
    """A connection that commits each statement by itself. `name` is what the server shows of it.

    Raises psycopg.OperationalError while the server cannot be reached, BadInput where psycopg is missing.
    """
    libpq = driver()
    try:
        connection: psycopg.Connection[Any] = libpq.connect(url, autocommit=True, application_name=name, **_SOCKET)
    except libpq.ProgrammingError:  # it would show the address, with the password
        raise BadInput(
            f"{shown(url)} is no address that PostgreSQL understands",
            mend="write postgresql://USER@HOST:PORT/NAME, with letters such as @ and / in a password as %40 and %2F",
            subject="storage.url",
        ) from None
    connection.execute(_SESSION.format(lock=lock_wait, commit="on" if synchronous == "full" else "off"))
    return connection


def driver() -> Any:
    """The module psycopg. Raises BadInput with the mend where it is not installed."""
    try:
        import psycopg
    except ImportError as missing:
        raise BadInput(
            "a PostgreSQL database needs psycopg, which is not installed",
            why=str(missing),
            mend="pip install 'fairlead[postgres]'",
            subject="storage.url",
        ) from missing
    return psycopg


def number_of(text: str) -> int:
    """The number that stands for a name where PostgreSQL takes only numbers, as for advisory locks."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big", signed=True)


def shown(url: str) -> str:
    """The address for people: server and name, neither user nor password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the address in storage.url"
    return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


class PostgresDatabase:
    """A database on a server. It must exist, and be ours alone."""

    def __init__(self, url: str, *, synchronous: str = "full") -> None:
        self.url = url
        self.synchronous = synchronous
        self.shown = shown(url)
        self.spare = Spare(lambda: connect(url, name="fairlead offices", synchronous=synchronous), _lives)

    def close(self) -> None:
        """Let go of what is kept open. It may be used again."""
        self.spare.close()

    def exists(self) -> bool:
        """Always: whether it can be reached is told by asking it."""
        return True  # whether it can be reached is told by asking it

    def create(self) -> None:
        """Raises BadInput if the server is too old, Broken if it does not answer. Databases are made by who runs it."""
        with self._asking() as connection:
            version = connection.info.server_version
        if version < _OLDEST:
            raise BadInput(f"{self.shown} is PostgreSQL {version // 10000}", mend="use PostgreSQL 13 or later")

    def schema_version(self) -> str:
        with self._asking() as connection:
            known = connection.execute("SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
        return str(row[0]) if row else ""

    def make_engine(self) -> "Engine":
        from sqlalchemy import create_engine, event

        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(self.url, name="fairlead", synchronous=self.synchronous),
            isolation_level="AUTOCOMMIT",
        )
        event.listen(engine, "checkout", _refuse_ended)
        return engine

    def reading(self, connection: "Connection") -> AbstractContextManager[None]:
        return _transaction(connection, _READ)

    def writing(self, connection: "Connection") -> AbstractContextManager[None]:
        return _transaction(connection, _WRITE)

    def in_turn(self) -> AbstractContextManager[None]:
        """At once: the server itself keeps those who wait for its locks in order."""
        return nullcontext()

    def wipe(self, connection: "Connection") -> None:
        """Deleting leaves the row in its page for now: see `wiped`."""

    def wiped(self, engine: "Engine", table: str) -> None:
        """Writes the table anew without what was deleted. Copies in the server's own log and backups are not ours."""
        with engine.connect() as connection:
            connection.exec_driver_sql(f"VACUUM (FULL) {table}")

    def append(self, connection: "Connection", entries: Sequence[Entry]) -> None:
        """They arrive like those of workers, and get their places behind them."""
        for entry in entries:
            connection.exec_driver_sql(_ARRIVE, (entry.run, entry.at, entry.record, entry.spans))

    def remember(self, connection: "Connection", turn: NewTurn) -> bool:
        raw: Any = connection.connection.driver_connection
        return postgres_turns.remember(raw, Write(turn=turn))

    @contextmanager
    def elected(self, office: str) -> Iterator[bool]:
        """An advisory lock of a session that nobody else uses meanwhile: it ends with its holder."""
        number = number_of(f"fairlead office {office}")
        with self.spare.lent() as session:
            row = session.execute(_OFFICE, (number,)).fetchone()
            mine = bool(row and row[0])
            yield mine
            if mine:
                session.execute(_GIVE_BACK, (number,))

    def announce(self, connection: "Connection") -> None:
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")

    def listen(self, woken: Callable[[], None]) -> Callable[[], None]:
        from fairlead.storage.postgres_wake import Listener

        return Listener(self, woken, CHANNEL).close

    def ring(self, connection: "Connection", bell: str) -> None:
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}_{bell}")

    def hear(self, bell: str, woken: Callable[[], None]) -> Callable[[], None]:
        from fairlead.storage.postgres_wake import Listener

        return Listener(self, woken, f"{CHANNEL}_{bell}").close

    def bring_in_order(self, engine: "Engine") -> None:
        """Workers do this all the time; whoever reads just after a write, or without any worker, does it too, for what
        has come so far: more may come as fast as it gets its places."""
        with engine.connect() as connection:
            last = connection.exec_driver_sql(_LAST_ARRIVED).scalar()
            for _ in range(_SEQUENCE_TRIES):
                if last is None or not connection.exec_driver_sql(_ARRIVED, (last,)).scalar():
                    return
                if (connection.exec_driver_sql(_SEQUENCE).scalar() or 0) < 0:
                    time.sleep(_SEQUENCE_PAUSE)

    @contextmanager
    def _asking(self) -> "Iterator[psycopg.Connection[Any]]":
        psycopg = driver()
        try:
            with connect(self.url, name="fairlead") as connection:
                yield connection
        except psycopg.Error as error:
            raise unreachable(self.shown, error) from error


def unreachable(where: str, error: BaseException) -> Broken:
    """What is raised where the server does not answer, refuses, or cuts the connection."""
    return Broken(
        f"the state database at {where} cannot be used just now",
        why=" ".join(str(error).split()),
        mend="see whether the server runs and lets this user in, and whether the database exists",
        subject=where,
    )


def run_script(connection: "Connection", script: str) -> None:
    """Several statements at once, as in a file."""
    raw: Any = connection.connection.driver_connection
    raw.execute(script)


@contextmanager
def _transaction(connection: "Connection", begin: str) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    idle = driver().pq.TransactionStatus.IDLE
    if not connection.in_transaction():
        connection.begin()  # it says nothing to the server; whoever asks SQLAlchemy (Alembic) shall hear of ours
    try:
        _say(raw, begin)
        yield
        _say(raw, "COMMIT")
    finally:
        if not raw.closed and raw.info.transaction_status != idle:
            raw.execute("ROLLBACK")


def _say(raw: "psycopg.Connection[Any]", statement: str) -> None:
    """What has no arguments and no answer, straight to libpq: a tenth of the work of a cursor. Raises as SQLAlchemy."""
    from sqlalchemy.exc import DBAPIError

    psycopg = driver()
    try:
        result = raw.pgconn.exec_(statement.encode())
        if result.status not in (psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK):
            raise psycopg.errors.error_from_result(result)
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error) from error


def _refuse_ended(raw: "psycopg.Connection[Any]", *_: object) -> None:
    """The pool makes another connection in the place of one that has ended."""
    from sqlalchemy.exc import DisconnectionError

    if not _lives(raw):
        raise DisconnectionError("the server has ended it")


def _lives(raw: "psycopg.Connection[Any]") -> bool:
    """Whether a session that was quiet lives. A server says nothing unasked before it ends one: so it is asked only
    where something came."""
    from sqlalchemy.exc import DBAPIError

    try:
        came = select.poll()
        came.register(raw.fileno(), select.POLLIN)
        if came.poll(0):
            _say(raw, ";")
    except (DBAPIError, driver().Error):
        return False
    return True


def passes(error: Exception) -> bool:
    """Is this a trouble of the moment (a lost connection, a lock, a full disk), after which the same may succeed?"""
    psycopg = driver()
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | psycopg.errors.ReadOnlySqlTransaction)
