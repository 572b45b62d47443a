from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store


class FixedClock:
    """November 2026, for ever."""

    def now(self) -> int:
        return 1_795_000_000_000

    def monotonic(self) -> float:
        return 1.0

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    migrate(tmp_path / "state.db")
    opened = Store.open(tmp_path / "state.db")
    yield opened
    opened.close()
