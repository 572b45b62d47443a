"""Workers die in the middle: what was acknowledged is there, and the rest is settled once, by whoever notices."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.storage.books_of import a_hold, balance, check_log, ended, entry, limit, open_ids, runs, where_of
from tests.storage.worker_processes import RACE_CAP, hold_and_wait, spend_what_is_left, started, work_until_killed

from fairlead.storage.books import SqliteBooks
from fairlead.storage.journal import Journal
from fairlead.storage.recover import open_holds, recover
from fairlead.storage.store import Store
from fairlead.storage.types import Entry, Hold, Write

OpenJournal = Callable[..., Journal]


def orphaned(hold: Hold) -> Entry:
    return Entry(hold.id, 1, b"orphaned " + hold.intent)


def let_go(journal: Journal) -> None:
    """As if somebody had removed the lock of a worker that lives."""
    if isinstance(journal._books, SqliteBooks):
        journal._books._alive.release()
    else:
        journal._books._connection.execute("SELECT pg_advisory_unlock_all()")


def wait_for(path: Path, lines: int) -> None:
    while not path.exists() or path.read_text().count("\n") < lines:
        time.sleep(0.01)


async def test_after_a_kill_what_was_told_is_there_and_recovery_settles_the_rest(
    store: Store, open_journal: OpenJournal, tmp_path: Path
) -> None:
    told = [tmp_path / "told1", tmp_path / "told2"]
    with (
        started(work_until_killed, where_of(store), "dies", told[0]) as dying,
        started(work_until_killed, where_of(store), "lives", told[1]) as living,
    ):
        for path in told:
            await asyncio.to_thread(wait_for, path, 200)
        dying.kill()
        dying.join()
        ended(store, "dies")
        before = {path: path.read_text().count("\n") for path in told}
        await recover(store, open_journal("rescuer"), orphaned)
        assert not {name for name in open_ids(store) if name.startswith("dies")}
        await asyncio.to_thread(wait_for, told[1], before[told[1]] + 50)  # the living one is left alone
        living.kill()
        living.join()
    ended(store, "lives")
    await recover(store, open_journal("second"), orphaned)

    said = Counter(line for path in told for line in path.read_text().splitlines())
    recorded = Counter(runs(store))
    assert open_ids(store) == set()
    assert set(recorded.values()) == {1}
    assert {name for verb, name in map(str.split, said) if verb in ("held", "settled")} <= set(recorded)
    held, spent = balance(store)
    assert held == 0
    orphans = sum(record.startswith(b"orphaned") for record in records(store))
    assert 2 <= orphans <= 34
    assert spent == 7 * (len(recorded) - orphans) + 100 * orphans
    check_log(store)


async def test_many_recoverers_settle_each_hold_once(store: Store, open_journal: OpenJournal, tmp_path: Path) -> None:
    with started(hold_and_wait, where_of(store), "dies", tmp_path / "told"):
        while not (tmp_path / "told").exists():
            await asyncio.sleep(0.01)
        assert await recover(store, open_journal("early"), orphaned) == 0  # it lives
        assert balance(store) == (200, 0)
    ended(store, "dies")
    journals = [open_journal(f"r{number}") for number in range(4)]
    settled = await asyncio.gather(*(recover(store, journal, orphaned) for journal in journals))
    assert sum(settled) == 20
    assert (balance(store), len(runs(store))) == ((0, 200), 20)
    assert "dies" not in store.workers.known()


async def test_a_copy_of_the_database_without_its_locks_is_recovered(store: Store, open_journal: OpenJournal) -> None:
    gone = open_journal("gone")
    await gone.commit(Write(open=a_hold("a", 10, limit(100))))
    gone.close()
    ended(store, "gone")
    assert await recover(store, open_journal(), orphaned) == 1
    assert balance(store) == (0, 10)


async def test_a_worker_never_settles_for_itself_or_for_a_living_one(store: Store, open_journal: OpenJournal) -> None:
    one, other = open_journal("one"), open_journal("other")
    for journal in (one, other):
        await journal.commit(Write(open=a_hold(f"{journal.worker}.1", 10, limit(100))))
    assert await recover(store, one, orphaned) == 0
    assert [hold.id for hold in open_holds(store, "other")] == ["other.1"]


async def test_a_settlement_that_comes_after_recovery_moves_no_money(store: Store, open_journal: OpenJournal) -> None:
    late, rescuer = open_journal("late"), open_journal("rescuer")
    hold = a_hold("a", 10, limit(100))
    await late.commit(Write(open=hold))
    let_go(late)
    assert await recover(store, rescuer, orphaned) == 1
    assert not (await late.commit(Write(close=hold, spent=3, entries=(entry("a"),)))).closed
    assert (balance(store), runs(store)) == ((0, 10), ["a"])


async def test_a_hold_with_an_unreadable_intent_stays_held_and_blocks_no_other(
    store: Store, open_journal: OpenJournal, caplog: pytest.LogCaptureFixture
) -> None:
    gone = open_journal("gone")
    for name in ("bad", "good"):
        await gone.commit(Write(open=a_hold(name, 10, limit(100))))
    gone.close()
    ended(store, "gone")

    def picky(hold: Hold) -> Entry:
        if hold.id == "bad":
            raise ValueError("no intent")
        return orphaned(hold)

    assert await recover(store, open_journal(), picky) == 1
    assert (open_ids(store), balance(store)) == ({"bad"}, (10, 10))
    assert "no intent" in caplog.text


def test_racing_processes_use_a_cap_up_and_never_pass_it(store: Store) -> None:
    with (
        started(spend_what_is_left, where_of(store), "w1") as one,
        started(spend_what_is_left, where_of(store), "w2") as two,
        started(spend_what_is_left, where_of(store), "w3") as three,
    ):
        most = 0
        while one.is_alive() or two.is_alive() or three.is_alive():
            most = max(most, sum(balance(store)))
            time.sleep(0.005)
    held, spent = balance(store)
    assert held == 0
    assert RACE_CAP * 0.95 <= spent <= RACE_CAP
    assert most <= RACE_CAP
    assert spent == sum(balance(store, f"person/{worker}")[1] for worker in ("w1", "w2", "w3"))
    assert spent == 60 * len(runs(store))
    check_log(store)


def records(store: Store) -> list[bytes]:
    from sqlalchemy import select

    from fairlead.storage.schema import log

    store.bring_in_order()
    with store.reading() as connection:
        return [bytes(record) for record in connection.execute(select(log.c.record)).scalars()]
