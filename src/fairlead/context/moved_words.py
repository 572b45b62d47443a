"""Where the words of pages that have changed since stand today, sentence by sentence: a passage that was included from
another page, taken apart, or put back under another name is known by what it says."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from fairlead.context.meaning import hash_of, words_said
from fairlead.context.search import Snapshot
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

_END: Final = re.compile(r"(?m:^ {0,3}#{1,6}[ \t].*$)|[.!?:;](?=\s)|\n\s*\n|\n(?=[ \t]*(?:[-*+|#>]|\d+[.)]))")
_FEWEST: Final = 2  # words: one alone says nothing


def places_of_words(store: Store, old: Snapshot, live: Snapshot) -> dict[int, list[frozenset[int]]]:
    """By section of the older snapshot: for each sentence that its page does not say any more and others that are newer
    do, the numbers of their accesses in `live`. What stands in both snapshots alike is not read. Blocking."""
    with store.reading() as connection:
        gone = {
            old.rows[row]: (item, _sentences(text)) for row, item, text in _changed(connection, old.id, than=live.id)
        }
        sought = {each for _, sentences in gone.values() for each in sentences}
        if not sought:
            return {}
        standing: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for row, item, text in _changed(connection, live.id, than=old.id):
            for each in sought.intersection(_sentences(text)):
                standing[each].add((item, live.access_of[live.rows[row]]))
    found: dict[int, list[frozenset[int]]] = {}
    for section, (item, sentences) in gone.items():
        places = [standing[each] for each in sentences if each in standing]
        elsewhere = [frozenset(access for _, access in each) for each in places if item not in {at for at, _ in each}]
        if elsewhere:
            found[section] = elsewhere
    return found


def _sentences(text: str) -> frozenset[str]:
    said = (words_said(each) for each in _END.split(text))
    return frozenset(hash_of(words) for words in said if len(words) >= _FEWEST)


def _changed(connection: "Connection", snapshot: str, *, than: str) -> Iterator[Any]:
    """Number, item and text of the sections whose version the other snapshot does not have."""
    from sqlalchemy import and_, select

    from fairlead.storage.context_tables import context_member, context_section

    member, section = context_member.c, context_section.c
    other = context_member.alias()
    same = and_(other.c.snapshot == than, other.c.item == member.item, other.c.version == member.version)
    yield from connection.execute(
        select(section.rowid, section.item, section.text)
        .join_from(
            context_member, context_section, and_(member.item == section.item, member.version == section.version)
        )
        .where(member.snapshot == snapshot, ~select(other.c.item).where(same).exists())
    )
