"""`fairlead migrate-storage`: afterwards the same commands answer from the server."""

from pathlib import Path

import pytest
from tests.cli.conftest import HOTEL, Fairlead, ask
from tests.postgres import Server


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.make_database()


def test_a_deployment_moves_and_every_command_goes_on(
    fairlead: Fairlead, live: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(live, HOTEL)
    assert fairlead("audit", "checkpoint").status == 0
    before = {what: fairlead(*what).out for what in SHOWN}
    assert fairlead("migrate-storage", url).status == 2  # nobody can be asked for a yes
    assert "would copy" in fairlead("migrate-storage", url, "--dry-run").err
    moved = fairlead("migrate-storage", url, "--yes", "--json").json
    assert (moved["size"], len(moved["root"])) == (moved["rows"]["log"], 64)
    monkeypatch.setenv("ACME_DATABASE", url)
    entry = live / "fairlead.yaml"
    entry.write_text(entry.read_text() + "\nstorage: {url: env:ACME_DATABASE}\n")
    assert {what: fairlead(*what).out for what in SHOWN} == before
    assert fairlead("audit", "verify").status == 0
    ask(live, HOTEL)
    assert fairlead("audit", "verify").status == 0
    assert fairlead("trace", "last").status == 0
    assert len(fairlead("runs").out.splitlines()) == len(before[("runs",)].splitlines()) + 1
    assert "postgresql://127.0.0.1" in fairlead("doctor").out
    again = fairlead("migrate-storage", url, "--yes")
    assert (again.status, "cannot move" in again.err) == (2, True)


def test_another_host_needs_the_same_master_key(fairlead: Fairlead, live: Path, url: str) -> None:
    ask(live, HOTEL)
    assert fairlead("migrate-storage", url, "--yes").status == 0
    entry = live / "fairlead.yaml"
    entry.write_text(entry.read_text() + f"\nstorage: {{url: {url}}}\n")
    key = (live / ".fairlead" / "master.key").read_text()
    other = fairlead("migrate", "--data", live / "other")
    assert (other.status, "copy that key file" in other.err) == (2, True)
    assert not (live / "other" / "master.key").exists()
    (live / "other" / "master.key").write_text(key)
    (live / "other" / "master.key").chmod(0o600)
    assert fairlead("migrate", "--data", live / "other").status == 0
    assert fairlead("audit", "verify", "--data", live / "other").status == 0


SHOWN = [("runs",), ("budget",), ("key", "list")]


def test_what_is_no_server_is_refused(fairlead: Fairlead, acme: Path) -> None:
    for said in ("other.db", "mysql://host/name"):
        assert fairlead("migrate-storage", said, "--yes").status == 2
    missing = fairlead("migrate-storage", "env:NOT_SET_ANYWHERE", "--yes")
    assert "nothing in env:NOT_SET_ANYWHERE" in missing.err


def test_a_server_that_does_not_answer_is_told_without_its_password(fairlead: Fairlead, acme: Path) -> None:
    said = fairlead("migrate-storage", "postgresql://me:secret@127.0.0.1:1/acme", "--yes")
    assert said.status == 70
    assert "127.0.0.1:1/acme" in said.err
    assert "secret" not in said.err + said.out
    for unfit in ("postgresql://me:secret@127.0.0.1:port/acme", "postgresql://me:secret@[::1/acme"):
        said = fairlead("migrate-storage", unfit, "--yes")
        assert said.status in (2, 70)
        assert "secret" not in said.err + said.out
