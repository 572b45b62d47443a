"""Publishes items: each version is stored and indexed once, for ever; a snapshot is a list of versions.

A publish goes in short transactions, because the journal of a serving worker waits meanwhile. Each holds whole
versions with all their sections and index entries; the last one holds the snapshot. A crash in between leaves versions
that no snapshot names: the next publish finds them and goes on.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.context.kinds import PUBLISHED
from fairlead.context.lineage import Version, complete, first_identities, identities_of
from fairlead.context.sections import PATH, Section, split
from fairlead.context.types import Item
from fairlead.errors import BadInput
from fairlead.labels import Access, DataClass
from fairlead.models.words import stems
from fairlead.storage import word_index
from fairlead.storage.section_words import SectionWords
from fairlead.storage.store import Store

Progress = Callable[[int, int], None]
_BATCH = 150_000  # characters in one transaction: about 20 ms of the write lock
_PLAIN_NAMES = frozenset(stems("index readme content docs"))


def snapshot_id(items: Iterable[Item]) -> str:
    """The name of exactly these versions, whatever order they come in."""
    lines = sorted(f"{item.id}@{item.version}\n" for item in items)
    return "ctx_" + hashlib.sha256("".join(lines).encode()).hexdigest()[:32]


def publish_items(
    store: Store, items: Sequence[Item], clock: Clock, progress: Progress | None = None, *, before: str = ""
) -> str:
    """Stores what is not stored yet, and returns the id of the snapshot of those items that are published.

    Safe to repeat, to interrupt, and to run in two processes at once. `progress` is told (versions done, versions to
    do). `before` is the snapshot whose sections are continued; the newest one, unless told otherwise. Raises `BadInput`
    if two items have one name.
    """
    _refuse_twins(items)
    items = [item for item in items if item.status == PUBLISHED]
    snapshot = snapshot_id(items)
    complete(store, before)
    known = _known(store, snapshot)
    if known is None:
        return snapshot
    new = [item for item in items if (item.id, item.version) not in known]
    sections, identities = identities_of(store, items, new, before)
    done = 0
    for batch in _batches(new, sections, identities):
        _add_versions(store, batch, clock.now())
        done += len(batch)
        if progress is not None:
            progress(done, len(new))
    _add_snapshot(store, snapshot, items, clock.now())
    return snapshot


def encode_access(item: Item) -> str:
    """The rights of an item as the text that its sections carry: equal for items that are decided together."""
    return msgspec.json.encode([sorted(item.audience), int(item.data_class), item.owner]).decode()


def decode_access(text: str, item: str) -> Access:
    """The rights again; `item` where policies name single items."""
    audience, data_class, owner = msgspec.json.decode(text, type=tuple[frozenset[str], int, str])
    return access_to(item, audience, DataClass(data_class), owner, names_items=bool(item))


def access_of(item: Item, *, names_items: bool) -> Access:
    """What policies may read about an item."""
    return access_to(item.id, item.audience, item.data_class, item.owner, names_items=names_items)


def access_to(item: str, audience: frozenset[str], data_class: DataClass, owner: str, *, names_items: bool) -> Access:
    """The rights of an item. Only where policies name single items (`names_items`) is each decided by itself; elsewhere
    items that they cannot tell apart are equal."""
    return Access(audience, data_class, owner, item if names_items else "")


def _refuse_twins(items: Sequence[Item]) -> None:
    seen = set[str]()
    for item in items:
        if item.id in seen:
            raise BadInput(
                f"two files below context/ are both called {item.id!r}",
                why="an item's name is its path without the suffix",
                mend="rename one of them",
                subject=item.id,
            )
        seen.add(item.id)


class _Ready(Struct, frozen=True):
    """An item with its sections and their words, worked out before the write lock is taken."""

    item: Item
    sections: tuple[Section, ...]
    identities: list[str]
    title: list[str]
    words: list[tuple[list[str], list[str]]]


def _batches(
    items: Iterable[Item], sections: Mapping[Version, tuple[Section, ...]], identities: Mapping[Version, list[str]]
) -> Iterator[list[_Ready]]:
    batch: list[_Ready] = []
    size = 0
    for item in items:
        key = (item.id, item.version)
        found = sections.get(key) or split(item.text)
        batch.append(_ready(item, found, identities.get(key) or first_identities(item, found)))
        size += len(item.text)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _ready(item: Item, sections: tuple[Section, ...], identities: list[str]) -> _Ready:
    title = stems(item.title)
    name = [word for word in stems(item.id.rpartition("/")[2].replace("_", " ")) if word not in _PLAIN_NAMES]
    words = [(stems(section.heading.rpartition(PATH)[2]), stems(section.text)) for section in sections]
    return _Ready(item, sections, identities, title + [word for word in name if word not in title], words)


def _known(store: Store, snapshot: str) -> set[tuple[str, str]] | None:
    """The versions that are stored, or None where the snapshot itself is."""
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_item, context_snapshot

    with store.reading() as connection:
        if connection.execute(select(context_snapshot.c.id).where(context_snapshot.c.id == snapshot)).first():
            return None
        return {(row[0], row[1]) for row in connection.execute(select(context_item.c.id, context_item.c.version))}


def _add_versions(store: Store, batch: list[_Ready], now: int) -> None:
    from sqlalchemy import func, select, tuple_

    from fairlead.storage.context_tables import context_item, context_section

    keys = [(ready.item.id, ready.item.version) for ready in batch]
    with store.writing() as connection:
        word_index.create(connection)
        # Asked again under the lock: another process may have stored them since.
        identity = tuple_(context_item.c.id, context_item.c.version)
        present = set(map(tuple, connection.execute(select(*identity.clauses).where(identity.in_(keys)))))
        fresh = [ready for ready, key in zip(batch, keys, strict=True) if key not in present]
        if not fresh:
            return
        last = connection.execute(select(func.max(context_section.c.rowid))).scalar() or 0
        connection.execute(context_item.insert(), [_item_row(ready.item, now) for ready in fresh])
        sections = list(_section_rows(fresh, last))
        if sections:
            connection.execute(context_section.insert(), [row for row, _ in sections])
        word_index.add(connection, [words for _, words in sections])


def stored_item(store: Store, id: str, version: str) -> Item | None:
    """A version of an item as it was published, None where there is no such version."""
    from fairlead.storage.context_tables import context_item

    with store.reading() as connection:
        chosen = (context_item.c.id == id) & (context_item.c.version == version)
        row = connection.execute(context_item.select().where(chosen)).mappings().first()
    if row is None:
        return None
    facts = {
        **{name: value for name, value in row.items() if name != "stored_at"},
        "audience": frozenset(msgspec.json.decode(row["audience"], type=list[str])),
        "data_class": DataClass(row["data_class"]),
        "topics": frozenset(msgspec.json.decode(row["topics"], type=list[str])),
        "fields": msgspec.json.decode(row["fields"], type=dict[str, tuple[str, ...]]),
    }
    return Item(**facts)


def _item_row(item: Item, now: int) -> dict[str, object]:
    row = msgspec.structs.asdict(item)
    del row["status"]  # what is stored is published
    row["audience"] = msgspec.json.encode(sorted(item.audience)).decode()
    row["data_class"] = int(item.data_class)
    row["topics"] = msgspec.json.encode(sorted(item.topics)).decode()
    row["fields"] = msgspec.json.encode(item.fields).decode()
    row["stored_at"] = now
    return row


def _section_rows(batch: Iterable[_Ready], last: int) -> Iterator[tuple[dict[str, object], SectionWords]]:
    for ready in batch:
        item, access = ready.item, encode_access(ready.item)
        for ordinal, section in enumerate(ready.sections):
            heading, body = ready.words[ordinal]
            last += 1
            row: dict[str, object] = {
                "rowid": last,
                "item": item.id,
                "version": item.version,
                "ordinal": ordinal,
                "heading": section.heading,
                "text": section.text,
                "access": access,
                "identity": ready.identities[ordinal],
                "meaning": section.meaning,
            }
            yield row, SectionWords(last, ready.title, heading, body)


def _add_snapshot(store: Store, snapshot: str, items: Sequence[Item], now: int) -> None:
    from sqlalchemy import func, select

    from fairlead.storage.context_tables import context_member, context_snapshot

    with store.writing() as connection:
        if connection.execute(select(context_snapshot.c.id).where(context_snapshot.c.id == snapshot)).first():
            return
        word_index.create(connection)  # an empty snapshot has had no batch before it
        # Later than all before it, whatever the clock says: the newest one is what the next publish continues.
        latest = connection.execute(select(func.max(context_snapshot.c.created_at))).scalar() or 0
        connection.execute(context_snapshot.insert(), {"id": snapshot, "created_at": max(now, latest + 1)})
        if items:
            members = [{"snapshot": snapshot, "item": item.id, "version": item.version} for item in items]
            connection.execute(context_member.insert(), members)
