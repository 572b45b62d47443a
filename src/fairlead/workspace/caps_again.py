"""Whether recorded actions would have fitted under other caps: what was spent is added up as the log tells of it.

Caps that are alike decide alike, and need no reckoning. What was moved beside a cap is not known here: where the caps
of then do not lead to what was recorded, nothing is said.
"""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from fairlead.costs.budgets import Budgets
from fairlead.costs.record import Record
from fairlead.execution.told_policies import Told
from fairlead.identity.types import Caller
from fairlead.workspace.deciding_again import Again, Unknown, caller_of
from fairlead.workspace.decisions_made import Undecided

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace

FITS = "fits"
OVER = "over the cap"


class Caps:
    """The caps of a revision that is supposed, and what was spent by scope and period so far."""

    def __init__(self, workspace: "Workspace") -> None:
        self._new = workspace
        self._said = _settings(workspace)
        self._alike: dict[str, bool] = {}
        self._spent: Counter[tuple[str, str]] = Counter()

    def outcome(self, record: Record, told: Told | None, again: Again) -> tuple[str, str, str] | Undecided | None:
        """What it was and would be, and the scope that decides; None where the caps are alike. `again` is the revision
        that decided."""
        if self._is_alike(again):
            return None
        old = again.workspace
        caller = caller_of(record, told, old)
        if isinstance(caller, Unknown):
            return Undecided(caller.why)
        refused = record.error is not None and record.error.code == "over_budget"
        held = record.held or record.cost
        was, _ = self._fits(old.budgets, caller, record, held)
        if refused and not held:
            return Undecided("what a refused call would have held is not recorded")
        if (was == OVER) != refused:
            return Undecided("the caps of then, and what is known to be spent, do not lead to what was recorded")
        now, scope = self._fits(self._new.budgets, caller, record, held)
        every = (*old.budgets.limits_for(caller, record.task, record.at, record.workflow),
                 *self._new.budgets.limits_for(caller, record.task, record.at, record.workflow))  # fmt: skip
        for key in {(each.scope, each.period) for each in every}:
            self._spent[key] += record.cost
        return was, now, scope

    def _fits(self, budgets: Budgets, caller: Caller, record: Record, held: int) -> tuple[str, str]:
        for limit in budgets.limits_for(caller, record.task, record.at, record.workflow):
            if self._spent[limit.scope, limit.period] + held > limit.cap:
                return OVER, f"budgets.{limit.scope}"
        return FITS, "budgets"

    def _is_alike(self, old: Again) -> bool:
        if old.revision not in self._alike:
            self._alike[old.revision] = _settings(old.workspace) == self._said
        return self._alike[old.revision]


def _settings(workspace: "Workspace") -> bytes:
    return msgspec.json.encode(workspace.settings.budgets, order="sorted")
