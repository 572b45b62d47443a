"""Gives each section that is published its identity: that of the section of the newest snapshot which it continues."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairlead.context.identity import Fresh, Known, align, first_identity
from fairlead.context.meaning import hash_of, words_said
from fairlead.context.sections import PATH, Section, split
from fairlead.context.types import Item
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

Version = tuple[str, str]  # an item and its version
_AT_ONCE = 200


def newest_snapshot(connection: "Connection") -> str:
    """The snapshot that was published last, "" where there is none."""
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_snapshot

    latest = select(context_snapshot.c.id).order_by(context_snapshot.c.created_at.desc(), context_snapshot.c.id)
    return str(connection.execute(latest.limit(1)).scalar() or "")


def identities_of(
    store: Store, items: Sequence[Item], new: Sequence[Item], before: str
) -> tuple[Mapping[Version, tuple[Section, ...]], Mapping[Version, list[str]]]:
    """The sections of the versions that are `new`, and their identities. `items` are all of the next snapshot.

    What is published for the first time has nothing before it and is left to `first_identities`.
    """
    with store.reading() as connection:
        snapshot = before or newest_snapshot(connection)
        members = _members(connection, snapshot) if snapshot and new else {}
        staying = {(item.id, item.version) for item in items}
        replaced = [(item, version) for item, version in members.items() if (item, version) not in staying]
        returning = [
            key for key in staying - {(item.id, item.version) for item in new} if members.get(key[0]) != key[1]
        ]
        taken = {row.identity for row in _sections(connection, returning)} if replaced else set()
        known = [_known(row) for row in _sections(connection, sorted(replaced)) if row.identity not in taken]
    if not known:
        return {}, {}
    sections = {(item.id, item.version): split(item.text) for item in new}
    after = [_fresh(key, ordinal, each) for key, found in sections.items() for ordinal, each in enumerate(found)]
    identities = iter(align(known, after))
    return sections, {key: [next(identities) for _ in found] for key, found in sections.items()}


def first_identities(item: Item, sections: Sequence[Section]) -> list[str]:
    """The identities of an item's sections where nothing came before it."""
    return [first_identity(item.id, item.version, ordinal) for ordinal in range(len(sections))]


def complete(store: Store, before: str = "") -> None:
    """Gives sections of a snapshot that were stored before sections had identities theirs: of the newest one, unless
    told otherwise. Safe to repeat."""
    from sqlalchemy import bindparam

    from fairlead.storage.context_tables import context_section

    with store.reading() as connection:
        rows = _incomplete(connection, before or newest_snapshot(connection))
    if not rows:
        return
    own = context_section.c.rowid == bindparam("row")
    change = context_section.update().where(own).values(identity=bindparam("known_as"), meaning=bindparam("says"))
    split_pages: dict[Version, tuple[Section, ...]] = {}
    for start in range(0, len(rows), _AT_ONCE):
        values = [
            {
                "row": row.rowid,
                "known_as": first_identity(row.item, row.version, row.ordinal),
                "says": _meaning(row, split_pages),
            }
            for row in rows[start : start + _AT_ONCE]
        ]
        with store.writing() as connection:
            connection.execute(change, values)


def _incomplete(connection: "Connection", snapshot: str) -> "Sequence[Row[Any]]":
    from sqlalchemy import and_, select

    from fairlead.storage.context_tables import context_item, context_member, context_section

    member, section, item = context_member.c, context_section.c, context_item.c
    query = (
        select(context_section, item.text.label("page"))
        .join_from(
            context_member, context_section, and_(member.item == section.item, member.version == section.version)
        )
        .join(context_item, and_(section.item == item.id, section.version == item.version))
        .where(member.snapshot == snapshot, section.identity == "")
        .order_by(section.rowid)
    )
    return connection.execute(query).all()


def _meaning(row: "Row[Any]", split_pages: dict[Version, tuple[Section, ...]]) -> str:
    key = (row.item, row.version)
    if key not in split_pages:
        split_pages.clear()  # rows come in the order of their pages
        split_pages[key] = split(row.page)
    for section in split_pages[key][row.ordinal :]:
        if section.text == row.text:
            return section.meaning
    said = hash_of(words_said(f"{row.heading.rpartition(PATH)[2]}\n\n{row.text}"))
    return f"({said})" if said else ""


def _members(connection: "Connection", snapshot: str) -> dict[str, str]:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_member

    member = context_member.c
    rows = connection.execute(select(member.item, member.version).where(member.snapshot == snapshot))
    return {row.item: row.version for row in rows}


def _sections(connection: "Connection", versions: Iterable[Version]) -> "list[Row[Any]]":
    from sqlalchemy import select, tuple_

    from fairlead.storage.context_tables import context_section

    section = context_section.c
    wanted = sorted(versions)
    found: list[Row[Any]] = []
    for start in range(0, len(wanted), _AT_ONCE):
        some = tuple_(section.item, section.version).in_(wanted[start : start + _AT_ONCE])
        query = select(section.item, section.heading, section.text, section.identity, section.meaning)
        found += connection.execute(query.where(some).order_by(section.item, section.version, section.ordinal))
    return found


def _known(row: "Row[Any]") -> Known:
    return Known(identity=row.identity, item=row.item, heading=row.heading, text=row.text, meaning=row.meaning)


def _fresh(key: Version, ordinal: int, section: Section) -> Fresh:
    return Fresh(
        item=key[0],
        version=key[1],
        ordinal=ordinal,
        heading=section.heading,
        text=section.text,
        meaning=section.meaning,
    )
