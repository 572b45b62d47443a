"""`fairlead new`: work to begin with, as a workspace of its own or as a part of one that is there."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.init import show_first_key
from fairlead.cli.later import PLAIN
from fairlead.cli.output import DryRun, Json, data, json_data, say, table
from fairlead.cli.place import DATA, DATABASE, ENTRY, Place, find
from fairlead.cli.setting_up import Made, made_whole, set_up
from fairlead.clock import SystemClock, day_of
from fairlead.errors import BadInput, NotFound
from fairlead.workspace.solutions import Adding, adding, missing, solution, solutions, write

app = typer.Typer(**PLAIN)


def _names(incomplete: str) -> list[tuple[str, str]]:
    return [(name, each.about) for name, each in solutions().items() if name.startswith(incomplete)]


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="The template. Default: list them.", autocompletion=_names)
    ] = "",
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="Where. Default: the workspace that this folder is in, else a new folder of the template's name.",
            show_default=False,
        ),
    ] = None,
    organisation: Annotated[
        str, typer.Option(help="The organisation's name, where it is not the folder's.", show_default=False)
    ] = "",
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Start from work that is done already: a template with sample data, tests, a playbook and an evaluation.

    Files that are there are never overwritten.
    """
    if not name:
        _listed(json)
        return
    where = (folder or _default(name)).absolute()
    fresh = not (where / ENTRY).is_file()
    what = adding(name, where, {"organisation": organisation or where.name, "today": day_of(SystemClock().now())})
    _require_something(name, where, what)
    made = None
    if not dry_run:
        with made_whole(where):
            write(name, where, what)
            made = set_up(Place(where, where / DATA, where / DATA / DATABASE)) if fresh else None
    if json:
        json_data({**_about(name, where, what, made), "dry_run": dry_run})
        return
    _tell(name, where, what, dry_run)
    if made:
        show_first_key(made)
    if not dry_run:
        _say_next(name, where, with_key=made is not None and bool(made.first_key))


def _say_next(name: str, where: Path, *, with_key: bool) -> None:
    if lacks := missing(name):
        say(f"it does not run yet, for something is not installed: pip install 'fairlead[{','.join(lacks)}]'")
    lead = [f"cd {where}", *(["export FAIRLEAD_API_KEY=KEY"] if with_key else [])]
    say("\nnext:\n" + "\n".join(f"  {line}" for line in (*lead, *solution(name).then)))


def _listed(json: bool) -> None:
    known = solutions()
    if json:
        json_data({name: each.about for name, each in known.items()})
        return
    table(["template", "what it is for"], [[name, each.about] for name, each in known.items()])


def _default(name: str) -> Path:
    try:
        return find(None).workspace
    except NotFound:
        return Path(name)


def _require_something(name: str, where: Path, what: Adding) -> None:
    if not (what.new or what.joined or what.by_hand or what.databases):
        raise BadInput(
            f"{name} is in {where} already",
            why="every file of the template is there, and none is overwritten",
            mend="go on with it, or name another folder",
        )


def _about(name: str, where: Path, what: Adding, made: Made | None) -> dict[str, Any]:
    return {
        "folder": str(where),
        "written": sorted(what.new),
        "joined": sorted(what.joined),
        "left": sorted(what.left),
        "by_hand": what.by_hand,
        "then": solution(name).then,
        **({"key": made.first_key} if made else {}),
    }


def _tell(name: str, where: Path, what: Adding, dry_run: bool) -> None:
    would = "would write" if dry_run else "wrote"
    say(f"{would} {len(what.new)} files of {name} into {where}")
    if dry_run:
        data("\n".join(sorted(what.new)))
    for path in sorted(what.joined):
        say(f"{'would add' if dry_run else 'added'} to {path}")
    for path in what.left:
        say(f"left as it is: {path}")
    for path, text in what.by_hand.items():
        say(f"put this into {path} by hand, it says something else of the same:\n{text}")


def commands() -> dict[str, Any]:
    return {"new": typer.main.get_command(app)}
