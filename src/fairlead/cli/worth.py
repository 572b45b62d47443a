"""`fairlead value`: what work came to against the manual way, and what leaving a vendor would take."""

from typing import Any

import msgspec

from fairlead.cli.ask import Key
from fairlead.cli.billing import When, asked_period
from fairlead.cli.html_file import Html, require_page, write_page
from fairlead.cli.later import built
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.worth_facts import Report, gathered, not_known
from fairlead.costs.leaving import Done, Leaving
from fairlead.costs.money import exact_money, format_money
from fairlead.costs.value import Interval, Worth


def value(
    period: When = "",
    html: Html = None,
    key: Key = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """By task type: volume, cost, cycle time, what went straight through, quality, and the net saving against the
    manual way (`value.baselines` of fairlead.yaml), with intervals; then what leaving each vendor would take.

    All of it follows from the audit log and the outcomes: the same period gives the same figures. The page of `--html`
    shows the cost of each week and a forecast too, and says how each figure is made again.
    """
    require_page(html)
    report = gathered(find(workspace, data_folder), asked_period(period), key, html is not None)
    if html is not None:
        from fairlead.cli.worth_page import worth_page

        write_page(html, worth_page(report))
    if json:
        json_data(_plain(report))
        return
    _draw(report)
    if report.value.saving is not None:
        say(f"net saving in all: {money(report.value.saving)} {report.currency}")
    say(f"in {report.currency}, {report.period.name}; intervals hold in four of five cases")


def _plain(report: Report) -> dict[str, Any]:
    saving = report.value.saving
    return {
        "period": report.period.name,
        "currency": report.currency,
        "billed": exact_money(report.billed),
        "unsure": exact_money(report.unsure),
        "saving": _exact(saving) if saving else None,
        "tasks": [_task(line) for line in report.value.lines],
        "weeks": [msgspec.to_builtins(week) | {"cost": exact_money(week.cost)} for week in report.weeks],
        "leaving": [_exit(each, report) for each in report.exits],
        "not_known": not_known(report),
        "log": {"records": report.size, "root": report.root},
    }


def _task(line: Worth) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(line),
        "cost": exact_money(line.cost),
        "cost_each": exact_money(round(line.cost_each)),
        "saving": _exact(line.saving) if line.saving else None,
        "steps": [{"what": each.what, "times": each.times, "cost": exact_money(each.cost)} for each in line.steps],
    }


def _exact(interval: Interval) -> dict[str, str]:
    return {name: exact_money(round(getattr(interval, name))) for name in ("value", "low", "high")}


def _exit(each: Leaving, report: Report) -> dict[str, Any]:
    from fairlead.workspace.mentions import for_another

    change, stay = for_another(report.named, each.models, each.vendor)
    return {
        **msgspec.to_builtins(each),
        "theirs": _done(each.theirs),
        "others": {model: _done(done) for model, done in each.others.items()},
        "more": None if each.more is None else exact_money(each.more),
        "change": change,
        "stay": stay,
    }


def _done(done: Done) -> dict[str, Any]:
    return {**msgspec.to_builtins(done), "cost_each": exact_money(done.cost_each)}


def _draw(report: Report) -> None:
    numbers = ["volume", "cost", "each", "median s", "p90 s", "straight", "quality", "net saving"]
    table(["task", *numbers], [_cells(line) for line in report.value.lines], right=numbers)
    if report.exits:
        print()
        table(
            ["vendor", "task", "share", "its models", "others that did it", "would cost more"],
            [
                [
                    *(each.vendor, each.task, f"{each.share:.0%}", ", ".join(each.models)),
                    ", ".join(each.others) or "none",
                    "" if each.more is None else format_money(each.more),
                ]
                for each in report.exits
            ],
            right=["share", "would cost more"],
        )


def _cells(line: Worth) -> list[str]:
    quality, saving = line.quality, line.saving
    return [
        line.task or "(none)",
        f"{line.volume:,}",
        format_money(line.cost),
        format_money(round(line.cost_each)),
        f"{line.cycle_median / 1000:.1f}",
        f"{line.cycle_p90 / 1000:.1f}",
        f"{line.straight:.0%}",
        f"{quality.value:.2f} ({quality.low:.2f}…{quality.high:.2f}, {line.judged})" if quality else "not judged",
        money(saving) if saving else "no baseline",
    ]


def money(saving: Interval) -> str:
    """An amount with its interval: `value (low…high)`."""
    value, low, high = (format_money(round(each)) for each in (saving.value, saving.low, saving.high))
    return f"{value} ({low}…{high})"


def commands() -> dict[str, Any]:
    return built(value=value)
