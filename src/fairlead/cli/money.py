"""`fairlead budget` and `fairlead spend`: what is left, and what was spent on what."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from fairlead.cli.compiled import published
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import balances_of, log_of, open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Workspace, currency_of, find
from fairlead.cli.when import moment_ago
from fairlead.clock import SystemClock
from fairlead.costs import Budgets
from fairlead.costs.budgets import periods_of
from fairlead.costs.money import exact_money, format_money
from fairlead.costs.spending import DIMENSIONS, Row, summarise

if TYPE_CHECKING:
    from fairlead.cli.opening import Balances

budget_app = typer.Typer(**PLAIN)
spend_app = typer.Typer(**PLAIN)
_BAR = 20  # characters


class Standing(Struct, frozen=True):
    """How one budget stands in its current period, in nano-units. `extra` is what was carried over, allotted, moved and
    raised beside the cap, `left` what new work may still reserve."""

    scope: str
    period: str
    cap: int
    spent: int
    held: int
    extra: int = 0

    @property
    def most(self) -> int:
        """The cap with what was moved: what may be spent in the period."""
        return max(0, self.cap + self.extra)

    @property
    def left(self) -> int:
        """In nano-units, never below 0."""
        return max(0, self.most - self.spent - self.held)

    @property
    def bar(self) -> str:
        """How full it is: spent, held, free. Whatever is used shows at least one mark."""
        if self.most == 0:
            return "free only"
        used = min(_BAR, -(-_BAR * (self.spent + self.held) // self.most))
        solid = min(_BAR, _BAR * self.spent // self.most)
        return "█" * solid + "▒" * (used - solid) + "·" * (_BAR - used)


@budget_app.command()
def budget(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """Every budget in its current period: cap, what was allotted, moved and carried over, spent, held, left."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        standings = standings_of(compiled.budgets, balances_of(store))
    unit, money = compiled.budgets.unit, ["cap", "extra", "spent", "held", "left"]
    if json:
        rows = [
            {
                "scope": each.scope,
                "period": each.period,
                **{name: unit.exact(getattr(each, name)) for name in money},
                "at_cap": cap.at_cap if (cap := compiled.budgets.cap_on(each.scope, each.period)) else "refuse",
            }
            for each in standings
        ]
        json_data({"currency": compiled.settings.budgets.currency, "unit": unit.name, "budgets": rows})
        return
    if not standings:
        say("no budget is declared: `budgets:` in fairlead.yaml")
    if not any(each.extra for each in standings):
        money.remove("extra")
    table(
        ["budget", "period", *money, ""],
        [
            [each.scope, each.period, *(unit.shown(getattr(each, name)) for name in money), each.bar]
            for each in standings
        ],
        right=money,
    )
    say(f"in {unit.name}; ▒ is held by calls under way")


def standings_of(budgets: Budgets, balances: "Balances") -> list[Standing]:
    """Declared scopes, and those that "*" gave a budget of their own as soon as they spent."""
    periods = periods_of(SystemClock().now())
    scopes = {*budgets.declared, *(scope for scope, _ in balances)}
    standings = []
    for scope in sorted(scopes, key=lambda scope: (scope != "organisation", scope)):
        for cap in sorted(budgets.caps_of(scope), key=lambda cap: periods[cap.kind]):
            now_there = balances.get((scope, periods[cap.kind]))
            held, spent, extra = (now_there.held, now_there.spent, now_there.extra) if now_there else (0, 0, 0)
            standings.append(Standing(scope, periods[cap.kind], cap.cap, spent, held, extra))
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
