"""Moving a deployment from a file to a PostgreSQL server, proofs and all.

Everything is copied and checked in one transaction on the server, while the file is kept from changing: an interrupted
move leaves an empty database, and is begun again. The file is only read.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Table, select

from fairlead.audit import Frontier
from fairlead.audit.merkle import leaf_hash
from fairlead.errors import BadInput, Broken
from fairlead.storage import postgres_vectors, sqlite_fts
from fairlead.storage.counts import count_of, sum_of
from fairlead.storage.schema import budget, epoch, hold, log, metadata, tree, worker
from fairlead.storage.sqlite import SqliteDatabase
from fairlead.storage.store import Store

_PAGE: Final = 1000
_WORDS: Final = "context_word (word, section, title, heading, body)"

_UNHURRIED: Final = "SET LOCAL idle_in_transaction_session_timeout = '60s'"  # the tree is grown anew in this process
_CLEAR: Final = "TRUNCATE {}, arrived, last_group, context_word"

Progress = Callable[[int], object]


class Moved(Struct, frozen=True):
    """What is on the server now: rows by table, the size and root of the audit log, what is spent in all budgets."""

    rows: dict[str, int]
    size: int
    root: str
    spent: int


def count_rows(store: Store) -> int:
    """How many rows a move copies."""
    with store.reading() as connection:
        return sum(count_of(connection, table) for table in _tables())


def move(source: Store, target: Store, progress: Progress = lambda _: None, *, over: bool = False) -> Moved:
    """Copies everything from a file to an empty, migrated database on a server, and returns what was checked.
    `progress` is told how many rows were copied since it was last told. `over`: what is on the server goes, in the
    same transaction.

    Raises BadInput while workers live, holds are open or the server's database is not empty, Broken if what arrived is
    not what was sent. Then nothing is on the server.
    """
    _require_kinds(source, target)
    with ExitStack() as stack:
        _keep_workers_out(source, stack)
        origin = stack.enter_context(source.writing())  # nobody changes the file meanwhile
        _require_settled(origin)
        goal = stack.enter_context(target.writing())
        goal.exec_driver_sql(_UNHURRIED)
        if over:
            goal.exec_driver_sql(_CLEAR.format(", ".join(f'"{table.name}"' for table in [*_tables(), worker])))
        else:
            _require_empty(goal, target.shown)
        postgres_vectors.clear(goal)
        for table in _tables():
            _copy(origin, goal, table, progress)
        _copy_words(origin, goal)
        return _checked(origin, goal)


def _require_kinds(source: Store, target: Store) -> None:
    if not isinstance(source.database, SqliteDatabase) or isinstance(target.database, SqliteDatabase):
        raise BadInput(
            f"cannot move from {source.shown} to {target.shown}",
            why="state moves from an SQLite file to a PostgreSQL server",
            mend="name the server's database: postgresql://USER@HOST/NAME",
        )


def _tables() -> list[Table]:
    """Parents before children. Workers do not move: none lives."""
    return [table for table in metadata.sorted_tables if table is not worker]


def _keep_workers_out(source: Store, stack: ExitStack) -> None:
    for name in source.workers.known():
        lock = source.workers.seize(name, 0.0)
        if lock is None:
            raise BadInput(
                f"the worker {name} lives",
                why="what it wrote during the move would be lost",
                mend="stop every worker, then move; `fairlead doctor` shows who lives",
                subject=name,
            )
        stack.callback(lock.release)


def _require_settled(origin: Connection) -> None:
    count = count_of(origin, hold)
    if count:
        raise BadInput(
            f"{count} holds are still open",
            why="their workers died; who serves next settles them",
            mend="start `fairlead serve` once, stop it after some seconds, then move",
        )


def _require_empty(goal: Connection, shown: str) -> None:
    for table in [*_tables(), worker]:
        rows = goal.execute(select(epoch.c.number)).scalar() if table is epoch else count_of(goal, table)
        if rows:
            raise BadInput(
                f"the database at {shown} is not empty: there are rows in {table.name}",
                why="two deployments in one database would mix their money and their proofs",
                mend="make a new database, or drop this one if it was only tried",
                subject=shown,
            )


def _copy(origin: Connection, goal: Connection, table: Table, progress: Progress) -> None:
    if table is epoch:
        goal.execute(epoch.delete())
    raw: Any = goal.connection.driver_connection
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copying:
        for page in _pages(origin, table):
            for row in page:
                copying.write_row(row)
            progress(len(page))


def _pages(origin: Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in the order of the key: the log and its payloads arrive as they stood."""
    rows = origin.execute(select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_PAGE))
    for page in rows.partitions():
        yield [tuple(row) for row in page]


def _copy_words(origin: Connection, goal: Connection) -> None:
    raw: Any = goal.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(f"COPY {_WORDS} FROM STDIN") as copying:
        for row in sqlite_fts.counts(origin):
            copying.write_row(row)


def _checked(origin: Connection, goal: Connection) -> Moved:
    """Compares both sides, and grows the tree anew from the records that arrived."""
    rows = {table.name: count_of(goal, table) for table in _tables()}
    sent = {table.name: count_of(origin, table) for table in _tables()}
    spent = [sum_of(side, budget.c.spent) for side in (origin, goal)]
    heads = [side.execute(select(tree.c.peaks)).scalar() for side in (origin, goal)]
    stored = [Frontier() if head is None else Frontier.from_bytes(bytes(head)) for head in heads]
    grown = Frontier().extend(leaf_hash(bytes(record)) for record in _records(goal))
    if rows != sent or spent[0] != spent[1] or stored != [grown, grown] or sum_of(goal, budget.c.held):
        raise Broken(
            "what arrived is not what was sent, so nothing was kept",
            why=f"rows {sent} and {rows}, spent {spent}, {stored[0].size} records in the tree and {grown.size} found",
            mend="check the log with `fairlead audit verify`; if it holds, move again",
        )
    return Moved(rows, grown.size, grown.root().hex(), spent[1])


def _records(goal: Connection) -> Iterator[bytes]:
    yield from goal.execute(select(log.c.record).order_by(log.c.seq).execution_options(yield_per=_PAGE)).scalars()
