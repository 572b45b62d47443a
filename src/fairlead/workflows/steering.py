"""What people do to a run that was begun: cancel it, hold it, let it go on, try it again, begin a copy in its middle.

Each is one transaction with its record. Every method reads or writes the database: call it in a thread.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NoReturn

from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock, new_id
from fairlead.costs.record import deed
from fairlead.errors import Broken, Refused
from fairlead.identity.types import Caller
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.workflows.marks import ORIGIN, marks_of
from fairlead.workflows.opened import Decided, Opened, Origin, packed
from fairlead.workflows.recorded import failure_in
from fairlead.workflows.run_rows import policies_of
from fairlead.workflows.sealing import Begun, RunKey, new_key, sealed_begin

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.workflow_rows import Run
    from fairlead.storage.workflow_step_rows import Result
    from fairlead.workflows.forking import Fork, Plan


class NotNow(Refused):
    """The run is not in a state in which this can be done.

    `fairlead workflow status RUN` tells its state: what has ended cannot be cancelled, and what is undone cannot go on.
    """

    code = "not_now"
    status = 409


class CopyStart(Struct, frozen=True, kw_only=True):
    """Who begins a copy: for which caller, by whom it was asked for (as the system knows them), and what policies said
    of it."""

    caller: Caller
    by: str
    decided: Decided | None = None


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
        self._change(run, by, "workflow_cancel", come_from, status=table.CANCELLING, until=0)

    def pause(self, run: "Run", by: str) -> None:
        """Begin no further step until it is resumed: what is under way comes to its end."""
        from fairlead.storage import workflow_rows as table

        come_from = (table.ACCEPTED, table.RUNNING, table.WAITING)
        self._change(run, by, "workflow_pause", come_from, status=table.PAUSED)

    def resume(self, run: "Run", by: str) -> None:
        """Go on with one that was paused."""
        from fairlead.storage import workflow_rows as table

        with self._store.writing() as connection:
            if not table.resume(connection, run.id):
                self._refuse(connection, run, (table.PAUSED,))
            self._tell(connection, "workflow_resume", run, run.id, by)

    def retry(self, opened: Opened, by: str, decided: Decided | None = None) -> None:
        """Go on with one that has failed: what failed is tried again, under the same idempotency keys. `decided` is
        what policies said of it. Raises `NotNow` where something of it was undone: then nobody knows what still stands.
        """
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
        failed = list(_tried_again(opened))
        values = {"status": table.ACCEPTED, "segment": run.segment + 1, "ended_at": 0, "error": "", "result": b""}
        with self._store.writing() as connection:
            if not table.change(connection, run.id, come_from=(table.FAILED,), seen=run.segment, **values):
                self._refuse(connection, run, (table.FAILED,))
            steps.take_back(connection, run.id, failed)
            self._tell(connection, "workflow_retry", run, run.id, by, decided)

    def fork(self, opened: Opened, plan: "Plan", fork: "Fork", start: CopyStart) -> "tuple[Run, bool]":
        """Begin a run that has done what the plan takes over, for its caller. The run, and whether it is a new one:
        the same name of a start (`fork.once`) begins one. What it does again is done under keys of its own; the run
        that it goes on from stays as it is. Raises `NotNow` where that has gone on meanwhile."""
        from fairlead.storage import workflow_rows as table
        from fairlead.storage import workflow_step_rows as steps

        old, now, id_ = opened.run, self._clock.now(), new_id(self._clock, "wf")
        caller = start.caller
        begun = Begun(new_key(self._clock), caller, plan.given, opened.begun.door)
        subject, sealed = sealed_begin(self._vault, id_, begun)
        key, bundle = RunKey(id_, begun.key, self._clock), plan.bundle
        run = table.Run(
            id=id_, once=_once(subject, old.id, fork.once) or id_, workflow=old.workflow, definition=bundle.digest,
            subject=subject, tenant=old.tenant, department=caller.department, parent=old.id, priority=old.priority,
            made_at=now, sealed=sealed,
        )  # fmt: skip
        rows = [
            *self._copied(opened, key, plan, id_),
            *_given(plan, key, id_, now),
            _origin(opened, plan, fork, key, id_, now),
        ]
        about = f"{id_} of {old.id} from {', '.join(plan.start)}"
        if plan.edited:
            about += f"; edited: {', '.join(plan.edited)}"
        with self._store.writing() as connection:
            self._require_unmoved(connection, old)
            table.keep_definition(connection, bundle.digest, old.workflow, bundle.body, now)
            if not table.accept(connection, run):
                found = table.run_once(connection, run.once)
                if found is None:
                    raise Broken("a run vanished while it was begun again", mend="begin it again")
                return found, False
            steps.copy_results(connection, rows)
            self._tell(connection, "workflow_forked", run, about, start.by, start.decided)
        return run, True

    def _require_unmoved(self, connection: "Connection", run: "Run") -> None:
        from fairlead.storage import workflow_rows as table

        now = table.run_of(connection, run.id)
        if now is None or (now.status, now.segment, now.owner) != (run.status, run.segment, run.owner):
            raise NotNow(
                f"run {run.id} has gone on meanwhile",
                mend=f"look again: fairlead workflow status {run.id}",
                subject=run.id,
            )

    def _copied(self, opened: Opened, key: RunKey, plan: "Plan", id_: str) -> "Iterator[Result]":
        for each in plan.taken:
            if each.place in plan.results:
                continue
            plain = opened.key.open(each.place, each.sealed)
            if "cost" in plain:  # the first run has paid for it
                plain = {**plain, "cost": 0}
            sealed = key.seal(each.place, plain)
            yield replace(each, run=id_, sealed=sealed, size=len(sealed), cost=0)

    def _change(self, run: "Run", by: str, kind: str, come_from: tuple[str, ...], **values: Any) -> None:
        from fairlead.storage import workflow_rows as table

        with self._store.writing() as connection:
            if not table.change(connection, run.id, come_from=come_from, **values):
                self._refuse(connection, run, come_from)
            self._tell(connection, kind, run, run.id, by)

    def _refuse(self, connection: "Connection", run: "Run", come_from: tuple[str, ...]) -> NoReturn:
        from fairlead.storage import workflow_rows as table

        found = table.run_of(connection, run.id)
        moved = found is not None and found.status in come_from
        raise NotNow(
            f"run {run.id} " + ("has gone on meanwhile" if moved else f"is {found.status if found else 'gone'}"),
            why=f"this can be done while it is {', '.join(come_from)}",
            mend=f"see what has become of it: fairlead workflow status {run.id}",
            subject=run.id,
        )

    def _tell(
        self, connection: "Connection", kind: str, run: "Run", about: str, by: str, decided: Decided | None = None
    ) -> None:
        entry = deed(self._clock, kind, by=by, person=run.subject, about=about, **policies_of(decided))
        self._store.database.append(connection, [entry])


def _tried_again(opened: Opened) -> "Iterator[str]":
    """The places whose failures are taken back, with what says that they were begun where nothing came of that."""
    for place, row in opened.results.items():
        if row.status == "failed":
            yield place
            if not failure_in(opened.key.open(place, row.sealed)).may_be_done:
                yield from marks_of(place)


def _given(plan: "Plan", key: RunKey, id_: str, now: int) -> "Iterator[Result]":
    """The results that somebody gives in the place of those that there were."""
    from fairlead.storage.workflow_step_rows import Result

    for place, result in plan.results.items():
        sealed = key.seal(place, packed(result))
        yield Result(run=id_, place=place, at=now, action="", status="done", cost=0, size=len(sealed), sealed=sealed)


def _origin(opened: Opened, plan: "Plan", fork: "Fork", key: RunKey, id_: str, now: int) -> "Result":
    """What the copy knows of where it comes from. It goes on with the flow of what was read before."""
    from fairlead.storage.workflow_step_rows import Result

    origin = Origin(
        run=opened.run.id, start=plan.start, kept=plan.kept, edited=plan.edited, flow=opened.flow, asked=fork.digest
    )
    sealed = key.seal(ORIGIN, packed(origin))
    return Result(run=id_, place=ORIGIN, at=now, action="", status="done", cost=0, size=len(sealed), sealed=sealed)


def _once(subject: str, run: str, once: str) -> str:
    return sha256("\0".join((subject, run, "fork", once)).encode()).hexdigest() if once else ""
