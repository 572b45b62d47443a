"""Beginning runs by schedule: an office that one worker does for all.

A moment begins one run, whoever dies when and however clocks are put: its run has a name that follows from the
workflow, the schedule and the moment, and under one name nothing begins twice (`Runs.begin`). What becomes of moments
at which nothing ran is decided by `schedules.py`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from fairlead.clock import Clock
from fairlead.errors import Broken, FairleadError, Overloaded
from fairlead.identity.types import Caller
from fairlead.storage.store import Store
from fairlead.workflows.asked import Workflows
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import ScheduleSettings
from fairlead.workflows.schedules import chosen, moments, next_moment

if TYPE_CHECKING:
    from fairlead.storage.workflow_schedule_rows import Scheduled

log = logging.getLogger("fairlead.workflows")

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at the clock; the database is asked only where a moment has come."""
DOOR: Final = "schedule"
_OFFICE: Final = "workflows.schedules"
_LAST: Final = ("moment", "run", "error")
_LATEST: Final = 3_600_000  # milliseconds after which the database is asked all the same


class Scheduling:
    """For one process. `again` gives a caller as they stand now, or raises."""

    def __init__(self, store: Store, clock: Clock, workflows: Workflows, again: Callable[[Caller], Caller]) -> None:
        self._store = store
        self._clock = clock
        self._workflows = workflows
        self._again = again
        self._under: Mapping[str, Bundle] = {}
        self._looked_at = 0
        self._next_at = 0

    async def chore(self) -> None:
        """Begin what is due, if it is this process's to do."""
        now = self._clock.now()
        if self._under is self._workflows.bundles and self._looked_at <= now < self._next_at:
            return
        await asyncio.to_thread(self.begin_due)

    def begin_due(self) -> None:
        """Begin a run for each moment that has come, and note it. Blocking."""
        self._under, self._looked_at = self._workflows.bundles, self._clock.now()
        self._next_at = 0  # at once again: this may fail, and whoever has the office may die
        declared = declared_in(self._under)
        if not declared:  # what is kept of schedules of before is dropped with the next one that there is
            self._next_at = self._looked_at + _LATEST
            return
        with self._store.database.elected(_OFFICE) as mine:
            if mine:
                self._all(declared)
                coming = (next_moment(each, self._looked_at) for each in declared.values())
                self._next_at = min(self._looked_at + _LATEST, *coming)

    def _all(self, declared: "Mapping[tuple[str, str], ScheduleSettings]") -> None:
        from fairlead.storage import workflow_schedule_rows as table

        with self._store.reading() as connection:
            known = table.schedules(connection)
        for key, schedule in declared.items():
            before = known.get(key)
            after = self._one(*key, schedule, before)
            if after != before:
                with self._store.writing() as connection:
                    table.keep(connection, after)
        if gone := known.keys() - declared.keys():
            with self._store.writing() as connection:
                table.drop(connection, gone)

    def _one(self, workflow: str, digest: str, schedule: ScheduleSettings, before: "Scheduled | None") -> "Scheduled":
        """What is known of it after what was due has begun. One that is new has missed nothing."""
        from msgspec.structs import replace

        from fairlead.storage.workflow_schedule_rows import Scheduled

        now = self._looked_at
        if before is None:
            return Scheduled(workflow=workflow, schedule=digest, seen_at=now)
        due = moments(schedule, min(before.seen_at, now), now)
        row = before if not due and before.seen_at <= now else replace(before, seen_at=now)
        for at in chosen(schedule, due, now):
            row = replace(row, moment=at, run="", error="")
            try:
                row = replace(row, run=self._begin(workflow, digest, schedule, at))
            except (Broken, Overloaded):
                raise  # the database is away, or this worker is behind: it is tried again
            except FairleadError as error:
                log.error("%s could not begin by schedule: %s (%s)", workflow, error, error.why)
                row = replace(row, error=error.code)
        return row

    def _begin(self, workflow: str, digest: str, schedule: ScheduleSettings, at: int) -> str:
        who = Caller(person=self._workflows.in_force.people.get(schedule.key, ""), credential=f"key:{schedule.key}")
        once = f"schedule {digest} {datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%MZ}"
        run = self._workflows.begin(self._again(who), workflow, schedule.input, once=once, door=DOOR)
        return str(run["id"])


def declared_in(bundles: Mapping[str, Bundle]) -> dict[tuple[str, str], ScheduleSettings]:
    """All schedules by their workflow and digest."""
    return {(name, each.digest): each for name, bundle in bundles.items() for each in bundle.definition.schedule}


def known_schedules(store: Store | None, bundles: Mapping[str, Bundle], now: int, count: int) -> list[dict[str, Any]]:
    """All schedules as people are told of them: the next moments, and the last with its run or why there is none."""
    from fairlead.storage import workflow_schedule_rows as table

    kept: dict[tuple[str, str], Scheduled] = {}
    if store is not None:
        with store.reading() as connection:
            kept = table.schedules(connection)
    told = []
    for (workflow, digest), each in declared_in(bundles).items():
        row, coming = kept.get((workflow, digest)), list(islice(_coming(each, now), count))
        last = {"moment": row.moment or None, "run": row.run, "error": row.error} if row else dict.fromkeys(_LAST)
        about = {"workflow": workflow, "cron": each.cron, "timezone": each.timezone, "key": each.key}
        told.append({**about, "missed": each.missed, "next": coming, **last})
    return told


def _coming(schedule: ScheduleSettings, now: int) -> Iterator[int]:
    while True:
        now = next_moment(schedule, now)
        yield now
