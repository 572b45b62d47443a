"""The journal on PostgreSQL when the connection or the server goes away: nothing is lost, and nothing is done twice."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.postgres import Server
from tests.storage.books_of import a_hold, balance, check_log, ended, entry, limit, only_postgres, open_ids, runs
from tests.storage.conftest import OpenJournal
from tests.storage.wire import Wire
from tests.world import wait_until

from fairlead.clock import SystemClock
from fairlead.errors import Broken, Overloaded
from fairlead.storage import postgres
from fairlead.storage.journal import Journal
from fairlead.storage.postgres import PostgresDatabase
from fairlead.storage.postgres_locks import SessionLocks
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Away, Store
from fairlead.storage.types import Entry, Receipt, Write

pytestmark = only_postgres
CAP = limit(1000)


@pytest.fixture
def wire(store: Store) -> Iterator[Wire]:
    assert isinstance(store.database, PostgresDatabase)
    with Wire(store.database.url) as made:
        yield made


@pytest.fixture
async def journal(wire: Wire) -> Journal:
    """One whose connection runs over the wire."""
    made = Journal(Store(wire.url), "w", SystemClock(), JournalSettings(patience=20))
    yield made
    await asyncio.to_thread(made.close)


@pytest.mark.parametrize("heard", [True, False])
async def test_a_settlement_whose_answer_is_lost_is_settled_once(
    journal: Journal, store: Store, wire: Wire, heard: bool
) -> None:
    hold = a_hold("a", 100, limit(1000, warn=(3,)))
    await journal.commit(Write(open=hold))
    wire.cut(b"record of the settlement", heard=heard)
    entries = (Entry("a", 1, b"record of the settlement"),)
    receipt = await journal.commit(Write(close=hold, spent=40, entries=entries))
    assert wire.cuts == 1
    assert (receipt.closed, receipt.warnings) == (True, hold.limits)
    assert (balance(store), open_ids(store), runs(store)) == ((0, 40), set(), ["a"])
    check_log(store)


@pytest.mark.parametrize("heard", [True, False])
async def test_who_was_refused_while_the_outcome_was_unknown_leaves_no_hold(
    journal: Journal, store: Store, wire: Wire, heard: bool
) -> None:
    hold = a_hold("a", 100, CAP)
    await journal.commit(Write(open=hold))
    wire.cut(b"record of the settlement", heard=heard, stay_down=True)
    settling = journal.commit(Write(close=hold, spent=40, entries=(Entry("a", 1, b"record of the settlement"),)))
    refused = journal.commit(Write(open=a_hold("b", 100, CAP)))
    with pytest.raises(Overloaded):
        await refused
    with pytest.raises(Overloaded):
        journal.commit(Write(open=a_hold("c", 100, CAP)))
    wire.is_down = False
    assert (await settling).closed
    await journal.commit(Write(entries=(entry("next"),)))
    assert (balance(store), open_ids(store), runs(store)) == ((0, 40), set(), ["a", "next"])


async def test_a_hold_whose_answer_is_lost_is_given_back_if_its_caller_was_refused(
    journal: Journal, store: Store, wire: Wire
) -> None:
    wire.cut(b'"run":"a"', heard=True, stay_down=True)
    with pytest.raises(Overloaded):
        await journal.commit(Write(open=a_hold("a", 100, CAP)))
    assert open_ids(store) == {"a"}  # it had been heard
    wire.is_down = False
    journal._books.pulse = 0.01
    while open_ids(store):  # an idle journal finds out by itself
        await asyncio.sleep(0.05)
    assert balance(store) == (0, 0)


async def test_a_given_up_settlement_that_had_been_heard_can_be_asked_for_again(store: Store, wire: Wire) -> None:
    journal = Journal(Store(wire.url), "w", SystemClock(), JournalSettings(patience=0.3))
    hold = a_hold("a", 100, CAP)
    await journal.commit(Write(open=hold))
    wire.cut(b"record of the settlement", heard=True, stay_down=True)
    settle = Write(
        close=hold, spent=40, entries=(Entry("a", 1, b"record of the settlement"),), open=a_hold("b", 9, CAP)
    )
    with pytest.raises(Broken, match="settlement"):
        await journal.commit(settle)
    wire.is_down = False
    await journal.commit(Write(entries=(entry("next"),)))
    assert (balance(store), open_ids(store), runs(store)) == ((0, 40), set(), ["a", "next"])
    await asyncio.to_thread(journal.close)


async def test_a_server_that_is_restarted_under_load_loses_and_doubles_nothing(
    postgres: Server, store: Store, open_journal: OpenJournal
) -> None:
    journals = [open_journal(f"host_{number}", patience=30) for number in range(2)]
    told, stopping = list[str](), asyncio.Event()

    async def lane(number: int) -> None:
        journal, count = journals[number % 2], 0
        while not stopping.is_set():
            count += 1
            hold = a_hold(f"{number}-{count}", 100, limit(10**9), limit(10**9, f"person/{number}"))
            try:
                await journal.commit(Write(open=hold))
            except Overloaded:
                await asyncio.sleep(0.02)
                continue
            assert (await journal.commit(Write(close=hold, spent=7, entries=(entry(hold.id),)))).closed
            told.append(hold.id)

    async def restarts() -> None:
        for _ in range(3):
            seen = len(told)
            while len(told) < seen + 100:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(postgres.restart)
        seen = len(told)
        while len(told) < seen + 100:
            await asyncio.sleep(0.01)
        stopping.set()

    await asyncio.gather(restarts(), *(lane(number) for number in range(12)))
    recorded = Counter(runs(store))
    assert recorded == Counter(told)
    assert max(recorded.values()) == 1
    for journal in journals:  # what was opened for a caller who was refused has been given back
        await journal.commit(Write(entries=()))
    assert (balance(store), open_ids(store)) == ((0, 7 * len(told)), set())
    check_log(store)


async def test_a_worker_whose_session_was_cut_is_not_taken_for_dead(store: Store, open_journal: OpenJournal) -> None:
    journal = open_journal("lives")
    await journal.commit(Write(open=a_hold("a", 10, CAP)))
    assert isinstance(store.workers, SessionLocks)
    store.workers.grace = 8.0
    assert store.workers.known() == ["lives"]
    assert store.workers.seize("lives", 100.0) is None
    end_sessions(store)
    assert store.workers.seize("lives", 200.0) is None  # free, but for the first time
    receipt = await journal.commit(Write(entries=(entry("b"),)))  # and it has its lock again
    assert isinstance(receipt, Receipt)
    assert store.workers.seize("lives", 300.0) is None
    journal.close()
    ended(store, "lives")
    assert store.workers.seize("lives", 400.0) is None
    assert store.workers.seize("lives", 407.9) is None
    lock = store.workers.seize("lives", 408.0)
    assert lock is not None
    lock.release()


async def test_an_idle_worker_gets_its_lock_again_by_itself(store: Store, open_journal: OpenJournal) -> None:
    journal = open_journal("lives")
    journal._books.pulse = 0.01
    await journal.commit(Write(open=a_hold("a", 10, CAP)))
    assert isinstance(store.workers, SessionLocks)
    for _ in range(3):
        end_sessions(store)
        while _is_free(store, "lives"):
            await asyncio.sleep(0.02)
    assert (await journal.commit(Write(close=a_hold("a", 10, CAP), spent=1))).closed


def test_who_stands_still_in_the_midst_of_writing_keeps_others_from_it_only_for_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "= '20s'" in postgres._WRITE
    monkeypatch.setattr(postgres, "_WRITE", postgres._WRITE.replace("20s", "300ms"))
    with pytest.raises(Away, match="cannot be used"), store.writing() as frozen:
        mine = frozen.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with store.writing() as other:  # waits for the lock, which the server takes away
            assert other.exec_driver_sql("SELECT pg_backend_pid()").scalar() != mine
        frozen.exec_driver_sql("SELECT 1")


def _is_free(store: Store, worker: str) -> bool:
    lock = store.workers.seize(worker, 0)
    if lock is not None:
        lock.release()
    return lock is not None


def end_sessions(store: Store) -> None:
    """As when a network fails: every journal's session ends."""
    with store.reading() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fairlead lives%%'"
        )


