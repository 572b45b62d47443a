"""`fairlead workflow runs`, page by page, so that the first ones are there at once however many there are; and
`fairlead workflow schedules`."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import typer

from fairlead.cli.ask import Key
from fairlead.cli.asking import got
from fairlead.cli.compiled import in_folder, published
from fairlead.cli.later import PLAIN, commands_of
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, data, json_data, json_rows, say
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Place, Url, Workspace, find, server_url
from fairlead.cli.signing_in import key_or_login
from fairlead.cli.when import moment_ago, shown
from fairlead.cli.workflow_ordered import RUNS
from fairlead.storage.database import database_at

_PAGE: Final = 500
_LINE: Final = "{:<32} {:<24} {:<10} {:<19}  {}"

app = typer.Typer(**PLAIN)


@app.command()
def runs(
    name: Annotated[str, typer.Option("--workflow", help="Those of one workflow.")] = "",
    status: Annotated[list[str] | None, typer.Option("--status", help="Those in this state; again for more.")] = None,
    since: Annotated[str, typer.Option("--since", help="Begun since: 7d, 12h, or a day.")] = "",
    most: Annotated[int, typer.Option("--limit", min=0, help="So many at most.", show_default="all")] = 0,
    not_undone: Annotated[
        bool, typer.Option("--not-undone", help="Those that ended with something still done that they could undo.")
    ] = False,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="By whoever runs the deployment, over its database: everybody's.")
    ] = False,
    key: Key = "",
    url: Url = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Your runs, the youngest first; and why those wait that a limit holds.

    With --everyone no server need run: it tells whose runs there are and how they stand, and nothing of what they say.
    """
    from fairlead.clock import SystemClock

    wanted: dict[str, Any] = {"workflow": name, "status": status or (), "not_undone": not_undone}
    if since:
        wanted["since"] = moment_ago(since, "--since", SystemClock().now())
    if everyone:
        _show_all(islice(_everyones(find(workspace, data_folder), wanted), most or None), json)
        return
    address = url or server_url(workspace)
    _show_all(_all(address, key_or_login(key, address), wanted, most), json)


def _everyones(place: Place, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from fairlead.storage import workflow_rows as table
    from fairlead.workflows.told import brief

    with closing(open_store(place)) as store, store.reading() as connection:
        names = Names(place, store)
        for run in table.runs(connection, **wanted):
            yield {**brief(run), "person": names.of(run.subject)}


def _show_all(found: Iterator[dict[str, Any]], json: bool) -> None:
    if json:
        json_rows(found)
        return
    count = 0
    for each in found:
        if not count:
            data(_LINE.format("run", "workflow", "status", "begun (UTC)", ""))
        said = [
            each.get("person", ""),
            each["error"] or (f"waits: {each['queued']}" if each["queued"] else ""),
            f"not undone: {each['not_undone']}" if each["not_undone"] else "",
        ]
        told = "; ".join(filter(None, said))
        data(_LINE.format(each["id"], each["workflow"], each["status"], shown(each["begun_at"]), told).rstrip())
        count += 1
    if not count:
        say("there are none")


@app.command()
def schedules(
    count: Annotated[int, typer.Option("--next", min=1, max=100, help="So many moments to come.")] = 3,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """When the workflows that are published begin by themselves, as whom, and what came of the last time."""
    from fairlead.clock import SystemClock
    from fairlead.workflows.scheduling import known_schedules

    place = find(workspace, data_folder)
    if database_at(place.database).exists():
        with closing(open_store(place)) as store:
            compiled = published(place, store)
            found = known_schedules(store, compiled.workflows, SystemClock().now(), count)
    else:
        found = known_schedules(None, in_folder(place).workflows, SystemClock().now(), count)
    if json:
        json_data(found)
        return
    if not found:
        say("none: write `schedule:` in workflows/NAME.yaml")
    for each in found:
        data(f"{each['workflow']}  {each['cron']} ({each['timezone']})  as {each['key']}")
        data(f"  next, UTC: {', '.join(shown(at) for at in each['next'])}")
        if each["moment"]:
            came = each["run"] or f"{each['error']} (fairlead explain {each['error']})"
            data(f"  last, UTC: {shown(each['moment'])}  {came}")


def _all(address: str, key: str, wanted: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
    left, after = most or 1 << 62, ""
    while left > 0:
        asked = {**wanted, "limit": min(_PAGE, left), **({"after": after} if after else {})}
        page = got(
            address, f"{RUNS}?{urlencode({name: each for name, each in asked.items() if each}, doseq=True)}", key
        )
        yield from page["data"]
        left -= len(page["data"])
        if not page["has_more"]:
            return
        after = page["data"][-1]["id"]


def commands() -> dict[str, Any]:
    return commands_of(app)
