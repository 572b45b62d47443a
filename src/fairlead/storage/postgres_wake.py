"""Hearing at once that something was announced: PostgreSQL's NOTIFY, sent with the announcement's own commit.

It only wakes whoever would look soon anyway: a notice that is lost with a connection delays nothing but itself.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from fairlead.storage import postgres

log = logging.getLogger("fairlead.follow")

_LOOK: Final = 1.0  # seconds between looks whether to end
_PAUSE: Final = 1.0  # before another connection is tried


class Listener:
    """Calls `woken`, from a thread of its own, whenever something was announced on a channel, until `close`."""

    def __init__(self, database: postgres.PostgresDatabase, woken: Callable[[], None], channel: str) -> None:
        self._database = database
        self._woken = woken
        self._channel = channel
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="fairlead-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Returns at once; the thread ends within a second."""
        self._ended.set()

    def _work(self) -> None:
        psycopg = postgres.driver()
        while not self._ended.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.debug("nothing is heard of announcements for now: %s", error)
                self._ended.wait(_PAUSE)

    def _listen(self) -> None:
        with postgres.connect(self._database.url, name="fairlead listener") as connection:
            connection.execute(f"LISTEN {self._channel}")
            self._woken()  # whatever was announced while nobody listened
            while not self._ended.is_set():
                for _ in connection.notifies(timeout=_LOOK, stop_after=1):
                    self._woken()
