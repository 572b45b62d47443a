"""`fairlead context requests`: what owners of pages are asked for, and what came of it."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from fairlead.cli.context_edits import show_request
from fairlead.cli.later import built
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import DryRun, Json, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.context.upkeep.proposals import Proposals
from fairlead.context.upkeep.requests import Requests
from fairlead.costs.record import deed
from fairlead.errors import BadInput

if TYPE_CHECKING:
    from fairlead.storage.request_rows import RequestRow


def requests(
    change: Annotated[
        str, typer.Argument(metavar="[show|done|dismissed]", help="What to do with one. Default: all are listed.")
    ] = "",
    id_: Annotated[str, typer.Argument(metavar="[ID]", help="The request's id; the beginning of it will do.")] = "",
    mine: Annotated[str, typer.Option("--mine", metavar="OWNER", help="Only those of this owner.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Of a dismissed edit: why. Its proposer sees it.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """What owners are asked for, the weightiest first; or say that one was seen to, or will not be.

    A request comes from questions that found something missing or old, and from upkeep, which looks over all pages
    once a day. The same need is one request. One that is done opens again by itself if the need comes back.
    """
    place = find(workspace, data_folder)
    if change == "show" and id_:
        show_request(place, id_, json)
        return
    if change:
        _change(place, change, id_, reason, dry_run, json)
        return
    with closing(open_store(place)) as store:
        found = Requests(store, SystemClock()).listed(*(() if every else ("open",)))
    found = [each for each in found if mine in ("", each.owner)]
    if json:
        json_data([msgspec.to_builtins(each) for each in found])
        return
    _show(found)


def _show(found: "list[RequestRow]") -> None:
    now = SystemClock().now()
    table(
        ["request", "state", "what", "about", "task", "owner", "times", "until", "told"],
        [
            [
                each.id,
                each.state,
                each.kind,
                each.item or each.need,
                each.task,
                each.owner or "nobody",
                str(each.times),
                shown(each.due_at)[:10] + (" (late)" if each.state == "open" and each.due_at < now else ""),
                shown(each.told_at)[:10] if each.told_at else "",
            ]
            for each in found
        ],
        right=["times"],
    )
    for each in found:
        if each.words:
            say(f"{each.id}: {each.words}")


def _change(place: Place, change: str, id_: str, reason: str, dry_run: bool, json: bool) -> None:
    if change not in ("done", "dismissed") or not id_:
        raise BadInput(
            f"`{' '.join(filter(None, (change, id_)))}` is no change of a request",
            why="a request is `done` or `dismissed`, and it is named by its id",
            mend="fairlead context requests done ID",
        )
    clock = SystemClock()
    with closing(open_store(place)) as store:
        kept = Requests(store, clock)
        row = kept.one(id_)
        if dry_run:
            say(f"would call {row.id} {change}: {row.kind} of {row.item or row.need}")
            return
        if reason and row.kind == "edit":
            Proposals(store, open_vault(place, store), clock).answer(row.id, reason)
        state: Any = change
        done = kept.end(row.id, state, deed(clock, f"request_{change}", by=f"os:{user()}", about=row.id))
    _said(done, json)


def _said(done: "RequestRow", json: bool) -> None:
    if json:
        json_data(msgspec.to_builtins(done))
        return
    say(f"{done.id} is {done.state}")
    if done.state == "done" and done.kind in ("expired", "review", "outdated", "missing", "stale", "unverified"):
        say("what is published decides: `fairlead apply` puts a changed page in force, or the need comes back")


def commands() -> dict[str, Any]:
    return built(requests=requests)
