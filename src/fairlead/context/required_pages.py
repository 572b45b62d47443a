"""The sections of pages that are wanted by name, whatever a search finds."""

from collections.abc import Collection, Sequence
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fairlead.models.words import stems

if TYPE_CHECKING:
    from array import array

    from sqlalchemy import Connection

_LOOKED_AT: Final = 200  # sections of one page
_TAKEN: Final = 3  # of one page


class _Likely(NamedTuple):
    """A section, and how many of the question's words are in it, as what sorts first."""

    unlike: int
    section: int
    key: int


def keys_of(
    connection: "Connection",
    snapshot: str,
    pages: Sequence[str],
    words: Collection[str],
    rows: dict[int, int],
    access_of: "array[int]",
    allowed: frozenset[int],
) -> list[int]:
    """Keys in context_section of what the pages say on the question: the best section of each page first, then the
    second of each, and so on. Sections that are in no word like the question come in the order of the text."""
    found = [_likely(connection, snapshot, page, words, rows, access_of, allowed) for page in dict.fromkeys(pages)]
    return [each.key for each in chain.from_iterable(zip_longest(*found)) if each is not None]


def whole_page(connection: "Connection", snapshot: str, page: str, rows: dict[int, int]) -> list[int]:
    """The numbers of all sections of a page, in the order of its text."""
    return [rows[key] for key, _, _ in connection.execute(_sections_of(snapshot, page)) if key in rows]


def _likely(
    connection: "Connection",
    snapshot: str,
    page: str,
    words: Collection[str],
    rows: dict[int, int],
    access_of: "array[int]",
    allowed: frozenset[int],
) -> list[_Likely]:
    wanted = frozenset(words)
    likely: list[_Likely] = []
    for key, heading, text in connection.execute(_sections_of(snapshot, page)):
        number = rows.get(key)
        if number is None or access_of[number] not in allowed:
            continue  # not this caller's
        likely.append(_Likely(-len(wanted.intersection(stems(f"{heading} {text}"))), number, key))
        if len(likely) == _LOOKED_AT:
            break
    return sorted(likely)[:_TAKEN]


def _sections_of(snapshot: str, page: str) -> Any:
    """Of the snapshot's own version: a page that has often changed costs no more."""
    from sqlalchemy import and_, select

    from fairlead.storage.context_tables import context_member, context_section

    member, section = context_member.c, context_section.c
    return (
        select(section.rowid, section.heading, section.text)
        .join_from(
            context_member, context_section, and_(member.item == section.item, member.version == section.version)
        )
        .where((member.snapshot == snapshot) & (member.item == page))
        .order_by(section.rowid)
    )
