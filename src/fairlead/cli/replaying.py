"""`fairlead replay`: a recorded run, gone through again without asking anybody, and whether it comes out the same."""

import asyncio
import json as jsons
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from fairlead.cli import complete
from fairlead.cli.later import built
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import Json, data, json_data, say
from fairlead.cli.place import Data, Place, Workspace, find, secrets
from fairlead.cli.workflow_traced import PREFIX
from fairlead.clock import SystemClock
from fairlead.errors import NotFound, closest

if TYPE_CHECKING:
    from fairlead.workflows.tracing.from_records import Met
    from fairlead.workflows.tracing.replaying import Rerun


def replay(
    run: Annotated[str, typer.Argument(help="A run, or the beginning of its name.", autocompletion=complete.runs)],
    step: Annotated[
        str, typer.Option("--step", metavar="STEP", help="Show the exact input and result of a step's place.")
    ] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Go through a recorded run again: from its own definition and records, without any model, tool or clock.

    Of a workflow's run (`wf_…`) every step, condition, branch and the output have to come out the same, byte for byte.
    Of a single action: the decision of its policies, the choice of its model and its context are made again. Status 1
    where anything does not come out the same.

    Examples:

        fairlead replay wf_01jd…

        fairlead replay wf_01jd… --step decide

        fairlead replay run_01jd… --json
    """
    place = find(workspace, data_folder)
    same = _workflow(place, run, step, json) if run.startswith(PREFIX) else _action(place, run, json)
    if not same:
        raise typer.Exit(1)


# ---- a workflow's run ------------------------------------------------------------------------------------------------


def _workflow(place: Place, run: str, step: str, json: bool) -> bool:
    from fairlead.workflows.runs import Runs
    from fairlead.workspace.tracing import opened_again

    clock = SystemClock()
    with closing(open_store(place)) as store:
        vault = open_vault(place, store)
        runs = Runs(store, vault, clock)
        found = asyncio.run(opened_again(runs, runs.named(run)))
        shown = _step(place, found, step) if step else _whole(found)
    if json:
        json_data(shown)
    elif step:
        data(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
    else:
        _told(found, shown)
    return found.same


def _whole(found: "Rerun") -> dict[str, Any]:
    run = found.opened.run
    return {
        "run": run.id,
        "workflow": run.workflow,
        "definition": run.definition,
        "status": run.status,
        "same": found.same,
        "steps": len(found.steps),
        "left_out": found.left_out,
        "effects": sum(each.result is not None or each.failed is not None for each in found.met.values()),
        "waits": list(found.waits) if found.end == "open" else [],
        "differences": [{"at": each.at, "what": each.what} for each in found.differences],
        "made": found.made,
    }


def _told(found: "Rerun", shown: dict[str, Any]) -> None:
    same = "the same, byte for byte" if found.same else "NOT the same"
    data(f"{shown['run']}  {shown['workflow']}  {shown['status']}  {same}")
    data(
        f"  {shown['steps']} steps, {shown['left_out']} of them left out; {shown['effects']} effects from their records"
    )
    for each in found.differences:
        data(f"  {each.at or 'the run'}: {each.what}")
    for each in shown["waits"]:
        data(f"  waits at {each}")
    if not found.same:
        say("`fairlead audit verify` tells whether the log was changed; compare with a backup")


def _step(place: Place, found: "Rerun", step: str) -> dict[str, Any]:
    """What a place was given and gave. Raises `NotFound`."""
    mine = [each for each in found.met.values() if step in (each.at.text, each.at.record)]
    passed = found.steps.get(step)
    if not mine and passed is None:
        known = [*found.steps, *(each.at.record for each in found.met.values())]
        raise NotFound(f"the run did not come to {step!r}", mend=closest(step, known), subject=step)
    shown: dict[str, Any] = {"run": found.opened.run.id, "at": step}
    if passed is not None:
        given = passed.scope.given
        shown |= {
            "kind": passed.compiled.step.kind,
            "saw": {**given, "steps": dict(given["steps"])},
            "left_out": passed.left_out,
            "gave": None if passed.result is None else passed.result.value,
        }
    shown["effects"] = [_effect(place, each) for each in mine]
    return shown


def _effect(place: Place, met: "Met") -> dict[str, Any]:
    given: Any = met.given
    if isinstance(given, msgspec.Struct):  # of a question what judges its answer is no data
        asked = msgspec.structs.asdict(given).items()
        given = {key: msgspec.to_builtins(each) for key, each in asked if key != "judge"}
    shown = {"at": met.at.record, "kind": met.kind, "name": met.name or None, "run": met.action or None, "input": given}
    if met.failed is not None:
        shown["error"] = {"kind": met.failed.kind, "code": met.failed.code, "message": met.failed.message}
    elif met.result is not None:
        shown["result"] = msgspec.to_builtins(met.result)
    if met.action and met.kind in ("model", "turn"):
        shown["context"] = _pack(place, met.action)
    return shown


def _pack(place: Place, action: str) -> dict[str, Any] | None:
    """The context that the model was given, made again; None where there was none."""
    from fairlead.errors import FairleadError
    from fairlead.workspace.replay import replay as replayed

    try:
        with closing(open_store(place)) as store:
            told, pack = replayed(store, open_vault(place, store), action, secrets(place.workspace), SystemClock())
    except NotFound:
        return None
    except FairleadError as error:
        return {"same": False, "why": error.message}
    passages = [msgspec.to_builtins(each) for each in (*pack.passages, *pack.voice)]
    return {"same": told.same, "snapshot": told.snapshot, "passages": passages}


# ---- a single action -------------------------------------------------------------------------------------------------


def _action(place: Place, run: str, json: bool) -> bool:
    from fairlead.workspace.remade import remade

    with closing(open_store(place)) as store:
        found = remade(store, open_vault(place, store), run, secrets(place.workspace), SystemClock())
    if json:
        json_data({"run": found.run, "same": found.same, "parts": found.parts})
    else:
        data(f"{found.run}  {'the same' if found.same else 'NOT the same'}")
        for each in found.parts:
            data(f"  {each.what}: {each.came_out}" + (f"  {jsons.dumps(each.said)[1:-1]}" if each.said else ""))
    return found.same


def commands() -> dict[str, Any]:
    return built(replay=replay)
