"""Sessions for what is asked again and again outside the pool, such as who has an office: a new one costs a server some
milliseconds, so one that was given back is kept for the next who asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import finalize

if TYPE_CHECKING:
    import psycopg


class Spare:
    """Of one process, after any fork, for any of its threads."""

    def __init__(
        self,
        connect: "Callable[[], psycopg.Connection[Any]]",
        lives: "Callable[[psycopg.Connection[Any]], bool]",
    ) -> None:
        self._connect = connect
        self._lives = lives
        self._kept: list[psycopg.Connection[Any]] = []
        finalize(self, _end, self._kept)  # a command that only looks may drop its store without closing it

    @contextmanager
    def lent(self) -> "Iterator[psycopg.Connection[Any]]":
        """One that nobody else has meanwhile. It ends where the block raises, with all locks that it has: whoever takes
        a lock in it gives that back."""
        session = self._taken()
        try:
            yield session
        except BaseException:
            session.close()
            raise
        self._kept.append(session)

    def close(self) -> None:
        """End those that nobody has."""
        _end(self._kept)

    def _taken(self) -> "psycopg.Connection[Any]":
        while self._kept:
            try:
                session = self._kept.pop()
            except IndexError:  # another thread was faster
                break
            if self._lives(session):
                return session
            session.close()
        return self._connect()


def _end(sessions: "list[psycopg.Connection[Any]]") -> None:
    while sessions:
        sessions.pop().close()
