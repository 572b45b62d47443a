"""A turn of a conversation is kept in the commit of its bill, or nowhere; and no bill fails for a turn."""

import asyncio
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select
from tests.erased import erase
from tests.storage.books_of import a_hold, balance, entry, limit, only_postgres, open_ids, runs
from tests.storage.wire import Wire

from fairlead.clock import SystemClock
from fairlead.storage import example_rows, outcome_rows
from fairlead.storage.books import Books, open_books
from fairlead.storage.journal import Journal
from fairlead.storage.personal_tables import session_turn
from fairlead.storage.postgres import PostgresDatabase
from fairlead.storage.sessions import Owner, Past, Sessions, Turn
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import NewExample, NewOutcome, NewTurn, Receipt, Write
from fairlead.storage.vault import Vault

KIM = Owner("kim", "")
HOLD = a_hold("run_1.1", 5, limit(100))


@pytest.fixture
def vault(store: Store) -> Vault:
    return Vault(bytes(32), StoredSubjects(store), SystemClock())


@pytest.fixture
def sessions(store: Store, vault: Vault) -> Sessions:
    return Sessions(store, vault, SystemClock(), keep=60_000)


@pytest.fixture
def books(store: Store) -> Iterator[Books]:
    opened = open_books(store, "worker_1", SystemClock(), JournalSettings(synchronous="normal"), 2.0)
    yield opened
    opened.end()


def a_turn(sessions: Sessions, id_: str, *, session: str = "", begins: bytes | None = None) -> NewTurn:
    past = sessions.recall(KIM, session=session, new=True) if session else Past()
    return sessions.new_turn(KIM, Turn(id=id_, messages=id_.encode()), past, session=session, begins=begins)


def said(sessions: Sessions, **where: str) -> list[bytes]:
    return [turn.messages for turn in sessions.recall(KIM, new=True, **where).turns]  # type: ignore[arg-type]


def turns(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(session_turn)).scalar_one())


def test_a_turn_is_kept_with_the_bill(store: Store, sessions: Sessions, books: Books) -> None:
    books.write([Write(open=HOLD)])
    (receipt,) = books.write([Write(close=HOLD, spent=3, entries=(entry("run_1"),), turn=a_turn(sessions, "t_1"))])
    assert isinstance(receipt, Receipt)
    assert (receipt.closed, receipt.remembered) == (True, True)
    assert said(sessions, previous="t_1") == [b"t_1"]
    assert (balance(store), runs(store)) == ((0, 3), ["run_1"])


def test_a_conversation_begins_with_its_first_turn_and_goes_on(sessions: Sessions, books: Books) -> None:
    for id_ in ("t_1", "t_2", "t_3"):
        (receipt,) = books.write([Write(entries=(entry(id_),), turn=a_turn(sessions, id_, session="s", begins=b"s"))])
        assert isinstance(receipt, Receipt)
        assert receipt.remembered
    assert said(sessions, session="s") == [b"t_1", b"t_2", b"t_3"]
    assert sessions.session(KIM, "s").about == b"s"


def test_two_turns_of_one_group_follow_each_other(sessions: Sessions, books: Books) -> None:
    both = [a_turn(sessions, id_, session="s", begins=b"s") for id_ in ("t_1", "t_2")]
    books.write([Write(entries=(entry(turn.id),), turn=turn) for turn in both])
    assert said(sessions, session="s") == [b"t_1", b"t_2"]


def test_one_that_had_expired_begins_anew(store: Store, vault: Vault, sessions: Sessions, books: Books) -> None:
    books.write([Write(turn=a_turn(sessions, "t_1", session="s", begins=b"s"))])
    sessions.keep = 0  # everything has expired by the next millisecond
    while sessions.recall(KIM, session="s", new=True).turns:
        continue
    late = a_turn(sessions, "t_2", session="s", begins=b"s")
    sessions.keep = 60_000
    books.write([Write(turn=late)])
    assert said(sessions, session="s") == [b"t_2"]


def test_a_bill_stands_though_its_conversation_was_deleted_meanwhile(
    store: Store, sessions: Sessions, books: Books
) -> None:
    made = sessions.begin(KIM, b"{}")
    turn = a_turn(sessions, "t_1", session=made.id)
    sessions.forget_session(KIM, made.id)
    books.write([Write(open=HOLD)])
    (receipt,) = books.write([Write(close=HOLD, spent=3, entries=(entry("run_1"),), turn=turn)])
    assert isinstance(receipt, Receipt)
    assert (receipt.closed, receipt.remembered) == (True, False)
    assert (balance(store), runs(store), turns(store)) == ((0, 3), ["run_1"], 0)


