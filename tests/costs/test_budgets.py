from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.costs import budgets as budgets_module
from fairlead.costs.budgets import Budgets, begin_of, compile_budgets, next_period, periods_of, scope_name
from fairlead.costs.settings import BudgetsSettings
from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.storage.types import ScopeLimit

UNIT = 10**9


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = at("2026-11-21T12:00")
ANA = Caller(person="ana", department="sales")


def budgets(**settings: object) -> Budgets:
    return compile_budgets(msgspec.convert(settings, BudgetsSettings))


def scopes(found: tuple[ScopeLimit, ...]) -> dict[str, int]:
    return {f"{limit.scope} {limit.period}": limit.cap // UNIT for limit in found}


def test_an_action_counts_against_every_budget_that_it_falls_under() -> None:
    caps = budgets(
        organisation={"monthly": 1000, "total": 5000},
        departments={"sales": {"monthly": 200}, "support": {"monthly": 9}},
        persons={"*": {"daily": 5}},
        tasks={"contract_check": {"weekly": 50}},
    )
    assert scopes(caps.limits_for(ANA, "contract_check", NOW)) == {
        "organisation 2026-11": 1000,
        "organisation all": 5000,
        "department/sales 2026-11": 200,
        "person/ana 2026-11-21": 5,
        "task/contract_check 2026-W47": 50,
    }


def test_only_steps_of_runs_count_against_budgets_of_workflows() -> None:
    caps = budgets(workflows={"orders": {"daily": 7}, "*": {"total": 3}})
    assert caps.limits_for(ANA, "", NOW) == ()
    assert scopes(caps.limits_for(ANA, "", NOW, "orders")) == {"workflow/orders 2026-11-21": 7}
    assert scopes(caps.limits_for(ANA, "", NOW, "claims")) == {"workflow/claims all": 3}


def test_without_budgets_nothing_is_held_against_anything() -> None:
    assert budgets().limits_for(ANA, "any", NOW) == ()


def test_a_named_entry_replaces_the_default_as_a_whole() -> None:
    caps = budgets(departments={"*": {"daily": 1, "monthly": 9}, "sales": {"monthly": 200}})
    assert scopes(caps.limits_for(ANA, "", NOW)) == {"department/sales 2026-11": 200}
    other = Caller(person="ana", department="legal")
    assert scopes(caps.limits_for(other, "", NOW)) == {"department/legal 2026-11-21": 1, "department/legal 2026-11": 9}


def test_callers_without_a_department_do_not_escape_the_departments_default() -> None:
    caps = budgets(departments={"*": {"monthly": 9}})
    assert scopes(caps.limits_for(Caller(person="ana"), "", NOW)) == {"department/ 2026-11": 9}


def test_a_person_who_is_called_like_the_default_gets_the_default_and_no_more() -> None:
    caps = budgets(persons={"*": {"daily": 5}})
    assert scopes(caps.limits_for(Caller(person="*"), "", NOW)) == {"person/* 2026-11-21": 5}


def test_a_warning_is_due_at_each_share_that_is_declared() -> None:
    caps = budgets(
        organisation={"monthly": 10},
        departments={"sales": {"monthly": "0.07", "warn": ["95%", "50%", "80%"]}},
        persons={"ana": {"daily": 1, "warn": None}},
    )
    assert [limit.shares for limit in caps.limits_for(ANA, "t", NOW)] == [(80,), (50, 80, 95), ()]


def test_periods_follow_one_another_and_begin_at_midnight() -> None:
    assert [next_period(period) for period in ("2026-12-31", "2026-W53", "2026-12", "2027-01")] == [
        "2027-01-01", "2027-W01", "2027-01", "2027-02",
    ]  # fmt: skip
    assert [begin_of(period) for period in ("2026-11-16", "2026-W47", "2026-11")] == [
        at("2026-11-16"), at("2026-11-16"), at("2026-11-01"),
    ]  # fmt: skip


def test_credits_are_money_without_a_remainder() -> None:
    caps = budgets(credits={"name": "credit", "worth": 0.05}, organisation={"monthly": 10})
    assert caps.limits_for(ANA, "", NOW)[0].cap == UNIT // 2
    assert (caps.unit.exact(1_234_567_891), caps.unit.shown(1_234_567_891, True)) == ("24.69135782", "24.69 credit")
    assert (caps.unit.exact(-5), caps.unit.parse("0.1")) == ("-0.0000001", 5_000_000)
    with pytest.raises(BadInput, match="worth"):
        budgets(credits={"name": "credit", "worth": 0.03})


def test_a_new_day_brings_new_periods_even_if_the_clock_jumps_back() -> None:
    caps = budgets(organisation={"daily": 1})
    periods = [
        caps.limits_for(ANA, "", at(moment))[0].period for moment in ("2026-12-31T23:59", "2027-01-01", "2026-12-31")
    ]
    assert periods == ["2026-12-31", "2027-01-01", "2026-12-31"]


def test_the_same_caller_gets_the_same_limits_without_working_them_out_again() -> None:
    caps = budgets(organisation={"daily": 1})
    assert caps.limits_for(ANA, "", NOW) is caps.limits_for(Caller(person="ana", department="sales"), "", NOW + 1)


def test_what_is_remembered_of_callers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets_module, "REMEMBERED", 3)
    caps = budgets(persons={"*": {"daily": 5}})
    for number in range(10):
        assert caps.limits_for(Caller(person=str(number)), "", NOW)[0].scope == f"person/{number}"
    assert len(caps._known) <= 3


