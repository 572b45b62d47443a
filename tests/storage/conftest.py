"""Journals to write to, over each kind of store that Fairlead has."""

from collections.abc import AsyncIterator, Callable

import pytest

from fairlead.clock import SystemClock
from fairlead.storage.journal import Journal
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store

OpenJournal = Callable[..., Journal]


@pytest.fixture
async def open_journal(store: Store) -> AsyncIterator[OpenJournal]:
    """Journals in this loop, each a worker of its own, closed at the end. Settings as keywords."""
    opened: list[Journal] = []

    def open_one(worker: str = "", **settings: object) -> Journal:
        quick = {"synchronous": "normal", "patience": 5.0, **settings}
        journal = Journal(store, worker or f"worker_{len(opened)}", SystemClock(), JournalSettings(**quick))
        opened.append(journal)
        return journal

    yield open_one
    for journal in opened:
        journal.close()


@pytest.fixture
async def journal(open_journal: OpenJournal) -> Journal:
    return open_journal()
