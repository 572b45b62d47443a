"""`fairlead models`: where each model runs, what it costs, and whether it answers."""

from typing import Annotated, Any

import typer

from fairlead.cli.compiled import in_folder
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Workspace, find
from fairlead.cli.probing import probed
from fairlead.costs.money import exact_money
from fairlead.costs.types import Rate
from fairlead.models.types import Model
from fairlead.workspace.compile import Workspace as Compiled

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
_NANO_OF_A_MILLION = 1000  # a token's price is in pico-units: that of a million of them in nano-units


@app.command()
def models(
    online: Annotated[bool, typer.Option("--online", help="Ask every endpoint whether it answers.")] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """The models of the workspace: where they run, what they cost, whether this machine can reach them."""
    compiled = in_folder(find(workspace))
    answers = probed(compiled, only_local=False) if online else {}
    rows = [_row(model, compiled, answers) for model in compiled.models.models.values()]
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
                row["status"],
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


def _price(rate: Rate | None, kind: str) -> str | None:
    """The price of a million tokens in the first tier, exact."""
    if rate is None:
        return None
    return exact_money(getattr(rate.tiers[0], kind) * _NANO_OF_A_MILLION)


def commands() -> dict[str, Any]:
    return {"models": typer.main.get_command(app)}
