"""`fairlead policy`: test the policies, show them, and explain what they decided or would decide."""

from collections.abc import Mapping
from contextlib import closing
from typing import Annotated, Any

import typer

from fairlead.cli import complete
from fairlead.cli.compiled import in_folder, published
from fairlead.cli.context_items import edited_versions
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import Json, data, json_data, say, table
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.policy_hits import hits
from fairlead.cli.records import record_of
from fairlead.cli.required_context import required_of
from fairlead.costs.record import Record
from fairlead.errors import BadInput, closest
from fairlead.identity import Caller
from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.models.types import Model
from fairlead.policy import Policy
from fairlead.policy.policy import Explanation
from fairlead.policy.seen import as_seen
from fairlead.policy.ways import START
from fairlead.workflows.beginning import STARTS, starting
from fairlead.workflows.bundle import Bundle
from fairlead.workspace.policy_tests import policy_results

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="Test, show and explain policies.",
)


@app.command("test")
def run_tests(workspace: Workspace = None, json: Json = False) -> None:
    """Run policies/tests.yaml against the policies of the folder. Ends with status 1 if any comes out otherwise."""
    compiled = in_folder(find(workspace))
    results = policy_results(compiled)
    failed = [result for result in results if not result.passed]
    if json:
        json_data([{"name": each.name, "passed": each.passed, "said": each.said} for each in results])
    else:
        table(
            ["", "test", "what was decided instead"],
            [["ok" if each.passed else "FAILED", each.name, each.said] for each in results],
        )
        say(f"{len(results) - len(failed)} of {len(results)} as expected")
    if failed:
        raise typer.Exit(1)


app.command()(hits)


@app.command()
def show(workspace: Workspace = None, json: Json = False) -> None:
    """Every policy in force: those written in Cedar, and those that lean rules and defaults stand for."""
    statements = in_folder(find(workspace)).policy.statements
    if json:
        json_data(
            [{"id": each.id, "where": each.where, "effect": each.effect, "text": each.text} for each in statements]
        )
        return
    for each in statements:
        data(f"// {each.where}\n{each.text.strip()}\n")


