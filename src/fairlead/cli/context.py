"""`fairlead context`: the organisation's knowledge, listed, searched as somebody, and shown."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from fairlead.cli.compiled import in_folder, published, require_published
from fairlead.cli.context_add import add
from fairlead.cli.context_impact import impact
from fairlead.cli.context_readiness import inventory_command, readiness_command
from fairlead.cli.context_start import start
from fairlead.cli.context_sync import sync
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, data, json_data, say, table
from fairlead.cli.place import Data, Workspace, find, user
from fairlead.clock import SystemClock
from fairlead.context import Context, Hit, Item
from fairlead.context.snapshots import stored_item
from fairlead.errors import FairleadError, NotFound
from fairlead.identity import Caller
from fairlead.policy import Policy
from fairlead.storage.store import Store
from fairlead.workspace.published import load_revision

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="List, search and show the organisation's context.",
)


app.command()(start)
app.command("inventory")(inventory_command)
app.command("readiness")(readiness_command)
app.command()(add)
app.command()(sync)


@app.command("list")
def list_(workspace: Workspace = None, json: Json = False) -> None:
    """Every page of the folder: who may read it, who answers for it, and whether its review is due."""
    items = sorted(in_folder(find(workspace)).items, key=lambda item: item.id)
    if json:
        json_data([_shown(item) for item in items])
        return
    today = f"{datetime.fromtimestamp(SystemClock().now() / 1000, UTC):%Y-%m-%d}"
    table(
        ["item", "version", "title", "audience", "class", "owner", "verified", "review by"],
        [
            [
                item.id,
                item.version,
                item.title,
                ", ".join(sorted(item.audience)),
                item.data_class.name,
                item.owner,
                item.verified,
                item.review_by + (" (overdue)" if item.review_by and item.review_by < today else ""),
            ]
            for item in items
        ],
    )


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
        hits = asyncio.run(_found(store, published(place, store).policy, caller, query, most))
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


async def _found(store: Store, policy: Policy, caller: Caller, query: str, most: int) -> list[Hit]:
    snapshot = load_revision(store, require_published(store)).snapshot
    if not snapshot:
        return []
    context = Context.open(store, snapshot, names_items=policy.names_items)
    try:
        return await context.find(query, policy.may_read(caller), most=most)
    finally:
        context.close()


def _complete(incomplete: str) -> list[str]:
    try:
        folder = find(None).workspace / "context"
    except FairleadError:
        return []
    names = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md"))
    return sorted(name for name in names if name.startswith(incomplete))


@app.command()
def show(
    item: Annotated[
        str, typer.Argument(help="An item, or `item@version` for one that was published.", autocompletion=_complete)
    ],
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """One page: what its front matter came to, and its text."""
    place = find(workspace, data_folder)
    name, _, version = item.partition("@")
    if version:
        with closing(open_store(place)) as store:
            found = stored_item(store, name, version)
    else:
        found = next((each for each in in_folder(place).items if each.id == name), None)
    if found is None:
        raise NotFound(f"there is no page {item!r}", mend="fairlead context list")
    if json:
        json_data({**_shown(found), "text": found.text})
        return
    for key, value in _shown(found).items():
        data(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    data("\n" + found.text.rstrip("\n"))


def _shown(item: Item) -> dict[str, Any]:
    return {
        "item": item.id,
        "version": item.version,
        "title": item.title,
        "owner": item.owner,
        "audience": sorted(item.audience),
        "class": item.data_class.name,
        "verified": item.verified,
        "verified_by": item.verified_by,
        "review_by": item.review_by,
    }


app.command("impact")(impact)


def commands() -> dict[str, Any]:
    return {"context": typer.main.get_command(app)}
