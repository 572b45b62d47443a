"""What people do to a run that was begun: cancel it, hold it, let it go on, try it again, begin a copy in its middle.

Each is one transaction with its record. Every method reads or writes the database: call it in a thread.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from fairlead.clock import Clock, new_id
from fairlead.costs.record import deed
from fairlead.errors import Refused
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.workflows.runs import Opened
from fairlead.workflows.sealing import Begun, RunKey, new_key, sealed_begin

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.workflow_rows import Run
    from fairlead.storage.workflow_step_rows import Result

_EDGES: Final = ("", ".", "[", "#", "~")


class NotNow(Refused):
    """The run is not in a state in which this can be done.

    `fairlead workflow status RUN` tells its state: what has ended cannot be cancelled, and what is undone cannot go on.
    """

    code = "not_now"
    status = 409


class Steering:
    """Over all runs of a deployment. `by` is always who asks for it, as the system knows them."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    def cancel(self, run: "Run", by: str) -> None:
        """Begin no further step, and undo those that say how. Raises `NotNow` for what has ended."""
        from fairlead.storage import workflow_rows as table

        come_from = (*table.LIVE, table.WAITING, table.PAUSED)
        self._change(run, by, "workflow_cancel", come_from, status=table.CANCELLING)

    def pause(self, run: "Run", by: str) -> None:
        """Begin no further step until it is resumed: what is under way comes to its end."""
        from fairlead.storage import workflow_rows as table

        come_from = (table.ACCEPTED, table.RUNNING, table.WAITING)
        self._change(run, by, "workflow_pause", come_from, status=table.PAUSED)

    def resume(self, run: "Run", by: str) -> None:
        """Go on with one that was paused."""
        from fairlead.storage import workflow_rows as table

        if run.owner:  # what was under way when it was paused has not come to its end yet
            self._change(run, by, "workflow_resume", (table.PAUSED,), status=table.RUNNING)
        else:
            self._change(run, by, "workflow_resume", (table.PAUSED,), status=table.ACCEPTED, segment=run.segment + 1)

    def retry(self, opened: Opened, by: str) -> None:
        """Go on with one that has failed: what failed is tried again, under the same idempotency keys. Raises `NotNow`
        where something of it was undone: then nobody knows what still stands."""
        from fairlead.storage import workflow_rows as table
        from fairlead.storage import workflow_step_rows as steps

        run = opened.run
        if any("~undo" in each.place for each in opened.results.values()):
            raise NotNow(
                f"run {run.id} was undone when it failed",
                why="to go on would rest on steps that were taken back",
                mend=f"begin a copy of it: fairlead workflow retry {run.id} --from STEP",
                subject=run.id,
            )
        failed = [each.place for each in opened.results.values() if each.status == "failed"]
        values = {"status": table.ACCEPTED, "segment": run.segment + 1, "ended_at": 0, "error": "", "result": b""}
        self._change(
            run, by, "workflow_retry", (table.FAILED,), also=lambda c: steps.take_back(c, run.id, failed), **values
        )

    def fork(
        self, opened: Opened, by: str, *, drop: Callable[[str], bool], given: Any, body: bytes, digest: str
    ) -> str:
        """Begin a run that has done all that this one has, but for the places that are dropped. `given` is its input,
        and `body` its definition, as they are or edited. Gives its id. Steps that it does again are done again: it has
        keys of its own."""
        from fairlead.storage import workflow_rows as table
        from fairlead.storage import workflow_step_rows as steps

        old, now, id_ = opened.run, self._clock.now(), new_id(self._clock, "wf")
        begun = Begun(new_key(self._clock), opened.begun.caller, given, opened.begun.door)
        subject, sealed = sealed_begin(self._vault, id_, begun)
        key = RunKey(id_, begun.key, self._clock)
        kept = [each for each in opened.results.values() if each.status == "done" and not drop(each.place)]
        run = table.Run(
            id=id_, once=id_, workflow=old.workflow, definition=digest, subject=subject, tenant=old.tenant,
            department=old.department, parent=old.id, priority=old.priority, made_at=now, sealed=sealed,
        )  # fmt: skip
        with self._store.writing() as connection:
            table.keep_definition(connection, digest, old.workflow, body, now)
            table.accept(connection, run)
            steps.copy_results(connection, [self._copied(opened, key, each, id_) for each in kept])
            self._tell(connection, "workflow_forked", run, f"{id_} of {old.id}", by)
        return id_

    def _copied(self, opened: Opened, key: RunKey, result: "Result", id_: str) -> "Result":
        from msgspec.structs import replace

        sealed = key.seal(result.place, opened.key.open(result.place, result.sealed))
        return replace(result, run=id_, sealed=sealed, size=len(sealed), cost=0)  # the first run has paid for it

    def _change(
        self,
        run: "Run",
        by: str,
        kind: str,
        come_from: tuple[str, ...],
        also: "Callable[[Connection], None] | None" = None,
        **values: Any,
    ) -> None:
        from fairlead.storage import workflow_rows as table

        with self._store.writing() as connection:
            if not table.change(connection, run.id, come_from=come_from, **values):
                found = table.run_of(connection, run.id)
                raise NotNow(
                    f"run {run.id} is {found.status if found else 'gone'}",
                    why=f"this can be done while it is {', '.join(come_from)}",
                    mend=f"see what has become of it: fairlead workflow status {run.id}",
                    subject=run.id,
                )
            if also is not None:
                also(connection)
            self._tell(connection, kind, run, run.id, by)

    def _tell(self, connection: "Connection", kind: str, run: "Run", about: str, by: str) -> None:
        entry = deed(self._clock, kind, by=by, person=run.subject, about=about)
        self._store.database.append(connection, [entry])


def within(step: str) -> Callable[[str], bool]:
    """Whether a place belongs to a step: its own, those of its items, turns and branches, and what undoes it."""

    def belongs(place: str) -> bool:
        return place == step or place.startswith(tuple(f"{step}{edge}" for edge in _EDGES if edge))

    return belongs
