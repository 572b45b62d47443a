"""`fairlead check`, `apply` and `revisions`: from text in a folder to what every worker decides under."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli.compiled import published_revision
from fairlead.cli.drivers import remarks
from fairlead.cli.embedding import embed_here, report_embedded
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store
from fairlead.cli.output import DryRun, Json, Yes, confirm, data, json_data, progress, say, table
from fairlead.cli.place import Data, Place, Workspace, currency_of, find, secrets, user
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.errors import NotFound
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store
from fairlead.workspace.changes import Change, diff
from fairlead.workspace.leaving_out import read_sound
from fairlead.workspace.load import read_folder
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.publish import Published, checked, publish, with_prices
from fairlead.workspace.published import load_revision, publications
from fairlead.workspace.revision import digest_of
from fairlead.workspace.text import PRICES, WorkspaceText, is_page

check_app = typer.Typer(**PLAIN)
apply_app = typer.Typer(**PLAIN)
revisions_app = typer.Typer(**PLAIN, no_args_is_help=True, help="Published revisions and how they differ.")

Folder = Annotated[Path | None, typer.Argument(metavar="[DIR]", show_default=False, help="The workspace.")]


@check_app.command()
def check(folder: Folder = None, workspace: Workspace = None, json: Json = False) -> None:
    """Validate the workspace and run its policy tests. Every problem with its line and its mend; status 1 if any."""
    place = find(folder or workspace)
    try:
        compiled = checked(read_folder(place.workspace), secrets(place.workspace), SystemClock())
    except InvalidWorkspace as invalid:
        problems = invalid.problems
        if json:
            json_data({"ok": False, "problems": problems, "warnings": []})
        else:
            data("\n".join(f"{each.where}: {each.message}\n    help: {each.mend or _HELP}" for each in problems))
            say(f"{len(problems)} problem{'s' if len(problems) != 1 else ''} [invalid_workspace]")
        raise typer.Exit(1) from None
    warnings = (*compiled.warnings, *remarks(place, compiled))
    if json:
        json_data({"ok": True, "problems": [], "warnings": warnings})
        return
    for warning in warnings:
        say(f"warning: {warning}")
    say(
        f"{place.workspace.name} is sound: {len(compiled.models.models)} models, {len(compiled.policy.statements)} "
        f"policies, {len(compiled.policy_cases)} policy tests, {len(compiled.items)} pages of context"
    )


_HELP = "see docs/reference/workspace.md"


@apply_app.command()
def apply(
    folder: Folder = None,
    workspace: Workspace = None,
    data_folder: Data = None,
    leave_out_broken: Annotated[
        bool, typer.Option("--leave-out-broken", help="Publish without pages of the context that are broken.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Publish the workspace. Returns when every live worker decides under it, or has lapsed and refuses.

    On a terminal it shows what would change and asks; elsewhere it publishes at once.
    """
    place = find(folder or workspace, data_folder)
    text, left_out = _readable(place, leave_out_broken)
    with closing(open_store(place)) as store:
        if dry_run or (sys.stdin.isatty() and not yes):
            changes = _changes(place, store, text)
            _show_changes(changes, json and dry_run)
            if dry_run or not changes:
                return
            confirm("Publish this?", yes)
        done = publish_text(place, store, text)
        vectors = embed_here(place, store, done.to_embed) if done.to_embed else None
    if json:
        more: dict[str, Any] = {"left_out": left_out} if leave_out_broken else {}
        more |= {"vectors": vectors} if vectors is not None else {}
        json_data({**msgspec.structs.asdict(done), **more})
        return
    report(done)
    if vectors is not None:
        report_embedded(vectors, currency_of(place))
    data(done.revision)


def _readable(place: Place, leave_out_broken: bool) -> tuple[WorkspaceText, tuple[Problem, ...]]:
    """What is to be published, and what is wrong with the pages that are not."""
    if not leave_out_broken:
        return read_folder(place.workspace), ()
    text, left_out = read_sound(place.workspace, secrets(place.workspace), SystemClock())
    for each in left_out:
        say(f"left out: {each}")
    return text, left_out


