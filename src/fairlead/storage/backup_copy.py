"""How the state of a deployment gets into one file: as SQLite copies itself, or row by row from a server. It is copied
as it stood at one moment, while workers go on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select

from fairlead.storage import sqlite_fts
from fairlead.storage.migrations import migrate
from fairlead.storage.schema import epoch, log, metadata, payload, worker
from fairlead.storage.section_words import SectionWords
from fairlead.storage.sqlite import SqliteDatabase
from fairlead.storage.store import Store
from fairlead.storage.types import Entry

_PAGE: Final = 1000  # rows
_PAGES: Final = 2000  # of a file, between two steps of the progress bar

Progress = Callable[[int], object]
"""Told how many pages or rows more are copied."""


def copy_state(store: Store, target: Path, progress: Progress) -> None:
    """Copy all that a store holds into an SQLite file that is not there yet."""
    if isinstance(store.database, SqliteDatabase):
        _copy_file(store.database.path, target, progress)
    else:
        _copy_rows(store, target, progress)


def _copy_file(source: Path, target: Path, progress: Progress) -> None:
    """SQLite's own online copy. The reading transaction keeps it from beginning anew with every commit of others."""
    copied = 0

    def told(_: int, remaining: int, total: int) -> None:
        nonlocal copied
        progress(total - remaining - copied)
        copied = total - remaining

    with closing(sqlite3.connect(source, isolation_level=None)) as origin, closing(sqlite3.connect(target)) as goal:
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM epoch").fetchone()
        origin.backup(goal, pages=_PAGES, progress=told, sleep=0)
        origin.execute("ROLLBACK")
    target.chmod(0o600)


def _copy_rows(store: Store, target: Path, progress: Progress) -> None:
    """Everything of a server as it stands at one moment, entries included that have no place in the log yet."""
    migrate(target)
    with closing(Store(target)) as copy, store.reading() as origin, copy.writing() as goal:
        goal.execute(epoch.delete())
        for table in metadata.sorted_tables:
            if table is worker:
                continue
            for page in _pages(origin, table):
                goal.execute(table.insert(), page)
                progress(len(page))
        _copy_words(origin, goal)
        _place(origin, goal, copy)


def _pages(origin: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    rows = origin.execute(select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_PAGE))
    for page in rows.mappings().partitions():
        yield [dict(row) for row in page]


def _copy_words(origin: Connection, goal: Connection) -> None:
    found = origin.exec_driver_sql(
        "SELECT section, word, title, heading, body FROM context_word ORDER BY section, word"
    )
    sqlite_fts.create(goal)
    for section, rows in groupby(found, lambda row: row[0]):
        fields: tuple[list[str], list[str], list[str]] = ([], [], [])
        for _, word, *counts in rows:
            for field, count in zip(fields, counts, strict=True):
                field.extend([word] * count)
        sqlite_fts.add(goal, [SectionWords(section, *fields)])


def _place(origin: Connection, goal: Connection, copy: Store) -> None:
    """Acknowledged entries that have not got their places follow the others, in the order in which they arrived."""
    waiting = "SELECT run, at, record, spans, subject, ciphertext FROM arrived ORDER BY ticket"
    for run, at, record, spans, subject, ciphertext in origin.exec_driver_sql(waiting):
        copy.database.append(goal, [Entry(run, at, bytes(record), bytes(spans))])
        if subject:
            seq = goal.execute(select(func.max(log.c.seq))).scalar()
            goal.execute(payload.insert().values(seq=seq, subject=subject, ciphertext=bytes(ciphertext)))
