"""Whatever comes (bills of any size, caps that are lowered, clocks that go back, money that is moved and carried over),
what is held, spent and given beside the caps adds up, and nobody reserves what is not there."""

import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.world import FixedClock

from fairlead.costs.budgets import Budgets, compile_budgets, periods_of
from fairlead.costs.credits import Credits, Wanted
from fairlead.costs.settings import BudgetsSettings
from fairlead.errors import OverBudget, Refused
from fairlead.identity.types import Caller
from fairlead.storage.balances import Standing, balances
from fairlead.storage.books import open_books
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store
from fairlead.storage.types import Hold, Receipt, Write

DEPARTMENTS = ("sales", "legal")
MONTH = 31 * 86_400_000
ABSURD = 10**15  # nano-units: the most that any usage report comes to
departments = st.sampled_from(DEPARTMENTS)
amounts = st.integers(0, 60)


class Ledger(RuleBasedStateMachine):
    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "state.db")
        self.store, self.clock = Store(self.folder / "state.db", synchronous="off"), FixedClock()
        self.books = open_books(self.store, "w1", self.clock, JournalSettings(synchronous="normal"), 1.0)
        self.caps = dict.fromkeys(DEPARTMENTS, 100)
        self.open: list[Hold] = []
        self.spent: dict[tuple[str, str], int] = {}
        self.given = self.made = 0

    @property
    def budgets(self) -> Budgets:
        each = {name: {"monthly": f"0.{cap:09d}", "rollover": True} for name, cap in self.caps.items()}
        return compile_budgets(msgspec.convert({"departments": each}, BudgetsSettings))

    @property
    def credits(self) -> Credits:
        return Credits(self.store, self.clock, self.budgets, lambda person: person)

    def left(self, department: str) -> int:
        now = balances(self.store).get((f"department/{department}", self.period), Standing())
        return self.caps[department] + now.extra - now.held - now.spent

    @property
    def period(self) -> str:
        return periods_of(self.clock.now())["monthly"]

    @rule(department=departments, amount=amounts)
    def reserve(self, department: str, amount: int) -> None:
        limits = self.budgets.limits_for(Caller(person="kim", department=department), "", self.clock.now())
        self.made += 1
        hold, fits = Hold(f"run_{self.made}.1", amount, limits, b""), amount <= max(0, self.left(department))
        (answer,) = self.books.write([Write(open=hold)])
        assert isinstance(answer, Receipt) == fits
        assert fits or isinstance(answer, OverBudget)
        self.open += [hold] * fits

    @rule(bill=st.sampled_from([0, 1, 30, ABSURD]), which=st.integers(0, 100))
    def settle(self, bill: int, which: int) -> None:
        if self.open:
            hold = self.open.pop(which % len(self.open))
            self.books.write([Write(close=hold, spent=bill)])
            key = hold.limits[0].scope, hold.limits[0].period
            self.spent[key] = self.spent.get(key, 0) + bill

    @rule(department=departments, cap=amounts)
    def set_the_cap(self, department: str, cap: int) -> None:
        self.caps[department] = cap

    @rule(months=st.integers(-1, 1))
    def move_the_clock(self, months: int) -> None:
        self.clock.at += months * MONTH

    @rule(source=st.sampled_from(["", *DEPARTMENTS]), to=departments, amount=st.integers(1, 60))
    def move(self, source: str, to: str, amount: int) -> None:
        if source != to:
            sides = {"target": f"department/{to}"} | ({"source": f"department/{source}"} if source else {})
            wanted = Wanted(kind="transfer" if source else "allot", amount=amount, by="os:ana", **sides)
            fits = not source or amount <= self.left(source)
            try:
                self.credits.carry_out(wanted)
            except Refused:
                assert not fits
                return
            assert fits
            self.given += 0 if source else amount

    @rule(department=departments)
    def carry_over(self, department: str) -> None:
        scope, caps = f"department/{department}", self.budgets.caps_of(f"department/{department}")
        for (name, period), standing in balances(self.store).items():
            if name == scope and period < self.period and not standing.closed_at:
                self.credits.carry(scope, period, caps[0], self.period)
                break

    @invariant()
    def all_adds_up(self) -> None:
        found = balances(self.store)
        assert sum(each.extra for each in found.values()) == self.given
        for key, each in found.items():
            assert each.spent == self.spent.get(key, 0)
            assert each.held == sum(h.amount for h in self.open if (h.limits[0].scope, h.limits[0].period) == key)

    def teardown(self) -> None:
        self.books.end()
        self.store.close()
        shutil.rmtree(self.folder)


def test_the_ledger_adds_up_after_any_sequence_of_moves(empty_database: Path) -> None:
    Ledger.template = empty_database
    checks = [HealthCheck.too_slow]
    run_state_machine_as_test(
        Ledger, settings=settings(max_examples=4, stateful_step_count=12, deadline=None, suppress_health_check=checks)
    )