def publish_text(place: Place, store: Store, text: WorkspaceText) -> Published:
    """Publish, with a bar on the terminal while pages are indexed and embedded."""
    clock = SystemClock()
    pages = sum(map(is_page, text.files))
    with progress("indexing the context", pages) as advance:
        so_far = 0.0

        def step(done: int, total: int) -> None:
            nonlocal so_far
            reached = pages * done / total
            advance(reached - so_far)
            so_far = reached

        return publish(
            store, Fleet(store, clock), text, secrets(place.workspace), by=user(), clock=clock, progress=step
        )


def report(done: Published) -> None:
    """What came of a publish, in words."""
    for warning in done.warnings:
        say(f"warning: {warning}")
    what = "is in force" if done.changed else "was in force already"
    say(f"revision {done.revision} {what} ({len(done.waited_for)} live worker(s) decide under it)")
    for worker in done.lapsed:
        say(f"warning: {worker} did not answer; its lease has lapsed, so it refuses until it has caught up")


def _changes(place: Place, store: Store, text: WorkspaceText) -> tuple[Change, ...]:
    compiled = checked(text, secrets(place.workspace), SystemClock())
    revision = published_revision(store)
    old = load_revision(store, revision).text if revision else WorkspaceText({})
    return diff(old, with_prices(text, compiled))


def _show_changes(changes: tuple[Change, ...], json: bool) -> None:
    if json:
        json_data(changes)
        return
    for change in changes:
        data(str(change))
    say(f"{len(changes)} change(s)" if changes else "nothing would change")


@revisions_app.command("list")
def list_(
    most: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many.")] = 50,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Published revisions, the newest first; the one in force is marked."""
    with closing(open_store(find(workspace, data_folder))) as store:
        found, current = publications(store, most), published_revision(store)
    if json:
        json_data(
            [
                {"revision": each.revision, "at": each.at, "by": each.by, "in_force": each.revision == current}
                for each in found
            ]
        )
        return
    table(
        ["revision", "first published (UTC)", "by", ""],
        [[each.revision, shown(each.at), each.by, "in force" if each.revision == current else ""] for each in found],
    )


Revision = Annotated[str, typer.Argument(help="A revision, the beginning of its name, `current`, or `folder`.")]


@revisions_app.command()
def show(
    revision: Revision = "current",
    file: Annotated[str, typer.Option(help="Print this file as it was published.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """The files of a revision, or one of them."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        text = _text(place, store, revision)
    if file:
        if file not in text.files:
            raise NotFound(f"{revision} has no file {file}", mend=f"fairlead revisions show {revision}")
        data(text.files[file].decode("utf-8", "replace").rstrip("\n"))
        return
    files = {path: digest_of(content) for path, content in text.files.items()}
    if json:
        json_data(files)
        return
    table(
        ["file", "bytes", "SHA-256"],
        [[path, str(len(text.files[path])), digest] for path, digest in files.items()],
        right=["bytes"],
    )


@revisions_app.command("diff")
def diff_(
    old: Revision = "current",
    new: Revision = "folder",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What differs between two revisions; by default from the one in force to the folder."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        before, after = _text(place, store, old), _text(place, store, new)
    if "folder" in (old, new):  # the folder has no price list: that is made at publish
        before, after = (
            WorkspaceText({path: content for path, content in each.files.items() if path != PRICES})
            for each in (before, after)
        )
    _show_changes(diff(before, after), json)


def _text(place: Place, store: Store, name: str) -> WorkspaceText:
    if name == "folder":
        return read_folder(place.workspace)
    if name == "current":
        name = published_revision(store)
        if not name:
            raise NotFound("nothing is published yet", mend=f"fairlead apply {place.workspace}")
        return load_revision(store, name).text
    found = [each.revision for each in publications(store, 10_000) if each.revision.startswith(name)]
    if len(found) > 1:
        raise NotFound(f"{len(found)} revisions begin with {name!r}", mend="fairlead revisions list")
    return load_revision(store, found[0] if found else name).text


def commands() -> dict[str, Any]:
    apps = {"check": check_app, "apply": apply_app, "revisions": revisions_app}
    return {name: typer.main.get_command(app) for name, app in apps.items()}
