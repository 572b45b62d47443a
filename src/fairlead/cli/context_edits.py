"""`fairlead context propose` and `accept`: corrections become edits of pages, put in their place by the owner."""

from contextlib import closing
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from fairlead.cli.compiled import published, require_snapshot
from fairlead.cli.later import built
from fairlead.cli.opening import log_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, data, json_data, say
from fairlead.cli.page_files import replace_file, scalar
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.records import record_of
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.context import read_item
from fairlead.context.front_lines import with_keys
from fairlead.context.upkeep.merge import merged
from fairlead.context.upkeep.proposals import Edit, Proposals
from fairlead.context.upkeep.requests import Requests
from fairlead.costs.record import deed
from fairlead.errors import BadInput, NotFound, Refused
from fairlead.execution.proposing import Pages, Wish, edit_of
from fairlead.identity.keys import as_known
from fairlead.workspace.published import load_keys

_MOST_FILE: Final = 1_000_000
As = Annotated[str, typer.Option("--as", metavar="PERSON", help="Whose words these are. Default: whoever runs this.")]


def propose(
    item: Annotated[str, typer.Argument(help="The page, as it is published.")],
    text: Annotated[
        str | None, typer.Option(help="What it should say, in the place of `--instead`; empty to take that out.")
    ] = None,
    instead: Annotated[str | None, typer.Option(help="Words of the page that `--text` stands in the place of.")] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", help="A file with the page's whole new text.")
    ] = None,
    answer: Annotated[str, typer.Option("--answer", metavar="RUN", help="The answer that was wrong.")] = "",
    reason: Annotated[str, typer.Option(help="Why. Kept sealed for whoever proposes.")] = "",
    person: As = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Propose another text for a page: its owner is asked, and nothing changes before they accept.

    Everybody may propose for what they may read. The words are kept sealed for whoever proposes, and go with them.
    """
    if from_file is None and (text is None or not instead):
        raise BadInput(
            "it is not said what the page should say",
            mend="give --from-file FILE for the whole page, or --instead 'OLD WORDS' --text 'NEW WORDS'",
        )
    place, who, clock = find(workspace, data_folder), person or user(), SystemClock()
    wish = Wish(item=item, instead=instead, text=text, whole=_whole(from_file), reason=reason, run=answer)
    with closing(open_store(place)) as store:
        snapshot, compiled = require_snapshot(store), published(place, store)
        caller = as_known(who, (*compiled.identity.keys, *load_keys(store)), clock.now())
        answers = map(record_of, log_of(store).of_run(answer)) if answer else None
        page, edit = edit_of(Pages(store, snapshot, compiled.policy), caller, wish, answers)
        if dry_run:
            _show_diff(edit.item, edit.read, edit.wanted)
            return
        due = compiled.settings.context.upkeep.due
        asked = Proposals(store, open_vault(place, store), clock, due=due).propose(who, page, edit)
    if json:
        json_data({"request": asked.id, "item": page.id, "version": page.version, "owner": page.owner})
        return
    data(asked.id)
    say(f"{page.owner or 'whoever answers for it'} is asked; they accept by: fairlead context accept {asked.id}")


def accept(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The request; the beginning of its id will do.")],
    by: Annotated[str, typer.Option(help="Who has found it right. Default: you.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Put a proposed text into its page, and say that you have verified it. `fairlead apply` puts it in force.

    What changed in the page since it was proposed is kept; where the same lines changed, nothing is done.
    """
    place, clock = find(workspace, data_folder), SystemClock()
    with closing(open_store(place)) as store:
        row = Requests(store, clock).one(id_)
        edit = Proposals(store, open_vault(place, store), clock).of(row.id)
        if row.state != "open":
            raise BadInput(
                f"{row.id} is {row.state}", why="it was answered", mend="propose it anew if it is still wanted"
            )
        path = _file_of(place, edit.item)
        old = path.read_bytes()
        new = _accepted(old, edit, by or user(), shown(clock.now())[:10])
        if dry_run:
            _show_diff(edit.item, old.decode("utf-8", "replace"), new.decode("utf-8", "replace"))
            return
        replace_file(path, old, new)
        Requests(store, clock).end(row.id, "done", deed(clock, "request_done", by=f"os:{user()}", about=row.id))
    if json:
        json_data({"request": row.id, "item": edit.item, "file": str(path.relative_to(place.workspace.resolve()))})
        return
    say(f"context/{edit.item}.md says it now, verified by {by or user()}; in force with the next `fairlead apply`")