async def test_a_damaged_head_stops_new_work_and_loses_no_entry(journal: Journal, store: Store) -> None:
    await journal.commit(Write(entries=(entry("a"),)))
    store.bring_in_order()
    with store.writing() as connection:
        kept = connection.exec_driver_sql("SELECT peaks FROM tree").scalar()
        connection.exec_driver_sql("UPDATE tree SET peaks = '\\x00'")
    await journal.commit(Write(entries=(entry("b"),)))
    with pytest.raises(Broken) as told:
        store.bring_in_order()
    assert "damaged" in told.value.why
    while not journal._books._sequencer.damage:
        await asyncio.sleep(0.01)
    with pytest.raises(Overloaded):
        await journal.commit(Write(open=a_hold("new", 1, CAP)))
    await journal.commit(Write(entries=(entry("c"),)))
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE tree SET peaks = %s", (kept,))
    assert runs(store) == ["a", "b", "c"]
    check_log(store)


def test_a_pooled_connection_that_the_server_ended_is_replaced(store: Store) -> None:
    with store.reading() as connection:
        mine = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with PostgresDatabase(store.database.url)._asking() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (mine,))
    for kind in (store.reading, store.writing):
        with kind() as connection:
            assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() != mine


def test_an_office_is_asked_for_over_one_session_and_given_back(store: Store) -> None:
    database, other = store.database, PostgresDatabase(store.database.url)
    for _ in range(3):
        with database.elected("tea") as mine, other.elected("tea") as theirs, database.elected("ink") as also:
            assert (mine, theirs, also) == (True, False, True)
    with pytest.raises(ZeroDivisionError), database.elected("tea"):
        raise ZeroDivisionError

    def is_free() -> bool:
        with other.elected("tea") as theirs:
            return theirs

    def sessions() -> int:
        with store.reading() as connection:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fairlead offices'"
            return int(connection.exec_driver_sql(f"{asked} AND datname = current_database()").scalar() or 0)

    wait_until(is_free)  # the server notices the end of a session a moment after we have closed it
    wait_until(lambda: sessions() == 2)
    other.close()
