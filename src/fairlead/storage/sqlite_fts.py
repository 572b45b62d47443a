"""The inverted index over sections of context, kept by SQLite's FTS5. The only place that knows FTS5.

FTS5 stores where each word occurs; it does not rank. Its own `bm25` counts over every version of every item, so a page
that someone may not see, or that is no longer part of the snapshot, would still move what they find; and it costs five
milliseconds for a question of a sentence. `context.ranking` ranks from the occurrences instead, over what the caller
may read. Words come in ready, folded and stemmed by the same code that reads the question, and made of letters and
digits only: nothing that a person types reaches FTS5's query syntax.

A row is never changed or deleted, because sections belong to immutable versions.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from fairlead.storage.section_words import SectionWords

if TYPE_CHECKING:
    from sqlalchemy import Connection

_CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS context_word"
    " USING fts5(title, heading, body, content='', columnsize=0, tokenize='unicode61')",
    "CREATE VIRTUAL TABLE IF NOT EXISTS context_occurrence USING fts5vocab(context_word, 'instance')",
)
_ADD = "INSERT INTO context_word(rowid, title, heading, body) VALUES (?, ?, ?, ?)"
_COUNTS = (
    "SELECT term, doc, sum(col = 'title'), sum(col = 'heading'), sum(col = 'body')"
    " FROM context_occurrence GROUP BY term, doc"
)
_OCCURRENCES = "SELECT doc, col FROM context_occurrence WHERE term = ?"


def create(connection: "Connection") -> None:
    """Makes the index where there is none yet. Part of the publisher's transaction, like all that it writes."""
    for statement in _CREATE:
        connection.exec_driver_sql(statement)


def add(connection: "Connection", sections: Iterable[SectionWords]) -> None:
    """Indexes sections that are not indexed yet."""
    rows = [(each.row, " ".join(each.title), " ".join(each.heading), " ".join(each.body)) for each in sections]
    if rows:
        connection.exec_driver_sql(_ADD, rows)


def occurrences(connection: "Connection", word: str) -> list[tuple[int, str]]:
    """Each occurrence of a word, in all versions, as (section's row, name of the field)."""
    return [(row, field) for row, field in connection.exec_driver_sql(_OCCURRENCES, (word,))]


def counts(connection: "Connection") -> Iterator[tuple[Any, ...]]:
    """Every word of every section, with how often it occurs in title, heading and body: for another kind of index."""
    for row in connection.exec_driver_sql(_COUNTS):
        yield tuple(row)
