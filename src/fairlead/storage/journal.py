"""The journal: makes what concurrent actions reserve, settle and record durable, a group of them in one transaction.

One writer thread per process, one transaction in flight; what is queued meanwhile is the next group. A queued write is
carried out whatever becomes of who waits for it, and in the order of queueing. How a group is decided is in `group`,
what is said to the database in `sqlite_journal` and `postgres_journal`. Here are the thread, the waiting, and what
happens when the database fails: new work is refused, settlements are tried again, at last without their callers.
"""

import asyncio
import logging
import math
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from fairlead.clock import Clock
from fairlead.errors import Broken, FairleadError, Overloaded
from fairlead.storage.books import open_books
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store
from fairlead.storage.types import Receipt, Write

log = logging.getLogger("fairlead.journal")

_Waiting = tuple[Write, asyncio.Future[Receipt]]

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 1.0
_LOCK_WAIT: Final = 2.0
_SEVERAL: Final = 3  # writes in a group that tell of load


class Journal:
    """One per process, made after any fork and inside the event loop whose tasks await its receipts.

    It has the worker's lock for as long as it lives: no hold is ever opened that recovery could take for a dead one's.
    """

    def __init__(self, store: Store, worker: str, clock: Clock, settings: JournalSettings | None = None) -> None:
        settings = settings or JournalSettings()
        self.worker = worker
        self._clock = clock
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._arrived: list[_Waiting] = []  # not handed to the thread yet; belongs to the loop
        self._in_hand = 0  # writes that the thread has and has not answered; belongs to the loop
        self._resting = False  # after a group of several: under load more will come, and share the next sync
        self._queue: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._most_waiting = settings.queue
        self._ended = False
        self._in_trouble = False
        self._left: list[Write] = []  # bills that nobody waits for any more; belongs to the thread
        self._began = math.inf  # when the transaction in flight was begun, in monotonic seconds
        self._books = open_books(store, worker, clock, settings, min(_LOCK_WAIT, settings.patience))
        self._thread = threading.Thread(target=self._work, name="fairlead-journal", daemon=True)
        self._thread.start()

    def commit(self, write: Write) -> asyncio.Future[Receipt]:
        """Queues a write; the future holds its receipt once it is durable. To be called from the event loop.

        Cancelling the future does not take the write back. Raises, at once or in the future:

        - `OverBudget`: the hold does not fit. What the same write closes and appends *beside a close* stays.
        - `Overloaded`: only for a write that opens a hold and closes none; nothing was written.
        - `Broken`: the write itself is unfit, or the database failed for longer than `patience`. What it closes is
          settled all the same once the database can be written again, unless this process ends before.
        """
        if write.begins:
            self._admit()
        if (write.open is not None and write.open.amount < 0) or write.spent < 0:
            raise Broken("a write has a negative amount of money", why="that would raise a budget", step="reserve")
        if self._ended:
            raise Broken("the journal of this process has ended", why="it was closed, or belongs to another process")
        future = self._loop.create_future()
        self._arrived.append((write, future))
        if not self._in_hand and not self._resting and len(self._arrived) == 1:
            self._loop.call_soon(self._hand_over)
        return future

    @property
    def is_writing(self) -> bool:
        """Whether a transaction is in flight."""
        return self._began < math.inf

    def close(self) -> None:
        """Makes durable what is queued, and ends the thread. Blocks; safe to call twice."""
        self._ended = True
        left, self._arrived = self._arrived, []
        self._queue.put(left)
        self._queue.put(None)
        self._thread.join()

    def _admit(self) -> None:
        if self._in_trouble or self._clock.monotonic() - self._began > _LOCK_WAIT:
            raise _not_now()
        if len(self._arrived) + self._in_hand >= self._most_waiting:
            raise Overloaded(
                "the journal's queue is full", why="more is asked than can be made durable", step="reserve"
            )

    def _hand_over(self) -> None:
        """Gives the thread all that has arrived, in one go: what comes while it works on it is the next hand-over."""
        batch, self._arrived = self._arrived, []
        if not batch:
            return
        if self._ended:
            ended = Broken("the journal of this process has ended before a write was made")
            _answer(batch, [ended] * len(batch))
            return
        self._in_hand += len(batch)
        self._queue.put(batch)

    def _refuse_arrived(self) -> None:
        """While the thread struggles with settlements, nobody new shall wait behind them."""
        new = [waiting for waiting in self._arrived if waiting[0].begins]
        self._arrived = [waiting for waiting in self._arrived if not waiting[0].begins]
        _answer(new, [_not_now() for _ in new])

    def _answered(self, group: list[_Waiting], answers: Sequence[Receipt | FairleadError]) -> None:
        """Wakes those who waited. What they queue as they run on goes into the next hand-over."""
        _answer(group, answers)
        self._in_hand -= len(group)
        if self._in_hand > 0:
            return
        if self._settings.pace and len(group) >= _SEVERAL:
            self._resting = True
            self._loop.call_later(self._settings.pace, self._go_on)
        elif self._arrived:
            self._loop.call_soon(self._hand_over)

    def _go_on(self) -> None:
        self._resting = False
        self._hand_over()

    # From here on, everything runs in the writer thread.

    def _work(self) -> None:
        try:
            while (batch := self._next()) is not None:
                for group in self._groups(batch):
                    self._make_durable(group)
                self._settle_left()
            self._settle_left()
        finally:
            self._ended = True
            self._books.end()

    def _next(self) -> list[_Waiting] | None:
        while True:
            try:
                return self._queue.get(timeout=_LONGEST_PAUSE if self._left else self._books.pulse)
            except queue.Empty:
                self._settle_left()
                self._books.check()

    def _groups(self, batch: list[_Waiting]) -> Iterator[list[_Waiting]]:
        """The batch in transactions, in the order of queueing.

        A hold appears in one write of a group only: closes are carried out first, so one that is opened and closed in
        the same group would not be found, and one that is closed twice would seem settled before.
        """
        group: list[_Waiting] = []
        holds: set[str] = set()
        for waiting in batch:
            write = waiting[0]
            if len(group) >= self._settings.group or (write.close is not None and write.close.id in holds):
                yield group
                group, holds = [], set()
            holds.update(hold.id for hold in (write.close, write.open) if hold is not None)
            group.append(waiting)
        if group:
            yield group

    def _make_durable(self, group: list[_Waiting]) -> None:
        error = self._attempt(group)
        if error is None:
            return
        if self._books.passes(error):
            self._try_again(group, error)
        else:
            self._one_by_one(group, error)

    def _attempt(self, group: list[_Waiting]) -> Exception | None:
        """Carries out the group and tells its callers; or changes nothing, tells nobody, and gives the reason."""
        self._began = self._clock.monotonic()
        try:
            answers = self._books.write([write for write, _ in group])
        except Exception as error:  # noqa: BLE001 the thread's door: nobody stands above it who could be told
            return error
        finally:
            self._began = math.inf
        self._in_trouble = False  # before anybody hears of it, and asks for more
        self._tell(group, answers)
        return None

    def _one_by_one(self, group: list[_Waiting], error: Exception) -> None:
        """Finds whose fault it is: each write gets a transaction of its own, so that nobody fails for another."""
        if len(group) > 1:
            for waiting in group:
                self._make_durable([waiting])
            return
        log.error("a write could not be made durable", exc_info=error)
        self._tell(
            group,
            [Broken("a write could not be made durable", why="the state database did not take it; the log says why")],
        )

    def _try_again(self, group: list[_Waiting], error: Exception) -> None:
        """Refuses new work, and tries settlements again with growing pauses for as long as `patience` says."""
        log.warning("the journal cannot write: %s", error)
        self._in_trouble = True
        try:
            owed = self._refuse_new(group)
            deadline = self._clock.monotonic() + self._settings.patience
            pause = _FIRST_PAUSE
            while owed:
                if self._clock.monotonic() >= deadline:
                    self._give_up(owed, error)
                    return
                threading.Event().wait(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
                again = self._attempt(owed)
                if again is None:
                    return
                if not self._books.passes(again):
                    self._one_by_one(owed, again)
                    return
                error = again
        finally:
            self._in_trouble = False

    def _refuse_new(self, group: list[_Waiting]) -> list[_Waiting]:
        """Tells those who may be refused, and returns the others."""
        new = [waiting for waiting in group if waiting[0].begins]
        self._tell(new, [_not_now() for _ in new])
        self._call(self._refuse_arrived)
        return [waiting for waiting in group if not waiting[0].begins]

    def _give_up(self, owed: list[_Waiting], error: Exception) -> None:
        log.error("%d settlements could not be made durable: %s", len(owed), error)
        failures = [
            Broken(
                "a settlement could not be made durable",
                why=f"the state database failed for {self._settings.patience:g} seconds; the log says how",
                mend="free disk space or end what locks the database; the bill is written once that is done",
                step="settle",
            )
            for _ in owed
        ]
        self._tell(owed, failures)
        self._left += [write.bill for write, _ in owed if write.close is not None]

    def _settle_left(self) -> None:
        """Writes the bills that were given up, one by one, as far as the database lets us: a hold closes only once."""
        while self._left:
            self._began = self._clock.monotonic()
            try:
                self._books.write(self._left[:1])
            except Exception as error:
                if self._books.passes(error):
                    return
                log.error("a settlement that was given up cannot be made durable", exc_info=error)
            finally:
                self._began = math.inf
            self._left = self._left[1:]

    def _tell(self, group: list[_Waiting], answers: Sequence[Receipt | FairleadError]) -> None:
        """Wakes those who wait, all in one call to their loop."""
        if group:
            self._call(self._answered, group, answers)

    def _call(self, what: Callable[..., None], *given: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *given)
        except RuntimeError:
            log.debug("the event loop was closed before its receipts came")


def _not_now() -> Overloaded:
    """What a client is told as well: the database's own words are in the log, for they tell where it is."""
    return Overloaded(
        "this cannot be recorded just now",
        why="the state database is locked, full, stuck or away, and nothing is done that no record would know of",
        mend="retry after a short wait; if it lasts, whoever runs this Fairlead finds the cause in its log and by "
        "`fairlead doctor`",
        step="reserve",
    )


def _answer(group: list[_Waiting], answers: Sequence[Receipt | FairleadError]) -> None:
    for (_, future), answer in zip(group, answers, strict=True):
        if future.done():  # its task was cancelled; what it asked for was done all the same
            continue
        if isinstance(answer, Receipt):
            future.set_result(answer)
        else:
            future.set_exception(answer)
