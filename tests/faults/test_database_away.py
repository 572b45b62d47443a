"""While the database is away, whoever is refused is told so at once, and nobody is told of a fault."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from tests.world import until, world

from fairlead.costs import ledger
from fairlead.errors import Overloaded

# Read before the tests begin: others look at records at once, and wait for as long as a machine takes.
SHIPPED = ledger._PATIENCE


async def test_who_is_refused_does_not_wait_for_the_record_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_PATIENCE", SHIPPED)
    async with world(tmp_path) as w:
        await w.ask()
        other = sqlite3.connect(w.store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        asking = asyncio.ensure_future(w.ask())
        with pytest.raises(Overloaded):
            await asking
        assert other.in_transaction  # the record cannot have been written yet
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: [one for one in w.records("call_model") if one.outcome == "refused"])


async def test_who_is_not_known_yet_is_told_to_come_back(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        other = sqlite3.connect(w.store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Overloaded, match="state database"):
            await w.ask()
        other.execute("ROLLBACK")
        other.close()


async def test_who_is_turned_away_at_a_door_does_not_wait_for_the_record_of_it(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ask()
        other = sqlite3.connect(w.store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(3):
            await w.fairlead.refusals.record("test", Overloaded("this worker has lost touch"))
        assert other.in_transaction  # the record cannot have been written yet
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: w.records("refusal"))
