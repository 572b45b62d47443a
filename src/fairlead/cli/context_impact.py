"""`fairlead context impact`: which answers rest on what has changed, expired or gone since."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from fairlead.cli.compiled import require_snapshot
from fairlead.cli.later import built
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import Json, json_data, say, some, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.records import record_of
from fairlead.cli.when import moment_ago, shown
from fairlead.clock import SystemClock
from fairlead.context.catalogue import Catalogue, load_catalogue
from fairlead.context.upkeep.impact import Affected, affected, cited_in, cites
from fairlead.context.upkeep.passages import fates, snapshot_named
from fairlead.costs.record import Record
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.storage.log import Log

_NAMED: Final = 3  # in one cell of a table
WORDS: Final = {
    "changed": "says something else now",
    "gone": "does not say it any more",
    "expired": "has expired",
    "outdated": "changed after it was verified",
    "review": "is due for review",
}


def impact(
    item: Annotated[str, typer.Argument(help="Only this page. Default: all that answers have cited.")] = "",
    since: Annotated[str, typer.Option(help="Answers from when: `30d`, `12h`, or a day such as 2026-11-21.")] = "30d",
    snapshot: Annotated[
        tuple[str, str],
        typer.Option("--snapshot", metavar="A B", help="What changed between two snapshots, in place of up to now."),
    ] = ("", ""),
    names: Annotated[bool, typer.Option("--names", help="Names of persons, as far as they are known still.")] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Answers that cited what has changed, expired or gone since: how many, who was told, in which kinds of work.

    A passage that was moved, renamed or only written differently counts as unchanged. Persons are pseudonyms.
    """
    place, now = find(workspace, data_folder), SystemClock().now()
    with closing(open_store(place)) as store:
        found = found_impact(store, moment_ago(since, "--since", now), now, item=item, snapshots=snapshot)
        known = Names(place, store).of if names else str
        shown_as = [_plain(each, known) for each in found]
    if json:
        json_data(shown_as)
    else:
        _show(shown_as)


def found_impact(store: Store, start: int, now: int, *, item: str, snapshots: tuple[str, str]) -> list[Affected]:
    """What is the matter with what answers have cited since `start`. Raises `NotFound` for unknown snapshots."""
    before, after = (snapshot_named(store, each) if each else "" for each in snapshots)
    after = after or require_snapshot(store)
    catalogue = load_catalogue(store, after) if after else Catalogue()
    by_citation, by_item = cited_in(cited_since(log_of(store), start))
    if item:
        by_item = {item: by_item.get(item, [])}
    wanted = [citation for citation in by_citation if item in ("", citation.item)]
    if before:
        members = {(each.id, each.version) for each in load_catalogue(store, before).entries}
        wanted = [citation for citation in wanted if (citation.item, citation.version) in members]
        by_item = {}
    today = f"{shown(now)}"[:10]
    return affected(by_citation, by_item, fates(store, wanted, after), catalogue, today, untouched=bool(item))


def cited_since(log: "Log", start: int) -> Iterator[Record]:
    """The records that cite anything."""
    for row in log.since(start):
        if cites(row.record):
            yield record_of(row)


def _plain(found: Affected, known: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return {**plain, "persons": [known(each) for each in found.persons]}


def _show(found: list[dict[str, Any]]) -> None:
    table(
        ["page", "what", "owner", "answers", "told", "tasks", "last"],
        [
            [
                each["item"],
                WORDS[each["why"]] + (f" ({each['since']})" if each["since"] else ""),
                each["owner"],
                str(each["answers"]),
                some(each["persons"], _NAMED),
                ", ".join(f"{task or 'none'} {count}" for task, count in each["tasks"].items()),
                shown(each["last_at"]) if each["last_at"] else "",
            ]
            for each in found
        ],
        right=["answers"],
    )
    sections = sum(len(each["sections"]) for each in found)
    say(f"{len(found)} page(s), {sections} cited passage(s) of them changed; --json has the runs")


def commands() -> dict[str, Any]:
    return built(impact=impact)
