"""A worker that stops lets go of everything, whatever the database says to that."""

from pathlib import Path

import pytest
from tests.world import world

from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Away


async def test_a_worker_that_cannot_say_goodbye_stops_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(self: Fleet, worker: str) -> None:
        raise Away("the disk is full", why="there is no room")

    async with world(tmp_path) as w:
        monkeypatch.setattr(Fleet, "leave", away)
    assert "could not say that this worker leaves" in caplog.text
    assert not w.fairlead.ledger.journal._thread.is_alive()
