"""Which requests that questions have made are over, as the pages in force stand. Pure.

Rights are left aside: what is hidden from somebody is asked for as what is missing, and that is over only where a page
was published since.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from fairlead.context.catalogue import Catalogue
from fairlead.context.kinds import CONTRADICTS
from fairlead.context.sufficiency import Standing, Sufficiency
from fairlead.tasks.types import TaskType

if TYPE_CHECKING:
    from fairlead.storage.request_rows import RequestRow

FELT: Final = ("missing", "stale", "unverified", "contradicted")
"""The kinds of needs that questions feel."""


def settled(
    rows: "Iterable[RequestRow]", types: Iterable[TaskType], catalogue: Catalogue, today: int
) -> Iterator[tuple[str, str]]:
    """The ids of open requests that are over, each with the reason. Of live sources nothing is known here."""
    declared = {each.name: each for each in types}
    sufficiency = Sufficiency(declared.values(), [(entry, ()) for entry in catalogue.entries])
    standings = {
        (type_.name, each.requirement.name): each
        for type_ in declared.values()
        for each in sufficiency.standings(type_, lambda _: True, today)
    }
    for row in rows:
        if row.kind in FELT and (why := _over(row, standings.get((row.task, row.need)), catalogue)):
            yield row.id, why


def without_proposers(rows: "Iterable[RequestRow]", kept: Collection[str]) -> Iterator[tuple[str, str]]:
    """The ids of open requests about proposals that are not `kept` any more, each with the reason."""
    for row in rows:
        if row.kind == "edit" and row.id not in kept:
            yield row.id, "whoever proposed it was erased, and what they proposed with them"


def _over(row: "RequestRow", standing: Standing | None, catalogue: Catalogue) -> str:
    if standing is None or standing.requirement.live:
        return ""  # not declared, or not known here: whoever was asked says when it is done
    if row.kind == "contradicted":
        return _reconciled(row, catalogue)
    if standing.state != "met":
        return ""
    pages = [page for page in standing.pages if row.kind != "missing" or _since(catalogue, page.id, row.asked_at)]
    return f"{row.need} is met by {pages[0].id}" if pages else ""


def _reconciled(row: "RequestRow", catalogue: Catalogue) -> str:
    """Whether the two pages may agree by now. If they do not, the next question that finds it asks anew."""
    pair = (row.item, row.cause)
    if any(pair[1 - at] in _named(catalogue, pair[at]) for at in (0, 1)):
        return ""
    changed = [item for item in pair if _since(catalogue, item, row.asked_at)]
    return f"{' and '.join(changed)} changed since it was asked whether they agree" if changed else ""


def _named(catalogue: Catalogue, item: str) -> tuple[str, ...]:
    entry = catalogue.by_id.get(item)
    return () if entry is None else entry.fields.get(CONTRADICTS, ())


def _since(catalogue: Catalogue, item: str, at: int) -> bool:
    """Whether a page was published anew since then, or is gone."""
    entry = catalogue.by_id.get(item)
    return entry is None or entry.stored_at > at
