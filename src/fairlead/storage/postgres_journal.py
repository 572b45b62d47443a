"""The writer thread's books on PostgreSQL: one call of `fairlead_write` for each group, which is one transaction.

The session that writes also holds the worker's lock, so a hold is only ever opened by a worker that others can see to
live. When the connection is lost in the middle of a group, nobody knows whether it was committed; then the next
session, which gets the lock only once the old one has ended, asks for the answers that a committed group leaves behind
(`last_group`) and gives those. So no retry does anything twice.
"""

import logging
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.errors import Broken
from fairlead.storage import postgres, postgres_results, postgres_turns
from fairlead.storage.postgres_group import Answer, Flat
from fairlead.storage.postgres_locks import TRY_LOCK, lock_number
from fairlead.storage.postgres_sequencer import Sequencer
from fairlead.storage.types import Receipt, Write

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger("fairlead.journal")

_WRITE: Final = f"SELECT outcomes, refusers, lefts, warned FROM fairlead_write({', '.join(['%b'] * 29)})"  # noqa: S608
_WRITE_AND_KEEP: Final = postgres_results.keeping(_WRITE)
_WHAT_CAME: Final = "SELECT outcomes, refusers, lefts, warned FROM last_group WHERE worker = %s AND token = %s"
_LEAVE: Final = "DELETE FROM last_group WHERE worker = %s"
# Our own sessions that the server has not yet found out to be dead. The worker's name is unique for ever.
_END_OLD: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = %s AND datname = current_database() AND pid <> pg_backend_pid()"
)
_CARRIED_OUT: Final = 0  # an outcome
_PULSE: Final = 2.0
_LOCK_TRIES: Final = 50
_LOCK_PAUSE: Final = 0.02
_COLLISIONS: Final = 5  # times that a group is tried again at once when the server broke off a knot of locks


