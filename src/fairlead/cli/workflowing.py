"""`fairlead workflow`: check, list and show workflows, draw them, walk them without doing anything, estimate them."""

from typing import Annotated, Any, Final, Literal

import typer

from fairlead.cli.ask import Key
from fairlead.cli.compiled import in_folder
from fairlead.cli.later import built, group_of
from fairlead.cli.output import DryRun, Json, data, json_data, say, table
from fairlead.cli.place import Url, Workspace, find
from fairlead.errors import BadInput, NotFound, closest
from fairlead.workflows.bundle import Bundle

COMMANDS: Final = {
    "check": ("workflowing", "Check the workspace's workflows; every problem with its line and its mend."),
    "list": ("workflowing", "The workflows of the workspace."),
    "show": ("workflowing", "A workflow, step by step."),
    "new": ("workflowing", "Write a first workflow, with comments."),
    "graph": ("workflowing", "Draw a workflow, or how far a run is, as SVG, Mermaid or text."),
    "dry-run": ("workflow_walked", "Walk a workflow without doing anything."),
    "estimate": ("workflow_walked", "What a whole run would cost, from least to most."),
    "run": ("workflow_runs", "Begin a run, and wait until it is over or asks somebody."),
    "runs": ("workflow_listed", "Runs that were begun."),
    "schedules": ("workflow_listed", "When workflows begin by themselves, and what came of the last time."),
    "status": ("workflow_runs", "What a run has done so far, what it waits for, and what came of it."),
    "questions": ("workflow_questions", "What runs of others wait for you to answer, and one of them whole."),
    "approve": ("workflow_ordered", "Answer yes to what a run asks."),
    "deny": ("workflow_ordered", "Answer no to what a run asks."),
    "signal": ("workflow_ordered", "Send a run what a step of it waits for."),
    "cancel": ("workflow_ordered", "Cancel a run, and undo what it did."),
    "pause": ("workflow_ordered", "Let a run begin nothing more for now."),
    "resume": ("workflow_ordered", "Let a run go on."),
    "retry": ("workflow_steered", "Let a run that failed go on from where it failed."),
    "fork": ("workflow_steered", "Begin a copy of a run that goes on from a step, edited or not."),
    "work": ("workflow_runs", "Walk runs in this process."),
}

Name = Annotated[str, typer.Argument(help="The workflow: its file's name, without .yaml.")]

app = typer.Typer(
    name="workflow", cls=group_of(COMMANDS), rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True
)


@app.callback()
def _group() -> None:
    """Durable workflows: check, draw, walk without doing anything, estimate; begin runs and answer what they ask."""


def bundle_of(workspace: Any, name: str) -> Bundle:
    """A workflow of the folder. Raises `NotFound`, `InvalidWorkspace`."""
    known = in_folder(find(workspace)).workflows
    if name not in known:
        mend = closest(name, known) or "write workflows/NAME.yaml: see how-to/write-a-workflow"
        raise NotFound(f"there is no workflow {name!r} in this workspace", mend=mend)
    return known[name]


def check(workspace: Workspace = None, json: Json = False) -> None:
    """Check the workspace with its workflows. Ends with status 1 where anything is wrong, and changes nothing."""
    compiled = in_folder(find(workspace))
    remarks = [warning for warning in compiled.warnings if warning.startswith("workflows/")]
    if json:
        json_data(
            {"workflows": {name: bundle.digest for name, bundle in compiled.workflows.items()}, "remarks": remarks}
        )
        return
    for remark in remarks:
        say(f"remark: {remark}")
    names = ", ".join(compiled.workflows) or "there are none: write workflows/NAME.yaml"
    data(f"sound: {names}")


def list_(workspace: Workspace = None, json: Json = False) -> None:
    """The workflows of the workspace: what each is for, and how many steps it has."""
    from fairlead.workflows.drawn import count_of

    known = in_folder(find(workspace)).workflows
    rows: list[dict[str, Any]] = [
        {
            "workflow": name,
            "steps": count_of(bundle.definition),
            "uses": sorted(bundle.subflows),
            "secrecy": bundle.definition.secrecy,
            "digest": bundle.digest,
            "description": bundle.definition.description,
        }
        for name, bundle in known.items()
    ]
    if json:
        json_data(rows)
        return
    shown = [[each["workflow"], str(each["steps"]), each["digest"][:12], each["description"]] for each in rows]
    table(["workflow", "steps", "digest", "what it is for"], shown, right=["steps"])


