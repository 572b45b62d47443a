"""Alarms about budgets are posted once for each share and period, whoever looks; what is left goes on by itself."""

from types import SimpleNamespace

import msgspec
import pytest
from sqlalchemy import text
from tests.storage.books_of import only_sqlite
from tests.world import FixedClock

from fairlead.controls import alarm_rows
from fairlead.costs.budgets import Budgets, compile_budgets
from fairlead.costs.settings import BudgetsSettings
from fairlead.identity.types import Caller
from fairlead.storage.balances import balances
from fairlead.storage.journal import Journal
from fairlead.storage.store import Store
from fairlead.storage.types import Hold, Write
from fairlead.workspace.budgeting import Budgeting

UNIT = 10**9
KIM = Caller(person="kim", department="sales")


def budgets() -> Budgets:
    settings = {
        "alarms": ["finance"],
        "credits": {"name": "credit", "worth": "0.5"},
        "departments": {"sales": {"monthly": 20, "warn": ["50%", "80%", "95%"], "rollover": True}},
        "persons": {"*": {"daily": 200}},
    }
    return compile_budgets(msgspec.convert(settings, BudgetsSettings), {"finance"})


def looking(store: Store, clock: FixedClock, caps: Budgets) -> Budgeting:
    made = Budgeting(store, clock, lambda person: f"sub_of_{len(person)}")
    settings = SimpleNamespace(budgets=SimpleNamespace(alarms=("finance",)))
    made.take_up(SimpleNamespace(budgets=caps, settings=settings))  # type: ignore[arg-type]
    return made


def posted(store: Store) -> list[dict[str, object]]:
    with store.reading() as connection:
        bodies = connection.execute(text("SELECT body FROM alarm ORDER BY id")).scalars()
        return [msgspec.json.decode(bytes(body)) for body in bodies]


async def spend(store: Store, caps: Budgets, clock: FixedClock, *amounts: int) -> None:
    journal = Journal(store, f"w{clock.now()}-{amounts}", clock)
    for number, amount in enumerate(amounts):
        hold = Hold(f"run_{clock.now()}.{number}", amount * UNIT, caps.limits_for(KIM, "", clock.now()), b"")
        await journal.commit(Write(open=hold))
        await journal.commit(Write(close=hold, spent=amount * UNIT))
    journal.close()


@only_sqlite
async def test_each_share_is_told_once_and_what_comes_together_in_one_message(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, caps = FixedClock(), budgets()
    looks = [looking(store, clock, caps) for _ in range(2)]
    await spend(store, caps, clock, 4, 5)  # 90%, at once
    assert [look.tell(caps) for look in looks] == [1, 0]
    (message,) = posted(store)
    assert message["budgets"] == [
        {"scope": "department/sales", "period": "2026-11", "passed": "80%", "spent": "18", "most": "20", "left": "2"}
    ]
    monkeypatch.setattr(alarm_rows, "MOST_WAITING", 1)  # its receiver has been away for long
    clock.at += 1
    await spend(store, caps, clock, 1)
    assert looks[0].tell(caps) == 0
    monkeypatch.undo()
    assert looks[1].tell(caps) == 1
    assert [each["budgets"][0]["passed"] for each in posted(store)] == ["80%", "95%"]  # type: ignore[index]


@only_sqlite
async def test_a_period_is_closed_once_it_is_settled_and_idle_ones_go_on(store: Store) -> None:
    clock, caps = FixedClock(), budgets()
    look = looking(store, clock, caps)
    look.carry(caps)  # the budget is there before anything is spent
    clock.at += 30 * 86_400_000
    looking(store, clock, caps).carry(caps)
    now = balances(store)
    assert now["department/sales", "2026-12"].extra == 10 * UNIT
    assert now["department/sales", "2026-11"].extra == -10 * UNIT
