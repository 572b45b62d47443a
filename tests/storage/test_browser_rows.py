"""Rows of browser sessions, on both kinds of databases."""

from contextlib import suppress

from msgspec.structs import replace
from tests.erased import erase

from fairlead.clock import SystemClock
from fairlead.storage import browser_rows as table
from fairlead.storage.browser_rows import BrowserRow
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault


class _UsedError(Exception):
    """What a caller raises, so that its transaction is undone."""


def test_an_attempt_makes_one_session_and_of_many_who_want_a_turn_one_has_it(store: Store) -> None:
    vault = Vault(bytes(32), StoredSubjects(store), SystemClock())
    row = BrowserRow(
        digest=b"d" * 32, attempt=b"a" * 32, subject=vault.subject_for("ada").id, issuer="https://idp", started_at=1,
        seen_at=1, asked_at=1, expires_at=100, ended_at=0, sealed=b"sealed",
    )  # fmt: skip
    with store.writing() as connection:
        assert table.begin(connection, row)
    with suppress(_UsedError), store.writing() as connection:
        assert not table.begin(connection, replace(row, digest=b"e" * 32))
        raise _UsedError
    with store.writing() as connection:
        assert table.take_turn(connection, row, 50)
        assert not table.take_turn(connection, row, 51)
        table.give_turn_back(connection, row, 50)
        assert table.one(connection, row.digest) == row
        table.seen(connection, row.digest, 60)
        assert table.reseal(connection, row.digest, b"anew")
    with store.writing() as connection:
        assert table.end(connection, row.digest, 70)
        assert not table.end(connection, row.digest, 71)
        assert not table.reseal(connection, row.digest, b"late")
        assert not table.take_turn(connection, row, 80)
        ended = table.one(connection, row.digest)
        assert ended == replace(row, seen_at=60, ended_at=70, sealed=b"")
        assert not table.is_any_over(connection, 69)
        assert table.forget(connection, 70) == 1
        assert table.one(connection, b"e" * 32) is None
    with store.writing() as connection:
        assert table.begin(connection, row)
    erase(store, vault, "ada")
    with store.reading() as connection:
        assert table.one(connection, row.digest) is None
