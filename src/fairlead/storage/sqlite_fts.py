"""The inverted index over sections of context, kept by SQLite's FTS5. The only place that knows FTS5.

FTS5 stores where each word occurs; it does not rank. Its own `bm25` counts over every version of every item, so a page
that someone may not see, or that is no longer part of the snapshot, would still move what they find. `context.search`
ranks from the occurrences instead, over what the caller may read. Words come in ready: folded and stemmed by the same
code that reads the question, and made of letters and digits only, so nothing can be taken for FTS5's query syntax.

A row is never changed or deleted: sections belong to immutable versions.
"""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, text

FIELDS = ("title", "heading", "body")

_CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS context_word"
    " USING fts5(title, heading, body, content='', columnsize=0, tokenize='unicode61')",
    "CREATE VIRTUAL TABLE IF NOT EXISTS context_occurrence USING fts5vocab(context_word, 'instance')",
)
_ADD = "INSERT INTO context_word(rowid, title, heading, body) VALUES (?, ?, ?, ?)"
_OF_WORD = "SELECT doc, col FROM context_occurrence WHERE term = ?"


def create(connection: Connection) -> None:
    """Make the index where there is none yet."""
    for statement in _CREATE:
        connection.execute(text(statement))


def exists(connection: Connection) -> bool:
    return connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'context_occurrence'")).first() is not None


def add(connection: Connection, rows: Iterable[tuple[int, Sequence[str], Sequence[str], Sequence[str]]]) -> None:
    """Index sections: their row in `context_section`, and the words of title, heading and body."""
    ready = [(row, " ".join(title), " ".join(heading), " ".join(body)) for row, title, heading, body in rows]
    if ready:
        connection.exec_driver_sql(_ADD, ready)


def occurrences(connection: Connection, word: str) -> Iterator[tuple[int, int]]:
    """Each occurrence of a word as (section's row, number of the field in `FIELDS`), of all versions."""
    for row, field in connection.exec_driver_sql(_OF_WORD, (word,)):
        yield row, FIELDS.index(field)
