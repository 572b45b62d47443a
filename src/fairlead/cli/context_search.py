"""`fairlead context search`: what somebody would be given, and nothing else."""

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli.compiled import published, require_snapshot
from fairlead.cli.embedding import asked_here
from fairlead.cli.later import built
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, data, json_data, say
from fairlead.cli.place import Data, Workspace, find, user
from fairlead.context import Context, Hit
from fairlead.context.embedding import embedder_of
from fairlead.identity import Caller
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.context.vector_space import AskedVector
    from fairlead.workspace.compile import Workspace as Compiled


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
    from fairlead.workspace.page_standing import page_standing

    with closing(open_store(place)) as store:
        snapshot = require_snapshot(store)
        compiled = published(place, store)
        standing = page_standing(store, snapshot, compiled)
        asked = asyncio.run(asked_here(place, store, caller, query)) if standing and standing.embedded else None
        hits = asyncio.run(_found(store, snapshot, compiled, caller, query, most, asked)) if snapshot else []
    if json:
        json_data([{**_fields(hit), "class": hit.data_class.name} for hit in hits])
        return
    for hit in hits:
        data(
            f"{hit.item}@{hit.version}  {hit.heading or hit.title}  (score {hit.score:.2f}, {hit.owner or 'no owner'})"
        )
        data("    " + " ".join(hit.text.split())[:240])
    if standing is not None and (standing.kept_back or standing.waiting):
        say(standing.said)
    say(f"{len(hits)} page(s) that {caller.person} may read bear on this")


def _fields(hit: Hit) -> dict[str, Any]:
    names = ("item", "version", "title", "heading", "text", "owner", "verified", "review_by", "score")
    return {name: getattr(hit, name) for name in names}


async def _found(
    store: Store,
    snapshot: str,
    compiled: "Compiled",
    caller: Caller,
    query: str,
    most: int,
    asked: "AskedVector | None",
) -> list[Hit]:
    policy, embedder = compiled.policy, embedder_of(compiled.settings.context)
    context = Context.open(store, snapshot, names_items=policy.names_items, embedder=embedder)
    try:
        return await context.find(query, policy.may_read(caller), most=most, asked=asked)
    finally:
        context.close()


def commands() -> dict[str, Any]:
    return built(search=search)
