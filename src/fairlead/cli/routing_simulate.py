"""`fairlead routing simulate`: recorded work under another objective, price or list of models."""

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
from fairlead.costs.units import Unit
from fairlead.errors import BadInput, closest

if TYPE_CHECKING:
    from fairlead.costs import Rate
    from fairlead.tasks.objectives import Objective
    from fairlead.workspace.compile import Workspace as Compiled
    from fairlead.workspace.simulating import Change, Side, Simulation


def simulate(
    since: Annotated[str, typer.Option(help="From when, as `7d`, `12h` or a day.")] = "7d",
    objective: Annotated[
        str,
        typer.Option(help="The supposed objective, as a task type has it: `minimise: cost, quality_at_least: 0.8`."),
    ] = "",
    price: Annotated[
        list[str] | None,
        typer.Option(help="A supposed price per million tokens, MODEL=INPUT/OUTPUT; may be repeated."),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A model to leave out; may be repeated.", autocompletion=complete.models)
    ] = None,
    models: Annotated[
        list[str] | None, typer.Option(help="Only this model; may be repeated.", autocompletion=complete.models)
    ] = None,
    task: Annotated[str, typer.Option(help="Only this kind of work.", autocompletion=complete.tasks)] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Replay recorded work as if something were different: cost and predicted quality side by side. Changes nothing.

    What was expected of each candidate stands in the records; work that was not chosen by an objective is reckoned by
    the prices and the predictor of now.

    Examples:

        fairlead routing simulate --since 7d --objective "minimise: cost, quality_at_least: 0.8"

        fairlead routing simulate --price large=1.5/6 --task letter

        fairlead routing simulate --without large --json
    """
    from fairlead.workspace.expecting import expects_of
    from fairlead.workspace.predicting import load_latest
    from fairlead.workspace.simulating import simulate as simulated

    place = find(workspace, data_folder)
    start = moment_ago(since, "--since", SystemClock().now())
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        change = _change(compiled, objective, price or [], without or [], models or [])
        records = (record_of(row) for row in log_of(store).since(start))
        some = (record for record in records if task in ("", record.task))
        found = simulated(some, change, compiled.rates, expects_of(compiled, load_latest(store)))
    unit = compiled.budgets.unit
    if json:
        json_data(_as_data(found, unit))
        return
    _tell(found, unit, compiled.settings.budgets.currency)


def _change(compiled: "Compiled", objective: str, price: list[str], without: list[str], models: list[str]) -> "Change":
    """What is supposed to be different. Raises `BadInput` where that is nothing, or of no model."""
    from fairlead.workspace.simulating import Change

    for name in (*without, *models):
        _require_model(compiled, name)
    change = Change(
        objective=_objective(objective) if objective else None,
        prices=_prices(compiled, price),
        without=frozenset(without),
        models=frozenset(models),
    )
    if change == Change():
        raise BadInput("nothing is different", mend="give --objective, --price, --without or --models")
    return change


def _require_model(compiled: "Compiled", name: str) -> None:
    known = {each.group or each.name for each in compiled.models.models.values()}
    if name not in known:
        raise BadInput(f"there is no model {name!r}", mend=closest(name, known))


def _objective(text: str) -> "Objective":
    from fairlead.tasks.objectives import ObjectiveSettings, compile_objective
    from fairlead.workspace.yaml_lines import Document, parse_yaml

    document = parse_yaml("--objective", f"{{{text.strip().strip('{}')}}}".encode())
    try:
        if not isinstance(document, Document):
            raise BadInput("--objective cannot be read", why=document.message)
        return compile_objective("--objective", msgspec.convert(document.data, ObjectiveSettings))
    except msgspec.ValidationError as error:
        raise BadInput(
            "--objective cannot be read", why=str(error), mend='--objective "minimise: cost, quality_at_least: 0.8"'
        ) from None


def _prices(compiled: "Compiled", given: list[str]) -> "dict[str, Rate]":
    from fairlead.costs import resolve_rates
    from fairlead.costs.settings import PriceSettings

    found = {}
    for each in given:
        name, equals, amounts = each.partition("=")
        _require_model(compiled, name)
        sent, slash, received = amounts.partition("/")
        if not equals or not slash:
            raise BadInput(f"--price {each!r}", why="it is MODEL=INPUT/OUTPUT", mend="--price small=0.25/2")
        of = [one for one in compiled.models.models.values() if name in (one.name, one.group)][:1]
        stated = {of[0].name: PriceSettings(input=sent, output=received)}
        rates = resolve_rates(of, stated, SystemClock().now(), compiled.settings.budgets.currency)
        found[name] = rates[of[0].name]
    return found


def _as_data(found: "Simulation", unit: Unit) -> dict[str, Any]:
    def side(one: "Side") -> dict[str, Any]:
        return {"cost": unit.exact(one.cost), "quality": one.quality, "work": dict(one.work)}

    return {
        "currency": unit.name,
        "tasks": [
            {
                "task": each.task,
                "runs": each.runs,
                "billed": unit.exact(each.billed),
                "then": side(each.then),
                "now": side(each.now),
                "moved": each.moved,
                "outside": each.outside,
            }
            for each in found.tasks
        ],
        "left_out": dict(found.left_out),
    }


def _tell(found: "Simulation", unit: Unit, currency: str) -> None:
    numbers = ["runs", "moved", "cost then", "cost now", "quality then", "quality now"]
    table(
        ["task", *numbers, "work now"],
        [
            [
                each.task,
                str(each.runs),
                str(each.moved),
                unit.shown(each.then.cost),
                unit.shown(each.now.cost),
                three_places(each.then.quality),
                three_places(each.now.quality),
                ", ".join(f"{name} {count}" for name, count in each.now.work.items()),
            ]
            for each in found.tasks
        ],
        right=numbers,
    )
    say(f"cost and quality as expected before each run, in {unit.worth_in(currency)}; then and now are the same runs")
    for why, count in found.left_out.items():
        say(f"{count} left out: {why}")


def commands() -> dict[str, Any]:
    return built(simulate=simulate)