class PostgresBooks:
    """For one thread, once made. Holds the worker's lock for as long as it lives."""

    pulse: float | None = _PULSE  # seconds after which an idle thread should call `check`

    def __init__(self, database: postgres.PostgresDatabase, worker: str, clock: Clock, *, lock_wait: float) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock
        self._lock_wait = int(lock_wait * 1000)
        self._connection: psycopg.Connection[Any] | None = None
        self._met = False  # whether this worker has had its lock before
        self._in_doubt: tuple[int, Sequence[Write]] | None = None
        self._known: dict[int, tuple[Write, Answer]] = {}  # what came of it, until it is told
        self._unwanted: list[Write] = []
        self._connect()
        self._sequencer = Sequencer(database)

    def passes(self, error: Exception) -> bool:
        """May the same group succeed later?"""
        return postgres.passes(error)

    def check(self) -> None:
        """Looks whether the session still lives, and with it our lock; gets another where it does not."""
        try:
            self._session().execute("SELECT 1")
            self._find_out(())
            self._give_back()
        except Exception as error:
            if not self.passes(error):
                raise
            self._lose()
            log.warning("the journal has lost its database: %s", error)

    def write(self, writes: Sequence[Write]) -> list[Answer]:
        """All of it in one transaction, or nothing and an exception; or an exception and nobody knows, yet."""
        try:
            self._session()
            self._refuse_without_places(writes)
            if self._in_doubt is None and not self._known and not self._unwanted:
                return self._carry_out(writes)
            self._find_out(writes)
            self._give_back()
            new = [write for write in writes if id(write) not in self._known]
            answers = dict(zip(map(id, new), self._carry_out(new), strict=True)) if new else {}
            answers |= {key: answer for key, (_, answer) in self._known.items()}
            self._known = {}
            return [answers[id(write)] for write in writes]
        except Exception as error:
            if self.passes(error) and self._is_dead():
                self._lose()
            raise

    def end(self) -> None:
        """Gives the lock back, after every entry has its place, if the server allows it."""
        self._sequencer.end()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.execute(_LEAVE, (self._worker,))
        except Exception as error:
            if not self.passes(error):
                raise
            log.debug("the last group's answers stay behind: %s", error)
        finally:
            connection.close()

    def _carry_out(self, writes: Sequence[Write]) -> list[Answer]:
        """One transaction. Until its answer has come it is in doubt."""
        psycopg = postgres.driver()
        flat = Flat(writes)
        for left in range(_COLLISIONS, -1, -1):
            token = int.from_bytes(self._clock.random_bytes(8), "big", signed=True)
            self._in_doubt = token, writes
            try:
                row, forgotten = self._call(flat, token, writes)
                break
            except psycopg.Error as error:
                if not self._is_dead():
                    self._in_doubt = None  # the server has told us that it did nothing
                if not left or not isinstance(
                    error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure
                ):
                    raise
        self._in_doubt = None
        if flat.arguments[-1]:
            self._sequencer.wake()
        answers = flat.answers(*row)
        return _without(answers, forgotten) if forgotten else answers

    def _call(self, flat: Flat, token: int, writes: Sequence[Write]) -> tuple[Any, Collection[int]]:
        """What the group came to, and the numbers of the writes whose turn could not be remembered."""
        assert self._connection is not None
        connection = self._connection
        turns = [(write, number) for number, write in enumerate(writes) if postgres_turns.has_any(write)]
        if not turns:
            return self._say(connection, flat, token, writes)
        turns.sort(key=lambda each: _place(each[0]) or ())  # in one order by everybody
        with connection.transaction():
            row, forgotten = self._say(connection, flat, token, writes)
            mine = [(write, number) for write, number in turns if row[0][number] == _CARRIED_OUT]
            gone = [number for write, number in mine if not postgres_turns.remember(connection, write)]
            return row, {*forgotten, *gone}

    def _say(
        self, connection: "psycopg.Connection[Any]", flat: Flat, token: int, writes: Sequence[Write]
    ) -> tuple[Any, Collection[int]]:
        """The statement itself, with what workflows have done: which of that could not be kept."""
        asked, results = (self._worker, token, self._clock.now(), *flat.arguments), postgres_results.flat(writes)
        if results is None:
            return connection.execute(_WRITE, asked, prepare=True).fetchone(), ()
        row: Any = connection.execute(_WRITE_AND_KEEP, (*asked, *results), prepare=True).fetchone()
        *row, kept = row
        done = {number - 1 for number in results[0] if row[0][number - 1] == _CARRIED_OUT}
        return row, done - {number - 1 for number in kept}

    def _refuse_without_places(self, writes: Sequence[Write]) -> None:
        """Nothing new begins that the audit log cannot take in. What was begun is settled all the same."""
        damage = self._sequencer.damage
        if damage and any(write.close is None and write.open is not None for write in writes):
            raise postgres.driver().OperationalError(f"entries get no places in the audit log: {damage}")

    def _find_out(self, asked: Sequence[Write]) -> None:
        """Asks what came of a group in doubt. `asked` are those of its writes that somebody still waits for."""
        if self._in_doubt is None:
            return
        token, writes = self._in_doubt
        row = self._session().execute(_WHAT_CAME, (self._worker, token)).fetchone()
        self._in_doubt = None
        if row is None:
            return
        wanted = set(map(id, asked))
        answers = Flat(writes).answers(*row)
        forgotten = [
            number
            for number, write in enumerate(writes)
            if _place(write) is not None
            and row[0][number] == _CARRIED_OUT
            and not postgres_turns.is_remembered(self._session(), write)
        ]
        for write, answer in zip(writes, _without(answers, forgotten), strict=True):
            if id(write) in wanted:
                self._known[id(write)] = write, answer
            elif write.open is not None and isinstance(answer, Receipt) and answer.closed:
                self._unwanted.append(Write(close=write.open))

    def _give_back(self) -> None:
        """Frees money held for attempts that will not be made: their callers were refused while nobody knew. Doing it
        twice is harmless, a hold closes once."""
        if self._unwanted:
            self._carry_out(self._unwanted)
            self._unwanted = []

    def _session(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connect()
        assert self._connection is not None
        return self._connection

    def _connect(self) -> None:
        psycopg = postgres.driver()
        self._lose()
        name = f"fairlead {self._worker}"[:63]
        connection = postgres.connect(
            self._database.url, name=name, synchronous=self._database.synchronous, lock_wait=self._lock_wait
        )
        try:
            _speak_plainly(connection)
            if self._met:
                connection.execute(_END_OLD, (name,))
            for _ in range(_LOCK_TRIES):
                taken = connection.execute(TRY_LOCK, (lock_number(self._worker),)).fetchone()
                if taken is not None and taken[0]:
                    self._connection, self._met = connection, True
                    return
                time.sleep(_LOCK_PAUSE)  # somebody may just be looking whether we are dead
        except BaseException:
            connection.close()
            raise
        connection.close()
        if self._met:
            raise psycopg.OperationalError("this worker's lock is held by its old session, or by who settles for it")
        raise Broken(
            f"the lock of worker {self._worker} is held by another process",
            why="worker ids are unique, and each has one journal",
            mend="start the worker anew; if it lasts, `fairlead doctor` shows who lives",
            subject=self._worker,
        )

    def _is_dead(self) -> bool:
        return self._connection is None or self._connection.closed or self._connection.broken

    def _lose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _without(answers: Sequence[Answer], forgotten: Collection[int]) -> list[Answer]:
    """The answers, where those whose turn was not remembered say so."""
    return [
        replace(answer, remembered=False) if number in forgotten and isinstance(answer, Receipt) else answer
        for number, answer in enumerate(answers)
    ]


def _place(write: Write) -> tuple[str, str] | None:
    """Where it comes among those that remember something; None for one that does not."""
    if write.turn is not None:
        return write.turn.subject, write.turn.session
    if write.outcome is not None:
        return write.outcome.subject, write.outcome.run
    if write.result is not None:
        return write.result.run, write.result.place
    if write.example is not None:
        return write.example.subject, write.example.id
    return None if write.step is None else (write.step.subject, "")


def _speak_plainly(connection: "psycopg.Connection[Any]") -> None:
    """Every integer as eight bytes: with types that depend on the values, each group would be a statement anew."""
    from psycopg.types.numeric import Int8BinaryDumper

    connection.adapters.register_dumper(int, Int8BinaryDumper)
    connection.prepare_threshold = 0
