"""`fairlead context add`: files as pages, once, or from now on as a source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fairlead.cli.bringing import NEXT, bar, counted, list_outcomes, reach_of, resources_of, show, synced
from fairlead.cli.later import built
from fairlead.cli.output import DryRun, Json, data, json_data, say
from fairlead.cli.page_files import replace_file
from fairlead.cli.place import Data, Place, Workspace, find
from fairlead.context.sources.adding import Added, place_for
from fairlead.context.sources.adding import add as add_files
from fairlead.context.sources.declaring import entry_lines, source_for, with_entry
from fairlead.context.sources.documents import Converter
from fairlead.context.sources.report import Work
from fairlead.context.sources.settings import FolderSource, SourceSettings, is_address
from fairlead.errors import BadInput
from fairlead.labels import ClassName
from fairlead.workspace.declared import declared, declared_in
from fairlead.workspace.text import ENTRY, SOURCES
from fairlead.workspace.yaml_lines import Document, parse_yaml

Encoding = Literal["", "latin-1", "cp1252"]


def add(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Folders, Markdown files, PDF or DOCX files.")],
    into: Annotated[
        str, typer.Option("--into", metavar="NAME", help="The folder of context/. Default: a folder's own name.")
    ] = "",
    owner: Annotated[str, typer.Option("--owner", help="Who answers for pages that name nobody.")] = "",
    audience: Annotated[
        list[str] | None, typer.Option("--audience", help="Whom pages are for that do not say so; may be repeated.")
    ] = None,
    class_: Annotated[ClassName | None, typer.Option("--class", help="How far their text may travel.")] = None,
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="A word by which task types ask for them; may be repeated.")
    ] = None,
    owners_from_folders: Annotated[
        bool, typer.Option("--owners-from-folders", help="The outermost folder's name is who answers.")
    ] = False,
    audience_from_folders: Annotated[
        bool, typer.Option("--audience-from-folders", help="The outermost folder's name is the group that may read.")
    ] = False,
    departments_from_folders: Annotated[
        bool, typer.Option("--departments-from-folders", help="It is the department that may read.")
    ] = False,
    encoding: Annotated[
        Encoding, typer.Option("--encoding", help="How texts are read that are not UTF-8: latin-1 or cp1252.")
    ] = "",
    as_source: Annotated[
        str, typer.Option("--as-source", metavar="NAME", help="Write it into context/sources.yaml, and sync it.")
    ] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Copy files into context/ as pages. What is there is never written over; a broken file is told, and left out.

    Status 1: some file was left out. With --as-source it is a folder, or a git repository, that is synced from now on.
    """
    place = find(workspace, data_folder)
    told = (
        ("owner", owners_from_folders),
        ("audience", audience_from_folders),
        ("department", departments_from_folders),
    )
    usual = FolderSource(
        path=paths[0],
        owner=owner,
        audience=tuple(audience or ()),
        class_=class_ or "",
        topics=tuple(topic or ()),
        from_folders=tuple(word for word, is_so in told if is_so),  # type: ignore[misc]
        encoding=encoding,
    )
    if as_source:
        _declare(place, as_source, paths, usual, dry_run=dry_run, json=json)
        return
    _show_added(_added(place, paths, into, usual, dry_run=dry_run), json, dry_run)


def _added(place: Place, paths: list[str], into: str, usual: FolderSource, *, dry_run: bool) -> list[Added]:
    for path in paths:
        if is_address(path):
            raise BadInput(
                f"{path} is an address", why="files are added", mend="give --as-source NAME: it is synced then"
            )
    defaults = declared_in(place.workspace).defaults
    found = []
    with Converter() as documents:
        for each in map(Path, paths):
            with bar(f"adding {each.name}") as step:
                work = Work(
                    context=place.workspace / "context",
                    defaults=defaults,
                    reach=reach_of(place, None),
                    documents=documents,
                    progress=step,
                    dry_run=dry_run,
                )
                found.append(add_files(each, place_for(each, into, is_one=len(paths) == 1), usual, work))
    return found


def _show_added(found: list[Added], json: bool, dry_run: bool) -> None:
    if json:
        rows = [{**_fields(each), "ok": each.is_whole} for each in found]
        json_data({"ok": all(each.is_whole for each in found), "added": rows})
    for each in () if json else found:
        same = [f"{each.unchanged} there already"] if each.unchanged else []
        say(f"context/{each.into}: " + (", ".join([*counted(each.outcomes), *same]) or "nothing to add"))
        list_outcomes(each.outcomes)
        if each.left_out:
            kinds = ", ".join(f"{count} {ending}" for ending, count in each.left_out.items())
            say(f"left out, as no pages: {kinds}")
    if not json and any(each.outcomes for each in found):
        say("nothing was written: this was a dry run" if dry_run else NEXT)
    if not all(each.is_whole for each in found):
        raise typer.Exit(1)


def _fields(added: Added) -> Mapping[str, Any]:
    return {name: getattr(added, name) for name in Added.__struct_fields__}


def _declare(place: Place, name: str, paths: list[str], usual: SourceSettings, *, dry_run: bool, json: bool) -> None:
    """Write a source into the workspace's text, where it then compiles, and sync it."""
    if len(paths) > 1 or (not is_address(paths[0]) and not Path(paths[0]).is_dir()):
        raise BadInput("--as-source takes one folder, repository or address", mend="add files without it")
    entry = entry_lines(name, source_for(paths[0], place.workspace, usual))
    file = place.workspace / SOURCES
    if file.parent.is_symlink():
        raise BadInput(
            f"{file.parent.name}/ is a link",
            why="what is written there would not be in the workspace",
            mend="put a folder in its place",
        )
    old = file.read_bytes() if file.exists() else None
    text = "" if old is None else old.decode().replace("\r\n", "\n")
    new = with_entry(text, _line_of_sources(text, name, entry), entry)
    found = declared((place.workspace / ENTRY).read_bytes(), new.encode())
    if dry_run:
        data(entry.rstrip("\n"))
    else:
        file.parent.mkdir(exist_ok=True)
        replace_file(file, old, new.encode())
        say(f"wrote {name} into {SOURCES}: from now on, fairlead context sync {name}")
    with resources_of(place, "") as resources:
        show(synced(place, found, [name], resources, False, dry_run), json, dry_run)


def _line_of_sources(text: str, name: str, entry: str) -> int:
    """The line under which an entry belongs, 0 where there is none yet. Raises `BadInput` where it cannot be put."""
    document = parse_yaml(SOURCES, text.encode())
    if not isinstance(document, Document):
        raise BadInput(str(document), why=f"{SOURCES} does not hold", mend="fairlead check")
    node = document.root.children.get("sources")
    if node is None:
        return 0
    if name in node.children:
        raise BadInput(
            f"{SOURCES} has a source {name!r} already", mend=f"fairlead context sync {name}, or give another name"
        )
    line = document.root.keys["sources"][0]
    if node.line <= line or any(column != 3 for _, column in node.keys.values()):
        raise BadInput(
            f"{SOURCES} is written in a form that nothing is added to by a command",
            why="its entries do not stand on lines of their own, two blanks in",
            mend=f"add this below `sources:`\n{entry}",
        )
    return line


def commands() -> dict[str, Any]:
    return built(add=add)
