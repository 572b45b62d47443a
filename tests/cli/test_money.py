"""Budgets and spending at the command line."""

from pathlib import Path

import pytest
from tests.cli.conftest import HOTEL, Fairlead, ask

from fairlead.cli.money import Standing
from fairlead.execution import Answer


@pytest.fixture
def priced(acme: Path, fairlead: Fairlead) -> Path:
    """A workspace whose local model has a price, so that something is spent."""
    entry = acme / "fairlead.yaml"
    entry.write_text(entry.read_text() + "\nprices:\n  local: {input: 1, output: 2}\n")
    assert fairlead("apply").status == 0
    return acme


def test_budgets_show_what_is_spent_and_left(priced: Path, fairlead: Fairlead) -> None:
    (answer,) = ask(priced, HOTEL)
    assert isinstance(answer, Answer)
    assert answer.cost > 0
    rows = {each["scope"]: each for each in fairlead("budget", "--json").json["budgets"]}
    assert set(rows) == {"organisation", "department/*", "department/sales", "person/*", "person/kim"}
    spent = rows["person/kim"]["spent"]
    assert spent != "0"
    assert rows["organisation"]["spent"] == rows["department/sales"]["spent"] == spent
    assert rows["person/kim"]["cap"] == "5"
    assert rows["person/kim"]["held"] == "0"
    assert "person/kim" in fairlead("budget").out


def test_spending_is_summed_from_the_log(priced: Path, fairlead: Fairlead) -> None:
    answers = ask(priced, HOTEL, "How much is the meal allowance for a day?")
    total = sum(answer.cost for answer in answers if isinstance(answer, Answer))
    (row,) = fairlead("spend", "--by", "model,department", "--json").json["rows"]
    assert (row["model"], row["department"], row["runs"]) == ("local", "sales", 2)
    from decimal import Decimal

    assert Decimal(row["cost"]) * 10**9 == total
    assert "kim" in fairlead("spend", "--by", "person").out


def test_spending_of_another_time_is_left_out(priced: Path, fairlead: Fairlead) -> None:
    ask(priced, HOTEL)
    assert fairlead("spend", "--since", "2999-01-01", "--json").json["rows"] == []


@pytest.mark.parametrize(("option", "value"), [("--by", "planet"), ("--since", "yesterday")])
def test_what_cannot_be_grouped_or_dated_is_refused(option: str, value: str, live: Path, fairlead: Fairlead) -> None:
    said = fairlead("spend", option, value)
    assert said.status == 2
    assert value in said.err


def test_a_bar_shows_spent_then_held_then_left() -> None:
    assert Standing("o", "all", 100, 50, 25).bar == "█" * 10 + "▒" * 5 + "·" * 5
    assert Standing("o", "all", 100, 200, 0).bar == "█" * 20
    assert Standing("o", "all", 100, 200, 0).left == 0
    assert Standing("o", "all", 0, 0, 0).bar == "free only"


def test_credits_are_allotted_and_moved_and_budgets_show_them(live: Path, fairlead: Fairlead) -> None:
    before = next(each for each in fairlead("budget", "--json").json["budgets"] if each["scope"] == "department/*")
    slip = fairlead("credits", "allot", "sales", "7.5")
    assert slip.status == 2
    assert "no department 'sales'" in slip.err
    assert "--new" in slip.err
    assert fairlead("credits", "allot", "sales", "7.5", "--new", "--dry-run").status == 0
    given = fairlead(
        "credits", "allot", "sales", "7.5", "--reason", "a launch", "--key", "launch", "--json", "--new"
    ).json
    assert (given["amount"], given["done_before"]) == ("7.5", False)
    assert fairlead("credits", "allot", "sales", "7.5", "--key", "launch", "--json").json["done_before"]
    (shown,) = fairlead("credits", "show", "--json").json["budgets"]
    assert (shown["scope"], shown["extra"]) == ("department/sales", "7.5")
    assert float(shown["left"]) == float(before["left"]) + 7.5
    (move,) = fairlead("credits", "history", "--json").json["moves"]
    assert (move["kind"], move["reason"]) == ("allot", "a launch")
    refused = fairlead("credits", "transfer", "sales", "person/kim", "1", "--period", "weekly")
    assert refused.status != 0
    assert "no weekly budget" in refused.err
    assert "did you mean `sales`?" in fairlead("credits", "transfer", "sales", "slaes", "1").err
    assert "no task type" in fairlead("credits", "allot", "task/qestion", "1").err
    assert "is no budget" in fairlead("credits", "allot", "team/x", "1").err
    assert "is no one budget" in fairlead("credits", "allot", "department/*", "1").err
