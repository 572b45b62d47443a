"""`fairlead value`: what work came to against the manual way, and what leaving a vendor would take."""

from contextlib import closing
from typing import Any

import msgspec

from fairlead.cli.billing import SLACK, When, asked_period, records_of
from fairlead.cli.compiled import published
from fairlead.cli.later import built
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.records import record_of
from fairlead.costs.billing.bill import workflows
from fairlead.costs.money import exact_money, format_money
from fairlead.costs.value import Interval, Leaving, Worth, leaving
from fairlead.costs.value import value as valued


def value(period: When = "", workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """By task type: volume, cost, cycle time, what went straight through, quality, and the net saving against the
    manual way (`value.baselines` of fairlead.yaml), with intervals; then what leaving each vendor would take.

    All of it follows from the audit log and the outcomes: the same period gives the same figures.
    """
    from fairlead.workspace.outcomes_known import scores_since

    place, wanted = find(workspace, data_folder), asked_period(period)
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        roots = workflows(records_of(store, wanted)())
        rows = [
            (record, row.at)
            for row in log_of(store).since(wanted.start - SLACK)
            if wanted.has((record := record_of(row)).at)
        ]
        scores = scores_since(store, wanted.start)
    lines = valued(rows, roots, scores, compiled.settings.value.baselines)
    vendors = {name: model.placement.vendor for name, model in compiled.models.models.items()}
    exits = leaving((record for record, _ in rows), vendors)
    currency = compiled.settings.budgets.currency
    if json:
        json_data({
            "period": wanted.name,
            "currency": currency,
            "tasks": [_plain(line) for line in lines],
            "leaving": exits,
        })  # fmt: skip
        return
    _draw(lines, exits)
    say(f"in {currency}, {wanted.name}; intervals hold in four of five cases")


def _plain(line: Worth) -> dict[str, Any]:
    saving = line.saving
    return {
        **msgspec.to_builtins(line),
        "cost": exact_money(line.cost),
        "cost_each": exact_money(round(line.cost_each)),
        "saving": {name: exact_money(round(each)) for name, each in _of(saving).items()} if saving else None,
    }


def _of(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _draw(lines: list[Worth], exits: list[Leaving]) -> None:
    numbers = ["volume", "cost", "each", "median s", "p90 s", "straight", "quality", "net saving"]
    table(["task", *numbers], [_cells(line) for line in lines], right=numbers)
    if exits:
        print()
        table(
            ["vendor", "task", "share", "its models", "others that did it"],
            [
                [each.vendor, each.task, f"{each.share:.0%}", ", ".join(each.models), ", ".join(each.others) or "none"]
                for each in exits
            ],
            right=["share"],
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
        _money(saving) if saving else "no baseline",
    ]


def _money(saving: Interval) -> str:
    value, low, high = (format_money(round(each)) for each in (saving.value, saving.low, saving.high))
    return f"{value} ({low}…{high})"


def commands() -> dict[str, Any]:
    return built(value=value)
