"""`fairlead context search`: what somebody would be given, and nothing else."""

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from fairlead.cli.compiled import published, require_snapshot
from fairlead.cli.embedding import asked_here
from fairlead.cli.later import built
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, data, json_data, say
from fairlead.cli.place import Data, Workspace, find, user
from fairlead.context import Context, Hit
from fairlead.context.embedding import embedder_of
from fairlead.context.explaining import NOT_EXPLAINED, Explained, Reason
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
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why each was found, and stands where it does.")
    ] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Search the published context with somebody's rights: what they would get, and nothing else.

    With --explain: what each word of the question adds, how near a section is in meaning, and its place by either. How
    many sections with these words are not for that person is a number for you, who run this: they are not told.
    """
    place = find(workspace, data_folder)
    caller = Caller(
        person=as_person or user(), groups=frozenset(group or ()), department=department, credential="key:search"
    )
    from fairlead.workspace.page_standing import AT_A_GLANCE, page_standing

    with closing(open_store(place)) as store:
        snapshot = require_snapshot(store)
        compiled = published(place, store)
        standing = page_standing(store, snapshot, compiled, AT_A_GLANCE)
        asked = asyncio.run(asked_here(place, store, caller, query)) if standing and standing.embedded else None
        hits, why = list[Hit](), NOT_EXPLAINED
        if snapshot:
            hits, why = asyncio.run(_found(store, snapshot, compiled, caller, query, most, asked, explain))
    reasons = why.reasons or (None,) * len(hits)
    if json:
        rows = [{**_fields(hit), **_why(reason)} for hit, reason in zip(hits, reasons, strict=True)]
        json_data({"hits": rows, "not_theirs": why.left_out} if explain else rows)
        return
    for hit, reason in zip(hits, reasons, strict=True):
        _show(hit, reason)
    if explain:
        say(f"{why.left_out} section(s) with words of the question are not for {caller.person}")
    if standing is not None and (standing.kept_back or standing.waiting or standing.unlooked):
        say(standing.said)
    say(f"{len(hits)} page(s) that {caller.person} may read bear on this")


def _show(hit: Hit, reason: Reason | None) -> None:
    data(f"{hit.item}@{hit.version}  {hit.heading or hit.title}  (score {hit.score:.2f}, {hit.owner or 'no owner'})")
    data("    " + " ".join(hit.text.split())[:240])
    if reason is not None:
        data(f"    {_told(reason)}")


def _fields(hit: Hit) -> dict[str, Any]:
    names = ("item", "version", "title", "heading", "text", "owner", "verified", "review_by", "score")
    return {**{name: getattr(hit, name) for name in names}, "class": hit.data_class.name}


def _why(reason: Reason | None) -> dict[str, Any]:
    return {} if reason is None else {"why": msgspec.to_builtins(reason)}


def _told(reason: Reason) -> str:
    """Why one was found, on a line."""
    words = ", ".join(f"{word} {adds:.2f}" for word, adds in reason.words) or "none of the words"
    by_words = f"{words} = {reason.by_words:.2f}, no. {reason.nth_by_words} by words" if reason.words else words
    if reason.nearness is None:
        near = ""
    else:
        near = f"; nearness {reason.nearness:.2f}, no. {reason.nth_by_nearness} by meaning; both {reason.section:.2f}"
    more = reason.score - reason.section
    return f"{by_words}{near}" + (f"; {more:+.2f} for what else its page says" if abs(more) >= 0.005 else "")


async def _found(
    store: Store,
    snapshot: str,
    compiled: "Compiled",
    caller: Caller,
    query: str,
    most: int,
    asked: "AskedVector | None",
    explain: bool,
) -> tuple[list[Hit], Explained]:
    policy, embedder = compiled.policy, embedder_of(compiled.settings.context)
    context = Context.open(store, snapshot, names_items=policy.names_items, embedder=embedder)
    try:
        may_read = policy.may_read(caller)
        hits = await context.find(query, may_read, most=most, asked=asked)
        why = await context.explained(query, may_read, most=most, asked=asked) if explain else NOT_EXPLAINED
        return hits, why
    finally:
        context.close()


def commands() -> dict[str, Any]:
    return built(search=search)
