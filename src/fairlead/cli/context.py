"""`fairlead context`: its commands, and search as somebody."""

import asyncio
from contextlib import closing
from typing import Annotated, Any

import typer

from fairlead.cli.compiled import published, require_published
from fairlead.cli.context_add import add
from fairlead.cli.context_edits import accept, propose
from fairlead.cli.context_history import diff, history_
from fairlead.cli.context_impact import impact
from fairlead.cli.context_items import list_, show
from fairlead.cli.context_life import publish, retire, verify
from fairlead.cli.context_readiness import inventory_command, readiness_command
from fairlead.cli.context_replay import replay
from fairlead.cli.context_requests import requests
from fairlead.cli.context_start import start
from fairlead.cli.context_sync import sync
from fairlead.cli.context_work import app as work
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, data, json_data, say
from fairlead.cli.place import Data, Workspace, find, user
from fairlead.context import Context, Hit
from fairlead.context.embedding import embedder_of
from fairlead.identity import Caller
from fairlead.storage.store import Store
from fairlead.workspace.compile import Workspace as Compiled
from fairlead.workspace.published import load_revision

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="The organisation's context: what there is, whose it is, what changed, and what somebody would be given.",
)


app.command()(start)
app.command("inventory")(inventory_command)
app.command("readiness")(readiness_command)
app.command()(add)
app.command()(sync)
app.command()(replay)
app.add_typer(work)


app.command("list")(list_)
app.command()(show)
app.command("history")(history_)
app.command()(diff)
app.command()(verify)
app.command()(publish)
app.command()(retire)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    as_person: Annotated[str, typer.Option("--as-person", help="Whose rights count. Default: yours.")] = "",
    group: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="A group of theirs; may be repeated.")
    ] = None,
    department: Annotated[str, typer.Option(help="Their department.")] = "",
    most: Annotated[int, typer.Option("-n", min=1, max=100, help="How many pages.")] = 10,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Search the published context with somebody's rights: what they would get, and nothing else."""
    place = find(workspace, data_folder)
    caller = Caller(
        person=as_person or user(), groups=frozenset(group or ()), department=department, credential="key:search"
    )
    with closing(open_store(place)) as store:
        require_published(store)
        hits = asyncio.run(_found(store, published(place, store), caller, query, most))
    if json:
        json_data([{**_fields(hit), "class": hit.data_class.name} for hit in hits])
        return
    for hit in hits:
        data(
            f"{hit.item}@{hit.version}  {hit.heading or hit.title}  (score {hit.score:.2f}, {hit.owner or 'no owner'})"
        )
        data("    " + " ".join(hit.text.split())[:240])
    say(f"{len(hits)} page(s) that {caller.person} may read bear on this")


def _fields(hit: Hit) -> dict[str, Any]:
    names = ("item", "version", "title", "heading", "text", "owner", "verified", "review_by", "score")
    return {name: getattr(hit, name) for name in names}


async def _found(store: Store, compiled: Compiled, caller: Caller, query: str, most: int) -> list[Hit]:
    snapshot = load_revision(store, require_published(store)).snapshot
    if not snapshot:
        return []
    policy, embedder = compiled.policy, embedder_of(compiled.settings.context)
    context = Context.open(store, snapshot, names_items=policy.names_items, embedder=embedder)
    try:
        return await context.find(query, policy.may_read(caller), most=most)
    finally:
        context.close()


app.command("impact")(impact)
app.command("requests")(requests)
app.command("propose")(propose)
app.command("accept")(accept)


def commands() -> dict[str, Any]:
    return {"context": typer.main.get_command(app)}
