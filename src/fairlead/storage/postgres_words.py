"""The inverted index over sections of context on PostgreSQL: how often each word occurs in the fields of each section.

Not `tsvector`: that keeps at most 256 places of a word in a text and would have to be unpacked section by section, and
`context.ranking` needs counts only. They are a few rows of an ordinary index, and the same as SQLite's.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fairlead.storage.section_words import SectionWords

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ADD = (
    "INSERT INTO context_word (word, section, title, heading, body)"
    " SELECT * FROM unnest(%s::text[], %s::bigint[], %s::integer[], %s::integer[], %s::integer[])"
)
_OCCURRENCES = "SELECT section, title, heading, body FROM context_word WHERE word = %s"


def add(connection: "Connection", sections: Iterable[SectionWords]) -> None:
    """Indexes sections that are not indexed yet."""
    rows: list[tuple[str, int, int, int, int]] = []
    for each in sections:
        title, heading, body = Counter(each.title), Counter(each.heading), Counter(each.body)
        words = sorted(title.keys() | heading.keys() | body.keys())
        rows.extend((word, each.row, title[word], heading[word], body[word]) for word in words)
    if rows:
        connection.exec_driver_sql(_ADD, tuple(map(list, zip(*rows, strict=True))))


def occurrences(connection: "Connection", word: str) -> list[tuple[int, str]]:
    """Each occurrence of a word, in all versions, as (section's row, name of the field)."""
    found = []
    for row, *counts in connection.exec_driver_sql(_OCCURRENCES, (word,)):
        for field, count in zip(("title", "heading", "body"), counts, strict=True):
            found.extend([(row, field)] * count)
    return found
