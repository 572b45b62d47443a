"""Walking runs of workflows in a process: the carriage, the segments and their chores, over what is running anyway."""

from typing import Any, Final

from fairlead.execution import Fairlead
from fairlead.storage.sqlite import SqliteDatabase
from fairlead.storage.store import Store
from fairlead.workflows.asked import Workflows
from fairlead.workflows.carriage import Carriage
from fairlead.workflows.dispatch import TAKE_OVER_EVERY, Dispatch
from fairlead.workflows.runs import Runs
from fairlead.workflows.scheduling import LOOK_EVERY, Scheduling
from fairlead.workflows.segments import Segments
from fairlead.workflows.taking import Taking
from fairlead.workspace.follow import Chore

FILE: Final = "runs.db"
"""Beside the state database: what the carriage keeps, which is ids and numbers only."""

_GRACE: Final = 10.0  # seconds for what is under way when the process is told to stop


class Working:
    """Walks runs from `start` to `stop`, at most `at_once` at the same time."""

    def __init__(self, fairlead: Fairlead, runs: Runs, workflows: Workflows, store: Store, *, at_once: int) -> None:
        worker, clock = fairlead.ledger.journal.worker, fairlead.clock
        taking = Taking(store, clock, runs, worker)
        self._scheduling = Scheduling(store, clock, workflows, workflows.standing)
        self._segments = Segments(fairlead, runs, taking, worker)
        self._carriage = Carriage(_where(store), worker, self._segments.walk)
        self._dispatch = Dispatch(store, clock, self._carriage, self._segments, taking, at_once=at_once)

    @property
    def chores(self) -> tuple[tuple[float, Chore], ...]:
        """What is to be done again and again meanwhile, with its period in seconds."""
        return (TAKE_OVER_EVERY, self._dispatch.take_over), (LOOK_EVERY, self._scheduling.chore)

    async def start(self) -> None:
        """Begin to walk what is due. Raises `BadInput` where the extra `workflows` is not installed."""
        await self._carriage.start()
        await self._dispatch.start()

    async def stop(self) -> None:
        """Take up nothing more, let what is under way come to its next rest, and let go."""
        await self._dispatch.stop()
        await self._segments.rest(_GRACE)
        await self._carriage.stop()


def _where(store: Store) -> Any:
    """A file of its own, since DBOS and the journal would wait for each other in one; a server takes both."""
    database = store.database
    return store.beside / FILE if isinstance(database, SqliteDatabase) else database.url  # type: ignore[attr-defined]