def test_a_bill_stands_though_its_person_was_erased_meanwhile(
    store: Store, vault: Vault, sessions: Sessions, books: Books
) -> None:
    turn = a_turn(sessions, "t_1", session="s", begins=b"s")
    other = sessions.new_turn(Owner("lee", ""), Turn(id="t_2", messages=b"x"), Past())
    erase(store, vault, "kim")
    books.write([Write(open=HOLD)])
    settled = Write(close=HOLD, spent=3, entries=(entry("run_1"),), turn=turn)
    first, second = books.write([settled, Write(entries=(entry("run_2"),), turn=other)])
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert (first.remembered, second.remembered) == (False, True)
    _erased, *rest = runs(store)
    assert (balance(store), rest, turns(store)) == ((0, 3), ["run_1", "run_2"], 1)


def test_a_turn_whose_bill_recovery_has_settled_is_not_kept(store: Store, sessions: Sessions, books: Books) -> None:
    (receipt,) = books.write([Write(close=HOLD, spent=3, entries=(entry("x"),), turn=a_turn(sessions, "t_1"))])
    assert isinstance(receipt, Receipt)
    assert not receipt.closed
    assert (turns(store), runs(store), open_ids(store)) == (0, [], set())


def test_of_what_one_says_of_a_run_the_latest_is_kept_and_of_the_erased_nothing(
    store: Store, vault: Vault, books: Books
) -> None:
    kim = vault.subject_for("kim").id
    said = [
        NewOutcome(
            run="run_1", by=by, subject=kim, entry=f"out_{at}", at=at, source="feedback", task="chat", model="m",
            score=score, weight=1000,
        )
        for at, (by, score) in enumerate((("a", 10_000), ("b", 5_000), ("a", 0)), 1)
    ]  # fmt: skip
    told = books.write([Write(entries=(entry(each.entry),), outcome=each) for each in said])
    assert [each.remembered for each in told if isinstance(each, Receipt)] == [True] * 3
    with store.reading() as connection:
        assert list(outcome_rows.outcomes_since(connection, 0)) == [said[2], said[1]]
    erase(store, vault, "kim")
    (late,) = books.write([Write(entries=(entry("out_4"),), outcome=said[0])])
    assert isinstance(late, Receipt)
    assert not late.remembered
    with store.reading() as connection:
        assert list(outcome_rows.outcomes_since(connection, 0)) == []


def test_of_what_one_teaches_the_latest_is_kept_with_its_record_and_of_the_erased_nothing(
    store: Store, vault: Vault, books: Books
) -> None:
    kim, lee = vault.subject_for("kim").id, vault.subject_for("lee").id
    said = NewExample(
        id="ex_1", subject=kim, by=lee, tenant="", department="", source="correction", task="chat", workflow="", run="",
        place="", action="run_1", reason="corrected", code="", revision="r", snapshot="s", data_class=1, at=1,
        sealed=b"first",
    )  # fmt: skip
    later = replace(said, at=2, data_class=2, sealed=b"second")
    told = books.write([Write(entries=(entry(f"out_{each.at}"),), example=each) for each in (said, later)])
    assert [each.remembered for each in told if isinstance(each, Receipt)] == [True] * 2
    assert _examples(store) == [later]
    with store.writing() as connection:
        assert example_rows.keep(connection, replace(later, at=3))
    assert [each.at for each in _examples(store)] == [3]
    erase(store, vault, "lee")
    assert _examples(store) == []
    (late,) = books.write([Write(entries=(entry("out_4"),), example=said)])
    assert isinstance(late, Receipt)
    assert not late.remembered
    with store.writing() as connection:
        assert not example_rows.keep(connection, said)
    assert (_examples(store), "out_4" in runs(store)) == ([], True)


def _examples(store: Store) -> list[NewExample]:
    with store.reading() as connection:
        return list(example_rows.examples(connection, example_rows.Which()))


@only_postgres
@pytest.mark.parametrize("heard", [True, False])
async def test_an_answer_that_is_lost_tells_what_was_remembered(store: Store, sessions: Sessions, heard: bool) -> None:
    gone = sessions.begin(KIM, b"{}")
    kept, lost = a_turn(sessions, "t_1"), a_turn(sessions, "t_2", session=gone.id)
    sessions.forget_session(KIM, gone.id)
    assert isinstance(store.database, PostgresDatabase)
    with Wire(store.database.url) as wire:
        journal = Journal(Store(wire.url), "w", SystemClock(), JournalSettings(patience=20))
        wire.cut(b"COMMIT", heard=heard)
        receipts = await asyncio.gather(
            *(journal.commit(Write(entries=(entry(turn.id),), turn=turn)) for turn in (kept, lost))
        )
        await asyncio.to_thread(journal.close)
        assert wire.cuts == 1
    assert [receipt.remembered for receipt in receipts] == [True, False]
    assert (turns(store), sorted(runs(store))) == (1, ["t_1", "t_2"])
