"""Taking up runs: which of those that are due this worker walks next, within the limits of all workers together.

That is decided here and nowhere else, in one transaction that writes: nobody else takes, parks or ends a run meanwhile.
Every method reads or writes the database: call it in a thread.
"""

import logging
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.clock import Clock
from fairlead.storage.store import Store
from fairlead.workflows.queues import Limits, Standing, Taken, standings
from fairlead.workflows.runs import Runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.workflow_taking_rows import Ready

log = logging.getLogger("fairlead.workflows")

_BATCH: Final = 8  # taken at a time: other workers that have room get theirs before there is another
_WOKEN: Final = 500
_SUSPECT: Final = 3  # workers that died in a row while they walked a run, and it did no step
_DEATHS: Final = 20  # as many before it is left alone
_FIRST_PAUSE: Final = 2_000  # milliseconds, doubled each time
_LONGEST_PAUSE: Final = 300_000


class Looked(Struct, frozen=True):
    """What a look found: the runs that are this worker's from here on; or, where there was none, those that it has and
    does not walk, the status of each that it walks, and when the next one goes on that waits for a time (0: never)."""

    taken: "tuple[Ready, ...]" = ()
    lost: tuple[str, ...] = ()
    statuses: dict[str, str] = {}
    next_at: int = 0


class Taking:
    """For one worker."""

    def __init__(self, store: Store, clock: Clock, runs: Runs, worker: str) -> None:
        self._store = store
        self._clock = clock
        self._runs = runs
        self.worker = worker

    def look(self, room: int, walked: Collection[str]) -> Looked:
        """Take at most so many runs, or see how those stand that are walked."""
        from fairlead.storage import workflow_rows, workflow_taking_rows

        if taken := self.take(room):
            return Looked(taken=tuple(taken))
        with self._store.reading() as connection:
            mine = workflow_taking_rows.walked_by(connection, self.worker, kept=True)
            return Looked(
                lost=tuple(set(mine) - set(walked)),
                statuses=workflow_rows.statuses(connection, list(walked)),
                next_at=workflow_taking_rows.next_time(connection),
            )

    def take(self, room: int) -> "list[Ready]":
        """At most so many runs that are this worker's from here on."""
        from fairlead.storage import workflow_taking_rows as table
        from fairlead.storage.workflow_rows import go_on

        limits, now = self._runs.limits, self._clock.now()
        if room <= 0:
            return []
        with self._store.reading() as connection:
            if not table.is_due(connection, now):
                return []
            over = table.over(connection, now, _WOKEN)
            if not over and not _next(connection, limits, now, 1):
                return []
        with self._store.writing() as connection:
            if over:
                go_on(connection, over)
            chosen = _next(connection, limits, now, min(room, _BATCH))
            return [
                each
                for each in chosen
                if table.take(connection, each.id, segment=each.segment, worker=self.worker, now=now)
            ]

    def let_go(self, runs: Iterable[str], owner: str | None = None, *, until: int = 0) -> int:
        """What this worker (or `owner`; "" for nobody) does not walk any more. How many it was."""
        from fairlead.storage import workflow_taking_rows as table

        owner = self.worker if owner is None else owner
        with self._store.writing() as connection:
            return sum(table.let_go(connection, each, owner=owner, until=until) for each in runs)

    def bury(self, runs: Iterable[str], worker: str) -> int:
        """Let others walk the runs of a worker that has died. One that may have killed several in a row waits a while,
        each time longer, and at last for somebody to resume it. How many it was."""
        from fairlead.storage import workflow_taking_rows as table

        count, now = 0, self._clock.now()
        for each in runs:
            with self._store.writing() as connection:
                deaths = table.died(connection, each, owner=worker, now=now)
                pause = self._pause(deaths)
                count += table.let_go(connection, each, owner=worker, until=now + pause if pause else 0)
                if deaths >= _DEATHS:
                    table.leave_alone(connection, each, "workers_died")
            if pause:
                log.error("run %s: %d workers in a row died while they walked it", each, deaths)
        return count

    def _pause(self, deaths: int) -> int:
        """Milliseconds, differently long for each: those that one of them takes with it are taken up without it."""
        if deaths < _SUSPECT:
            return 0
        chance = int.from_bytes(self._clock.random_bytes(2), "big") / 65536
        return int(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (deaths - _SUSPECT)) * (0.5 + chance))

    def walked_by(self, worker: str) -> list[str]:
        """The runs that a worker has."""
        from fairlead.storage import workflow_taking_rows as table

        with self._store.reading() as connection:
            return table.walked_by(connection, worker, kept=False)

    def strays(self) -> list[str]:
        """The runs that are said to run, and that nobody walks."""
        from fairlead.storage import workflow_taking_rows as table

        with self._store.reading() as connection:
            return table.strays(connection)

    def owners(self) -> set[str]:
        """The workers that have runs, alive or not."""
        from fairlead.storage import workflow_taking_rows as table

        with self._store.reading() as connection:
            return table.owners(connection)


def taken_places(store: Store, limits: Limits) -> Taken:
    """How many places are taken now."""
    from fairlead.storage import workflow_taking_rows as table

    with store.reading() as connection:
        return Taken(limits, table.running(connection))


def standing_now(store: Store, limits: Limits) -> list[Standing]:
    """How things stand at each limit."""
    from fairlead.storage import workflow_taking_rows as table

    with store.reading() as connection:
        return standings(limits, table.running(connection), table.waiting(connection))


def _next(connection: "Connection", limits: Limits, now: int, most: int) -> "list[Ready]":
    """Those whose turn it is and for which there is a place, each counted before the next is chosen."""
    from fairlead.storage import workflow_taking_rows as table

    taken = Taken(limits, table.running(connection))
    chosen: dict[str, Ready] = {}
    while len(chosen) < most:
        page, before = most + len(chosen), len(chosen)
        but = {"but_workflows": taken.full_workflows, "but_departments": taken.full_departments}
        found = table.ready(connection, now, **but, limit=page)
        for each in found:
            group = each.workflow, each.department
            if len(chosen) < most and each.id not in chosen and taken.full(group) is None:
                chosen[each.id] = each
                taken.add(group)
        if len(found) < page or len(chosen) == before:
            break
    return list(chosen.values())
