"""The items of one snapshot as facts without their texts: what there is, whose it is, and how old. Read once, kept in
memory, and asked by whoever must know whether something is there rather than what it says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from fairlead.context.edited import edited
from fairlead.context.kinds import PUBLISHED
from fairlead.context.snapshots import access_of, access_to
from fairlead.context.types import Item
from fairlead.errors import NotFound
from fairlead.labels import Access, DataClass
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Row


class Entry(Struct, frozen=True, kw_only=True):
    """One item of a snapshot. `access` is its number in `Catalogue.accesses`; `edited` is the day on which it was
    published with another text than that which was verified, "" where it was not; the rest is as in `Item`."""

    id: str
    version: str
    title: str
    kind: str
    topics: frozenset[str]
    owner: str
    data_class: DataClass
    access: int
    verified: str
    verified_by: str
    review_by: str
    expires: str
    changed: str
    trusted: bool
    source: str
    origin: str
    fields: Mapping[str, tuple[str, ...]]
    stored_at: int  # milliseconds since 1970; 0 for what was stored before this was noted
    edited: str = ""


class Catalogue(Struct, frozen=True, kw_only=True, dict=True):
    """The entries of a snapshot in the order of their ids. Rights are decided once for each of `accesses`. Of
    an older snapshot, `today` gives for each of them those that must be permitted too (see `live_rights`)."""

    snapshot: str = ""
    entries: tuple[Entry, ...] = ()
    accesses: tuple[Access, ...] = ()
    today: tuple[tuple[Access, ...], ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def by_kind(self) -> Mapping[str, tuple[Entry, ...]]:
        """The entries of each kind that there is."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.kind, []).append(entry)
        return {kind: tuple(entries) for kind, entries in found.items()}

    def rights_of(self, entry: Entry) -> tuple[Access, ...]:
        """All that must be permitted to whoever reads it."""
        return (self.accesses[entry.access], *(self.today[entry.access] if self.today else ()))

    def access_of(self, entry: Entry) -> Access:
        """Who may read it, as it was published with this snapshot; all that must be permitted is `rights_of`."""
        return self.accesses[entry.access]


EMPTY: Final = Catalogue()


def catalogue_of(items: Iterable[Item], *, names_items: bool = False) -> Catalogue:
    """The catalogue that a snapshot of these items would have: of the published ones alone."""
    accesses: dict[Access, int] = {}
    entries = []
    for item in sorted((each for each in items if each.status == PUBLISHED), key=lambda each: each.id):
        access = access_of(item, names_items=names_items)
        entries.append(
            Entry(
                id=item.id,
                version=item.version,
                title=item.title,
                kind=item.kind,
                topics=item.topics,
                owner=item.owner,
                data_class=item.data_class,
                access=accesses.setdefault(access, len(accesses)),
                verified=item.verified,
                verified_by=item.verified_by,
                review_by=item.review_by,
                expires=item.expires,
                changed=item.changed,
                trusted=item.trusted,
                source=item.source,
                origin=item.origin,
                fields=item.fields,
                stored_at=0,
            )
        )
    return Catalogue(entries=tuple(entries), accesses=tuple(accesses))


def load_catalogue(store: Store, snapshot: str, *, names_items: bool = False) -> Catalogue:
    """The catalogue of a published snapshot. `names_items` is for policies that name single items: then each item has
    an access of its own. Raises `NotFound`."""
    from sqlalchemy import and_, select

    from fairlead.storage.context_tables import context_item, context_member, context_snapshot

    member, item = context_member.c, context_item.c
    query = (
        select(*[column for column in item if column.name != "text"])
        .join_from(context_member, context_item, and_(member.item == item.id, member.version == item.version))
        .where(member.snapshot == snapshot)
        .order_by(item.id)
    )
    with store.reading() as connection:
        if not connection.execute(select(context_snapshot.c.id).where(context_snapshot.c.id == snapshot)).first():
            raise NotFound(
                f"there is no context snapshot {snapshot}",
                why="it was never published to this database",
                mend="run `fairlead apply`",
                subject=snapshot,
            )
        rows = connection.execute(query).all()
        later = edited(connection, rows)
    accesses: dict[Access, int] = {}
    entries = tuple(_entries(rows, later, accesses, names_items))
    return Catalogue(snapshot=snapshot, entries=entries, accesses=tuple(accesses))


def _entries(
    rows: "Sequence[Row[Any]]", later: Mapping[str, str], accesses: dict[Access, int], names_items: bool
) -> Iterator[Entry]:
    audiences: dict[str, frozenset[str]] = {}
    for row in rows:
        if row.audience not in audiences:
            audiences[row.audience] = frozenset(msgspec.json.decode(row.audience, type=list[str]))
        data_class = DataClass(row.data_class)
        access = access_to(row.id, audiences[row.audience], data_class, row.owner, names_items=names_items)
        yield Entry(
            id=row.id,
            version=row.version,
            title=row.title,
            kind=row.kind,
            topics=frozenset(msgspec.json.decode(row.topics, type=list[str])) if row.topics != "[]" else frozenset(),
            owner=row.owner,
            data_class=data_class,
            access=accesses.setdefault(access, len(accesses)),
            verified=row.verified,
            verified_by=row.verified_by,
            review_by=row.review_by,
            expires=row.expires,
            changed=row.changed,
            trusted=row.trusted,
            source=row.source,
            origin=row.origin,
            fields=msgspec.json.decode(row.fields, type=dict[str, tuple[str, ...]]) if row.fields != "{}" else {},
            stored_at=row.stored_at,
            edited=later.get(row.id, ""),
        )
