"""Gives acknowledged entries their places in the audit tree, behind the journal: one process at a time, any of them.

A thread of its own with a connection of its own. It is woken by each group that appended something, rests a moment so
that one transaction serves several groups, and looks by itself now and then for what a dead process has left.
"""

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from fairlead.storage import postgres

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger("fairlead.journal")

_SEQUENCE: Final = "SELECT fairlead_sequence(%s)"
_AT_MOST: Final = 2000
_REST: Final = 0.05  # seconds: nobody waits for places but who reads the log, and they give them first
_BUSY: Final = 0.03  # another process is at it, and may not have seen our last group
_LOOK: Final = 1.5
_LAST_TRIES: Final = 20


class Sequencer:
    """Runs until `end`."""

    def __init__(self, database: postgres.PostgresDatabase) -> None:
        self._database = database
        self._connection: psycopg.Connection[Any] | None = None
        self._woken = threading.Event()
        self._ended = threading.Event()
        self.damage = ""  # why entries get no places though the database answers; "" while all is well
        self._thread = threading.Thread(target=self._work, name="fairlead-sequencer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something has arrived."""
        self._woken.set()

    def end(self) -> None:
        """Once more, and then no more."""
        self._ended.set()
        self._woken.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.is_set():
            self._woken.wait(_LOOK)
            self._ended.wait(_REST)
            self._woken.clear()
            self._work_off()
        for _ in range(_LAST_TRIES):
            if self._once() == 0:
                break
            threading.Event().wait(_BUSY)
        if self._connection is not None:
            self._connection.close()

    def _work_off(self) -> None:
        while not self._ended.is_set() and (placed := self._once()) != 0:
            if placed < 0:
                self._ended.wait(_BUSY)
            elif placed < _AT_MOST:
                break

    def _once(self) -> int:
        """How many entries got their places; -1 where somebody else is at it; 0 also where the database fails."""
        psycopg = postgres.driver()
        try:
            if self._connection is None or self._connection.closed:
                self._connection = postgres.connect(
                    self._database.url, name="fairlead sequencer", synchronous=self._database.synchronous
                )
            row = self._connection.execute(_SEQUENCE, (_AT_MOST,)).fetchone()
        except psycopg.Error as error:  # what has arrived is durable, and waits
            self.damage = "" if postgres.passes(error) else str(error)
            log.error("entries wait for their places in the audit log: %s", error)
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return 0
        self.damage = ""
        return int(row[0]) if row else 0
