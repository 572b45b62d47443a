"""`fairlead context propose` and `accept`: corrections become edits of pages, put in their place by the owner."""

from contextlib import closing
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from fairlead.cli.compiled import published, require_snapshot
from fairlead.cli.later import built
from fairlead.cli.opening import all_keys, log_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, data, json_data, say
from fairlead.cli.page_files import replace_file, scalar
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.records import record_of
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.context import Item, read_item
from fairlead.context.citations import reference_of
from fairlead.context.front_lines import with_keys
from fairlead.context.merge import merged
from fairlead.context.proposals import Edit, Proposals
from fairlead.context.requests import Requests
from fairlead.context.snapshots import stored_item
from fairlead.costs.record import deed
from fairlead.errors import BadInput, NotFound, Refused
from fairlead.identity.keys import as_known
from fairlead.labels import Access
from fairlead.storage.store import Store

_MOST_FILE: Final = 1_000_000
As = Annotated[str, typer.Option("--as", metavar="PERSON", help="Whose words these are. Default: whoever runs this.")]


def propose(
    item: Annotated[str, typer.Argument(help="The page, as it is published.")],
    text: Annotated[str, typer.Option(help="What it should say, in the place of `--instead`.")] = "",
    instead: Annotated[str, typer.Option(help="Words of the page that `--text` stands in the place of.")] = "",
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
    place, who = find(workspace, data_folder), person or user()
    with closing(open_store(place)) as store:
        page = _readable(place, store, item, who)
        if answer:
            _require_cited(store, answer, page)
        wanted = _wanted(page, text, instead, from_file)
        edit = Edit(item=page.id, version=page.version, read=page.text, wanted=wanted, reason=reason, run=answer)
        if dry_run:
            _show_diff(edit.item, edit.read, edit.wanted)
            return
        due = published(place, store).settings.context.upkeep.due
        id_ = Proposals(store, open_vault(place, store), SystemClock()).propose(who, page, edit, due)
    if json:
        json_data({"request": id_, "item": page.id, "version": page.version, "owner": page.owner})
        return
    data(id_)
    say(f"{page.owner or 'whoever answers for it'} is asked; they accept by: fairlead context accept {id_}")


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
        new = _accepted(path, old, edit, by or user(), shown(clock.now())[:10])
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


def _readable(place: Place, store: Store, name: str, who: str) -> Item:
    """The published page, if this person may read it. To everybody else it is as if it was not there."""
    compiled, clock = published(place, store), SystemClock()
    snapshot = require_snapshot(store)
    version = _version(store, snapshot, name)
    item = stored_item(store, name, version) if version else None
    caller = as_known(who, (*compiled.identity.keys, *all_keys(store)), clock.now())
    if item is not None:
        access = Access(item.audience, item.data_class, item.owner, item.id if compiled.policy.names_items else "")
        if compiled.policy.may_read(caller)(access):
            return item
    raise NotFound(
        f"there is no published page {name!r} that {who} may read",
        mend="fairlead context list; --as names somebody who may, by their keys",
        subject=name,
    )


def _version(store: Store, snapshot: str, name: str) -> str:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_member as member

    query = select(member.c.version).where(member.c.snapshot == snapshot, member.c.item == name)
    with store.reading() as connection:
        return str(connection.execute(query).scalar() or "")


def _require_cited(store: Store, run: str, page: Item) -> None:
    cited = {reference_of(text).item for row in log_of(store).of_run(run) for text in record_of(row).citations}
    if page.id not in cited:
        raise BadInput(
            f"the answer {run} does not rest on {page.id}",
            why=f"it cites {', '.join(sorted(cited)) or 'nothing'}",
            mend="name the page that was wrong, or leave --answer out",
        )


def _wanted(page: Item, text: str, instead: str, from_file: Path | None) -> str:
    if from_file is not None:
        if from_file.stat().st_size > _MOST_FILE:
            raise BadInput(f"{from_file} is too large for a page", mend="propose a smaller text")
        try:
            whole = from_file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            raise BadInput(f"{from_file} is no text", why="it is not UTF-8", mend="save it as UTF-8") from None
        return whole.strip("\n") + "\n"
    if not text or not instead:
        raise BadInput(
            "it is not said what the page should say",
            mend="give --from-file FILE for the whole page, or --instead 'OLD WORDS' --text 'NEW WORDS'",
        )
    if page.text.count(instead) != 1:
        raise BadInput(
            f"{instead[:80]!r} stands {page.text.count(instead)} times in {page.id}",
            why="it must be clear which words are meant",
            mend="give words that stand there once, exactly as they are written",
        )
    return page.text.replace(instead, text)


def _file_of(place: Place, item: str) -> Path:
    root = (place.workspace / "context").resolve()
    path = (root / f"{item}.md").resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise NotFound(f"context/{item}.md is not there", why="it was moved or deleted", mend="dismiss the request")
    return path


def _accepted(path: Path, old: bytes, edit: Edit, by: str, day: str) -> bytes:
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
