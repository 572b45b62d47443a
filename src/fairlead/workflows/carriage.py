"""DBOS carries segments of runs: it knows which process has begun which, and begins none twice. It sees ids and
numbers, never a payload.

A segment is one DBOS workflow, `RUN~NUMBER`, begun by the worker that has taken the run (`taking.py`), which is where
limits and turns are decided. DBOS's own queues are not used: each costs several transactions a segment and a look at
the database again and again, and could not keep the limits of several queues at once.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import BadInput

if TYPE_CHECKING:
    from dbos import WorkflowStatus

log = logging.getLogger("fairlead.workflows")

Walk = Callable[[str, int], Coroutine[Any, Any, None]]
"""Walks one segment of a run. Raises nothing: what goes wrong is said in the run's row."""

_NAME: Final = "segment"
_VERSION: Final = (
    "1"  # of what a segment's arguments mean; by itself DBOS would strand what waits when the code changes
)
_SCHEMA: Final = "fairlead_runs"
_PAGE: Final = 500
_THREADS: Final = 32
_SELDOM: Final = 1.0  # seconds between two looks at messages between its workflows: we send none; by itself 0.01


class Carriage:
    """The carrier of one process: DBOS is one per process, as it says itself. Made and ended in the serving loop, where
    its segments run too."""

    def __init__(self, where: str | Path, worker: str, walk: Walk) -> None:
        """`where` is a file of its own, or the URL of the PostgreSQL database."""
        self._where = where
        self._worker = worker
        self._walk = walk
        self._segment: Walk = walk
        self.carries = False

    async def start(self) -> None:
        """Begin to carry. Raises `BadInput` where the extra `workflows` is not installed."""
        try:
            from dbos import DBOS, DBOSConfig
        except ImportError as error:
            raise BadInput(
                "workflows need the extra `workflows`", why=str(error), mend="pip install 'fairlead[workflows]'"
            ) from None
        config = DBOSConfig(
            name="fairlead",
            system_database_url=self._prepared(),
            dbos_system_schema=_SCHEMA,
            application_version=_VERSION,
            executor_id=self._worker,
            serializer=_plain(),
            log_level="ERROR",
            console_log_level="ERROR",
            max_executor_threads=_THREADS,
            notification_coalesce_sec=_SELDOM,
        )
        DBOS(config=config)
        walk = self._walk

        @DBOS.workflow(name=_NAME, max_recovery_attempts=None)
        async def segment(run: str, number: int) -> None:
            await walk(run, number)

        DBOS.launch()
        self._segment = segment
        self.carries = True

    async def stop(self) -> None:
        """Let go. Segments that are still under way are taken up by another worker, or by the next start."""
        from dbos import DBOS

        self.carries = False
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor())  # DBOS has put its own there, which ends with it
        try:
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        finally:  # who has asked it something meanwhile has put it there again
            loop.set_default_executor(ThreadPoolExecutor())

    async def begin(self, run: str, number: int) -> None:
        """Walk this segment in this process, from now on. Nothing happens where it was begun before."""
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(_id(run, number)):
            await DBOS.start_workflow_async(self._segment, run, number)

    async def under_way(self) -> dict[str, list[tuple[str, int]]]:
        """What each worker has taken and not finished, by worker, alive or dead: runs and numbers."""
        found: dict[str, list[tuple[str, int]]] = {}
        for each in await self._listed("PENDING"):
            run, _, number = each.workflow_id.rpartition("~")
            found.setdefault(each.executor_id or "", []).append((run, int(number)))
        return found

    async def drop(self, segments: Iterable[tuple[str, int]]) -> None:
        """End what a dead worker had begun."""
        from dbos import DBOS

        if ids := [_id(*each) for each in segments]:
            await DBOS.cancel_workflows_async(ids)

    async def forget(self) -> None:
        """Delete what was carried to its end: all that matters of it stands in our own rows."""
        from dbos import DBOS

        while over := await self._listed(["SUCCESS", "ERROR", "CANCELLED"]):
            await DBOS.delete_workflows_async([each.workflow_id for each in over])
            if len(over) < _PAGE:
                return

    async def _listed(self, status: str | list[str]) -> "list[WorkflowStatus]":
        from dbos import DBOS

        return await DBOS.list_workflows_async(status=status, limit=_PAGE, load_input=False, load_output=False)

    def _prepared(self) -> str:
        """The database's URL. A file is put into write-ahead mode first: DBOS takes it as it is, and is several times
        slower in the other."""
        if isinstance(self._where, str):
            return self._where
        from fairlead.storage.sqlite import create

        create(self._where)
        return f"sqlite:///{self._where}"


def _id(run: str, number: int) -> str:
    return f"{run}~{number}"


def _plain() -> Any:
    """Arguments as JSON: by itself DBOS would pickle them, and whoever writes to its database could run code here."""
    import msgspec
    from dbos import Serializer

    class Plain(Serializer):
        def serialize(self, data: Any) -> str:
            return msgspec.json.encode(data).decode()

        def deserialize(self, serialized_data: str) -> Any:
            return msgspec.json.decode(serialized_data)

        def name(self) -> str:
            return "fairlead_json"

    return Plain()
