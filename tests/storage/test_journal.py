"""What every journal promises to those who commit to it."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import insert
from tests.storage.books_of import (
    a_hold,
    balance,
    check_log,
    entry,
    gives_places,
    limit,
    locked,
    only_sqlite,
    open_ids,
    payloads,
    runs,
)
from tests.world import until

from fairlead.errors import Broken, FairleadError, OverBudget, Overloaded
from fairlead.storage import flow_rows
from fairlead.storage.journal import Journal
from fairlead.storage.schema import subject
from fairlead.storage.store import Store
from fairlead.storage.turn import Turn
from fairlead.storage.types import Entry, NewStep, Receipt, Sealed, Write

OpenJournal = Callable[..., Journal]
CAP = limit(1000)


async def all_of(*writes: Write, journal: Journal) -> list[Receipt | FairleadError]:
    """Commits them together, so that they mostly share a group."""
    answers = await asyncio.gather(*(journal.commit(write) for write in writes), return_exceptions=True)
    for answer in answers:
        assert isinstance(answer, Receipt | FairleadError), answer
    return answers  # type: ignore[return-value]


async def test_a_hold_keeps_money_back_and_its_settlement_frees_the_rest(journal: Journal, store: Store) -> None:
    hold = a_hold("run_1.1", 600, CAP)
    assert await journal.commit(Write(open=hold)) == Receipt()
    assert balance(store) == (600, 0)
    assert open_ids(store) == {"run_1.1"}
    receipt = await journal.commit(Write(close=hold, spent=250, entries=(entry("run_1"),)))
    assert receipt == Receipt(closed=True, leaf=0 if gives_places(store) else -1)
    assert balance(store) == (0, 250)
    assert open_ids(store) == set()
    check_log(store)


async def test_what_fits_exactly_is_held_and_one_unit_more_is_refused(journal: Journal, store: Store) -> None:
    await journal.commit(Write(open=a_hold("a", 400, CAP)))
    with pytest.raises(OverBudget) as refused:
        await journal.commit(Write(open=a_hold("b", 601, CAP)))
    assert (refused.value.scope, refused.value.left, refused.value.needed) == ("organisation", 600, 601)
    await journal.commit(Write(open=a_hold("c", 600, CAP)))
    assert balance(store) == (1000, 0)
    assert open_ids(store) == {"a", "c"}


async def test_a_hold_is_refused_by_its_tightest_scope_and_then_held_in_none(journal: Journal, store: Store) -> None:
    wide, narrow = limit(1000), limit(100, "person/kim")
    with pytest.raises(OverBudget) as refused:
        await journal.commit(Write(open=a_hold("a", 500, wide, narrow)))
    assert (refused.value.scope, refused.value.left) == ("person/kim", 100)
    assert balance(store) == balance(store, "person/kim") == (0, 0)


async def test_two_caps_on_one_scope_count_the_money_once_under_the_tighter(journal: Journal, store: Store) -> None:
    both = limit(1000), limit(300)
    with pytest.raises(OverBudget):
        await journal.commit(Write(open=a_hold("a", 301, *both)))
    hold = a_hold("b", 300, *both)
    await journal.commit(Write(open=hold))
    assert balance(store) == (300, 0)
    await journal.commit(Write(close=hold, spent=10))
    assert balance(store) == (0, 10)


async def test_in_a_group_only_those_are_refused_that_do_not_fit_by_their_own_cap(
    journal: Journal, store: Store
) -> None:
    answers = await all_of(
        Write(open=a_hold("a", 700, limit(1000))),
        Write(open=a_hold("b", 400, limit(1000))),  # 1100
        Write(open=a_hold("c", 200, limit(800))),  # would do under the other cap
        Write(open=a_hold("d", 300, limit(1000))),
        journal=journal,
    )
    assert [type(answer) for answer in answers] == [Receipt, OverBudget, OverBudget, Receipt]
    assert balance(store) == (1000, 0)
    assert open_ids(store) == {"a", "d"}


async def test_money_that_a_group_gives_back_can_be_held_again_in_it(journal: Journal, store: Store) -> None:
    first = a_hold("a", 1000, CAP)
    await journal.commit(Write(open=first))
    opening, closing = Write(open=a_hold("b", 900, CAP)), Write(close=first, spent=100)
    answers = await all_of(opening, closing, journal=journal)
    assert answers[1] == Receipt()
    if isinstance(answers[0], OverBudget):  # the first write had a group to itself
        await journal.commit(opening)
    assert balance(store) == (900, 100)


async def test_a_hold_is_settled_once_and_the_second_settlement_leaves_no_trace(journal: Journal, store: Store) -> None:
    hold = a_hold("a", 100, CAP)
    await journal.commit(Write(open=hold))
    settle = Write(close=hold, spent=50, entries=(entry("a"),))
    answers = await all_of(settle, settle, settle, journal=journal)
    assert [answer.closed for answer in answers if isinstance(answer, Receipt)] == [True, False, False]
    again = await journal.commit(Write(close=hold, spent=7, entries=(entry("late"),), open=a_hold("b", 1, CAP)))
    assert again == Receipt(closed=False)
    assert (balance(store), runs(store), open_ids(store)) == ((0, 50), ["a"], set())


async def test_a_missing_hold_takes_no_other_settlement_of_its_group_with_it(journal: Journal, store: Store) -> None:
    holds = [a_hold(str(number), 10, CAP) for number in range(6)]
    await all_of(*(Write(open=hold) for hold in holds[:-1]), journal=journal)
    answers = await all_of(*(Write(close=h, spent=3, entries=(entry(h.id),)) for h in reversed(holds)), journal=journal)
    assert [answer.closed for answer in answers if isinstance(answer, Receipt)] == [False] + [True] * 5
    assert balance(store) == (0, 15)
    check_log(store)


async def test_a_settlement_stays_when_the_next_hold_beside_it_is_over_budget(journal: Journal, store: Store) -> None:
    hold = a_hold("a.1", 900, CAP)
    await journal.commit(Write(open=hold))
    with pytest.raises(OverBudget):
        await journal.commit(Write(close=hold, spent=500, entries=(entry("a"),), open=a_hold("a.2", 900, CAP)))
    assert (balance(store), runs(store), open_ids(store)) == ((0, 500), ["a"], set())


async def test_entries_beside_a_refused_hold_are_not_appended(journal: Journal, store: Store) -> None:
    with pytest.raises(OverBudget):
        await journal.commit(Write(entries=(entry("a"),), open=a_hold("a", 2000, CAP)))
    assert runs(store) == []
    receipt = await journal.commit(Write(entries=(entry("b"), entry("c"))))
    assert receipt.leaf == (0 if gives_places(store) else -1)
    assert runs(store) == ["b", "c"]
    check_log(store)


async def test_a_hold_that_is_closed_before_its_opening_was_awaited_is_found(journal: Journal, store: Store) -> None:
    hold = a_hold("a", 100, CAP)
    for round_ in range(20):  # groups fall differently each time
        answers = await all_of(
            Write(open=hold), Write(close=hold, spent=1, entries=(entry(str(round_)),)), journal=journal
        )
        assert all(isinstance(answer, Receipt) and answer.closed for answer in answers)
    assert balance(store) == (0, 20)


async def test_what_was_queued_is_done_though_nobody_waits_for_it(journal: Journal, store: Store) -> None:
    futures = [journal.commit(Write(open=a_hold(str(number), 10, CAP))) for number in range(5)]
    for future in futures:
        future.cancel()
    await journal.commit(Write(entries=(entry("after"),)))
    assert len(open_ids(store)) == 5


async def test_a_warning_is_given_once_over_all_processes(open_journal: OpenJournal, store: Store) -> None:
    warned = limit(1000, warn=(10,))
    receipts = []
    for number in range(12):
        journal = open_journal(f"w{number}")
        hold = a_hold(str(number), 20, warned)
        await journal.commit(Write(open=hold))
        receipts.append(await journal.commit(Write(close=hold, spent=20)))
    assert [receipt.warnings for receipt in receipts] == [(), (), (), (), (warned,)] + [()] * 7


async def test_a_warning_is_given_once_within_a_group(journal: Journal) -> None:
    warned = limit(1000, warn=(10,))
    holds = [a_hold(str(number), 50, warned) for number in range(8)]
    await all_of(*(Write(open=hold) for hold in holds), journal=journal)
    answers = await all_of(*(Write(close=hold, spent=50) for hold in holds), journal=journal)
    assert sum(len(answer.warnings) for answer in answers if isinstance(answer, Receipt)) == 1


async def test_a_warning_waits_for_somebody_who_gets_a_receipt(journal: Journal) -> None:
    warned = limit(1000, warn=(10,))
    first, second = a_hold("a", 600, warned), a_hold("b", 10, warned)
    await all_of(Write(open=first), Write(open=second), journal=journal)
    with pytest.raises(OverBudget):
        await journal.commit(Write(close=first, spent=600, open=a_hold("c", 900, warned)))
    assert (await journal.commit(Write(close=second, spent=1))).warnings == (warned,)


async def test_a_provider_that_overruns_its_hold_is_debited(journal: Journal, store: Store) -> None:
    hold = a_hold("a", 900, CAP)
    await journal.commit(Write(open=hold))
    await journal.commit(Write(close=hold, spent=5000))
    assert balance(store) == (0, 5000)
    with pytest.raises(OverBudget) as refused:
        await journal.commit(Write(open=a_hold("b", 1, CAP)))
    assert refused.value.left == 0


async def test_sums_near_the_largest_integer_never_overflow(journal: Journal, store: Store) -> None:
    huge = limit(9 * 10**18)
    first, second = a_hold("a", 9 * 10**18, huge), a_hold("b", 9 * 10**18, limit(10**30))
    await journal.commit(Write(open=first))
    with pytest.raises(OverBudget):
        await journal.commit(Write(open=second))
    await journal.commit(Write(close=first, spent=9 * 10**18))
    with pytest.raises(OverBudget):
        await journal.commit(Write(open=second))
    for name in "cd":
        hold = a_hold(name, 0, limit(9 * 10**18, "person/kim"))
        await journal.commit(Write(open=hold))
        await journal.commit(Write(close=hold, spent=9 * 10**18))
    assert balance(store, "person/kim") == (0, 2**63 - 1)


async def test_payloads_come_with_their_records(journal: Journal, store: Store) -> None:
    sealed = Entry("b", 1, b"record", b"spans", Sealed("sub_1", b"ciphertext"))
    await all_of(Write(entries=(entry("a"),)), Write(entries=(sealed, entry("c"))), journal=journal)
    assert payloads(store) == {1: b"ciphertext"}


async def test_journals_on_one_database_make_one_log(open_journal: OpenJournal, store: Store) -> None:
    journals = [open_journal("w1"), open_journal("w2"), open_journal("w3")]
    receipts = await asyncio.gather(
        *(journals[number % 3].commit(Write(entries=(entry(str(number)),))) for number in range(90))
    )
    if gives_places(store):
        assert sorted(receipt.leaf for receipt in receipts) == list(range(90))
        assert [runs(store)[receipt.leaf] for receipt in receipts] == [str(number) for number in range(90)]
    assert sorted(runs(store), key=int) == [str(number) for number in range(90)]
    for number in range(3):  # each journal's entries stay in their order
        assert [run for run in runs(store) if int(run) % 3 == number] == [str(n) for n in range(number, 90, 3)]
    check_log(store)


async def test_a_group_larger_than_the_setting_is_split(open_journal: OpenJournal, store: Store) -> None:
    journal = open_journal(group=7)
    answers = await all_of(*(Write(entries=(entry(str(number)),)) for number in range(100)), journal=journal)
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert runs(store) == [str(number) for number in range(100)]


@pytest.mark.parametrize("write", [Write(open=a_hold("a", -1, CAP)), Write(close=a_hold("a", 1, CAP), spent=-1)])
async def test_a_negative_amount_would_raise_a_budget_and_is_refused(journal: Journal, write: Write) -> None:
    with pytest.raises(Broken, match="negative"):
        await journal.commit(write)


async def test_a_write_that_is_unfit_fails_alone(journal: Journal, store: Store) -> None:
    taken = a_hold("taken", 1, CAP)
    await journal.commit(Write(open=taken))
    nothing: bytes = None  # type: ignore[assignment]
    answers = await all_of(
        Write(entries=(entry("a"),)),
        Write(entries=(Entry("b", 1, nothing),)),
        Write(open=taken),
        Write(open=a_hold("too much", 2**70)),
        Write(open=a_hold("c", 10, CAP), entries=(entry("c"),)),
        journal=journal,
    )
    assert [type(answer) for answer in answers] == [Receipt, Broken, Broken, Broken, Receipt]
    assert (runs(store), open_ids(store), balance(store)) == (["a", "c"], {"taken", "c"}, (11, 0))
    check_log(store)


async def test_closing_makes_durable_what_is_queued(open_journal: OpenJournal, store: Store) -> None:
    journal = open_journal()
    futures = [journal.commit(Write(entries=(entry(str(number)),))) for number in range(300)]
    await asyncio.to_thread(journal.close)
    assert all(receipt.closed for receipt in await asyncio.gather(*futures))
    assert runs(store) == [str(number) for number in range(300)]
    with pytest.raises(Broken, match="ended"):
        await journal.commit(Write(entries=(entry("late"),)))


async def test_a_full_queue_refuses_new_work_and_never_a_settlement(open_journal: OpenJournal, store: Store) -> None:
    journal = open_journal(queue=3)
    hold = a_hold("a", 10, CAP)
    await journal.commit(Write(open=hold))
    with locked(store):
        waiting = [journal.commit(Write(entries=(entry("first"),)))]
        while not journal.is_writing:  # until the writer thread has taken it, and waits for the lock
            await asyncio.sleep(0.001)
        waiting += [journal.commit(Write(entries=(entry(str(number)),))) for number in range(3)]
        with pytest.raises(Overloaded, match="full"):
            journal.commit(Write(open=a_hold("b", 10, CAP)))
        waiting.append(journal.commit(Write(close=hold, spent=1)))
    await asyncio.gather(*waiting)
    assert open_ids(store) == set()


async def test_a_locked_database_refuses_new_work_and_keeps_settlements(
    open_journal: OpenJournal, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.storage.journal._LOCK_WAIT", 0.1)
    journal = open_journal()
    hold = a_hold("a", 10, CAP)
    await journal.commit(Write(open=hold))
    with locked(store):
        settlement = journal.commit(Write(close=hold, spent=4, entries=(entry("a"),)))
        with pytest.raises(Overloaded):
            await journal.commit(Write(open=a_hold("b", 10, CAP)))
        with pytest.raises(Overloaded):  # and now without waiting
            journal.commit(Write(open=a_hold("c", 10, CAP)))
        assert not settlement.done()
    assert (await settlement).closed
    await journal.commit(Write(open=a_hold("d", 10, CAP)))
    assert (balance(store), open_ids(store)) == ((10, 4), {"d"})


async def test_a_settlement_is_given_up_when_patience_ends(open_journal: OpenJournal, store: Store) -> None:
    journal = open_journal(patience=0.2)
    hold = a_hold("a", 10, CAP)
    await journal.commit(Write(open=hold))
    with locked(store), pytest.raises(Broken, match="settlement"):
        await journal.commit(Write(close=hold, spent=4, entries=(entry("a"),)))


async def test_what_was_given_up_is_billed_once_the_database_is_back_though_nothing_else_is_written(
    open_journal: OpenJournal, store: Store
) -> None:
    journal = open_journal(patience=0.2)
    hold = a_hold("a", 10, CAP)
    await journal.commit(Write(open=hold))
    with locked(store):
        with pytest.raises(Broken, match="settlement"):
            await journal.commit(Write(close=hold, spent=4, entries=(entry("a"),), open=a_hold("b", 10, CAP)))
        assert open_ids(store) == {"a"}
    await until(lambda: not open_ids(store))
    assert (balance(store), runs(store)) == ((0, 4), ["a"])
    assert not (await journal.commit(Write(close=hold, spent=4, entries=(entry("a"),)))).closed
    assert (balance(store), runs(store)) == ((0, 4), ["a"])


async def test_a_journal_that_ends_bills_what_was_given_up(open_journal: OpenJournal, store: Store) -> None:
    journal = open_journal(patience=0.2)
    hold = a_hold("a", 10, CAP)
    await journal.commit(Write(open=hold))
    with locked(store), pytest.raises(Broken, match="settlement"):
        await journal.commit(Write(close=hold, spent=4, entries=(entry("a"),)))
    await asyncio.to_thread(journal.close)
    assert (balance(store), runs(store), open_ids(store)) == ((0, 4), ["a"], set())


@only_sqlite
async def test_a_full_disk_refuses_new_work_and_keeps_settlements(
    journal: Journal, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    hold = a_hold("a", 10, CAP)
    await journal.commit(Write(open=hold))
    limit_pages(journal, 1)
    big = b"x" * 200_000
    settlement = journal.commit(Write(close=hold, spent=4, entries=(Entry("a", 1, big),)))
    with pytest.raises(Overloaded, match="cannot be recorded just now") as refused:
        await journal.commit(Write(open=a_hold("b", 10, CAP), entries=(Entry("b", 1, big),)))
    words = "database or disk is full"
    assert words in caplog.text
    assert words not in f"{refused.value} {refused.value.why}"  # what a client is told as well
    assert (settlement.done(), balance(store)) == (False, (10, 0))
    limit_pages(journal, 2**30)
    assert (await settlement).closed
    assert (balance(store), runs(store)) == ((0, 4), ["a"])
    check_log(store)


@only_sqlite
async def test_a_stuck_database_refuses_new_work_and_loses_no_settlement(
    journal: Journal, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.storage.journal._LOCK_WAIT", 0.05)
    hold = a_hold("a", 10, CAP)
    await journal.commit(Write(open=hold))
    stopped = Turn(store.locks)
    stopped.take()  # a process was stopped in the middle of its turn
    settlement = journal.commit(Write(close=hold, spent=4))
    while not journal.is_writing:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.1)  # longer than it may write
    with pytest.raises(Overloaded, match="just now"):
        journal.commit(Write(open=a_hold("b", 10, CAP)))
    stopped.end()
    assert (await settlement).closed


@only_sqlite
async def test_a_damaged_head_fails_every_write_and_not_the_thread(journal: Journal, store: Store) -> None:
    await journal.commit(Write(entries=(entry("a"),)))
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE tree SET peaks = x'00'")
    for answer in await all_of(*(Write(entries=(entry(str(n)),)) for n in range(3)), journal=journal):
        assert isinstance(answer, Broken)
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM log")
        connection.exec_driver_sql("DELETE FROM tree")
    assert (await journal.commit(Write(entries=(entry("b"),)))).leaf == 0


async def test_one_worker_has_one_journal(open_journal: OpenJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.storage.worker_lock._PAUSE", 0.0)
    open_journal("same")
    with pytest.raises(Broken, match="held by another"):
        open_journal("same")


def limit_pages(journal: Journal, pages: int) -> None:
    journal._books._database._connection.execute(f"PRAGMA max_page_count={pages}")


async def test_a_step_of_a_flow_is_kept_with_its_write_and_with_none_that_is_refused(
    journal: Journal, store: Store
) -> None:
    with store.writing() as connection:
        connection.execute(
            insert(subject).values(id="s1", lookup=b"l", wrapped_key=b"k", sealed_name=b"n", created_at=0)
        )

    def step(name: str, of: str = "s1") -> NewStep:
        return NewStep(id=name, flow="f", subject=of, at=1, size=3, sealed=b"abc")

    kept, gone, refused, again = await all_of(
        Write(open=a_hold("run_1.1", 600, CAP), step=step("one")),
        Write(open=a_hold("run_2.1", 100, CAP), step=step("two", "nobody")),
        Write(open=a_hold("run_3.1", 600, CAP), step=step("three")),
        Write(entries=(entry("run_4"),), step=step("four")),
        journal=journal,
    )
    assert kept == Receipt()
    assert gone == Receipt(remembered=False)
    assert isinstance(refused, OverBudget)
    assert isinstance(again, Receipt)
    assert again.remembered
    with store.reading() as connection:
        assert flow_rows.ids(connection, "f") == {"one", "four"}
    assert open_ids(store) == {"run_1.1", "run_2.1"}
