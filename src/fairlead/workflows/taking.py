"""Taking up runs: which of those that are due this worker walks next, within the limits of all workers together.

That is decided here and nowhere else, in one transaction that writes: nobody else takes, parks or ends a run meanwhile.
Every method reads or writes the database: call it in a thread.
"""

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

_BATCH: Final = 8  # taken at a time: other workers that have room get theirs before there is another
_WOKEN: Final = 500


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
        self._worker = worker

    def look(self, room: int, walked: Collection[str]) -> Looked:
        """Take at most so many runs, or see how those stand that are walked."""
        from fairlead.storage import workflow_rows, workflow_taking_rows

        if taken := self.take(room):
            return Looked(taken=tuple(taken))
        with self._store.reading() as connection:
            mine = workflow_taking_rows.walked_by(connection, self._worker, kept=True)
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
                if table.take(connection, each.id, segment=each.segment, worker=self._worker, now=now)
            ]

    def let_go(self, runs: Iterable[str], owner: str | None = None, *, until: int = 0) -> int:
        """What this worker (or `owner`, which has died; "" for nobody) does not walk any more. How many it was."""
        from fairlead.storage import workflow_taking_rows as table

        owner = self._worker if owner is None else owner
        with self._store.writing() as connection:
            return sum(table.let_go(connection, each, owner=owner, until=until) for each in runs)

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
