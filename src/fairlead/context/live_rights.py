"""An older snapshot under the rights of now: what was readable when a piece of work began is read on, unless whoever
asks may not read it any more.

The rights that count are those that a section had, and those that it has now, wherever it has moved to: as a whole, or
sentence by sentence (what was included, taken apart, or put back under another name). A section that is gone keeps the
rights it had: taking a page back is no change of rights, and whoever wants running work to forget it as well ends its
pin.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from fairlead.context.catalogue import Catalogue
from fairlead.context.moved_words import places_of_words
from fairlead.context.search import Snapshot
from fairlead.labels import Access
from fairlead.storage.store import Store

_NOWHERE: Final[frozenset[int]] = frozenset()
_Accesses = tuple[tuple[Access, ...], ...]


def under(store: Store, old: Snapshot, known: Catalogue, live: Snapshot) -> tuple[Snapshot, Catalogue]:
    """The older snapshot and its catalogue, each section and item of which takes the permission of today's as well: of
    the page of the same name, and of wherever its text stands now. Blocking."""
    places = list(_places(store, old))
    by_item, by_identity = _today(store, live)
    by_words = places_of_words(store, old, live)
    of_section: dict[int, frozenset[int]] = {}
    of_item: dict[str, frozenset[int]] = defaultdict(frozenset)
    for section, item, identity in places:
        here = by_item.get(item, _NOWHERE) | by_identity.get(identity, _NOWHERE)
        if section in by_words:
            here |= _further(old.accesses[old.access_of[section]], here, by_words[section], live.accesses)
        of_section[section] = here
        of_item[item] |= here
    return _sections_under(old, live, of_section), _items_under(known, live, of_item, by_item)


def _further(
    then: tuple[Access, ...], here: frozenset[int], words: list[frozenset[int]], live: _Accesses
) -> frozenset[int]:
    """What its words ask for beyond that, where they stand now: nothing of those that stand where one may be anyway."""
    asked = {*then, *(access for number in here for access in live[number])}
    return frozenset().union(*(each for each in words if not any(set(live[number]) <= asked for number in each)))


def _sections_under(old: Snapshot, live: Snapshot, now: Mapping[int, frozenset[int]]) -> Snapshot:
    numbers: dict[tuple[int, frozenset[int]], int] = {}
    access_of = array("I")
    for section, number in enumerate(old.access_of):
        access_of.append(numbers.setdefault((number, now.get(section, _NOWHERE)), len(numbers)))
    joined = tuple(_joined(old.accesses[number], live.accesses, others) for number, others in numbers)
    return replace(old, access_of=access_of, accesses=joined)


def _items_under(
    known: Catalogue, live: Snapshot, now: Mapping[str, frozenset[int]], by_item: Mapping[str, frozenset[int]]
) -> Catalogue:
    numbers: dict[tuple[int, frozenset[int]], int] = {}
    entries = []
    for entry in known.entries:
        others = now.get(entry.id, _NOWHERE) | by_item.get(entry.id, _NOWHERE)
        entries.append(replace(entry, access=numbers.setdefault((entry.access, others), len(numbers))))
    accesses = tuple(known.accesses[number] for number, _ in numbers)
    today = tuple(_joined((), live.accesses, others) for _, others in numbers)
    return replace(known, entries=tuple(entries), accesses=accesses, today=today)


def _joined(then: tuple[Access, ...], live: _Accesses, others: frozenset[int]) -> tuple[Access, ...]:
    return tuple(dict.fromkeys((*then, *(access for other in sorted(others) for access in live[other]))))


def _today(store: Store, live: Snapshot) -> tuple[dict[str, frozenset[int]], dict[str, frozenset[int]]]:
    """The accesses of today by item and by section's identity. A section that nothing is known of again has none."""
    by_item: dict[str, frozenset[int]] = defaultdict(frozenset)
    by_identity: dict[str, frozenset[int]] = defaultdict(frozenset)
    for section, item, identity in _places(store, live):
        by_item[item] |= {live.access_of[section]}
        if identity:
            by_identity[identity] |= {live.access_of[section]}
    return by_item, by_identity


def _places(store: Store, snapshot: Snapshot) -> Iterator[tuple[int, str, str]]:
    """Number, item and identity of each section."""
    from sqlalchemy import and_, select

    from fairlead.storage.context_tables import context_member, context_section

    member, section = context_member.c, context_section.c
    query = (
        select(section.rowid, section.item, section.identity)
        .join_from(
            context_member, context_section, and_(member.item == section.item, member.version == section.version)
        )
        .where(member.snapshot == snapshot.id)
    )
    with store.reading() as connection:
        for row, item, identity in connection.execute(query):
            yield snapshot.rows[row], item, identity
