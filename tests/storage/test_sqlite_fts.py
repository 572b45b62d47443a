from pathlib import Path

from fairlead.storage import sqlite_fts
from fairlead.storage.migrations import migrate
from fairlead.storage.section_words import SectionWords
from fairlead.storage.store import Store


def test_each_occurrence_of_a_word_is_known_by_row_and_field(tmp_path: Path) -> None:
    migrate(tmp_path / "state.db")
    store = Store.open(tmp_path / "state.db")
    with store.writing() as connection:
        sqlite_fts.create(connection)
        sqlite_fts.create(connection)
        sqlite_fts.add(
            connection,
            [
                SectionWords(7, ["return"], ["late"], ["item", "return", "item"]),
                SectionWords(9, ["travel"], [], ["cafe", "返", "2023"]),
            ],
        )
        sqlite_fts.add(connection, [])
    with store.reading() as connection:
        assert sorted(sqlite_fts.occurrences(connection, "return")) == [(7, "body"), (7, "title")]
        assert sqlite_fts.occurrences(connection, "item") == [(7, "body"), (7, "body")]
        assert sqlite_fts.occurrences(connection, "返") == [(9, "body")]
        assert sqlite_fts.occurrences(connection, "retur") == []
    store.close()
