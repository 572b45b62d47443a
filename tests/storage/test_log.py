"""The log is read as it stands at one moment, run by run, and as it is: also where somebody has damaged it."""

from pathlib import Path

import pytest
from tests.storage.books_of import only_sqlite, tampered
from tests.storage.conftest import OpenJournal

from fairlead.audit import Frontier, leaf_hash
from fairlead.errors import BadInput, NotFound
from fairlead.storage.database import Where
from fairlead.storage.log import KeptPayload, Log
from fairlead.storage.run_names import latest_runs
from fairlead.storage.store import Store
from fairlead.storage.types import Entry, Sealed, Write


def entry(run: str, at: int, spans: bytes = b"spans", payload: Sealed | None = None) -> Entry:
    return Entry(run, at, b"record of " + run.encode(), spans, payload)


@pytest.fixture
async def log(store: Store, open_journal: OpenJournal) -> Log:
    """Five rows: run_a001 in two of them, the last without spans."""
    journal = open_journal()
    sealed = Sealed("s_1", b"ciphertext")
    rows = [
        entry("run_a001", 10),
        entry("run_a001", 20, payload=sealed),
        entry("run_a002", 30),
        entry("run_b001", 40),
        entry("run_c001", 50, spans=b""),
    ]
    await journal.commit(Write(entries=tuple(rows)))
    return Log(store)


def test_the_latest_rows_come_first(log: Log) -> None:
    assert [row.run for row in log.latest(2)] == ["run_c001", "run_b001"]
    assert [row.at for row in log.since(30)] == [30, 40, 50]


def test_a_run_is_found_by_its_name_its_beginning_or_as_the_last_that_has_a_trace(log: Log) -> None:
    assert [row.seq for row in log.of_run("run_a001")] == [0, 1]
    assert [row.run for row in log.of_run("run_b")] == ["run_b001"]
    assert [row.run for row in log.of_run("last")] == ["run_b001"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("run_a", "several runs"), ("run_x", "no run"), ("run", "no run"), ("run_%", "no run"), ("", "no run")],
)
def test_a_name_that_stands_for_no_one_run_is_not_found(log: Log, name: str, said: str) -> None:
    with pytest.raises(NotFound, match=said) as told:
        log.of_run(name)
    assert "fairlead runs" in told.value.mend


def test_an_empty_log_says_how_to_fill_it(store: Store) -> None:
    with pytest.raises(NotFound, match="no run yet") as told:
        Log(store).of_run("last")
    assert "fairlead ask" in told.value.mend
    assert Log(store).latest(3) == []
    with Log(store).at_one_moment() as moment:
        assert (moment.head(), moment.checkpoints(), moment.last_signed()) == (Frontier(), (), None)
        assert list(moment.records()) == []


def test_a_moment_does_not_see_what_is_appended_meanwhile(log: Log, store: Store) -> None:
    with log.at_one_moment() as moment:
        head = moment.head()
        tampered(store, "INSERT INTO log VALUES (5, 'run_d001', 60, '', '')")
        records = [record for _, record in moment.records()]
    assert head.size == len(records) == 5
    assert Frontier().extend(map(leaf_hash, records)) == head


def test_payloads_come_with_the_record_that_they_belong_to(log: Log) -> None:
    kept = KeptPayload(1, "s_1", b"ciphertext")
    assert log.payload(1) == kept
    assert log.payload(0) is None
    with log.at_one_moment() as moment:
        assert list(moment.payloads()) == [(kept, b"record of run_a001")]


@only_sqlite
def test_a_record_that_was_replaced_by_text_is_read_as_its_bytes(log: Log, store: Store) -> None:
    tampered(store, "UPDATE log SET record = 'no bytes', spans = 'none' WHERE seq = 0")
    damaged, _ = log.of_run("run_a001")
    assert (damaged.record, damaged.spans) == (b"no bytes", b"none")


def test_a_name_that_a_database_cannot_hold_is_bad_input(store: Store) -> None:
    with pytest.raises(BadInput):
        Log(store).of_run("run_\0")


def test_names_for_the_shell_are_the_latest(log: Log, store: Store, where: Where) -> None:
    store.bring_in_order()
    assert latest_runs(where) == ["run_c001", "run_b001", "run_a002", "run_a001"]
    assert latest_runs(where, rows=2) == ["run_c001", "run_b001"]


def test_there_are_no_names_where_there_is_no_database(tmp_path: Path) -> None:
    assert latest_runs(tmp_path / "absent.db") == []
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    assert latest_runs(broken) == []
    assert latest_runs("postgresql://127.0.0.1:1/nobody") == []
