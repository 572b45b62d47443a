"""What a database says about money and record, for tests to compare with what they were told."""

import sqlite3
import time
from typing import Any

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import func, select

from fairlead.audit.merkle import Frontier, leaf_hash
from fairlead.storage import postgres
from fairlead.storage.schema import budget, hold, log, payload, tree
from fairlead.storage.sqlite import SqliteDatabase
from fairlead.storage.store import Store
from fairlead.storage.types import Entry, Hold, ScopeLimit

NOVEMBER = "2026-11"

# For what only one kind of database does.
only_sqlite = pytest.mark.parametrize("where", ["sqlite"], indirect=True)
only_postgres = pytest.mark.parametrize("where", ["postgres"], indirect=True)


def gives_places(store: Store) -> bool:
    """Whether a receipt tells the entry's place. On PostgreSQL it is given afterwards."""
    return isinstance(store.database, SqliteDatabase)


def where_of(store: Store) -> str:
    """Its address, for another process."""
    return str(store.path) if isinstance(store.database, SqliteDatabase) else store.database.url


def ended(store: Store, worker: str) -> None:
    """Returns once nothing on the server is the worker's any more: a session ends a moment after who held it."""
    if isinstance(store.database, SqliteDatabase):
        return
    asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"
    with store.engine.connect() as connection:
        while connection.exec_driver_sql(asked, (f"fairlead {worker}",)).scalar():
            time.sleep(0.01)


def tampered(store: Store, *statements: str) -> None:
    """What somebody does who can write the database by hand."""
    with store.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def limit(cap: int, scope: str = "organisation", warn: tuple[int, ...] = ()) -> ScopeLimit:
    return ScopeLimit(scope, NOVEMBER, cap, warn)


def a_hold(name: str, amount: int, *limits: ScopeLimit) -> Hold:
    return Hold(name, amount, limits, b'{"run":"' + name.encode() + b'"}')


def entry(run: str) -> Entry:
    return Entry(run, 1, b"record of " + run.encode())


def balance(store: Store, scope: str = "organisation") -> tuple[int, int]:
    """Held and spent."""
    with store.reading() as connection:
        row = connection.execute(select(budget.c.held, budget.c.spent).where(budget.c.scope == scope)).first()
    return (row.held, row.spent) if row else (0, 0)


def open_ids(store: Store) -> set[str]:
    with store.reading() as connection:
        return set(connection.execute(select(hold.c.id)).scalars())


def runs(store: Store) -> list[str]:
    """The runs in the log's order."""
    store.bring_in_order()
    with store.reading() as connection:
        return list(connection.execute(select(log.c.run).order_by(log.c.seq)).scalars())


def payloads(store: Store) -> dict[int, bytes]:
    store.bring_in_order()
    with store.reading() as connection:
        return {row.seq: bytes(row.ciphertext) for row in connection.execute(select(payload))}


def check_log(store: Store) -> None:
    """The log has no gap, and the tree's head is that of its records."""
    store.bring_in_order()
    with store.reading() as connection:
        rows = connection.execute(select(log.c.seq, log.c.record).order_by(log.c.seq)).all()
        head = connection.execute(select(tree.c.size, tree.c.peaks)).first()
    assert [row.seq for row in rows] == list(range(len(rows)))
    grown = Frontier().extend(leaf_hash(bytes(row.record)) for row in rows)
    if head is None:
        assert not rows
    else:
        assert (head.size, bytes(head.peaks)) == (grown.size, grown.to_bytes())


def check_money(store: Store, amounts: dict[str, int], scope: str = "organisation") -> None:
    """What is held in a scope is the sum of its open holds."""
    assert balance(store, scope)[0] == sum(amounts[name] for name in open_ids(store))


def count_log(store: Store) -> int:
    store.bring_in_order()
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(log)).scalar() or 0)


class locked:  # noqa: N801 reads as a verb
    """Another program holds the database's locks: no hold is closed or opened, and nobody else writes."""

    def __init__(self, store: Store) -> None:
        self._begin = ["BEGIN IMMEDIATE"]
        if isinstance(store.database, SqliteDatabase):
            self._connection: Any = sqlite3.connect(store.path, isolation_level=None, timeout=30)
        else:
            self._connection = postgres.connect(store.database.url, name="a test", lock_wait=30_000)
            alone = "SELECT pg_advisory_xact_lock(hashtext('fairlead'), 2)"
            self._begin = ["BEGIN", alone, "LOCK TABLE hold, budget, arrived IN EXCLUSIVE MODE NOWAIT"]

    def __enter__(self) -> None:
        while not self._takes_all():
            time.sleep(0.01)

    def _takes_all(self) -> bool:
        """It waits for no table while it has another: whoever writes takes them in an order of its own."""
        try:
            for statement in self._begin:
                self._connection.execute(statement)
        except LockNotAvailable:
            self._connection.execute("ROLLBACK")
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()
