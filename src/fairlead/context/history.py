"""What became of an item: its versions, in the order in which they were published, under whatever names it had."""

from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RENAMED = 0.5  # of a version's sections: so many are shared by one page under two names


class Published(Struct, frozen=True, kw_only=True):
    """A version of an item, and when the first snapshot that holds it was published (milliseconds since 1970; 0 for
    one that no snapshot holds)."""

    item: str
    version: str
    at: int


def history(store: Store, item: str) -> list[Published]:
    """The versions of an item, newest first, those under earlier and later names among them. Empty for one that was
    never published."""
    from sqlalchemy import and_, func, or_, select

    from fairlead.storage.context_tables import context_item, context_member, context_snapshot

    member, row = context_member.c, context_item.c
    with store.reading() as connection:
        renamed = _renamed(connection, item)
        chosen = or_(row.id == item, *[(row.id == id) & (row.version == version) for id, version in renamed])
        query = (
            select(row.id, row.version, func.min(context_snapshot.c.created_at))
            .select_from(context_item)
            .outerjoin(context_member, and_(member.item == row.id, member.version == row.version))
            .outerjoin(context_snapshot, context_snapshot.c.id == member.snapshot)
            .where(chosen)
            .group_by(row.id, row.version)
        )
        rows = connection.execute(query).all()
    found = [Published(item=id, version=version, at=at or 0) for id, version, at in rows]
    return sorted(found, key=lambda each: (-each.at, each.item, each.version))


def _renamed(connection: "Connection", item: str) -> list[tuple[str, str]]:
    """The versions of other items that are the same page under another name: most of their sections are this one's."""
    from sqlalchemy import func, select

    from fairlead.storage.context_tables import context_section

    section = context_section.c
    own = select(section.identity).where(section.item == item, section.identity != "").distinct()
    shared = (
        select(section.item, section.version, func.count().label("count"))
        .where(section.identity.in_(own), section.item != item)
        .group_by(section.item, section.version)
        .subquery()
    )
    query = (
        select(shared.c.item, shared.c.version)
        .join(context_section, (section.item == shared.c.item) & (section.version == shared.c.version))
        .group_by(shared.c.item, shared.c.version, shared.c.count)
        .having(shared.c.count >= _RENAMED * func.count())
    )
    return [(row[0], row[1]) for row in connection.execute(query)]