def show(
    name: Name,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="As its file would say it, however it is written.")] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """A workflow step by step: what it takes, kinds, conditions, and what runs at the same time."""
    import msgspec

    from fairlead.cli.workflow_questions import fields
    from fairlead.workflows.drawn import text_of

    bundle = bundle_of(workspace, name)
    if json:
        json_data({"digest": bundle.digest, **msgspec.to_builtins(bundle)})
        return
    if as_yaml:
        import yaml

        data(yaml.safe_dump(msgspec.to_builtins(bundle.definition), sort_keys=False, allow_unicode=True).rstrip())
        return
    say(bundle.definition.description or f"{name} has no description")
    for line in fields(bundle.definition.input):
        data(f"takes {line.strip()}")
    data(text_of(bundle.definition).rstrip())


def new(
    name: Annotated[str, typer.Argument(help="The workflow's name: small letters, digits, - and _.")],
    workspace: Workspace = None,
    dry_run: DryRun = False,
) -> None:
    """Write a first workflow with comments, workflows/NAME.yaml, which passes `check` and walks dry."""
    import importlib.resources

    from fairlead.workflows.known import FIT_NAME

    if not FIT_NAME.fullmatch(name):
        why = "small letters, digits, - and _, beginning with a letter"
        raise BadInput(f"{name!r} is no fit name", why=why, mend="fairlead workflow new my-first")
    file = find(workspace).workspace / "workflows" / f"{name}.yaml"
    if file.exists():
        raise BadInput(f"{file} is there already", mend="give another name, or edit it")
    text = (importlib.resources.files("fairlead.workflows") / "first.yaml").read_text(encoding="utf-8")
    if not dry_run:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    say(f"{'would write' if dry_run else 'wrote'} {file}; then: fairlead workflow check")
    data(f"fairlead workflow dry-run {name}")


def graph(
    name: Annotated[
        str, typer.Argument(help="The workflow: its file's name, without .yaml.", show_default="that of the run")
    ] = "",
    run: Annotated[str, typer.Option("--run", metavar="RUN", help="How far this run of it is, step by step.")] = "",
    format: Annotated[Literal["svg", "mermaid", "text"], typer.Option("--format", help="What is printed.")] = "svg",
    key: Key = "",
    url: Url = "",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Draw a workflow, or how far a run is with it. SVG stands by itself: save it to a file, open it in any browser.

    With --run the definition is the one that the run began with; it is drawn for whoever may see the run. Each step
    says whether it is done, under way, parked and for whom, failed, undone or left out, with its time, cost and models.

    Examples:

        fairlead workflow graph claims > claims.svg

        fairlead workflow graph claims --run wf_01jd8e --format text
    """
    from fairlead.workflows import drawn

    if run:
        from fairlead.cli.workflow_runs import graph_of

        found = graph_of(run, format, key, url, workspace)
        if name and name != found["workflow"]:
            raise BadInput(f"{run} is a run of {found['workflow']}, not of {name}", mend="leave the name out")
        json_data(found) if json else data(found["drawn"].rstrip())
        return
    if not name:
        raise BadInput("nothing is named to be drawn", mend="fairlead workflow graph NAME, or --run RUN")
    definition = bundle_of(workspace, name).definition
    forms = {"svg": lambda: drawn.svg_of(name, definition), "mermaid": lambda: drawn.mermaid_of(definition),
             "text": lambda: drawn.text_of(definition)}  # fmt: skip
    picture = forms[format]()
    json_data({"workflow": name, "format": format, "drawn": picture}) if json else data(picture.rstrip())


def commands() -> dict[str, Any]:
    return {"workflow": typer.main.get_command(app), **built(check=check, list_=list_, show=show, new=new, graph=graph)}
