"""`fairlead context start`: draft pages for a function, as questions to answer, so that nobody begins with a blank
folder."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

import typer

from fairlead.cli.later import built
from fairlead.cli.output import DryRun, Json, data, json_data, say, table
from fairlead.cli.place import Place, Workspace, find
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.workspace.starters import FUNCTIONS, starter, starter_files

_NAMED: Final = 5  # files that are named


def _functions(incomplete: str) -> list[tuple[str, str]]:
    return [(name, starter(name).about) for name in FUNCTIONS if name.startswith(incomplete)]


def start(
    functions: Annotated[
        list[str] | None,
        typer.Argument(metavar="FUNCTION…", help=", ".join(FUNCTIONS) + ".", autocompletion=_functions),
    ] = None,
    into: Annotated[str, typer.Option("--into", metavar="DIR", help="A folder below context/. Default: none.")] = "",
    owner: Annotated[
        list[str] | None,
        typer.Option("--owner", help="Who answers, such as sales=kim; may be repeated. Default: the function's name."),
    ] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option("--audience", help="Who reads a function's own pages, such as hr=people,managers."),
    ] = None,
    tasks: Annotated[
        bool, typer.Option("--tasks/--no-tasks", help="Write a task type that requires the pages.")
    ] = True,
    list_: Annotated[bool, typer.Option("--list", help="Show what is in the packs, and write nothing.")] = False,
    workspace: Workspace = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Write what the agents of a function need to know as draft pages of questions, and a task type that requires them.

    Nothing that is there is overwritten, and nothing is published before its questions are answered.
    """
    if list_:
        _listed(functions or FUNCTIONS, json)
        return
    if not functions:
        raise BadInput(
            "no function is named", why=f"there are {', '.join(FUNCTIONS)}", mend="fairlead context start sales"
        )
    place = find(workspace)
    files = starter_files(
        tuple(dict.fromkeys(functions)),
        today=_today(),
        into=_folder(into),
        owners=_pairs("--owner", owner or ()),
        audiences={name: tuple(_names(value)) for name, value in _pairs("--audience", audience or ()).items()},
        with_tasks=tasks,
    )
    written, left = _laid_down(place, files, dry_run=dry_run)
    if json:
        json_data({"written": written, "left": left, "dry_run": dry_run})
        return
    _tell(written, left, dry_run)


def _today() -> date:
    return datetime.fromtimestamp(SystemClock().now() / 1000, UTC).date()


def _folder(into: str) -> str:
    path = PurePosixPath(into)
    if path.is_absolute() or ".." in path.parts or "\\" in into or not into.isprintable():
        raise BadInput(
            f"--into is {into!r}", why="drafts are written below context/", mend="--into handbook, or leave it out"
        )
    return path.as_posix() if path.parts else ""


def _pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    found = {}
    for each in given:
        name, mark, value = (part.strip() for part in each.partition("="))
        if not (name and mark and value and value.isprintable()):
            raise BadInput(f"{option} is {each!r}", why="it is a name, = and a value", mend=f"{option} sales=kim")
        found[name] = value
    return found


def _names(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def _laid_down(place: Place, files: Mapping[str, bytes], *, dry_run: bool) -> tuple[list[str], list[str]]:
    """The paths that are written, or would be, and those that are left alone because something is there."""
    left = [path for path in files if (place.workspace / path).exists()]
    new = {path: content for path, content in files.items() if path not in left}
    if not dry_run:
        left += [path for path, content in new.items() if not _written(place, path, content)]
    return sorted(new.keys() - set(left)), sorted(left)


def _written(place: Place, path: str, content: bytes) -> bool:
    """Whether the file could be made: somebody else may have just done so."""
    target = place.workspace / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written",
            why=str(error.strerror or error),
            mend="mend it, and start again: nothing is lost",
        ) from error
    return True


def _tell(written: list[str], left: list[str], dry_run: bool) -> None:
    for path in written:
        data(path)
    drafts = sum(path.startswith("context/") for path in written)
    say(f"{'would write' if dry_run else 'wrote'} {drafts} draft page(s) and {len(written) - drafts} task type(s)")
    if left:
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        say(f"left alone, because it is there already: {', '.join(left[:_NAMED])}{more}")
    if drafts and not dry_run:
        page = next(path for path in written if path.startswith("context/"))
        item = page.removeprefix("context/").removesuffix(".md")
        say(f"answer the questions in a page, then: fairlead context publish {item}")
        say("what to write first: fairlead context readiness --folder")


def _listed(functions: Iterable[str], json: bool) -> None:
    packs = {name: starter(name) for name in functions}
    if json:
        json_data(packs)
        return
    table(
        ["page", "title", "kind", "owner", "look again", "topics"],
        [
            [f"{function}/{item.name}", item.title, item.kind, item.owner, item.review, ", ".join(item.topics)]
            for function, pack in packs.items()
            for item in pack.items
        ],
    )


def commands() -> dict[str, Any]:
    return built(start=start)
