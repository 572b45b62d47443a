"""What the two databases have in common, and the one place that chooses between them by the look of an address."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from fairlead.errors import BadInput

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from fairlead.storage.types import Entry, NewTurn

_SQLITE: Final = "sqlite:///"
_POSTGRES: Final = ("postgresql://", "postgres://")

Where = str | Path
"""A path to an SQLite file, a `sqlite:///` URL, or a `postgresql://` URL as libpq reads it."""


class Database(Protocol):
    """A kind of database, as the cold paths use it. Transactions are begun and ended here, not by SQLAlchemy."""

    @property
    def shown(self) -> str:
        """What people are told: without user and password."""

    def exists(self) -> bool:
        """Is there a database that could be opened?"""

    def create(self) -> None:
        """Makes it where there is none, as far as that is ours to do."""

    def schema_version(self) -> str:
        """What the last migration left, "" for a database without tables. Raises Broken where it cannot be asked."""

    def make_engine(self) -> "Engine":
        """An SQLAlchemy engine without transactions of its own. Whoever makes it disposes of it."""

    def close(self) -> None:
        """Lets go of what is kept open beside the engine. It may be used again."""

    def reading(self, connection: "Connection") -> AbstractContextManager[None]:
        """One moment of the database, which waits for no writer."""

    def writing(self, connection: "Connection") -> AbstractContextManager[None]:
        """The only cold-path transaction that writes at this time."""

    def in_turn(self) -> AbstractContextManager[None]:
        """Waits until it is polite to ask for a writing transaction."""

    def wipe(self, connection: "Connection") -> None:
        """Within a writing transaction that deletes keys: what it deletes shall leave no trace in pages."""

    def wiped(self, engine: "Engine", table: str) -> None:
        """After that transaction."""

    def append(self, connection: "Connection", entries: "Sequence[Entry]") -> None:
        """Within a writing transaction: entries of the log that no action of a worker leaves. Without payloads."""

    def remember(self, connection: "Connection", turn: "NewTurn") -> bool:
        """Within a writing transaction: a turn that no action leaves. False where there is nobody to have it."""

    def elected(self, office: str) -> AbstractContextManager[bool]:
        """Whether this process, of all on the database, has an office for as long as the block runs."""

    def announce(self, connection: "Connection") -> None:
        """Within a writing transaction: once it is committed, wake who listens."""

    def listen(self, woken: Callable[[], None]) -> Callable[[], None]:
        """Calls `woken` from a thread whenever something was announced; what is returned ends it."""

    def ring(self, connection: "Connection", bell: str) -> None:
        """After a commit, outside of a transaction: wake who listens for this bell, on any host. Nothing is lost where
        nobody hears it: who listens looks again and again as well."""

    def hear(self, bell: str, woken: Callable[[], None]) -> Callable[[], None]:
        """Calls `woken` from a thread whenever this bell rings; what is returned ends it."""

    def bring_in_order(self, engine: "Engine") -> None:
        """Everything that was acknowledged gets its place in the log before it is read."""


def is_postgres(where: Where) -> bool:
    """By the scheme of the address alone; nothing is asked."""
    return isinstance(where, str) and where.startswith(_POSTGRES)


def database_path(where: Where) -> Path:
    """The file that a path or a `sqlite:///` URL names. Raises BadInput for any other URL."""
    if isinstance(where, Path):
        return where
    if where.startswith(_SQLITE):
        return Path(where.removeprefix(_SQLITE))
    if "://" in where:
        scheme = where.partition("://")[0]
        raise BadInput(
            f"storage.url: {scheme} is not a database that this version can use",
            why="state is kept in SQLite or in PostgreSQL",
            mend="give a path, sqlite:///path/to/state.db, or postgresql://host/name",
            subject="storage.url",
        )
    return Path(where)


def database_at(where: Where, *, synchronous: str = "full") -> Database:
    """The database at an address. Touches nothing yet. Raises BadInput for an address that is none."""
    if is_postgres(where):
        from fairlead.storage.postgres import PostgresDatabase

        return PostgresDatabase(str(where), synchronous=synchronous)
    from fairlead.storage.sqlite import SqliteDatabase

    return SqliteDatabase(database_path(where), synchronous=synchronous)
