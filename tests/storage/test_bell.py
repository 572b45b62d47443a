"""Bells wake who listens on the same machine, whether the kernel tells of a file's growth or not."""

from pathlib import Path
from threading import Event

import pytest

from fairlead.storage import bell

_SOON = 20.0  # seconds; all of these come at once, unless the machine is stuck


@pytest.fixture(params=["told by the kernel", "by looking"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "by looking":
        monkeypatch.setattr(bell, "_watch", lambda _: None)
    else:
        monkeypatch.setattr(bell, "_ATTENTIVE", 2 * _SOON)  # a look would come too late


@pytest.mark.usefixtures("_way")
def test_whoever_listens_hears_each_ring_and_only_of_its_bell(tmp_path: Path) -> None:
    heard, other = Event(), Event()
    ends = [bell.hear(tmp_path, "runs", heard.set), bell.hear(tmp_path, "others", other.set)]
    for _ in range(3):
        bell.ring(tmp_path, "runs")
        assert heard.wait(_SOON)
        heard.clear()
    assert not other.is_set()
    for end in ends:
        end()


def test_a_bell_that_rang_very_often_is_heard_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_LONGEST", 2)
    heard = Event()
    end = bell.hear(tmp_path, "runs", heard.set)
    for _ in range(5):
        bell.ring(tmp_path, "runs")
        assert heard.wait(_SOON)
        heard.clear()
    end()
    assert (tmp_path / "runs.bell").stat().st_size <= 2
