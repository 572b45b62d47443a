"""What budgets have held and spent can be read, and forgotten where nothing depends on it."""

from tests.storage.books_of import a_hold

from fairlead.storage.balances import Move, Standing, add, balances, forget_balances, forget_mover, moves
from fairlead.storage.journal import Journal
from fairlead.storage.store import Store
from fairlead.storage.types import ScopeLimit, Write


async def test_balances_are_told_by_scope_and_period(store: Store, journal: Journal) -> None:
    kim = ScopeLimit("person/kim", "2026-11", 100)
    held = a_hold("run_1.1", 30, kim)
    await journal.commit(Write(open=held))
    assert balances(store) == {("person/kim", "2026-11"): Standing(held=30, spent=0)}
    await journal.commit(Write(close=held, spent=12))
    assert balances(store) == {("person/kim", "2026-11"): Standing(held=0, spent=12)}


async def test_all_that_is_settled_is_forgotten_of_one_scope_only(store: Store, journal: Journal) -> None:
    for number, period in enumerate(["2026-09", "2026-10", "2026-11"]):
        limits = [ScopeLimit(f"person/{name}", period, 100) for name in ("kim", "lee")]
        hold = a_hold(f"run_{number}.1", 5, *limits)
        await journal.commit(Write(open=hold))
        if period != "2026-09":
            await journal.commit(Write(close=hold, spent=5))
    with store.writing() as connection:
        assert forget_balances(connection, "person/kim") == 1
    left = sorted(balances(store))
    assert [period for scope, period in left if scope == "person/kim"] == ["2026-09"]
    assert [period for scope, period in left if scope == "person/lee"] == ["2026-09", "2026-10", "2026-11"]


async def test_what_is_forgotten_begins_anew_for_a_worker_that_knew_it(store: Store, journal: Journal) -> None:
    kim = ScopeLimit("person/kim", "all", 100)
    await journal.commit(Write(open=a_hold("run_1.1", 30, kim)))
    await journal.commit(Write(close=a_hold("run_1.1", 30, kim), spent=30))
    with store.writing() as connection:
        assert forget_balances(connection, "person/kim") == 0
    await journal.commit(Write(open=a_hold("run_2.1", 20, kim)))
    assert balances(store) == {("person/kim", "all"): Standing(held=20, spent=0)}


def test_an_erasure_takes_the_name_out_of_what_budgets_were_moved_for(store: Store) -> None:
    usual = {"at": 1, "kind": "allot", "source": "", "source_period": "", "target_period": "all", "amount": 1}
    kept = [
        Move(id="a", target="person/kim", by="os:lee", reason="a birthday", **usual),  # type: ignore[arg-type]
        Move(id="b", target="department/x", by="os:kim", reason="mine", **usual),  # type: ignore[arg-type]
        Move(id="c", target="department/x", by="os:lee", reason="so that Kim can go on", **usual),  # type: ignore[arg-type]
        Move(id="d", target="department/x", by="os:lee", reason="kimonos are dear", **usual),  # type: ignore[arg-type]
    ]
    with store.writing() as connection:
        for each in kept:
            add(connection, each)
        forget_balances(connection, "person/kim")
        forget_mover(connection, "kim")
    assert [(each.target, each.by, each.reason) for each in moves(store)] == [
        ("person/", "os:lee", ""), ("department/x", "os:", ""), ("department/x", "os:lee", ""),
        ("department/x", "os:lee", "kimonos are dear"),
    ]  # fmt: skip
