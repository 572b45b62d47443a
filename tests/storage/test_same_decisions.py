"""The same histories of groups come to the same on both databases: `group.py` is what both mean.

On SQLite `decide` is called as it stands, on PostgreSQL its counterpart in SQL.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from sqlalchemy import select
from tests.databases import Lent
from tests.storage.books_of import check_log, entry, limit

from fairlead.clock import SystemClock
from fairlead.errors import OverBudget
from fairlead.storage.books import Books, open_books
from fairlead.storage.schema import budget, hold, log, payload
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store
from fairlead.storage.types import Entry, Hold, Receipt, ScopeLimit, Sealed, Write

WRITTEN = ("hold", "budget", "log", "payload", "tree", "arrived", "last_group")
SCOPES = ("organisation", "person/kim", "person/lee", "task/Ärger", "department/a")
MOST = 2**63 - 1
amounts = st.one_of(st.integers(0, 60), st.sampled_from([0, 1, 2**62, MOST]))
limits = st.lists(
    st.builds(
        lambda scope, cap, shares, period: ScopeLimit(scope, period, cap, shares),
        st.sampled_from(SCOPES),
        st.one_of(st.integers(0, 120), st.sampled_from([2**62, MOST, 2**64 - 1])),
        st.sampled_from([(), (50,), (1, 50, 100)]),
        st.sampled_from(["2026-11", "all"]),
    ),
    max_size=4,
).map(tuple)


class Step(Struct, frozen=True):
    """A write, as chances: which of the holds so far it closes (counted in rounds)."""

    closes: int | None
    spent: int
    opens: tuple[int, tuple[ScopeLimit, ...]] | None
    entries: int
    sealed: bool


steps = st.builds(
    Step,
    st.one_of(st.none(), st.integers(0, 50)),
    amounts,
    st.one_of(st.none(), st.tuples(amounts, limits)),
    st.integers(0, 2),
    st.booleans(),
)
histories = st.lists(st.tuples(st.integers(0, 1), st.lists(steps, max_size=6)), max_size=8)


def groups(history: Sequence[tuple[int, Sequence[Step]]]) -> Iterator[tuple[int, list[Write]]]:
    """The history as writes. A hold is in one write of a group only, as the journal sees to."""
    holds: list[Hold] = []
    for number, (writer, group) in enumerate(history):
        writes, used, known = [], set[str](), len(holds)
        for position, step in enumerate(group):
            closing = holds[step.closes % known] if step.closes is not None and known else None
            if closing is not None and closing.id in used:
                closing = None
            opening = None
            if step.opens is not None:
                opening = Hold(f"run_{number}.{position}", step.opens[0], step.opens[1], b"{}")
                holds.append(opening)
            used |= {each.id for each in (closing, opening) if each is not None}
            made = [entry(f"run_{number}_{position}_{n}") for n in range(step.entries)]
            if made and step.sealed:
                made[0] = Entry(made[0].run, 5, made[0].record, b"spans", Sealed("s_1", b"sealed"))
            writes.append(Write(close=closing, spent=step.spent, entries=tuple(made), open=opening))
        yield writer, writes


def told(answer: Receipt | OverBudget) -> tuple[object, ...]:
    if isinstance(answer, Receipt):
        return "done", answer.closed, answer.warnings
    return "over", answer.scope, answer.period, answer.left, answer.needed


def state(store: Store) -> dict[str, object]:
    """Everything that the journal writes, but for the times and workers of holds."""
    store.bring_in_order()
    check_log(store)
    entries, payloads = select(log).order_by(log.c.seq), select(payload).order_by(payload.c.seq)
    with store.reading() as connection:
        rows = connection.execute(select(budget).order_by(budget.c.scope, budget.c.period)).all()
        return {
            "budget": [tuple(row) for row in rows if row.held or row.spent or row.told],
            "hold": connection.execute(select(hold.c.id, hold.c.amount).order_by(hold.c.id)).all(),
            "log": [(r.seq, r.run, r.at, bytes(r.record), bytes(r.spans)) for r in connection.execute(entries)],
            "payload": [(r.seq, r.subject, bytes(r.ciphertext)) for r in connection.execute(payloads)],
        }


def writers(store: Store) -> list[Books]:
    plain = JournalSettings(synchronous="normal")
    return [open_books(store, f"w{number}", SystemClock(), plain, 1.0) for number in range(2)]


def test_both_databases_decide_alike(lent: Lent, empty_database: Path, tmp_path: Path) -> None:
    url = lent.lend()
    server = Store.open(url)
    on_server = writers(server)
    numbers = iter(range(10**6))

    @given(histories)
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def alike(history: list[tuple[int, list[Step]]]) -> None:
        path = tmp_path / f"{next(numbers)}.db"
        shutil.copy(empty_database, path)
        file = Store.open(path)
        server.bring_in_order()
        with server.writing() as connection:  # not TRUNCATE: it locks tables, in another order than the sequencers do
            connection.exec_driver_sql("; ".join(f"DELETE FROM {table}" for table in WRITTEN))
        in_file = writers(file)
        try:
            for writer, writes in groups(history):
                answers = [[told(each) for each in books[writer].write(writes)] for books in (in_file, on_server)]
                assert answers[0] == answers[1]
            assert state(file) == state(server)
        finally:
            for books in in_file:
                books.end()
            file.close()
            path.unlink()

    try:
        alike()
    finally:
        for books in on_server:
            books.end()
        server.close()
        lent.take_back(url)


def test_a_scope_limit_beyond_every_number_is_kept_as_the_largest() -> None:
    from fairlead.storage.postgres_group import Flat

    flat = Flat([Write(open=Hold("a", 1, (limit(2**70),), b""))])
    assert MOST in flat.arguments[-8]
