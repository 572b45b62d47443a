"""What is allotted, moved and carried over beside the caps: exact beside whoever spends, and never done twice."""

import asyncio
import random

import msgspec
import pytest
from tests.storage.books_of import check_log, only_sqlite
from tests.world import FixedClock

from fairlead.costs.budgets import Budgets, compile_budgets
from fairlead.costs.credits import Credits, Wanted
from fairlead.costs.settings import BudgetsSettings
from fairlead.errors import BadInput, OverBudget, Refused
from fairlead.identity.types import Caller
from fairlead.storage.balances import Standing, balances, moves
from fairlead.storage.journal import Journal
from fairlead.storage.store import Store
from fairlead.storage.types import Hold, Write

UNIT = 10**9
SALES, LEGAL = Caller(person="kim", department="sales"), Caller(person="lee", department="legal")


def budgets(**more: object) -> Budgets:
    settings = {"departments": {"sales": {"monthly": 10, **more}, "legal": {"monthly": 5}}}
    return compile_budgets(msgspec.convert(settings, BudgetsSettings))


def credits_of(store: Store, caps: Budgets, clock: FixedClock | None = None) -> Credits:
    return Credits(store, clock or FixedClock(), caps, lambda person: f"sub_{len(person)}")


def moving(amount: int, **more: str) -> Wanted:
    return Wanted(
        kind="transfer", amount=amount, source="department/sales", target="department/legal", by="os:ana", **more
    )


def left(store: Store, caps: Budgets, scope: str, period: str = "2026-11") -> int:
    cap, now = caps.cap_on(scope, period), balances(store).get((scope, period), Standing())
    assert cap is not None
    return cap.cap + now.extra - now.held - now.spent


def test_a_transfer_gives_what_is_left_and_never_more_and_once_under_a_key(store: Store) -> None:
    caps = budgets()
    credits = credits_of(store, caps)
    assert credits.carry_out(moving(4 * UNIT), dry_run=True).left["department/legal"] == 9 * UNIT
    assert balances(store) == {}
    for again in (False, True):
        assert credits.carry_out(moving(4 * UNIT, id="key:a")).again == again
    with pytest.raises(BadInput, match="another move"):
        credits.carry_out(moving(3 * UNIT, id="key:a"))
    with pytest.raises(Refused, match="has 6 USD left"):
        credits.carry_out(moving(7 * UNIT))
    with pytest.raises(BadInput, match="no daily budget"):
        credits.carry_out(moving(UNIT, period="daily"))
    assert (left(store, caps, "department/sales"), left(store, caps, "department/legal")) == (6 * UNIT, 9 * UNIT)
    assert [(each.kind, each.amount, each.by) for each in moves(store)] == [("transfer", 4 * UNIT, "os:ana")]
    check_log(store)


async def test_transfers_and_spending_at_once_stay_exact(store: Store) -> None:
    caps, clock, chance = budgets(), FixedClock(), random.Random(7)
    journal = Journal(store, "w1", clock)
    credits, held = credits_of(store, caps, clock), 0

    async def spend(number: int) -> int:
        amount = chance.randrange(1, UNIT)
        hold = Hold(f"run_{number}.1", amount, caps.limits_for(SALES, "", clock.now()), b"")
        try:
            await journal.commit(Write(open=hold))
        except OverBudget:
            return 0
        return amount

    async def move() -> int:
        try:
            return (await asyncio.to_thread(credits.carry_out, moving(chance.randrange(1, 2 * UNIT)))).move.amount
        except Refused:
            return 0

    for round_ in range(3):
        done = await asyncio.gather(*(spend(10 * round_ + n) for n in range(6)), move(), move())
        held += sum(done)
        assert left(store, caps, "department/sales") == 10 * UNIT - held >= 0
    gone = sum(each.amount for each in moves(store))
    assert left(store, caps, "department/legal") == 5 * UNIT + gone
    await asyncio.to_thread(journal.close)


@only_sqlite
@pytest.mark.parametrize(("said", "carried"), [(True, 7), ("50%", 3), ("at most 2", 2)])
async def test_what_is_left_goes_on_once_and_a_late_settlement_makes_no_money(
    store: Store, said: object, carried: int
) -> None:
    clock, caps = FixedClock(), budgets(rollover=said)
    journal = Journal(store, "w1", clock)
    hold = Hold("run_1.1", 3 * UNIT, caps.limits_for(SALES, "", clock.now()), b"")
    await journal.commit(Write(open=hold))
    cap, credits = caps.caps_of("department/sales")[0], credits_of(store, caps, clock)
    clock.at += 40 * 86_400_000
    assert credits.carry("department/sales", "2026-11", cap, "2026-12") // UNIT == carried
    assert credits.carry("department/sales", "2026-11", cap, "2026-12") == 0
    await journal.commit(Write(close=hold, spent=UNIT))
    assert left(store, caps, "department/sales", "2026-12") // UNIT == 10 + carried
    # Whoever's clock is behind finds in the old period what did not go on, and no more.
    with pytest.raises(OverBudget):
        await journal.commit(Write(open=Hold("b.1", 10 * UNIT - carried * UNIT, hold.limits, b"")))
    await asyncio.to_thread(journal.close)
