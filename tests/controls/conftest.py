import pytest


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here has a second to wait for the next look."""
    monkeypatch.setattr("fairlead.controls.watch._EVERY", 0.05)
