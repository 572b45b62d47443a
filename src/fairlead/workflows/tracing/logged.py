"""The governed actions of a run, as the log has them."""

from fairlead.costs.record import Record, decode_record
from fairlead.errors import NotFound
from fairlead.storage.log import Log
from fairlead.storage.store import Store
from fairlead.workflows.tracing.facts import Action, Attempt


class Logged:
    """Reads each action once. Blocking: call it in a thread."""

    def __init__(self, store: Store) -> None:
        self._log = Log(store)
        self._rows: dict[str, list[tuple[int, Record]]] = {}

    def rows(self, run: str) -> list[tuple[int, Record]]:
        """The records of an action with their places in the log, its attempts first; none where there are none."""
        if run not in self._rows:
            try:
                found = self._log.of_run(run)
            except NotFound:
                found = []
            self._rows[run] = [(each.seq, decode_record(each.record)) for each in found]
        return self._rows[run]

    def action(self, run: str) -> Action | None:
        """An action, None where there is none."""
        rows = self.rows(run)
        if not rows:
            return None
        last = rows[-1][1]
        tries = [each for _, each in rows if each.model]
        return Action(
            run=run, at=last.at, model=last.model or (tries[-1].model if tries else ""), revision=last.revision,
            outcome=last.outcome, error=last.error.code if last.error else "", policies=last.policies,
            attempts=tuple(Attempt(each.model, each.error.code if each.error else "") for each in tries),
            citations=last.citations, task=last.task, cost=sum(each.cost for _, each in rows),
        )  # fmt: skip
