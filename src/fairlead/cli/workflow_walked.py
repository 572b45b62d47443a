"""`fairlead workflow dry-run` and `estimate`: a walk whose effects do nothing, and what the same would cost."""

import asyncio
import json as jsons
import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fairlead.cli.acting import caller_of
from fairlead.cli.ask import Key
from fairlead.cli.compiled import require_published
from fairlead.cli.later import built
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.surroundings import surroundings
from fairlead.cli.workflowing import Name, bundle_of
from fairlead.costs.told import Arrival
from fairlead.costs.units import Unit
from fairlead.errors import BadInput, FairleadError, NotFound
from fairlead.execution import Fairlead
from fairlead.execution.quoting import quote
from fairlead.models.types import AUTO, ChatRequest, Message
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Step
from fairlead.workflows.dry import Dry, placeholder
from fairlead.workflows.estimating import Between, Price, whole_run
from fairlead.workflows.graph import every_step
from fairlead.workflows.interpreter import walked
from fairlead.workflows.nodes import Schema
from fairlead.workflows.program import Program
from fairlead.workflows.templates import as_text
from fairlead.workflows.walk import RunFailed

_RUN: Final = "dry-run"
_MOST: Final = 64 << 20

Input = Annotated[
    str, typer.Option("--input", help="What the run is given: JSON, or a file of it. Default: placeholders.")
]
With = Annotated[list[str], typer.Option("--with", help="What a step gives: STEP=JSON. May be repeated.")]


def given_by(bundle: Bundle, said: str) -> dict[str, Any]:
    """The input of a walk. Raises `BadInput`."""
    if not said:
        found = placeholder({"type": "object", **bundle.definition.input})
        return found if isinstance(found, dict) else {}
    text = said
    if not said.lstrip().startswith("{"):
        said = said.removeprefix("@")
        try:
            if Path(said).stat().st_size > _MOST:
                raise BadInput(f"{said} is larger than {_MOST >> 20} MiB", mend="give a smaller input")
            text = Path(said).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"the input {said!r} cannot be read", why=str(error), mend="give JSON, or a file") from error
    value = _json("--input", text)
    if not isinstance(value, dict):
        raise BadInput("the input of a workflow is an object", mend='--input \'{"name": "value"}\'')
    return value


def values_of(said: list[str]) -> dict[str, Any]:
    """What steps give, by step. Raises `BadInput`."""
    pairs = [each.partition("=") for each in said]
    return {step: _json(f"--with {step}", text) for step, _, text in pairs}


def _json(where: str, text: str) -> Any:
    try:
        return jsons.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{where} is not JSON", why=str(error), mend="texts need double quotes, as in STEP='\"text\"'"
        ) from error


async def dried(bundle: Bundle, given: dict[str, Any], values: dict[str, Any]) -> tuple[Dry, Any, str]:
    """A walk that does nothing: its effects, what it came to, and why it failed. Raises `BadInput` for steps that there
    are not."""
    dry = Dry(values, bundle.results, _shapes(bundle))
    value, failed = None, ""
    try:
        value = (await walked(Program(bundle), dry, _RUN, given)).value
    except RunFailed as error:
        failed = f"{error.failure.at or 'the run'}: {error.failure.message}"
    for step in values.keys() - dry.used:
        say(f"nothing came to {step}: what was given for it is not used")
    return dry, value, failed


def _shapes(bundle: Bundle) -> dict[str, Schema]:
    """What the checks of python steps want, by step."""
    steps = [each for one in (bundle.definition, *bundle.subflows.values()) for _, each in every_step(one.steps)]
    return {each.id: each.check.schema for each in steps if each.python and each.check and each.check.schema}


