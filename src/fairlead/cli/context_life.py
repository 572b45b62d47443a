"""`fairlead context verify`, `publish` and `retire`: each changes a line of a page's front matter, and nothing else."""

import difflib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.context_items import bare, complete, today, unknown
from fairlead.cli.later import built
from fairlead.cli.output import DryRun, Json, data, json_data, say
from fairlead.cli.page_files import names_of, replace_file, scalar
from fairlead.cli.place import Workspace, find, user
from fairlead.context import ContextSettings, Item, read_item
from fairlead.context.front_lines import with_keys
from fairlead.context.kinds import PUBLISHED
from fairlead.context.questions import UNANSWERED, unanswered
from fairlead.errors import BadInput
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.text import ENTRY
from fairlead.workspace.typed import read
from fairlead.workspace.yaml_lines import Document, parse_yaml

Items = Annotated[
    list[str], typer.Argument(help="Items, as `fairlead context list` names them.", autocompletion=complete)
]
_NAMED = 3  # open questions that are named


def verify(
    items: Items,
    by: Annotated[str, typer.Option(help="Who found it right. Default: you; so is `me`.")] = "",
    on: Annotated[str, typer.Option(help="The day. Default: today.")] = "",
    review_by: Annotated[str, typer.Option("--review-by", help="The day of the next review.")] = "",
    workspace: Workspace = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Say that pages were read and found right: sets `verified` in their front matter."""
    day = _day("--on", on) if on else today()
    if day > today():
        raise BadInput(f"--on is {on}", why="that day is yet to come", mend="name the day on which it was read")
    keys = {"verified": f"{{by: {scalar(user() if by in ('', 'me') else by)}, at: {day}}}"}
    if review_by:
        keys["review_by"] = _day("--review-by", review_by)
    _change(find(workspace).workspace, items, keys, dry_run=dry_run, json=json)


def publish(items: Items, workspace: Workspace = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Let pages that were drafts, in review or retired be published with the next `fairlead apply`."""
    _change(find(workspace).workspace, items, {"status": PUBLISHED}, dry_run=dry_run, json=json)


def retire(items: Items, workspace: Workspace = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Take pages back with the next `fairlead apply`: they stay in the folder, and no answer rests on them."""
    _change(find(workspace).workspace, items, {"status": "retired"}, dry_run=dry_run, json=json)


def _day(option: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadInput(f"{option} is {text!r}", why="it is a day", mend=f"{option} 2027-05-01") from None


def _change(folder: Path, names: list[str], keys: Mapping[str, str], *, dry_run: bool, json: bool) -> None:
    defaults = _defaults(folder)
    changes = [_planned(folder, name, keys, defaults) for name in dict.fromkeys(map(bare, names))]
    if not dry_run:
        for path, old, new, _ in changes:
            if new != old:
                replace_file(path, old, new)
    if json:
        json_data([{"item": item.id, "version": item.version, "changed": old != new} for _, old, new, item in changes])
        return
    for path, old, new, item in changes:
        if old == new:
            say(f"{item.id} says so already")
        for line in _shown_diff(path.relative_to(folder.resolve()).as_posix(), old, new) if dry_run else ():
            data(line)
        if old != new and not dry_run:
            data(f"{item.id}@{item.version}")
    if not dry_run and any(old != new for _, old, new, _ in changes):
        say("in force with the next `fairlead apply`")


def _defaults(folder: Path) -> ContextSettings:
    """What holds for pages that leave keys out. Other files may be malformed: they are not looked at."""
    problems: list[Problem] = []
    document = parse_yaml(ENTRY, (folder / ENTRY).read_bytes())
    settings = read(document, WorkspaceSettings, problems) if isinstance(document, Document) else None
    if settings is None:
        raise InvalidWorkspace(problems if isinstance(document, Document) else [document])
    return settings.context


def _planned(
    folder: Path, name: str, keys: Mapping[str, str], defaults: ContextSettings
) -> tuple[Path, bytes, bytes, Item]:
    """A page's file, what is in it, what is to be in it, and the item that this is. Nothing is written yet."""
    path = (folder / "context" / f"{name}.md").resolve()
    if not path.is_relative_to((folder / "context").resolve()) or not path.is_file():
        raise unknown(name, names_of(folder))
    old = path.read_bytes()
    before = read_item(f"{name}.md", old, defaults)
    if all(_holds(before, key, value) for key, value in keys.items()):
        return path, old, old, before
    new = with_keys(f"{name}.md", old, keys)
    after = read_item(f"{name}.md", new, defaults)
    if after.text != before.text or after.audience != before.audience or after.data_class != before.data_class:
        raise BadInput(
            f"context/{name}.md: the front matter is written in a way that cannot be changed by line",
            mend=f"set {', '.join(keys)} by hand",
        )
    if after.status == PUBLISHED != before.status:
        _require_answered(name, new)
    return path, old, new, after


def _require_answered(name: str, page: bytes) -> None:
    """Raises `BadInput` naming what a draft still has to answer: nothing half-written is published."""
    left = unanswered(page.decode("utf-8", "replace"))
    if left:
        more = f", and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        raise BadInput(
            f"context/{name}.md is not finished: {len(left)} question(s) have no answer",
            why=" / ".join(left[:_NAMED]) + more,
            mend=f"write the answers in place of `{UNANSWERED}`, take away questions that do not matter here, then "
            f"publish it",
            subject=name,
        )


def _holds(item: Item, key: str, value: str) -> bool:
    if key == "verified":
        return value == f"{{by: {scalar(item.verified_by)}, at: {item.verified}}}"
    return bool(getattr(item, key) == value)


def _shown_diff(path: str, old: bytes, new: bytes) -> list[str]:
    before, after = (each.decode("utf-8", "replace").replace("\r\n", "\n").split("\n") for each in (old, new))
    return list(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm="", n=0))


def commands() -> dict[str, Any]:
    return built(verify=verify, publish=publish, retire=retire)
