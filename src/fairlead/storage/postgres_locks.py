"""Who lives, on PostgreSQL: each worker's journal session holds an advisory lock, which the server lets go of when the
session ends, however it ends.

A session can end though its worker lives: the server was restarted, a connection was cut. The worker then takes the
lock again within seconds. So a worker counts as dead only if its lock was free at two looks with `grace` seconds
between them, and at every look that was taken in between.
"""

from typing import TYPE_CHECKING, Any, Final

from fairlead.storage import postgres

if TYPE_CHECKING:
    import psycopg

TRY_LOCK: Final = "SELECT pg_try_advisory_lock(%s)"
_FORGET: Final = "DELETE FROM last_group WHERE worker = %s"
_KNOWN: Final = "SELECT worker FROM last_group"
_GRACE: Final = 8.0


def lock_number(worker: str) -> int:
    """The advisory lock that tells that a worker lives."""
    return postgres.number_of(f"fairlead worker {worker}")


class SessionLock:
    """A dead worker's lock, held by who settles for it."""

    def __init__(self, connection: "psycopg.Connection[Any]", worker: str) -> None:
        self._connection = connection
        self._worker = worker

    def release(self) -> None:
        """Forgets the worker, and lets go."""
        with self._connection as connection:
            connection.execute(_FORGET, (self._worker,))


class SessionLocks:
    """Looks for dead workers from one process."""

    def __init__(self, database: postgres.PostgresDatabase, grace: float = _GRACE) -> None:
        self.grace = grace
        self._database = database
        self._free_since: dict[str, float] = {}

    def known(self) -> list[str]:
        """The workers that have written, and have not ended well."""
        with self._database.spare.lent() as connection:
            return [worker for (worker,) in connection.execute(_KNOWN)]

    def seize(self, worker: str, now: float) -> SessionLock | None:
        """The lock of a worker that is dead, None of one that lives or may do so yet."""
        connection = postgres.connect(self._database.url, name="fairlead recovery")
        try:
            free = connection.execute(TRY_LOCK, (lock_number(worker),)).fetchone()
            if free is not None and free[0]:
                if now - self._free_since.setdefault(worker, now) >= self.grace:
                    del self._free_since[worker]
                    return SessionLock(connection, worker)
            else:
                self._free_since.pop(worker, None)
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None