@app.command()
def explain(
    run: Annotated[str, typer.Argument(help="A run, or `last`: what decided it.", autocompletion=complete.runs)] = "",
    person: Annotated[str, typer.Option(help="Without a run: who would ask.")] = "someone",
    group: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="A group of theirs; may be repeated.")
    ] = None,
    department: Annotated[str, typer.Option(help="Their department.")] = "",
    role: Annotated[list[str] | None, typer.Option("--role", help="A role of theirs; may be repeated.")] = None,
    model: Annotated[
        str, typer.Option(help="Only this model.", show_default="all", autocompletion=complete.models)
    ] = "",
    task: Annotated[str, typer.Option(help="The task type.", autocompletion=complete.tasks)] = "",
    text: Annotated[str, typer.Option(help="What they would ask: its labels count.")] = "",
    data_class: Annotated[str, typer.Option("--class", help="The data class of what goes along.")] = "public",
    workflow: Annotated[str, typer.Option(help="Whether they may begin this workflow, in place of a request.")] = "",
    door: Annotated[
        str,
        typer.Option(help="By which door, where policies ask.", show_default="cli; fairlead.workflows with --workflow"),
    ] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Which policies decided a run, or would decide a request that you describe, and why."""
    if run:
        _explain_run(run, workspace, data_folder, json)
        return
    place = find(workspace)
    compiled = in_folder(place)
    models = compiled.models.models
    if model and model not in models:
        raise BadInput(f"there is no model {model!r}", mend=closest(model, models))
    caller = Caller(
        person=person,
        department=department,
        groups=frozenset(group or ()),
        roles=frozenset(role or ()),
        credential="key:hypothetical",
    )
    if workflow:
        _explain_start(compiled.policy, compiled.workflows, caller, workflow, door or STARTS, json)
        return
    chosen = {name: each for name, each in models.items() if not model or name == model}
    labels = _labels(compiled.policy, text, data_class)
    _explain_asking(compiled.policy, caller, chosen, task, text, labels, door or "cli", json)
    if not json and (type_ := compiled.tasks.types.get(task)) is not None:
        for line in required_of(compiled, caller, type_, edited_versions(place)):
            say(line)


def _explain_start(
    policy: Policy, workflows: Mapping[str, Bundle], caller: Caller, workflow: str, door: str, json: bool
) -> None:
    bundle = workflows.get(workflow)
    if bundle is None:
        raise BadInput(f"there is no workflow {workflow!r}", mend=closest(workflow, workflows))
    explained = policy.explain(caller, START, starting(bundle), door=door)
    decision = explained.decision
    if json:
        json_data({"effect": decision.effect, "reasons": decision.reasons, "errors": decision.errors,
                   "request": explained.request, "entities": explained.entities})  # fmt: skip
        return
    said = "; ".join([*(each.text for each in decision.reasons), *decision.errors])
    table(
        ["workflow", "decision", "because", "policies"],
        [[workflow, decision.effect, said, ", ".join(each.policy for each in decision.reasons)]],
    )


def _labels(policy: Policy, text: str, data_class: str) -> Any:
    if data_class not in DataClass.__members__:
        raise BadInput(f"there is no class {data_class!r}", mend="use one of " + ", ".join(DataClass.__members__))
    found = policy.detect_text(text).labels if text else NO_LABELS
    return found.joined(Labels(DataClass[data_class]))


def _explain_asking(
    policy: Policy, caller: Any, models: Mapping[str, Model], task: str, text: str, labels: Any, door: str,
    json: bool,
) -> None:  # fmt: skip
    explained = {
        name: policy.explain(caller, "call_model", each, task=task, labels=labels, door=door)
        for name, each in models.items()
    }
    seen = {name: as_seen(policy, text, each.decision) for name, each in explained.items() if each.decision.redact}
    if json:
        json_data({name: _plain(each, seen.get(name)) for name, each in explained.items()})
        return
    found = ", ".join(sorted(labels.categories)) or "nothing"
    say(f"class {labels.data_class.name}; the detectors found {found}")
    table(
        ["model", "decision", "taken out", "because", "policies"],
        [
            [
                name,
                each.decision.effect,
                ", ".join(sorted(each.decision.redact)),
                "; ".join([*(reason.text for reason in each.decision.reasons), *each.decision.errors]),
                ", ".join(reason.policy for reason in each.decision.reasons),
            ]
            for name, each in explained.items()
        ],
    )
    for each in dict.fromkeys(seen.values()):
        say(f"as {', '.join(name for name in seen if seen[name] == each)} would see it: {each}")


def _plain(explained: Explanation, seen: str | None) -> dict[str, Any]:
    return {
        "effect": explained.decision.effect,
        "redact": sorted(explained.decision.redact),
        "seen": seen,
        "reasons": explained.decision.reasons,
        "errors": explained.decision.errors,
        "request": explained.request,
        "entities": explained.entities,
    }


def _explain_run(run: str, workspace: Any, data_folder: Any, json: bool) -> None:
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        record = record_of(log_of(store).of_run(run)[-1])
        reasons = {each.id: (each.where, each.text) for each in published(place, store).policy.statements}
    if json:
        json_data({"record": record, "policies": {name: reasons.get(name) for name in record.policies}})
        return
    data(_summary(record))
    for name in record.policies:
        where, text = reasons.get(name, ("no longer in force", ""))
        data(f"\n// {where}\n{text.strip() or name}")


def _summary(record: Record) -> str:
    lines = [
        f"{record.run}: {record.outcome}" + (f", {record.error.code}" if record.error else ""),
        f"class {record.data_class or 'unknown'}; found {', '.join(record.categories) or 'nothing'}",
        f"taken out before sending: {', '.join(record.redacted)}" if record.redacted else "",
        f"sent under pseudonyms: {', '.join(f'{name} {count}' for name, count in record.pseudonyms)}"
        if record.pseudonyms
        else "",
        f"model {record.model} ({record.placement})" if record.model else "no model was called",
        *(f"required {need}: {state}" for need, state in record.required),
        *(f"dropped {model}: {by}" for model, by in record.dropped),
        *(f"{rule} applied in mode {mode}: {effect}" for rule, mode, effect in record.hits),
        f"decided by: {', '.join(record.policies) or 'no policy was asked'}",
    ]
    return "\n".join(filter(None, lines))


def commands() -> dict[str, Any]:
    return {"policy": typer.main.get_command(app)}
