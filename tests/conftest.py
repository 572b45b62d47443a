"""Fixtures that any test may use; `tests.world` says what is in them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.databases import empty_database, empty_postgres, postgres, store, where
from tests.world import World, world

__all__ = ["empty_database", "empty_postgres", "postgres", "store", "where"]

AMPLE = {"organisation": {"total": 1000}}


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    """A deployment in this loop, with an ample budget so that every unit spent is counted."""
    async with world(tmp_path, budgets=AMPLE) as deployed:
        yield deployed
