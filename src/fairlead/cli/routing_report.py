"""`fairlead routing report`: who did which work, at what price and how well."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from fairlead.cli import complete
from fairlead.cli.compiled import published
from fairlead.cli.later import built
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import Json, json_data, say, table, three_places
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.records import record_of
from fairlead.cli.when import moment_ago
from fairlead.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.costs.units import Unit
    from fairlead.workspace.routing_report import Line


def report(
    since: Annotated[str, typer.Option(help="From when, as `7d`, `12h` or a day.")] = "7d",
    task: Annotated[str, typer.Option(help="Only this kind of work.", autocompletion=complete.tasks)] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Share of work, cost, predicted and observed quality and regret, by kind of work, model and vendor.

    Regret is how much better the best candidate within the bounds was expected to be than the one that did it.
    Observed is what routing may learn from: no one person sways it, and suspected judgements are left out.

    Examples:

        fairlead routing report --since 30d

        fairlead routing report --task letter --json
    """
    from fairlead.workspace.outcomes_known import trusted_scores_since
    from fairlead.workspace.routing_report import report as reported

    place = find(workspace, data_folder)
    start = moment_ago(since, "--since", SystemClock().now())
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        records = (record_of(row) for row in log_of(store).since(start))
        some = (record for record in records if task in ("", record.task))
        share = compiled.settings.outcomes.feedback.caller_share
        scores, left_out = trusted_scores_since(store, start, share)
        lines = reported(some, compiled.models.models, scores)
    unit, currency = compiled.budgets.unit, compiled.settings.budgets.currency
    if json:
        said = [msgspec.to_builtins(line) | {"cost": unit.exact(line.cost)} for line in lines]
        json_data({"currency": unit.name, "lines": said, "outcomes_left_out": left_out})
        return
    _show(lines, unit)
    say(
        f"cost in {unit.worth_in(currency)}; observed by {sum(line.outcomes for line in lines)} outcomes that may teach"
    )
    if left_out:
        say(f"left out: {left_out} that a judge gave and nothing else bears out (fairlead routing train says which)")


def _show(lines: "Sequence[Line]", unit: "Unit") -> None:
    numbers = ["runs", "share", "cost", "predicted", "observed", "regret"]
    table(
        ["task", "model", "vendor", "placement", *numbers],
        [
            [
                line.task,
                line.model,
                line.vendor,
                line.placement,
                str(line.runs),
                f"{line.share:.0%}",
                unit.shown(line.cost),
                *(three_places(each) for each in (line.predicted, line.observed, line.regret)),
            ]
            for line in lines
        ],
        right=numbers,
    )


def commands() -> dict[str, Any]:
    return built(report=report)
