"""A deployment on a server is backed up and restored as one in a file is, and from the one to the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import HOTEL, Fairlead, ask
from tests.cli.test_backup import LEE, said_by_lee_only
from tests.databases import Lent
from tests.postgres import Server

from fairlead.execution import Answer
from fairlead.storage import move as moving


@pytest.fixture
def served(
    lent: Lent, asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A workspace with its state on a server, and a backup of it in which kim and lee have said something."""
    url, folder = lent.lend(), asked[0]
    assert fairlead("migrate-storage", url, "--yes").status == 0
    monkeypatch.setenv("ACME_DATABASE", url)
    entry = folder / "fairlead.yaml"
    entry.write_text(entry.read_text() + "\nstorage: {url: env:ACME_DATABASE}\n")
    ask(folder, HOTEL, caller=LEE)
    fairlead("key", "add", "app", "--person", "kim")
    made = fairlead("backup", tmp_path / "backup", "--json")
    assert (made.status, made.json["records"]) == (0, 2), made.err
    yield folder
    lent.take_back(url)


def sound(folder: Path, fairlead: Fairlead) -> None:
    """The log holds, new calls are recorded behind the others, and no copy of anybody's key lies about."""
    assert fairlead("audit", "verify").status == 0
    ask(folder, HOTEL, caller=LEE)
    assert fairlead("audit", "verify").status == 0
    assert not (folder / ".fairlead" / ".restoring").exists()


def test_who_was_erased_since_stays_erased_and_revoked_keys_stay_revoked(
    served: Path, fairlead: Fairlead, tmp_path: Path
) -> None:
    assert fairlead("data", "erase", "kim", "--yes").status == 0
    fairlead("key", "revoke", "app")
    assert "--replace" in fairlead("restore", tmp_path / "backup", "--yes").err
    said = fairlead("restore", tmp_path / "backup", "--replace", "--yes", "--json")
    assert said.status == 0, said.err
    assert (said.json["erased"], said.json["revoked"], said.json["lost"]) == (1, 1, 3)
    assert said_by_lee_only(fairlead)
    assert [key["name"] for key in fairlead("key", "list", "--json").json if key["revoked_at"]] == ["app"]
    sound(served, fairlead)


def test_a_restore_that_breaks_off_leaves_the_database_as_it_was_and_is_done_again(
    served: Path, fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fairlead("data", "erase", "kim", "--yes").status == 0
    before = fairlead("runs", "--json").json

    def breaks(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(moving, "_checked", breaks)
        assert fairlead("restore", tmp_path / "backup", "--replace", "--yes").status != 0
    assert fairlead("runs", "--json").json == before
    sound(served, fairlead)
    assert fairlead("restore", tmp_path / "backup", "--replace", "--yes", "--json").json["erased"] == 1
    sound(served, fairlead)


def test_a_lost_server_is_restored_to_another_and_to_a_file(
    served: Path, fairlead: Fairlead, tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "erased").write_text("kim\n")
    url = postgres.make_database()
    monkeypatch.setenv("ACME_DATABASE", url)
    assert "nobody knows" in fairlead("restore", tmp_path / "backup", "--yes").err
    said = fairlead("restore", tmp_path / "backup", "--erasures", tmp_path / "erased", "--yes", "--json")
    assert said.status == 0, said.err
    assert said.json["erased"] == 1
    assert said_by_lee_only(fairlead)
    sound(served, fairlead)
    for path in (served / ".fairlead").glob("state.db*"):
        path.unlink()
    monkeypatch.setenv("ACME_DATABASE", str(served / ".fairlead" / "state.db"))
    said = fairlead("restore", tmp_path / "backup", "--erasures", tmp_path / "erased", "--yes")
    assert said.status == 0, said.err
    assert said_by_lee_only(fairlead)
    sound(served, fairlead)
    postgres.drop_database(url)
