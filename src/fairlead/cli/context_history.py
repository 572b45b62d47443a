"""`fairlead context history` and `diff`: what a page said, says now, and would say after the next publish."""

import difflib
from contextlib import closing
from itertools import pairwise
from typing import Annotated, Any

import typer

from fairlead.cli.compiled import in_folder
from fairlead.cli.context_items import (
    ItemName,
    bare,
    catalogue_in_force,
    complete,
    item_in_folder,
    item_of_version,
    unknown,
)
from fairlead.cli.later import built
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, data, json_data, say
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.when import shown
from fairlead.context import Item
from fairlead.context.citations import reference_of
from fairlead.context.comparing import Comparison, SectionChange, compare
from fairlead.context.history import Published, history
from fairlead.context.kinds import PUBLISHED
from fairlead.storage.store import Store


def history_(item: ItemName, workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """A page's versions, newest first: when each was published, and what it changed. Across renames, too."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        found, current = history(store, bare(item)), catalogue_in_force(store).by_id
        if not found:
            raise unknown(item, sorted(current))
        in_force = [each.item in current and current[each.item].version == each.version for each in found]
        told = list(zip(found, in_force, _changes(store, found), strict=True))
    if json:
        json_data(
            [
                {
                    "item": each.item,
                    "version": each.version,
                    "published_at": each.at,
                    "in_force": current_one,
                    "changed": None if change is None else {"facts": change.facts, "sections": _states(change)},
                }
                for each, current_one, change in told
            ]
        )
        return
    for each, current_one, change in told:
        mark = "  in force" if current_one else ""
        data(f"{each.item}@{each.version}  {shown(each.at)}{mark}")
        data("    " + ("first version" if change is None else change.words()))


def _changes(store: Store, found: list[Published]) -> list[Comparison | None]:
    """What each version changed in the one before it."""
    items = [item_of_version(store, each.item, each.version) for each in found]
    return [*(compare(old, new) for new, old in pairwise(items)), None]


def _states(change: Comparison) -> list[dict[str, str]]:
    return [{"state": each.state, "heading": each.heading} for each in change.sections]


def diff(
    item: Annotated[
        str,
        typer.Argument(
            help="An item, or `item@version`. Default: every page that would change.", autocompletion=complete
        ),
    ] = "",
    other: Annotated[str, typer.Argument(help="The version to compare with. Default: what the folder says.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """How two versions of a page differ, section by section; by default what is published from what the folder says."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        if not item:
            _tell_all(_all_pairs(store, in_folder(place).items), json)
            return
        named = reference_of(item)
        name = named.item
        if named.version:
            before = item_of_version(store, name, named.version)
        else:
            entry = catalogue_in_force(store).by_id.get(bare(name))
            if entry is None:
                known = item_in_folder(place, name)
                say(f"{known.id} is not published ({known.status} in the folder)")
                return
            before = item_of_version(store, entry.id, entry.version)
        if other:
            wanted = reference_of(other if "@" in other else f"{before.id}@{other}")
            after = item_of_version(store, wanted.item, wanted.version)
        else:
            after = item_in_folder(place, name)
    _tell(before, after, compare(before, after), json)


def _all_pairs(store: Store, items: tuple[Item, ...]) -> list[tuple[str, str, Comparison | None]]:
    """Each page that would change, with what would become of it in words, and how it differs where it is in both."""
    published, folder = catalogue_in_force(store).by_id, {item.id: item for item in items}
    pairs: list[tuple[str, str, Comparison | None]] = []
    for id in sorted(published.keys() | folder.keys()):
        item, entry = folder.get(id), published.get(id)
        in_next = item is not None and item.status == PUBLISHED
        if entry is None and item is not None and in_next:
            pairs.append((id, "would be published", None))
        elif entry is not None and not in_next:
            pairs.append((id, "would be taken back" + (f" ({item.status})" if item else ""), None))
        elif entry is not None and item is not None and entry.version != item.version:
            change = compare(item_of_version(store, id, entry.version), item)
            pairs.append((id, change.words(), change))
    return pairs


def _tell_all(pairs: list[tuple[str, str, Comparison | None]], json: bool) -> None:
    if json:
        json_data(
            [
                {"item": id, "says": says, **({"facts": change.facts, "sections": _states(change)} if change else {})}
                for id, says, change in pairs
            ]
        )
        return
    for id, says, _ in pairs:
        data(f"{id}: {says}")
    say(f"{len(pairs)} page(s) would change" if pairs else "nothing would change")


def _tell(before: Item, after: Item, change: Comparison, json: bool) -> None:
    if json:
        versions = {"before": f"{before.id}@{before.version}", "after": f"{after.id}@{after.version}"}
        json_data({**versions, "facts": change.facts, "sections": change.sections})
        return
    for name, was, now in change.facts:
        data(f"{name}: {was or '(none)'} -> {now or '(none)'}")
    for each in change.sections:
        data(f"\n== {each.heading or '(before the first heading)'} [{each.state}]")
        for line in _lines(each):
            data(line)
    if not change:
        say(f"{after.id} is as it was")


def _lines(change: SectionChange) -> list[str]:
    if change.state in ("moved", "rewritten"):
        return []
    lines = difflib.unified_diff(change.before.split("\n"), change.after.split("\n"), lineterm="", n=1)
    return [line for line in list(lines)[2:] if line not in ("+", "-") and not line.startswith("@@")]


def commands() -> dict[str, Any]:
    return built(history=history_, diff=diff)
