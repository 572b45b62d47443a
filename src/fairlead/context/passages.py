"""Reading passages that were cited, and what the snapshot in force has of them: the store's side of `drift`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from fairlead.context.drift import Cited, Fate, Later
from fairlead.errors import NotFound
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

_AT_ONCE: Final = 200  # versions asked for in one statement


class Citation(Struct, frozen=True, order=True):
    """What a record says was put before a model. `section` is "" where it names the page as a whole."""

    item: str
    version: str
    section: str = ""

    def __str__(self) -> str:
        return f"{self.item}@{self.version}" + (f"#{self.section}" if self.section else "")


def citation_of(text: str) -> Citation:
    """A citation as records have it: `item@version#section`, the section left out in older ones."""
    item, _, rest = text.rpartition("@")
    version, _, section = rest.partition("#")
    return Citation(item, version, section)


def snapshot_named(store: Store, name: str) -> str:
    """The snapshot of this id; the beginning of one will do, with or without `ctx_`. Raises `NotFound`."""
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_snapshot

    begins = name if name.startswith("ctx_") else f"ctx_{name}"
    mine = context_snapshot.c.id.startswith(begins, autoescape=True)
    with store.reading() as connection:
        found = list(connection.execute(select(context_snapshot.c.id).where(mine).limit(2)).scalars())
    if len(found) != 1:
        several = f"several snapshots begin with {name!r}" if found else f"there is no snapshot {name!r}"
        raise NotFound(several, mend="`fairlead context history` lists them", subject=name)
    return str(found[0])


def fates(store: Store, citations: Iterable[Citation], snapshot: str) -> dict[Citation, Fate]:
    """What has become of each of these in a snapshot. One whose version is not stored (any more) is left out. A
    page that is cited as a whole has the fate of the worst of its sections."""
    asked: dict[tuple[str, str], set[Citation]] = {}
    for citation in citations:
        asked.setdefault((citation.item, citation.version), set()).add(citation)
    with store.reading() as connection:
        members = _members(connection, snapshot)
        found: dict[Citation, Fate] = {}
        other = [version for version in asked if members.get(version[0]) != version[1]]
        for each in asked.keys() - set(other):
            fate = Fate(state="stands", item=each[0], version=each[1])
            found.update(dict.fromkeys(asked[each], fate))
        if other:
            later = Later(_since(connection, snapshot, other))
            for page in _pages(connection, other):
                found.update(_of_page(page, later.fates(page), asked[page[0].item, page[0].version]))
    return found


def _of_page(
    page: Sequence[Cited], found: Sequence[Fate], asked: Iterable[Citation]
) -> Iterator[tuple[Citation, Fate]]:
    by_section: Mapping[str, Fate] = {section.identity: fate for section, fate in zip(page, found, strict=True)}
    worst = max(found, key=lambda fate: ("stands", "moved", "gone", "changed").index(fate.state))
    for citation in asked:
        yield citation, by_section.get(citation.section, worst) if citation.section else worst


def _members(connection: "Connection", snapshot: str) -> dict[str, str]:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_member as member

    query = select(member.c.item, member.c.version).where(member.c.snapshot == snapshot)
    return {row.item: row.version for row in connection.execute(query)}


def _since(connection: "Connection", snapshot: str, versions: Sequence[tuple[str, str]]) -> Iterator[Cited]:
    """The sections of a snapshot that may have taken something over from these versions: of the same items, and of
    pages that were stored since the oldest of them."""
    from sqlalchemy import and_, func, or_, select, tuple_

    from fairlead.storage.context_tables import context_item, context_member, context_section

    member, item, section = context_member.c, context_item.c, context_section.c
    chosen = (
        select(member.item, member.version)
        .join_from(context_member, context_item, and_(member.item == item.id, member.version == item.version))
        .where(member.snapshot == snapshot)
    )
    names = sorted({name for name, _ in versions})
    if len(names) <= _AT_ONCE:  # else so much has changed that everything is looked at
        oldest = select(func.min(item.stored_at)).where(tuple_(item.id, item.version).in_(versions))
        chosen = chosen.where(or_(item.id.in_(names), item.stored_at >= oldest.scalar_subquery()))
    new = chosen.subquery()
    query = _sections().join_from(
        context_section, new, and_(section.item == new.c.item, section.version == new.c.version)
    )
    return map(_cited, connection.execute(query.order_by(section.item, section.ordinal)))


def _pages(connection: "Connection", versions: Sequence[tuple[str, str]]) -> Iterator[list[Cited]]:
    """The sections of each of these versions, in order."""
    from sqlalchemy import tuple_

    from fairlead.storage.context_tables import context_section

    section = context_section.c
    for batch in _batches(versions):
        mine = _sections().where(tuple_(section.item, section.version).in_(batch))
        rows = connection.execute(mine.order_by(section.item, section.version, section.ordinal))
        for _, page in groupby(map(_cited, rows), key=lambda each: (each.item, each.version)):
            yield list(page)


def _batches(versions: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    for start in range(0, len(versions), _AT_ONCE):
        yield list(versions[start : start + _AT_ONCE])


def _sections() -> "Select[Any]":
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_section

    return select(context_section)


def _cited(row: "Row[Any]") -> Cited:
    return Cited(
        item=row.item,
        version=row.version,
        ordinal=row.ordinal,
        heading=row.heading,
        text=row.text,
        identity=row.identity,
    )