@pytest.mark.parametrize(
    ("day", "week"), [("2026-11-21", "2026-W47"), ("2027-01-01", "2026-W53"), ("2024-12-30", "2025-W01")]
)
def test_weeks_are_iso_weeks_with_their_own_year(day: str, week: str) -> None:
    assert periods_of(at(day))["weekly"] == week


@given(st.dates(date(1971, 1, 1), date(2999, 1, 1)), st.integers(0, 86_399_999))
def test_periods_are_those_of_the_utc_calendar_at_any_time_of_day(day: date, milliseconds: int) -> None:
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    monday = day - timedelta(days=day.weekday())
    periods = periods_of(start + milliseconds)
    assert periods["daily"] == day.isoformat()
    assert periods["monthly"] == day.isoformat()[:7]
    assert periods == periods_of(start)
    week = int(datetime(monday.year, monday.month, monday.day, tzinfo=UTC).timestamp() * 1000)
    if week >= 0:
        assert periods_of(week)["weekly"] == periods["weekly"]


names = st.text(st.characters(exclude_categories=()))


@given(names, names)
def test_different_names_never_share_a_scope_and_every_scope_can_be_stored(one: str, other: str) -> None:
    scope = scope_name("person", one)
    assert (scope == scope_name("person", other)) == (one == other)
    assert scope.encode().decode().isprintable()


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"organisation": {"monthly": -1}}, "budgets.organisation.monthly"),
        ({"departments": {"sales": {"daily": "ten"}}}, "budgets.departments.sales.daily"),
        ({"persons": {"*": {"total": float("inf")}}}, "budgets.persons.*.total"),
        ({"tasks": {"t": {"weekly": 10**10}}}, "budgets.tasks.t.weekly"),
        ({"tasks": {"t": {"weekly": 1, "warn": "0%"}}}, "budgets.tasks.t.warn"),
        ({"organisation": {"monthly": 1, "warn": "101%"}}, "budgets.organisation.warn"),
        ({"organisation": {"monthly": 1, "rollover": "0%"}}, "budgets.organisation.rollover"),
        ({"organisation": {"monthly": 1, "at_cap": "ask"}}, "budgets.organisation.ask"),
        ({"persons": {"kim": {"daily": 1, "ask": {"role": "lead", "raise_by": 1}}}}, "budgets.persons.kim.ask"),
    ],
)
def test_a_cap_that_is_none_is_refused_by_its_key(settings: dict[str, object], key: str) -> None:
    with pytest.raises(BadInput) as caught:
        budgets(**settings)
    assert caught.value.message.startswith(key)
    assert caught.value.mend


@pytest.mark.parametrize(
    "settings",
    [
        {"yearly": 1},
        {"organisation": {"hourly": 1}},
        {"timezone": "CET"},
        {"currency": "euro"},
        {"organisation": {"monthly": True}},
    ],
)
def test_what_the_settings_do_not_know_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        budgets(**settings)
