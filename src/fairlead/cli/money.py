"""`fairlead budget` and `fairlead spend`: what is left, and what was spent on what."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from fairlead.cli.compiled import published
from fairlead.cli.opening import balances_of, log_of, open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Workspace, currency_of, find
from fairlead.cli.when import moment_ago
from fairlead.clock import SystemClock
from fairlead.costs import Budgets
from fairlead.costs.money import exact_money, format_money
from fairlead.costs.settings import BudgetsSettings
from fairlead.costs.spending import DIMENSIONS, Row, summarise
from fairlead.identity import Caller

if TYPE_CHECKING:
    from fairlead.cli.opening import Balances

_SETTINGS: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}
budget_app = typer.Typer(**_SETTINGS)
spend_app = typer.Typer(**_SETTINGS)
_BAR = 20  # characters


class Standing(Struct, frozen=True):
    """How one budget stands in its current period, in nano-units. `left` is what new work may still reserve."""

    scope: str
    period: str
    cap: int
    spent: int
    held: int

    @property
    def left(self) -> int:
        return max(0, self.cap - self.spent - self.held)

    @property
    def bar(self) -> str:
        if self.cap == 0:
            return "free only"
        used = min(_BAR, -(-_BAR * (self.spent + self.held) // self.cap))
        solid = min(_BAR, _BAR * self.spent // self.cap)
        return "█" * solid + "▒" * (used - solid) + "·" * (_BAR - used)


@budget_app.command()
def budget(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """Every budget in its current period: cap, spent, held by calls under way, left."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        standings = _standings(compiled.settings.budgets, compiled.budgets, balances_of(store))
    currency = compiled.settings.budgets.currency
    if json:
        json_data(
            {
                "currency": currency,
                "budgets": [
                    {
                        "scope": each.scope,
                        "period": each.period,
                        **{name: exact_money(getattr(each, name)) for name in ("cap", "spent", "held", "left")},
                    }
                    for each in standings
                ],
            }
        )
        return
    if not standings:
        say("no budget is declared: `budgets:` in fairlead.yaml")
    money = ["cap", "spent", "held", "left"]
    table(
        ["budget", "period", *money, ""],
        [
            [each.scope, each.period, *(format_money(getattr(each, name)) for name in money), each.bar]
            for each in standings
        ],
        right=money,
    )
    say(f"in {currency}; ▒ is held by calls under way")


def _standings(settings: BudgetsSettings, budgets: Budgets, balances: "Balances") -> list[Standing]:
    """Declared scopes, and those that "*" gave a budget of their own as soon as they spent."""
    now = SystemClock().now()
    kinds = {"department": settings.departments, "person": settings.persons, "task": settings.tasks}
    names = {kind: set(declared) for kind, declared in kinds.items()}  # "*" shows what each other one has
    for scope, _ in balances:
        kind, _, name = scope.partition("/")
        if kind in names:
            names[kind].add(name)
    limits = set(budgets.limits_for(Caller(person="*"), "*", now))
    limits = {limit for limit in limits if limit.scope == "organisation"}
    for kind, known in names.items():
        for name in known:
            caller = Caller(person=name if kind == "person" else "*", department=name if kind == "department" else "*")
            found = budgets.limits_for(caller, name if kind == "task" else "*", now)
            limits |= {limit for limit in found if limit.scope == f"{kind}/{name}"}
    standings = []
    for limit in sorted(limits, key=lambda limit: (limit.scope != "organisation", limit.scope, limit.period)):
        now_there = balances.get((limit.scope, limit.period))
        held, spent = (now_there.held, now_there.spent) if now_there else (0, 0)
        standings.append(Standing(limit.scope, limit.period, limit.cap, spent, held))
    return standings


@spend_app.command()
def spend(
    by: Annotated[
        str,
        typer.Option(
            help=f"One of {', '.join(DIMENSIONS)}; or several, with commas.", autocompletion=lambda: list(DIMENSIONS)
        ),
    ] = "model",
    since: Annotated[str, typer.Option(help="A span such as 7d or 12h, or a day such as 2026-11-01.")] = "30d",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What was spent, summed from the audit log: the dearest first."""
    place = find(workspace, data_folder)
    dimensions = [name.strip() for name in by.split(",")]
    start = moment_ago(since, "--since", SystemClock().now())
    with closing(open_store(place)) as store:
        rows = summarise((row.record for row in log_of(store).since(start)), dimensions)
        names = Names(place, store)
        groups = [_named(row, dimensions, names) for row in rows]
    currency = currency_of(place)
    if json:
        json_data({"currency": currency, "since": start, "rows": [_shown(row, dimensions) for row in rows]})
        return
    numbers = ["runs", "refused", "failed", "tokens in", "tokens out", "cost", "unsure"]
    table(
        [*dimensions, *numbers],
        [[*group, *_numbers(row)] for group, row in zip(groups, rows, strict=True)],
        right=numbers,
    )
    total = sum(row.cost for row in rows)
    say(f"{format_money(total, currency)} in all; unsure: a worst case or an own count, to compare with the bill")


def _named(row: Row, dimensions: list[str], names: Names) -> list[str]:
    return [
        names.of(value) if name == "person" else value or "(none)"
        for name, value in zip(dimensions, row.group, strict=True)
    ]


def _numbers(row: Row) -> list[str]:
    counts = (row.runs, row.refused, row.failed, row.usage.input, row.usage.output)
    return [*(f"{count:,}" for count in counts), format_money(row.cost), format_money(row.unsure) if row.unsure else ""]


def _shown(row: Row, dimensions: list[str]) -> dict[str, Any]:
    return {
        **dict(zip(dimensions, row.group, strict=True)),
        **{
            name: getattr(row, name)
            for name in ("runs", "done", "refused", "failed", "abandoned", "orphaned", "estimated")
        },
        "attempts": row.attempts,
        "tokens": row.usage,
        "cost": exact_money(row.cost),
        "unsure": exact_money(row.unsure),
    }


def commands() -> dict[str, Any]:
    return {"budget": typer.main.get_command(budget_app), "spend": typer.main.get_command(spend_app)}
