"""Durable runs: begun once, walked by one worker at a time, answered by people, and kept until they are too old.

Every method reads or writes the database: call it in a thread. What is written of a run's payload is sealed under a key
of its own. A run's beginning and end are records of the log, in the transaction that brings them about.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from fairlead.clock import Clock, new_id
from fairlead.costs.record import deed
from fairlead.errors import Broken, NotFound
from fairlead.identity.types import Caller
from fairlead.storage.store import Store
from fairlead.storage.types import NewExample, NewResult
from fairlead.storage.vault import Vault
from fairlead.workflows.marks import ORIGIN
from fairlead.workflows.opened import Decided, Opened, Origin, Started, packed, unpacked
from fairlead.workflows.queues import Limits
from fairlead.workflows.retention import forget_ended
from fairlead.workflows.run_rows import places_told, policies_of, refuse_long, rests_until, row_of
from fairlead.workflows.sealing import Begun, RunKey, new_key, opened_begin, sealed_begin
from fairlead.workflows.walk import Place, StepResult, Waiting

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.workflow_rows import Run
    from fairlead.storage.workflow_step_rows import Wait

BELL: Final = "runs"
"""What rings where a run was begun, answered or steered (`Database.ring`)."""

_SAID: Final = "~said."
_END: Final = "(result)"  # the place of what the whole run gave: no step can have this name


class Runs:
    """All runs of a deployment. `keep`, in milliseconds, and `limits` are replaced when another revision comes into
    force."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self.keep = 0
        self.limits = Limits()
        self.store = store
        self._vault = vault
        self._clock = clock

    def begin(self, caller: Caller, what: Started) -> "tuple[Run, bool]":
        """Durable when this returns. The run, and whether it is a new one. Raises `BadInput` for too much input."""
        from fairlead.storage import workflow_rows as table

        now, id_ = self._clock.now(), new_id(self._clock, "wf")
        begun = Begun(new_key(self._clock), caller, what.input, what.door)
        subject, sealed = sealed_begin(self._vault, id_, begun)
        refuse_long(what, len(sealed))
        run = row_of(caller, what, id_, subject, now, sealed=sealed)
        with self.store.writing() as connection:
            table.keep_definition(connection, what.digest, what.workflow, what.body, now)
            if table.accept(connection, run):
                told = f"{id_} {what.workflow} {what.digest[:16]}"
                self._tell(connection, "workflow_begun", run, told, decided=what.decided)
                return run, True
            found = table.run_once(connection, run.once)
        if found is None:
            raise Broken("a run vanished while it was begun again", mend="begin it again")
        return found, False

    def one(self, id_: str, who: Caller | None = None) -> "Run":
        """A run, to whoever began it (None: to whoever runs the deployment). Raises `NotFound`."""
        from fairlead.storage import workflow_rows as table

        with self.store.reading() as connection:
            found = table.run_of(connection, id_)
        if found is None or (who is not None and not self._is_theirs(found, who)):
            raise no_run(id_)
        return found

    def named(self, beginning: str) -> str:
        """The id of the run that begins so. Raises `NotFound` where there is none, or several."""
        from fairlead.storage import workflow_rows as table

        with self.store.reading() as connection:
            found = table.named(connection, beginning)
        if len(found) == 1 or beginning in found:
            return beginning if beginning in found else found[0]
        several = f"several runs begin with {beginning!r}" if found else f"there is no run {beginning!r}"
        raise NotFound(several, mend="`fairlead workflow runs` lists those that there are", subject=beginning)

    def all(
        self,
        who: Caller | None = None,
        *,
        workflow: str = "",
        status: Sequence[str] = (),
        since: int = 0,
        not_undone: bool = False,
        after: str = "",
    ) -> "Iterator[Run]":
        """The youngest first: a person's own, or all of the deployment; begun `since` then, and before the run `after`;
        or only those of which something was `not_undone`. Raises `NotFound` where there is no such run."""
        from fairlead.storage import workflow_rows as table

        wanted: dict[str, Any] = {"workflow": workflow, "status": status, "since": since, "not_undone": not_undone}
        if who is not None:
            wanted |= {"subject": self._vault.id_of(who.person) or "-", "tenant": who.tenant}
        if after:
            last = self.one(after, who)
            wanted["after"] = last.made_at, last.id
        with self.store.reading() as connection:
            yield from table.runs(connection, **wanted)

    def extent(self, id_: str) -> tuple[int, int]:
        """How many results a run has by now, and how many bytes they are."""
        from fairlead.storage import workflow_step_rows as steps

        with self.store.reading() as connection:
            return steps.count(connection, id_)

    def open(self, id_: str, *, read: bool = True) -> Opened:
        """All of it, opened; unless it is to be `read`, without what its steps gave. Raises `NotFound` where it, or its
        person, is gone, or nothing of it is kept, `Broken` where its definition is gone."""
        from fairlead.storage import workflow_rows as table
        from fairlead.storage import workflow_step_rows as steps

        with self.store.reading() as connection:
            run = table.run_of(connection, id_)
            if run is None:
                raise no_run(id_)
            if run.unkept:
                raise NotFound(
                    f"nothing is kept of run {id_}",
                    why=f"{run.workflow} says `secrecy: memory`: what came of it was told whoever waited for it",
                    mend="begin it again; `secrecy: sealed` keeps those to come",
                    subject=id_,
                )
            body = table.definition_body(connection, run.definition)
            rows = steps.results(connection, id_) if read else steps.unread(connection, id_)
            results = {each.place: each for each in rows}
            waits = steps.waits(connection, run=id_)
        if body is None:
            raise Broken(f"the definition of run {id_} is gone", mend="restore `workflow_definition` from a backup")
        begun = opened_begin(self._vault, id_, run.subject, run.sealed)
        key = RunKey(id_, begun.key, self._clock)
        copied = results.get(ORIGIN) if read else None
        return Opened(
            run=run,
            key=key,
            begun=begun,
            definition=body,
            results=results,
            waited=waits[0].place if waits else "",
            parked_at=frozenset(each.place for each in waits),
            origin=None if copied is None else unpacked(key.open(ORIGIN, copied.sealed), Origin),
        )

    def row(self, opened: Opened, worker: str, place: str, result: StepResult) -> NewResult:
        """What was done at a place, as the journal keeps it in the commit of its action."""
        sealed = opened.key.seal(place, packed(result))
        return NewResult(
            run=opened.run.id, place=place, owner=worker, at=self._clock.now(), action=result.run, status="done",
            cost=result.cost, size=len(sealed), sealed=sealed,
        )  # fmt: skip

    def done(self, opened: Opened, worker: str, value: Any) -> bool:
        """It has come to its end. False where another worker walks it by now."""
        return self._end(opened, worker, "done", "", opened.key.seal(_END, value))

    def failed(self, opened: Opened, worker: str, status: str, error: str, told: Any) -> bool:
        """It ended otherwise (`status` failed or cancelled): `error` in codes and places, `told` what people are told,
        which is sealed. Of what was `not_undone` the places stand in the row and in a record of their own, since its
        person may be gone: whoever runs the deployment must know of it."""
        return self._end(opened, worker, status, error, opened.key.seal(_END, told), places_told(told))

    def result(self, opened: Opened) -> Any:
        """What came of an ended run: its value, or what was told of its failure. None while it goes on."""
        kept = opened.run.result or opened.run.unkept
        return opened.key.open(_END, opened.run.result) if kept else None

    def park(self, opened: Opened, worker: str, waiting: Sequence[tuple[Place, Waiting]]) -> bool:
        """It goes no further for now. What came meanwhile lets it go on at once."""
        from fairlead.storage import workflow_rows as table
        from fairlead.storage import workflow_step_rows as steps

        run, now = opened.run, self._clock.now()
        waits = [self._wait(opened, *each, now) for each in waiting]
        until = min((each.until for each in waits if each.until), default=0)
        with self.store.writing() as connection:
            come = not waits or steps.has_any(connection, run.id, [each.place for each in waits])
            steps.wait(connection, run.id, waits)
            rests = 0 if come else rests_until(waiting, until)
            return table.park(connection, run.id, owner=worker, until=until, goes_on=come, rests=rests)

    def waits(self, opened: Opened) -> "list[tuple[Wait, Waiting]]":
        """What a run waits for, opened."""
        from fairlead.storage import workflow_step_rows as steps

        with self.store.reading() as connection:
            found = steps.waits(connection, run=opened.run.id)
        return [(each, unpacked(opened.key.open(_asked(each.place), each.sealed), Waiting)) for each in found]

    def answer(
        self,
        opened: Opened,
        place: str,
        result: StepResult,
        *,
        by: str,
        kind: str,
        until: int = 0,
        taught: Callable[[], NewExample | None] = lambda: None,
    ) -> bool:
        """Tell a run what it waits for; the first that is said counts. False where something was said before, or it is
        said too late (`until`; 0 never is). What is `taught` by it is kept with it. Raises `NotFound` where one of the
        persons was erased meanwhile."""
        from fairlead.storage import example_rows as examples
        from fairlead.storage import workflow_step_rows as steps

        row, example = steps.row_of(self.row(opened, "", place, result)), taught()
        with self.store.writing() as connection:
            if 0 < until <= self._clock.now() or not steps.answer(connection, row):
                return False
            if example is not None and not examples.keep(connection, example):
                raise NotFound("whose run it was, or who answers, was erased meanwhile", mend="nothing was kept")
            self._tell(connection, kind, opened.run, f"{opened.run.id} {place}", by=by)
        return True

    def agreed(self, opened: Opened, place: str, who: Caller) -> tuple[list[Caller], bool]:
        """One of several who must agree has. Everybody who has by now, as they stood then, and whether it was this
        person's first time."""
        from fairlead.storage import workflow_step_rows as steps

        mine = f"{place}{_SAID}{self._vault.subject_for(who.person).id}"
        row = steps.row_of(self.row(opened, "", mine, StepResult(value=packed(who))))
        with self.store.writing() as connection:
            new = not steps.has_any(connection, opened.run.id, (mine,))
            if new:
                steps.copy_results(connection, (row,))
            found = [
                each for each in steps.results(connection, opened.run.id) if each.place.startswith(f"{place}{_SAID}")
            ]
            if new:
                self._tell(connection, "workflow_agreed", opened.run, f"{opened.run.id} {place}", by=who.credential)
        return [unpacked(opened.key.open(each.place, each.sealed)["value"], Caller) for each in found], new

    def sweep(self) -> None:
        """Delete what ended longer ago than runs are kept."""
        if self.keep:
            forget_ended(self.store, self._clock.now() - self.keep)

    def _end(self, opened: Opened, worker: str, status: str, error: str, result: bytes, not_undone: str = "") -> bool:
        from fairlead.storage import workflow_rows as table
        from fairlead.storage import workflow_step_rows as steps

        run, now = opened.run, self._clock.now()
        with self.store.writing() as connection:
            if not table.end(
                connection, run.id, owner=worker, status=status, error=error, result=result, ended_at=now, until=0,
                not_undone=not_undone,
            ):  # fmt: skip
                return False
            steps.wait(connection, run.id, ())
            self._tell(connection, f"workflow_{status}", run, f"{run.id} {run.workflow} {error}".rstrip())
            if not_undone:
                self._tell(connection, "workflow_not_undone", run, f"{run.id} {run.workflow}: {not_undone}")
        return True

    def _wait(self, opened: Opened, place: Place, waiting: Waiting, now: int) -> "Wait":
        from fairlead.storage.workflow_step_rows import Wait

        what = waiting.role or waiting.signal or waiting.id
        sealed = opened.key.seal(_asked(place.record), packed(waiting))
        return Wait(
            run=opened.run.id, place=place.record, kind=waiting.kind, what=what, asked_at=now,
            until=waiting.until or 0, sealed=sealed,
        )  # fmt: skip

    def _is_theirs(self, run: "Run", who: Caller) -> bool:
        return (run.subject, run.tenant) == (self._vault.id_of(who.person), who.tenant)

    def _tell(
        self, connection: "Connection", kind: str, run: "Run", about: str, by: str = "", decided: Decided | None = None
    ) -> None:
        said = policies_of(decided)
        entry = deed(self._clock, kind, by=by or "workflow", person=run.subject, about=about, **said)
        self.store.database.append(connection, [entry])


def no_run(id_: str) -> NotFound:
    """For a run that there is not, and for whoever may not know that there is one."""
    return NotFound(f"there is no run {id_!r}", mend="`fairlead workflow runs` lists those that there are", subject=id_)


def _asked(place: str) -> str:
    return f"{place}?"
