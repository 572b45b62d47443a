"""Budgets, beside the requests: what is left of a period goes on to the next one, and alarms tell what was passed.

Any worker may do it, and several may want to: what is done stands in the rows, in the transaction that does it. Where
a workspace declares neither, nothing is done.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.costs.budgets import Budgets, begin_of, next_period, periods_of, scope_told
from fairlead.costs.credits import Credits
from fairlead.costs.record import deed
from fairlead.storage.store import Store
from fairlead.workspace.compile import Workspace
from fairlead.workspace.custody import Steadiness

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.balances import Standing

log = logging.getLogger("fairlead.budgets")

CONTROL: Final = "budgets"
GRACE: Final = 120_000
"""Milliseconds after its end for which a period is left alone: clocks differ, and calls are still settled."""
PATIENCE: Final = 3_600_000
"""Milliseconds after its end for which calls under way are waited for; then they count as if they cost what they hold.
"""
_MOST_TOLD: Final = 50  # budgets in one message


class Told(Struct, frozen=True):
    """A budget, as an alarm tells of it: amounts in the workspace's unit, of a person the subject id."""

    scope: str
    period: str
    passed: str
    spent: str
    most: str
    left: str


class Budgeting:
    """Blocking, but for the chores. `take_up` when another revision has come into force."""

    def __init__(self, store: Store, clock: Clock, pseudonym: Callable[[str], str]) -> None:
        self._store = store
        self._clock = clock
        self._pseudonym = pseudonym
        self._steadiness = Steadiness(clock)
        self._budgets: Budgets | None = None
        self._alarms: tuple[str, ...] = ()
        self._over: dict[str, str] = {}  # the periods before which nothing is left to carry over

    def take_up(self, workspace: Workspace) -> None:
        """Go on by this."""
        budgets = workspace.budgets
        alarms = workspace.settings.budgets.alarms
        self._budgets = budgets if alarms or budgets.rolls_over else None
        self._alarms, self._over = alarms, {}

    def credits(self, budgets: Budgets) -> Credits:
        """What may be spent beside the caps of these."""
        return Credits(self._store, self._clock, budgets, self._pseudonym)

    async def carry_over(self) -> None:
        """A chore: ask every minute or so."""
        if self._budgets is not None and self._budgets.rolls_over:
            await asyncio.to_thread(self.carry, self._budgets)

    async def alarm(self) -> None:
        """A chore: ask every few seconds."""
        if self._budgets is not None and self._alarms:
            await asyncio.to_thread(self.tell, self._budgets)

    def carry(self, budgets: Budgets) -> None:
        """Close the periods that are over, once all calls in them are settled, and begin those that are declared."""
        from fairlead.storage.balances import begin, last_periods

        now, steady = self._clock.now(), self._steadiness.holds()
        periods = periods_of(now)
        if not steady or periods == self._over:
            return
        with self._store.reading() as connection:
            current = {len(period): period for kind, period in periods.items() if kind != "total"}
            ended = last_periods(connection, current)
        credits, waits = self.credits(budgets), False
        for (scope, period), standing in sorted(ended.items()):
            cap = budgets.cap_on(scope, period)
            if cap is None or cap.rollover is None or standing.closed_at:
                continue
            over_for = now - begin_of(next_period(period))
            if over_for < GRACE or (standing.held > 0 and over_for < PATIENCE):
                waits = True
                continue
            credits.carry(scope, period, cap, periods[cap.kind])
        declared = [(s, periods[cap.kind]) for s in budgets.named for cap in budgets.caps_of(s) if cap.rollover]
        with self._store.writing() as connection:
            begin(connection, declared)
        if not waits:
            self._over = periods

    def tell(self, budgets: Budgets) -> int:
        """Post one message to each alarm about all budgets that have passed a share since the last one. Returns of how
        many it tells."""
        from fairlead.storage.balances import locked, note, unalarmed

        with self._store.reading() as connection:
            if not (due := sorted(unalarmed(connection))[:_MOST_TOLD]):
                return 0
        current = set(periods_of(self._clock.now()).values())
        names = {scope: scope_told(scope, self._pseudonym) for scope, _ in due}
        with self._store.writing() as connection:
            found = locked(connection, due)
            told = []
            for (scope, period), standing in found.items():
                cap = budgets.cap_on(scope, period)
                if standing.passed > standing.alerted and cap is not None and period in current:
                    told.append(_told(budgets, names[scope], period, cap.cap, standing))
            if told and not self._post(connection, budgets, told):
                return 0  # too many wait already: they are told of together, once there is room
            for key, standing in found.items():
                note(connection, key, alerted=max(standing.passed, standing.alerted))
        return len(told)

    def _post(self, connection: "Connection", budgets: Budgets, told: list[Told]) -> bool:
        """The messages, and the record that they were posted, in the caller's transaction."""
        from fairlead.controls.alarm_rows import post

        now, done = self._clock.now(), False
        for alarm in self._alarms:
            id_ = new_id(self._clock, "msg")
            about = {"type": "budget.passed", "id": id_, "at": now, "unit": budgets.unit.name, "budgets": told}
            done = post(connection, id_, CONTROL, alarm, msgspec.json.encode(about), now) or done
        if done:
            for each in told:
                log.warning("budget %s has passed %s for %s", each.scope, each.passed, each.period)
            about_all = "; ".join(f"{each.scope} {each.period} {each.passed}" for each in told)
            entry = deed(self._clock, "budget_passed", by="fairlead", about=about_all)
            self._store.database.append(connection, [entry])
        return done


def _told(budgets: Budgets, scope: str, period: str, cap: int, standing: "Standing") -> Told:
    unit, most = budgets.unit, cap + standing.extra
    left = max(0, most - standing.held - standing.spent)
    passed = f"{standing.passed}%"
    return Told(scope, period, passed, unit.exact(standing.spent), unit.exact(most), unit.exact(left))