def dry_run(
    name: Name,
    input: Input = "",
    with_: With = [],  # noqa: B006 - Typer wants the list itself, and nothing changes it
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Walk a workflow without doing anything: what would be asked and called, with what, and what came out.

    Models, tools and functions give small values of the shape that is declared, or what `--with` says. People say
    yes, and no time goes by. Ends with status 1 where the walk fails.
    """
    bundle = bundle_of(workspace, name)
    dry, value, failed = asyncio.run(dried(bundle, given_by(bundle, input), values_of(with_)))
    left_out = [at for at, state in dry.states if state == "left out"]
    if json:
        json_data({"output": value, "failed": failed, "effects": dry.happened, "left_out": left_out})
    else:
        rows = [[each.at, each.kind, _short(each.what), _short(each.given)] for each in dry.happened]
        table(["step", "kind", "with", "gives"], rows)
        for at in left_out:
            say(f"{at} was left out")
        say(f"failed at {failed}" if failed else f"gives {_short(value, 2000)}")
    if failed:
        raise typer.Exit(1)


def _short(value: Any, most: int = 60) -> str:
    text = "" if value is None else as_text(value)
    return text if len(text) <= most else text[:most] + "…"


def estimate(
    name: Name,
    input: Input = "",
    with_: With = [],  # noqa: B006 - Typer wants the list itself, and nothing changes it
    key: Key = "",
    workspace: Workspace = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """What a whole run would cost: from the least to the most that its definition allows, and what a walk with this
    input comes to. Each step is decided as its request would be, recorded as an estimate, and not billed."""
    bundle = bundle_of(workspace, name)
    place = find(workspace, data)
    with closing(open_store(place)) as store:
        require_published(store)
        estimated = asyncio.run(
            _estimated(surroundings(place, store), bundle, given_by(bundle, input), values_of(with_), key)
        )
    _show(estimated, json)


class Estimated:
    """What a run may cost. `refused` are steps that nothing may or can do, with why."""

    def __init__(self) -> None:
        self.unit: Unit | None = None
        self.prices: dict[tuple[str, str], Price] = {}
        self.calls: dict[str, int] = {}
        self.whole = Between(0, 0)
        self.each: Mapping[str, Between] = {}
        self.likely = 0
        self.outcomes: list[int] = []
        self.refused: dict[str, str] = {}
        self.failed = ""


async def _estimated(around: Any, bundle: Bundle, given: dict[str, Any], values: dict[str, Any], key: str) -> Estimated:
    from fairlead.workspace.assemble import assemble

    made = Estimated()
    dry, _, made.failed = await dried(bundle, given, values)
    running = await assemble(around)
    try:
        await _priced(running.fairlead, made, bundle, dry, key)
    finally:
        await running.stop()
    made.whole, made.each = whole_run(bundle, lambda flow, step: made.prices.get((flow, step.id), Price(0, 0, 0)))
    return made


async def _priced(fairlead: Fairlead, made: Estimated, bundle: Bundle, dry: Dry, key: str) -> None:
    """The price of one call of each step, by the prompt that the walk came to, else by the text as it is written."""
    caller = await caller_of(fairlead, key)
    deployment = fairlead.current()
    made.unit = deployment.unit
    asked = {each.at.rpartition(".")[2]: each.what for each in dry.happened if each.kind in ("model", "agent")}
    for flow in (bundle.name, *bundle.subflows):
        for _, step in every_step(bundle.of(flow).steps):
            if step.tool is not None:
                price = round(_tool_price(fairlead, step.tool.call) * 1e9)
                made.prices[flow, step.id] = Price(price, price, price)
            node = step.model or step.agent
            if node is not None:
                prompt = str(
                    asked.get(step.id) or (step.model.prompt if step.model else step.agent.goal if step.agent else "")
                )
                await _asked(fairlead, made, caller, (flow, step), prompt)
    for each in dry.happened:
        top, leaf = re.split(r"[.\[~]", each.at)[0], each.at.rpartition(".")[2].partition("~")[0]
        made.calls[top] = made.calls.get(top, 0) + 1
        prices = [price for (_, step), price in made.prices.items() if step == leaf]
        made.likely += prices[0].likely if prices and each.kind in ("model", "agent", "tool") else 0


async def _asked(fairlead: Fairlead, made: Estimated, caller: Any, step: tuple[str, Step], prompt: str) -> None:
    flow, one = step
    node = one.model or one.agent
    assert node is not None
    request = ChatRequest(
        model=node.model or node.task or AUTO,
        messages=[Message(role="user", content=prompt)],
        size=len(prompt.encode()) + len(node.instructions.encode()),
        max_output=node.max_output,
    )
    try:
        found = await quote(fairlead, caller, request, Arrival(door="cli", dry_run=True))
    except FairleadError as error:
        made.refused[one.id] = error.message
        return
    likely = found.estimates[0]
    made.outcomes.append(likely.outcomes)
    made.prices[flow, one.id] = Price(
        min(each.low for each in found.estimates), likely.likely, max(each.high for each in found.estimates)
    )


def _tool_price(fairlead: Fairlead, name: str) -> float:
    try:
        system, _ = fairlead.current().systems.tool(name)
    except NotFound:
        return 0.0
    return system.settings.price


def _show(made: Estimated, json: bool) -> None:
    unit = made.unit
    assert unit is not None
    if json:
        json_data(
            {
                "currency": unit.name,
                "least": unit.exact(made.whole.least),
                "likely": unit.exact(made.likely),
                "most": unit.exact(made.whole.most),
                "steps": {
                    id: {"calls": made.calls.get(id, 0), "least": unit.exact(each.least), "most": unit.exact(each.most)}
                    for id, each in made.each.items()
                },
                "refused": made.refused,
                "failed": made.failed,
                "outcomes": min(made.outcomes, default=0),
            }
        )
        return
    rows = [
        [id, str(made.calls.get(id, 0)), unit.shown(each.least), unit.shown(each.most)]
        for id, each in made.each.items()
        if each.most
    ]
    table(["step", "calls in this walk", "least", "most"], rows, right=["calls in this walk", "least", "most"])
    for id, why in made.refused.items():
        say(f"{id} would be refused: {why}")
    if made.failed:
        say(f"the walk with this input fails at {made.failed}")
    say(
        f"a run costs {unit.shown(made.whole.least)} to {unit.shown(made.whole.most)} {unit.name}; "
        f"with this input about {unit.shown(made.likely)}"
    )
    say("maps and loops count from no item or one turn to as many as they may have; agents with all their turns")


def commands() -> dict[str, Any]:
    return {"dry-run": built(dry_run=dry_run)["dry_run"], **built(estimate=estimate)}
