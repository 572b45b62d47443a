"""Runs with `secrecy: memory`: what they know is in the memory of the process that they were begun in, nowhere else.

Of such a run there is a row that says that it was, whose and how it stands, and a row for each step with its action and
its cost. `InMemory` is in the place of the key that seals everything else.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fairlead.clock import Clock, new_id
from fairlead.costs.record import deed
from fairlead.errors import Broken
from fairlead.identity.types import Caller
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.workflows.opened import Opened, Started
from fairlead.workflows.run_rows import policies_of, refuse_long, row_of
from fairlead.workflows.sealing import Begun, InMemory, encoded

if TYPE_CHECKING:
    from fairlead.storage.workflow_rows import Run
    from fairlead.storage.workflow_step_rows import Result


class UnkeptRuns:
    """Their rows. Every method reads or writes the database: call it in a thread."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    def begin(self, caller: Caller, what: Started, worker: str) -> "tuple[Run, Opened | None]":
        """Begin a run that this worker is to walk, from what is given here. None in place of that where it was begun
        under this name before, unless it was lost: then it begins again. Raises `BadInput` for too much input."""
        from fairlead.storage import workflow_rows as table
        from fairlead.storage.workflow_taking_rows import begin_again

        refuse_long(what, len(encoded(what.input)))
        now, id_ = self._clock.now(), new_id(self._clock, "wf")
        subject = self._vault.subject_for(caller.person).id
        run = row_of(caller, what, id_, subject, now, status=table.RUNNING, owner=worker, started_at=now)
        with self._store.writing() as connection:
            table.keep_definition(connection, what.digest, what.workflow, what.body, now)
            new = table.accept(connection, run)
            found = run if new else table.run_once(connection, run.once)
            if found is None:
                raise Broken("a run vanished while it was begun again", mend="begin it again")
            mine = new or (found.unkept and begin_again(connection, found.id, worker=worker, now=now))
            if mine:
                kind = "workflow_begun" if new else "workflow_begun_again"
                about = f"{found.id} {found.workflow} {found.definition[:16]}"
                said = policies_of(what.decided)
                entry = deed(self._clock, kind, by="workflow", person=found.subject, about=about, **said)
                self._store.database.append(connection, [entry])
            found = table.run_of(connection, found.id) or found
            body = table.definition_body(connection, found.definition)
        if not mine or body is None:
            return found, None
        begun = Begun(b"", caller, what.input, what.door)
        return found, Opened(run=found, key=InMemory(), begun=begun, definition=body, results={})

    def steps(self, run: "Run") -> "list[Result]":
        """What a run has done: where, by which action, for how much."""
        from fairlead.storage import workflow_step_rows as steps

        with self._store.reading() as connection:
            return steps.results(connection, run.id)

    def statuses(self, ids: Sequence[str]) -> dict[str, str]:
        """How these runs stand."""
        from fairlead.storage import workflow_rows as table

        with self._store.reading() as connection:
            return table.statuses(connection, ids)
