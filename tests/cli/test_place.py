"""Where a command works."""

from pathlib import Path

import pytest

from fairlead.cli.place import currency_of, find, secrets, server_url
from fairlead.errors import NotFound

LEAN = "organisation: acme\nmodels: {local: local/extractive}\n"


def folder(tmp_path: Path, more: str = "") -> Path:
    made = tmp_path / "acme"
    made.mkdir()
    (made / "fairlead.yaml").write_text(LEAN + more)
    return made


def test_the_nearest_workspace_above_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acme = folder(tmp_path)
    (acme / "context" / "deep").mkdir(parents=True)
    monkeypatch.chdir(acme / "context" / "deep")
    place = find(None)
    assert place.workspace == acme
    assert place.database == acme / ".fairlead" / "state.db"


def test_a_folder_that_is_named_is_not_searched_above(tmp_path: Path) -> None:
    acme = folder(tmp_path)
    (acme / "context").mkdir()
    with pytest.raises(NotFound):
        find(acme / "context")


def test_the_data_folder_can_be_elsewhere(tmp_path: Path) -> None:
    place = find(folder(tmp_path), tmp_path / "state")
    assert place.data == tmp_path / "state"
    assert place.database == tmp_path / "state" / "state.db"


@pytest.mark.parametrize("url", ["sqlite:///var/state.db", "var/state.db"])
def test_a_declared_database_wins_and_counts_from_the_workspace(tmp_path: Path, url: str) -> None:
    acme = folder(tmp_path, f"storage: {{url: '{url}'}}\n")
    assert find(acme, tmp_path / "other").database == acme / "var" / "state.db"


def test_a_workspace_that_is_not_yaml_can_still_be_found(tmp_path: Path) -> None:
    acme = folder(tmp_path, "storage: {url: [\n")
    assert find(acme).database == acme / ".fairlead" / "state.db"
    assert currency_of(find(acme)) == "USD"


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_SECRET", "from the environment")
    (tmp_path / "secret.txt").write_text("from a file\n")
    secret = secrets(tmp_path)
    assert secret("env:OWN_SECRET") == "from the environment"
    assert secret("file:secret.txt") == "from a file"
    assert secret("file:missing.txt") is None
    assert secret("env:NOT_SET_ANYWHERE") is None
    assert secret("vault:x") is None


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("", "http://127.0.0.1:8700"),
        ("server: {port: 9000}", "http://127.0.0.1:9000"),
        ("server: {host: 0.0.0.0}", "http://127.0.0.1:8700"),
        ("server: {host: '::1', port: 1}", "http://[::1]:1"),
    ],
)
def test_a_client_knows_where_the_workspace_listens(tmp_path: Path, server: str, url: str) -> None:
    assert server_url(folder(tmp_path, server)) == url
