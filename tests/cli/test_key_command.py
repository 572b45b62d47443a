"""The master key from a program, such as the client of a key service: strictly, or not at all."""

import json
import sys
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import HOTEL, Fairlead, ask

from fairlead.execution import Answer


def declare(folder: Path, *command: object) -> None:
    settings = yaml.safe_load((folder / "fairlead.yaml").read_text())
    (folder / "fairlead.yaml").write_text(json.dumps(settings | {"master_key": {"command": list(command)}}))


def test_a_program_gives_the_key(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    folder = asked[0]
    kept = (folder / ".fairlead" / "master.key").rename(folder / "kept.key")
    assert fairlead("trace", "--payload").status == 2
    declare(folder, sys.executable, "-c", "print(open('kept.key').read())")
    assert HOTEL in fairlead("trace", "--payload").out
    assert sys.executable in fairlead("doctor").out
    kept.write_text("")
    refused = fairlead("trace", "--payload")
    assert (refused.status, "is not a master key" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit('the service is away')", "status 1: the service is away"),
        ("print('secret but no key')", "not a master key"),
    ],
)
def test_a_program_that_fails_is_told_without_what_it_printed(
    asked: tuple[Path, Answer], fairlead: Fairlead, program: str, said: str
) -> None:
    declare(asked[0], sys.executable, "-c", program)
    refused = fairlead("trace", "--payload")
    assert refused.status == 2
    assert said in refused.err
    assert "secret but no key" not in refused.err


def test_a_program_that_is_missing_or_none_is_refused_though_there_is_a_key_file(
    asked: tuple[Path, Answer], fairlead: Fairlead
) -> None:
    folder = asked[0]
    declare(folder, "/no/such/program")
    assert "gave no master key" in fairlead("trace", "--payload").err
    declare(folder)
    assert "master_key.command" in fairlead("trace", "--payload").err


def test_the_environment_comes_first(
    asked: tuple[Path, Answer], fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = asked[0]
    declare(folder, "/no/such/program")
    monkeypatch.setenv("FAIRLEAD_MASTER_KEY", (folder / ".fairlead" / "master.key").read_text())
    assert HOTEL in fairlead("trace", "--payload").out


def test_the_key_of_a_program_is_changed_with_the_workers_stopped(
    asked: tuple[Path, Answer], fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = asked[0]
    (folder / ".fairlead" / "master.key").rename(folder / "kept.key")
    declare(folder, sys.executable, "-c", "print(open('kept.key').read())")
    assert fairlead("key", "rotate-master", "--yes").status == 2
    new = "ab" * 16 + "0123456789abcdef" * 2
    monkeypatch.setenv("FAIRLEAD_NEW_MASTER_KEY", new)
    assert fairlead("key", "rotate-master", "--yes").status == 0
    (folder / "kept.key").write_text(new)
    monkeypatch.delenv("FAIRLEAD_NEW_MASTER_KEY")
    assert HOTEL in fairlead("trace", "--payload").out
    assert ask
