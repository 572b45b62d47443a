"""The inverted index over sections of context, in the terms of whichever database there is.

It tells where each word occurs; it does not rank. A database's own ranking counts over every version of every item, so
a page that someone may not see would still move what they find: `context.ranking` ranks from the occurrences instead,
over what the caller may read. Words come in ready, folded and stemmed by the same code that reads the question.

A row is never changed or deleted, because sections belong to immutable versions.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fairlead.storage import postgres_words, sqlite_fts
from fairlead.storage.section_words import SectionWords

if TYPE_CHECKING:
    from sqlalchemy import Connection


def create(connection: "Connection") -> None:
    """Makes the index where there is none yet. Part of the publisher's transaction, like all that it writes."""
    if connection.dialect.name == "sqlite":
        sqlite_fts.create(connection)


def add(connection: "Connection", sections: Iterable[SectionWords]) -> None:
    """Indexes sections that are not indexed yet."""
    (sqlite_fts.add if connection.dialect.name == "sqlite" else postgres_words.add)(connection, sections)


def occurrences(connection: "Connection", word: str) -> list[tuple[int, str]]:
    """Each occurrence of a word, in all versions, as (section's row, name of the field)."""
    if connection.dialect.name == "sqlite":
        return sqlite_fts.occurrences(connection, word)
    return postgres_words.occurrences(connection, word)
