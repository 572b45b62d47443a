"""How much of what is required is there, for whom."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.context.readiness.company import EVERYONE, facts, live, need, page, people, task

from fairlead.context.readiness import Facts, Page, People, Reader, Traffic, readiness
from fairlead.context.readiness.types import Readiness, Shares, Stand
from fairlead.tasks.types import State

SALES = frozenset({"sales"})


def stand(found: Readiness, department: str = "sales") -> Stand:
    (row,) = [row for row in found.rows if department in row.departments]
    (only,) = row.needs
    return only


@pytest.mark.parametrize(
    ("pages", "state", "fits"),
    [
        ([page("refunds")], "met", "EVCIK"),
        ([], "missing", ""),
        ([page("other")], "missing", ""),
        ([page("refunds", SALES)], "met", "EVCIK"),
        ([page("refunds", frozenset({"hr"}))], "hidden", "EVCK"),
        ([page("refunds", verified="", changed="2026-11-01")], "unverified", "ECIK"),
        ([page("refunds", verified="")], "stale", "EIK"),
        ([page("refunds", changed="2026-11-01")], "unverified", "ECIK"),
        ([page("refunds", expires="2026-11-01")], "stale", "EVIK"),
        ([page("refunds", verified="2025-01-01")], "stale", "EVIK"),
        ([page("refunds", verified=""), page("more", topics=frozenset({"refunds"}))], "met", "EVCIK"),
    ],
)
def test_each_lack_is_told_from_the_others(pages: list[Page], state: State, fits: str) -> None:
    known = facts(
        tasks=(task("refund", need("refunds", fresh=90, verified=True)),),
        pages=tuple(pages),
        people=(people("sales", "sales"),),
    )
    found = stand(readiness(known))
    assert found.state == state
    shown = {
        "E": found.exists, "V": found.verified, "C": found.current, "I": found.visible, "K": found.consistent,
    }  # fmt: skip
    assert "".join(letter for letter, holds in shown.items() if holds) == fits


def test_pages_that_disagree_are_not_consistent_for_those_who_read_both() -> None:
    pages = (page("one", topics=frozenset({"refunds"})), page("two", SALES, topics=frozenset({"refunds"})))
    known = facts(
        tasks=(task("refund", need("refunds")),),
        pages=pages,
        people=(people("sales", "sales"), people("hr")),
        disagree=frozenset({frozenset({"one", "two"})}),
    )
    found = readiness(known)
    assert (stand(found).state, stand(found).consistent) == ("contradicted", False)
    assert stand(found, "hr").state == "met"
    assert found.percent == 50
    assert found.steps[0].verb == "settle"


def test_what_an_owner_was_asked_to_settle_is_not_consistent_until_they_have() -> None:
    known = facts(
        tasks=(task("refund", need("refunds")), task("price", need("refunds"))),
        pages=(page("refunds"),),
        disputed=frozenset({("refund", "refunds")}),
    )
    rows = {row.task: row.needs[0] for row in readiness(known).rows}
    assert (rows["refund"].state, rows["refund"].consistent) == ("contradicted", False)
    assert rows["price"].state == "met"


def test_a_need_is_met_where_it_is_met_for_everybody() -> None:
    some = Reader(may_read=lambda access: True, may_call=lambda tool: False, people=3)
    none = Reader(may_read=lambda access: False, may_call=lambda tool: False, people=1)
    known = facts(
        tasks=(task("refund", need("refunds")),), pages=(page("refunds"),), people=(People("sales", (some, none)),)
    )
    found = stand(readiness(known))
    assert (found.state, found.visible, found.may, found.people) == ("hidden", False, 3, 4)


def test_departments_that_stand_alike_share_a_row_and_traffic_weighs() -> None:
    known = facts(
        tasks=(task("refund", need("refunds")), task("price", need("prices"))),
        pages=(page("refunds"),),
        people=(people("sales"), people("hr"), people("it")),
        traffic=Traffic(calls={("refund", "sales"): 4, ("refund", "hr"): 4, ("price", "hr"): 0}),
    )
    found = readiness(known)
    assert [(row.task, row.departments, row.calls) for row in found.rows] == [
        ("refund", ("sales", "hr"), 8),
        ("price", ("sales", "hr", "it"), 0),  # nobody asked: all who could
    ]
    assert found.percent == 90  # nine of ten, one for each row beside its calls
    assert {each.department: each.percent for each in found.departments} == {"sales": 83, "hr": 83, "it": 0}


def test_a_live_source_is_there_for_those_who_may_call_its_tool() -> None:
    known = facts(
        tasks=(task("refund", live("orders")), task("stock", live("stock"))),
        live={"orders": "shop.order"},
        people=(people("sales", "shop.order"), people("hr")),
    )
    rows = {(row.task, each): row for row in readiness(known).rows for each in row.departments}
    assert rows["refund", "sales"].needs[0].state == "met"
    assert rows["refund", "hr"].needs[0].state == "hidden"
    assert rows["stock", "sales"].needs[0].state == "missing"
    assert {step.verb for step in readiness(known).steps} == {"connect", "show"}


def test_a_task_type_that_declares_nothing_is_told_apart_and_does_not_count() -> None:
    known = facts(
        tasks=(task("chat"),),
        pages=(page("old", expires="2026-01-01"),),
        traffic=Traffic(
            calls={("chat", "sales"): 10},
            refused={"chat": 2},
            uncited={"chat": 3},
            cited={"chat": {"old": 5, "gone": 1}},
        ),
    )
    found = readiness(known)
    (each,) = found.estimates
    assert (found.percent, found.rows) == (None, ())
    assert (each.calls, each.cited, each.uncited, each.refused) == (10, 5, 3, 2)
    assert [(cited.id, cited.times, cited.remarks[0]) for cited in each.pages] == [
        ("old", 5, "expired"),
        ("gone", 1, "not published any more"),
    ]
    assert [step.verb for step in found.steps] == ["review", "declare"]


def test_nothing_is_called_complete_that_is_not() -> None:
    almost = Shares(of=1000, exists=1000, verified=1000, current=1000, visible=1000, consistent=1000, ready=999)
    assert almost.percent == 99


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from(["", "2026-10-20"])), max_size=6),
    st.integers(0, 1000),
)
@settings(max_examples=20)
def test_more_and_better_pages_never_make_it_less_ready(found: list[tuple[bool, bool, str]], calls: int) -> None:
    pages = [
        page(
            f"p{number}", EVERYONE if visible else SALES, topics=frozenset({"refunds"}), verified=verified,
            expires="2026-01-01" if expired else "",
        )
        for number, (visible, expired, verified) in enumerate(found)
    ]  # fmt: skip
    known = _facts(tuple(pages), calls)
    better = _facts((*pages, page("good", topics=frozenset({"refunds"}))), calls)
    assert (readiness(known).percent or 0) <= (readiness(better).percent or 0) == 100
    for row in readiness(known).rows:
        assert row.shares.ready <= min(row.shares.exists, row.shares.current, row.shares.visible)


def _facts(pages: tuple[Page, ...], calls: int) -> Facts:
    return facts(
        tasks=(task("refund", need("refunds", verified=True)),),
        pages=pages,
        traffic=Traffic(calls={("refund", "sales"): calls}),
    )
