"""`fairlead models`: where each model runs, what it costs, and whether it answers."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli.compiled import in_folder
from fairlead.cli.later import PLAIN
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.probing import probed
from fairlead.costs.money import exact_money
from fairlead.costs.types import Rate
from fairlead.models.types import Model
from fairlead.workspace.compile import Workspace as Compiled

if TYPE_CHECKING:
    from fairlead.lanes.figures import WorkerFigures

app = typer.Typer(**PLAIN)
_NANO_OF_A_MILLION = 1000  # a token's price is in pico-units: that of a million of them in nano-units


@app.command()
def models(
    online: Annotated[bool, typer.Option("--online", help="Ask every endpoint whether it answers.")] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """The models of the workspace: where they run, what they cost, whether this machine can reach them; and how their
    deployments stand, as the workers on this machine have it."""
    from fairlead.clock import SystemClock
    from fairlead.lanes.figures import FOLDER, read

    place = find(workspace, data_folder)
    compiled = in_folder(place)
    answers = probed(compiled, only_local=False) if online else {}
    workers = list(read(place.beside / FOLDER, SystemClock().now()))
    rows = [_row(model, compiled, answers) for model in compiled.models.models.values()]
    for row in rows:
        row["standing"] = _standing(workers, row["model"])
    if json:
        json_data(rows)
        return
    prices = ["input", "output"]
    table(
        ["model", "calls", "runs", *prices, "context", "status"],
        [
            [
                row["model"],
                row["calls"],
                " ".join(filter(None, (row["placement"], row["region"], row["vendor"]))),
                *(row[name] if row[name] is not None else "unpriced" for name in prices),
                f"{row['context']:,}" if row["context"] else "",
                "; ".join(filter(None, (row["status"], _said(row["standing"])))),
            ]
            for row in rows
        ],
        right=[*prices, "context"],
    )
    say(f"prices in {compiled.settings.budgets.currency} per million tokens")


def _row(model: Model, compiled: Compiled, answers: dict[str, str]) -> dict[str, Any]:
    rate = compiled.rates.get(model.name)
    missing = compiled.models.unavailable.get(model.name)
    return {
        "model": model.name,
        "calls": f"{model.endpoint}/{model.remote}",
        "placement": model.placement.kind,
        "region": model.placement.region,
        "vendor": model.placement.vendor,
        "input": _price(rate, "input"),
        "output": _price(rate, "output"),
        "price_list": rate.version if rate else None,
        "context": model.context,
        "max_output": model.max_output,
        "available": missing is None,
        "status": missing or answers.get(model.endpoint) or "available",
    }


def _standing(workers: "list[WorkerFigures]", name: str) -> dict[str, Any] | None:
    """What the workers together say of a deployment; None where none says anything."""
    found = [each for worker in workers for each in worker.deployments if each.model == name]
    if not found:
        return None
    said = [each.said for each in found]
    return {
        "under_way": sum(each.under_way for each in found),
        "requests_left": found[0].requests,
        "tokens_left": found[0].tokens,
        "server_says_left": {kind: min(one[kind] for one in said if kind in one) for kind in {*said[0]}.union(*said)},
        "left_alone": [each.ill for each in found if each.ill],
    }


def _said(standing: dict[str, Any] | None) -> str:
    if standing is None:
        return ""
    left = [f"{standing[f'{kind}_left']} {kind} left" for kind in ("requests", "tokens")]
    parts = [f"{standing['under_way']} under way", *(each for each in left if not each.startswith("None"))]
    return ", ".join((*parts, *standing["left_alone"]))


def _price(rate: Rate | None, kind: str) -> str | None:
    """The price of a million tokens in the first tier, exact."""
    if rate is None:
        return None
    return exact_money(getattr(rate.tiers[0], kind) * _NANO_OF_A_MILLION)


def commands() -> dict[str, Any]:
    return {"models": typer.main.get_command(app)}