def show_request(place: Place, id_: str, json: bool) -> None:
    """One request in full; of an edit what is proposed, by whom and why."""
    with closing(open_store(place)) as store:
        row = Requests(store, SystemClock()).one(id_)
        edit = Proposals(store, open_vault(place, store), SystemClock()).of(row.id) if row.kind == "edit" else None
    if json:
        json_data({**msgspec.to_builtins(row), "edit": edit and msgspec.to_builtins(edit)})
        return
    for name, value in msgspec.to_builtins(row).items():
        if value not in ("", 0):
            data(f"{name}: {shown(value) if name.endswith('_at') else value}")
    if edit is not None:
        data(f"proposed by {edit.by}{f', because: {edit.reason}' if edit.reason else ''}")
        if edit.answer:
            data(f"answered: {edit.answer}")
        _show_diff(edit.item, edit.read, edit.wanted)


def _whole(from_file: Path | None) -> str | None:
    if from_file is None:
        return None
    if from_file.stat().st_size > _MOST_FILE:
        raise BadInput(f"{from_file} is too large for a page", mend="propose a smaller text")
    try:
        return from_file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{from_file} is no text", why="it is not UTF-8", mend="save it as UTF-8") from None


def _file_of(place: Place, item: str) -> Path:
    root = (place.workspace / "context").resolve()
    path = (root / f"{item}.md").resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise NotFound(f"context/{item}.md is not there", why="it was moved or deleted", mend="dismiss the request")
    return path


def _accepted(old: bytes, edit: Edit, by: str, day: str) -> bytes:
    """The file with the edit, whatever else has changed in it, and with who verified it."""
    from fairlead.context import ContextSettings

    current = read_item(f"{edit.item}.md", old, ContextSettings()).text
    body = edit.wanted if current == edit.wanted else merged(edit.read, edit.wanted, current)
    text = old.decode("utf-8-sig").replace("\r\n", "\n")
    if body is None or not text.rstrip("\n").endswith(current.rstrip("\n")):
        raise Refused(
            f"context/{edit.item}.md has changed where the proposal would change it",
            why="whoever proposed it has not seen what stands there now",
            mend="edit the page by hand and call the request done, or dismiss it",
        )
    head = text.rstrip("\n")[: len(text.rstrip("\n")) - len(current.rstrip("\n"))]
    if not head.strip() and body.lstrip("\ufeff\n").startswith("---"):
        raise Refused(
            f"what is proposed for context/{edit.item}.md would begin with front matter",
            why="who may read a page is not proposed with its text, and this page has no front matter of its own",
            mend="give the page front matter of its own first, or dismiss it",
        )
    end = b"\r\n" if b"\r\n" in old[:4_096] else b"\n"
    mark = old[:3] if old.startswith(b"\xef\xbb\xbf") else b""
    whole = mark + (head + body).encode().replace(b"\n", end)
    return with_keys(f"{edit.item}.md", whole, {"verified": f"{{by: {scalar(by)}, at: {day}}}"})


def _show_diff(item: str, old: str, new: str) -> None:
    for line in unified_diff(old.split("\n"), new.split("\n"), f"a/{item}.md", f"b/{item}.md", lineterm="", n=1):
        data(line)


def commands() -> dict[str, Any]:
    return built(propose=propose, accept=accept)
