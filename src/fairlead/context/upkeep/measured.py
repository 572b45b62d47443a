"""How often each page of a snapshot has changed, as the versions in the database tell: the store's side of `rates`."""

from typing import TYPE_CHECKING

from fairlead.context.catalogue import Catalogue, Entry
from fairlead.context.upkeep.rates import DAY, Rate, Watched, rates, review_by
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection


def measured(store: Store, catalogue: Catalogue, now: int) -> dict[str, Rate]:
    """The rate of every page of a snapshot. What only changed its front matter did not change."""
    with store.reading() as connection:
        changes = _changes(connection)
    pages = []
    for entry in catalogue.entries:
        seen = changes.get(entry.id, [entry.stored_at or now])
        first, later = seen[0], seen[1:]
        if entry.changed:
            day = _moment(entry.changed)
            first, later = min(first, day), [*later, day]
        pages.append(
            Watched(item=entry.id, group=entry.owner or f"kind:{entry.kind}", first=first, changes=tuple(later))
        )
    return rates(pages, now)


def suggested(entry: Entry, rate: Rate) -> str:
    """The day on which a page is best looked at again, counted from when somebody last did, or it was last changed."""
    from datetime import UTC, datetime

    stored = datetime.fromtimestamp(entry.stored_at / 1000, UTC).date().isoformat()
    return review_by(rate, max(entry.verified, entry.changed) or stored)


def overdue(store: Store, catalogue: Catalogue, now: int) -> dict[str, str]:
    """The pages that name no day for their review and whose suggested one is over, each with it."""
    from datetime import UTC, datetime

    found, today = measured(store, catalogue, now), datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
    due = {
        entry.id: suggested(entry, found[entry.id])
        for entry in catalogue.entries
        if not entry.review_by and not entry.expires and entry.stored_at
    }
    return {item: day for item, day in due.items() if day < today}


def _changes(connection: "Connection") -> dict[str, list[int]]:
    """When each item came to say something else, the first time included: by the meaning of its sections."""
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_item, context_section

    item, section = context_item.c, context_section.c
    said: dict[tuple[str, str], list[str]] = {}
    for row in connection.execute(select(section.item, section.version, section.meaning).order_by(section.rowid)):
        said.setdefault((row.item, row.version), []).append(row.meaning)
    found: dict[str, list[int]] = {}
    last: dict[str, list[str]] = {}
    for row in connection.execute(select(item.id, item.version, item.stored_at).order_by(item.stored_at)):
        says = said.get((row.id, row.version), [])
        if row.stored_at and last.get(row.id) != says:
            found.setdefault(row.id, []).append(row.stored_at)
            last[row.id] = says
    return found


def _moment(day: str) -> int:
    from datetime import date

    return (date.fromisoformat(day) - date(1970, 1, 1)).days * DAY
