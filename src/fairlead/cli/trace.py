"""`fairlead runs`, `trace` and `load`: what happened, where the time went, and where Fairlead's own work goes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli import complete
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import log_of, open_store, open_vault
from fairlead.cli.output import Json, data, json_data, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Place, Workspace, currency_of, find
from fairlead.cli.records import record_of
from fairlead.cli.when import shown
from fairlead.cli.workflow_traced import PREFIX, trace_workflow
from fairlead.costs.money import exact_money, format_money
from fairlead.costs.payload import decode_payload
from fairlead.costs.record import Record
from fairlead.errors import BadInput, NotFound
from fairlead.telemetry.load import load_by_layer
from fairlead.telemetry.trace import decode

if TYPE_CHECKING:
    from fairlead.storage.log import LogRow

runs_app = typer.Typer(**PLAIN)
trace_app = typer.Typer(**PLAIN)
load_app = typer.Typer(**PLAIN)

ACTIONS = ("call_model", "call_tool", "read_pages", "refusal")


@runs_app.command()
def runs(
    count: Annotated[int, typer.Option("-n", "--last", min=1, max=10_000, help="How many.")] = 20,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """The latest runs, the newest first."""
    place = find(workspace, data_folder)
    store = open_store(place)
    records = map(record_of, log_of(store).latest(count * 3))
    found = [record for record in records if record.kind in ACTIONS][:count]
    if json:
        json_data([_run(record) for record in found])
        return
    names, currency = Names(place, store), currency_of(place)
    table(
        ["when (UTC)", "run", "outcome", "who", "task", "model", "cost", "error"],
        [
            [
                shown(record.at),
                record.run,
                record.outcome,
                names.of(record.person),
                record.task,
                record.model,
                format_money(record.cost, currency),
                record.error.code if record.error else "",
            ]
            for record in found
        ],
        right=["cost"],
    )


def _run(record: Record) -> dict[str, Any]:
    return {
        "run": record.run,
        "at": record.at,
        "outcome": record.outcome,
        "person": record.person,
        "department": record.department,
        "task": record.task,
        "model": record.model,
        "cost": exact_money(record.cost),
        "error": record.error.code if record.error else None,
    }


@trace_app.command()
def trace(
    run: Annotated[
        str, typer.Argument(help="A run, the beginning of its name, or `last`.", autocompletion=complete.runs)
    ] = "last",
    payload: Annotated[
        bool, typer.Option("--payload", help="Show what was asked and answered; needs the master key.")
    ] = False,
    value: Annotated[
        str,
        typer.Option(
            "--value",
            metavar="PATH|TEXT",
            help="Of a workflow's run: where this came from, as in `result.total`, "
            "`steps.offer.value.total` or `1,249.00`.",
        ),
    ] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Draw what happened in a run: its stages, their time, each attempt, the cost, and where it failed.

    Of a workflow's run (`wf_…`): its steps with what each did, and at the root of what it failed of which step, model
    and input, with the chain from there; then the commands by which it goes on. With --value: through which steps and
    models that came, and from which tool, page, person or input, also of a run that ended well.
    """
    place = find(workspace, data_folder)
    if run.startswith(PREFIX):
        trace_workflow(place, run, value, json=json)
        return
    if value:
        raise BadInput(f"{run} is a single action", why="--value follows a value through the steps of a workflow's run",
                       mend="name a run as `fairlead workflow runs` lists them: wf_…", param="--value")  # fmt: skip
    _trace_action(place, run, payload=payload, json=json)


def _trace_action(place: Place, run: str, *, payload: bool, json: bool) -> None:
    from fairlead.cli.drawing import draw

    store = open_store(place)
    rows = log_of(store).of_run(run)
    records, spans = [record_of(row) for row in rows], decode(rows[-1].spans)
    texts = _texts(place, rows[-1]) if payload else None
    if json:
        json_data(
            {
                "run": rows[-1].run,
                "records": records,
                "spans": spans,
                "payload": {"request": texts[0], "reply": texts[1]} if texts else None,
            }
        )
        return
    draw(records, spans, currency_of(place), Names(place, store))
    if texts:
        data(f"\nrequest\n{texts[0]}\n\nreply\n{texts[1]}")


def _texts(place: Place, row: "LogRow") -> tuple[str, str]:
    """The request and the reply as they were kept. Raises `NotFound` where they were not, or were erased."""
    store = open_store(place)
    sealed = log_of(store).payload(row.seq)
    if sealed is None:
        raise NotFound(
            f"nothing was kept of what {row.run} asked and answered",
            why="the workspace says `payloads: none`, or the request was turned away at the door",
            mend="`payloads: keep` in fairlead.yaml keeps those to come, encrypted per person",
        )
    plain = open_vault(place, store).open_sealed(sealed.subject, sealed.ciphertext, row.run.encode())
    kept = decode_payload(plain)
    return kept.body.decode("utf-8", "replace"), kept.reply


@load_app.command()
def load(
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=100_000, help="Of how many runs.")] = 1000,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Where Fairlead's own time goes, by layer. Waiting for models and disks is shown beside it, never in it."""
    store = open_store(find(workspace, data_folder))
    traces = [decode(row.spans) for row in log_of(store).latest(last * 2) if row.spans][:last]
    layers = load_by_layer(traces)
    if json:
        json_data({"runs": len(traces), "layers": layers})
        return
    table(
        ["layer", "share", "mean µs", "p50 µs", "p95 µs", "waited µs"],
        [
            [each.layer, f"{each.share:.0%}", *(f"{n:.0f}" for n in (each.mean, each.p50, each.p95, each.waited))]
            for each in layers
        ],
        right=["share", "mean µs", "p50 µs", "p95 µs", "waited µs"],
    )


def commands() -> dict[str, Any]:
    apps = {"runs": runs_app, "trace": trace_app, "load": load_app}
    return {name: typer.main.get_command(app) for name, app in apps.items()}
