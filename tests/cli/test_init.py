"""From nothing to a workspace that can answer."""

import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead

from fairlead.identity.keys import is_well_formed
from fairlead.workspace.templates import TEMPLATES


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_what_init_makes_is_sound(template: str, fairlead: Fairlead, tmp_path: Path) -> None:
    said = fairlead("init", tmp_path / "acme", "--template", template)
    assert said.status == 0, said.err
    assert fairlead("check", tmp_path / "acme").status == 0


def test_the_first_key_is_the_only_data_and_is_kept_nowhere(fairlead: Fairlead, tmp_path: Path) -> None:
    said = fairlead("init", tmp_path / "acme")
    secret = said.out.strip()
    assert is_well_formed(secret)
    assert secret not in said.err
    kept = b"".join(path.read_bytes() for path in (tmp_path / "acme").rglob("*") if path.is_file())
    assert secret.encode() not in kept
    assert "curl http://127.0.0.1:8700/v1/chat/completions" in said.err
    assert "from openai import OpenAI" in said.err


def test_state_is_its_owners_alone(fairlead: Fairlead, tmp_path: Path) -> None:
    fairlead("init", tmp_path / "acme")
    data = tmp_path / "acme" / ".fairlead"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "master.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "state.db").stat().st_mode) == 0o600


def test_a_dry_run_writes_nothing(fairlead: Fairlead, tmp_path: Path) -> None:
    said = fairlead("init", tmp_path / "acme", "--dry-run")
    assert said.status == 0
    assert any(line.endswith("fairlead.yaml") for line in said.out.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_ever_overwritten(fairlead: Fairlead, tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "notes.txt").write_text("mine")
    said = fairlead("init", tmp_path / "acme")
    assert said.status == 2
    assert said.out == ""
    assert [path.name for path in (tmp_path / "acme").iterdir()] == ["notes.txt"]


def test_a_mistyped_template_is_answered_with_the_likely_one(fairlead: Fairlead, tmp_path: Path) -> None:
    said = fairlead("init", tmp_path / "acme", "--template", "retial")
    assert said.status == 2
    assert "did you mean `retail`?" in said.err
    assert not (tmp_path / "acme").exists()


def test_programs_get_the_key_as_json(fairlead: Fairlead, tmp_path: Path) -> None:
    said = fairlead("init", tmp_path / "acme", "--json")
    assert is_well_formed(said.json["key"])
    assert said.json["folder"] == str(tmp_path / "acme")


def test_a_master_key_of_the_environment_is_used_and_not_written(
    fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLEAD_MASTER_KEY", bytes(range(32)).hex())
    assert fairlead("init", tmp_path / "acme").status == 0
    assert not (tmp_path / "acme" / ".fairlead" / "master.key").exists()
    assert fairlead("audit", "verify", "-w", tmp_path / "acme").status == 0
