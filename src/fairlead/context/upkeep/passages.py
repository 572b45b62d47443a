"""Reading passages that were cited, and what the snapshot in force has of them: the store's side of `drift`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from fairlead.context.citations import Reference
from fairlead.context.upkeep.drift import Cited, Fate, Later, Page
from fairlead.errors import NotFound
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

_AT_ONCE: Final = 200  # versions asked for in one statement
_WORSE: Final = ("stands", "moved", "gone", "changed")


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


def fates(store: Store, citations: Iterable[Reference], snapshot: str) -> dict[Reference, Fate]:
    """What has become of each of these in a snapshot. One whose version is not stored (any more) is left out. A
    page that is cited as a whole has the fate of the worst of its sections."""
    asked: dict[tuple[str, str], set[Reference]] = {}
    for citation in citations:
        asked.setdefault((citation.item, citation.version), set()).add(citation)
    with store.reading() as connection:
        members = _members(connection, snapshot)
        found: dict[Reference, Fate] = {}
        other = [version for version in asked if members.get(version[0]) != version[1]]
        for each in asked.keys() - set(other):
            fate = Fate(state="stands", item=each[0], version=each[1])
            found.update(dict.fromkeys(asked[each], fate))
        if other:
            later = Later(_since(connection, snapshot, other))
            for page in _pages(connection, other):
                found.update(_of_page(page, later.fates(page), asked[page.item, page.version]))
    return found


def _of_page(page: Page, found: Sequence[Fate], asked: Iterable[Reference]) -> Iterator[tuple[Reference, Fate]]:
    by_section = {section.identity: fate for section, fate in zip(page.sections, found, strict=True)}
    worst = max(found, key=lambda fate: _WORSE.index(fate.state), default=Fate(state="stands", item=page.item))
    for citation in asked:
        yield citation, by_section.get(citation.section, worst) if citation.section else worst


def _members(connection: "Connection", snapshot: str) -> dict[str, str]:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_member as member

    query = select(member.c.item, member.c.version).where(member.c.snapshot == snapshot)
    return {row.item: row.version for row in connection.execute(query)}


def _since(connection: "Connection", snapshot: str, versions: Sequence[tuple[str, str]]) -> Iterator[Page]:
    """The pages of a snapshot that may have taken something over from these versions: the same items, and what was
    stored since the oldest of them."""
    from sqlalchemy import and_, func, or_, select, tuple_

    from fairlead.storage.context_tables import context_item, context_member

    member, item = context_member.c, context_item.c
    chosen = (
        select(item.id, item.version, item.stored_at)
        .join_from(context_member, context_item, and_(member.item == item.id, member.version == item.version))
        .where(member.snapshot == snapshot)
    )
    names = sorted({name for name, _ in versions})
    if len(names) <= _AT_ONCE:  # else so much has changed that everything is looked at
        oldest = select(func.min(item.stored_at)).where(tuple_(item.id, item.version).in_(versions))
        chosen = chosen.where(or_(item.id.in_(names), item.stored_at >= oldest.scalar_subquery()))
    return _pages(connection, [(row.id, row.version) for row in connection.execute(chosen)])


def _pages(connection: "Connection", versions: Sequence[tuple[str, str]]) -> Iterator[Page]:
    """Each of these versions with its sections."""
    from sqlalchemy import select, tuple_

    from fairlead.storage.context_tables import context_item, context_section

    item, section = context_item.c, context_section.c
    for start in range(0, len(versions), _AT_ONCE):
        batch = list(versions[start : start + _AT_ONCE])
        parts: dict[tuple[str, str], list[Cited]] = {each: [] for each in batch}
        mine = select(section.item, section.version, section.text, section.identity)
        mine = mine.where(tuple_(section.item, section.version).in_(batch)).order_by(section.rowid)
        for row in connection.execute(mine):
            parts[row.item, row.version].append(Cited(row.text, row.identity))
        whole = select(item.id, item.version, item.text).where(tuple_(item.id, item.version).in_(batch))
        for found in connection.execute(whole):
            sections = tuple(parts[found.id, found.version])
            yield Page(item=found.id, version=found.version, text=found.text, sections=sections)
