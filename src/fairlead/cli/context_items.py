"""`fairlead context list` and `show`, and finding items by the names that people type."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from fairlead.cli.compiled import in_folder, snapshot_in_force
from fairlead.cli.later import built
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, data, json_data, table
from fairlead.cli.page_files import names_of
from fairlead.cli.place import Data, Place, Workspace, find
from fairlead.clock import SystemClock
from fairlead.context import Item
from fairlead.context.catalogue import EMPTY, Catalogue, load_catalogue
from fairlead.context.citations import reference_of
from fairlead.context.edited import changed_after
from fairlead.context.snapshots import stored_item
from fairlead.errors import FairleadError, NotFound, closest
from fairlead.storage.database import database_at
from fairlead.storage.store import Store


def complete(incomplete: str) -> list[str]:
    """The names of pages in the folder that begin so, for the shell."""
    try:
        workspace = find(None).workspace
    except FairleadError:
        return []
    return [name for name in names_of(workspace) if name.startswith(incomplete)]


ItemName = Annotated[
    str, typer.Argument(help="An item, or `item@version` for one that was published.", autocompletion=complete)
]


def today() -> str:
    """The ISO day of now, in UTC."""
    return f"{datetime.fromtimestamp(SystemClock().now() / 1000, UTC):%Y-%m-%d}"


def bare(name: str) -> str:
    """An item's name as people may type it: with the folder and the suffix of its file, as shells complete them."""
    return name.removeprefix("./").removeprefix("context/").removesuffix(".md")


def item_in_folder(place: Place, name: str) -> Item:
    """Raises `NotFound` naming those that are most like it."""
    items = in_folder(place).items
    found = next((each for each in items if each.id == bare(name)), None)
    if found is None:
        raise unknown(name, [each.id for each in items])
    return found


def unknown(name: str, known: list[str]) -> NotFound:
    """There is no such item."""
    return NotFound(f"there is no page {name!r}", mend=closest(bare(name), known) or "fairlead context list")


def catalogue_in_force(store: Store) -> Catalogue:
    """What is published, empty before the first publish."""
    snapshot = snapshot_in_force(store)
    return load_catalogue(store, snapshot) if snapshot else EMPTY


def item_of_version(store: Store, name: str, version: str) -> Item:
    """A version as it was published. Raises `NotFound`."""
    found = stored_item(store, bare(name), version)
    if found is None:
        raise NotFound(f"there is no page {name!r} of version {version}", mend=f"fairlead context history {bare(name)}")
    return found


def facts(item: Item) -> dict[str, Any]:
    """What an item's front matter came to, for people and programs. What it leaves out is left out."""
    shown: dict[str, Any] = {
        "item": item.id,
        "version": item.version,
        "title": item.title,
        "kind": item.kind,
        "status": item.status,
        "owner": item.owner,
        "audience": sorted(item.audience),
        "class": item.data_class.name,
        "verified": item.verified,
        "verified_by": item.verified_by,
        "review_by": item.review_by,
    }
    further = {
        "expires": item.expires,
        "topics": sorted(item.topics),
        "source": item.source,
        "origin": item.origin,
        "changed": item.changed,
        **{name: list(values) for name, values in item.fields.items()},
    }
    shown.update({name: value for name, value in further.items() if value})
    return shown if item.trusted else {**shown, "trusted": False}


def list_(
    kind: Annotated[str, typer.Option(help="Only of this kind: term, policy, unit, …")] = "",
    status: Annotated[str, typer.Option(help="Only in this status: draft, review, published, retired.")] = "",
    owner: Annotated[str, typer.Option(help="Only those that this owner answers for.")] = "",
    topic: Annotated[str, typer.Option(help="Only those on this topic.")] = "",
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those whose review is due, or that are over.")
    ] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Every page of the folder: who may read it, who answers for it, and whether its review is due."""
    day, place = today(), find(workspace)
    edited = edited_versions(place)
    items = [
        item
        for item in sorted(in_folder(place).items, key=lambda item: item.id)
        if (not kind or item.kind == kind)
        and (not status or item.status == status)
        and (not owner or item.owner == owner)
        and (not topic or topic in item.topics)
        and (not overdue or any(due and due < day for due in (item.review_by, item.expires)))
    ]
    if json:
        json_data([_told(item, edited) for item in items])
        return
    _show(items, edited, day)


def _show(items: list[Item], edited: Mapping[tuple[str, str], str], day: str) -> None:
    table(
        ["item", "version", "title", "kind", "audience", "class", "owner", "verified", "review by"],
        [
            [
                item.id,
                item.version,
                item.title,
                item.kind + (f" ({item.status})" if item.status != "published" else ""),
                ", ".join(sorted(item.audience)),
                item.data_class.name,
                item.owner,
                item.verified + (" (changed since)" if (item.id, item.version) in edited else ""),
                _due(item, day),
            ]
            for item in items
        ],
    )


def edited_versions(place: Place) -> dict[tuple[str, str], str]:
    """The published versions that were changed after they were verified, with the day."""
    if not database_at(place.database).exists():
        return {}
    with closing(open_store(place)) as store:
        entries = catalogue_in_force(store).entries
    return {(each.id, each.version): day for each in entries if (day := changed_after(each))}


def _told(item: Item, edited: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    day = edited.get((item.id, item.version))
    return {**facts(item), "changed_since_verified": day} if day else facts(item)


def _due(item: Item, day: str) -> str:
    if item.expires and item.expires < day:
        return f"expired {item.expires}"
    return item.review_by + (" (overdue)" if item.review_by and item.review_by < day else "")


def show(item: ItemName, workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """One page: what its front matter came to, and its text."""
    place = find(workspace, data_folder)
    wanted = reference_of(item)
    if wanted.version:
        with closing(open_store(place)) as store:
            found = item_of_version(store, wanted.item, wanted.version)
    else:
        found = item_in_folder(place, item)
    if json:
        json_data({**facts(found), "text": found.text})
        return
    for key, value in facts(found).items():
        data(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    data("\n" + found.text.rstrip("\n"))


def commands() -> dict[str, Any]:
    return built(list_=list_, show=show)
