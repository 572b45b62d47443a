"""The real command line over real workspaces: in this process for most tests, as a program for a few."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from tests import programs

from fairlead.cli.main import run
from fairlead.cli.opening import open_store
from fairlead.cli.place import MASTER_KEY, find, secrets
from fairlead.cli.setting_up import set_up
from fairlead.clock import SystemClock
from fairlead.costs.told import Arrival
from fairlead.errors import FairleadError
from fairlead.execution import Answer, call_model
from fairlead.identity import Caller
from fairlead.models.types import ChatRequest, Message
from fairlead.storage.master_key import load_master_key
from fairlead.workspace.assemble import assemble
from fairlead.workspace.surroundings import Surroundings
from fairlead.workspace.templates import write_template

KIM = Caller(person="kim", department="sales", groups=frozenset({"everyone"}), credential="key:test")
HOTEL = "Which hotel price is fine without approval?"


class Said(Struct, frozen=True):
    """What a command line came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Fairlead = Callable[..., Said]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the machine's own settings may decide a test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / f"no-config-{os.getpid()}"))
    for name in list(os.environ):
        if name.startswith("FAIRLEAD_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)


@pytest.fixture
def fairlead(capsys: pytest.CaptureFixture[str]) -> Fairlead:
    """Runs a command line in this process."""

    def called(*arguments: object) -> Said:
        capsys.readouterr()
        status = run([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Said(status, captured.out, captured.err)

    return called


def program(*arguments: object, cwd: Path | None = None, stdin: str = "", **environment: str) -> Said:
    """Runs the program, as a process of its own."""
    done = subprocess.run(
        programs.command("-m", "fairlead", *map(str, arguments)),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONPATH": str(programs.SOURCE),  # for programs that this one starts
            **environment,
        },
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with its state, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("made") / "acme"
    write_template("standard", folder, {"organisation": "acme"})
    set_up(find(folder))
    return folder


@pytest.fixture(scope="session")
def published(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same once it is published."""
    folder = tmp_path_factory.mktemp("published") / "acme"
    shutil.copytree(made, folder)
    assert run(["apply", str(folder), "--yes"]) == 0
    return folder


@pytest.fixture
def acme(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with state, nothing published. The test runs in it."""
    return _copied(made, tmp_path, monkeypatch)


@pytest.fixture
def live(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published workspace. The test runs in it."""
    return _copied(published, tmp_path, monkeypatch)


def _copied(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "acme"
    shutil.copytree(source, folder)
    monkeypatch.chdir(folder)
    return folder


def ask(folder: Path, *questions: str, caller: Caller = KIM, model: str = "auto") -> list[Answer | FairleadError]:
    """Ask through the real path: a process's parts over this workspace's state, without HTTP."""
    return asyncio.run(_ask(folder, questions, caller, model))


async def _ask(folder: Path, questions: tuple[str, ...], caller: Caller, model: str) -> list[Answer | FairleadError]:
    place = find(folder)
    answers: list[Answer | FairleadError] = []
    with closing(open_store(place)) as store:
        key = load_master_key(os.environ.get(MASTER_KEY), place.key_file)
        running = await assemble(
            Surroundings(store=store, master_key=key, secrets=secrets(folder), clock=SystemClock())
        )
        try:
            for question in questions:
                body = json.dumps({"model": model, "messages": [{"role": "user", "content": question}]}).encode()
                request = ChatRequest(model=model, messages=[Message("user", question)], size=len(body))
                try:
                    answers.append(
                        await call_model(running.fairlead, caller, request, Arrival(door="openai.chat", body=body))
                    )
                except FairleadError as error:
                    answers.append(error)
        finally:
            await running.stop()
    return answers


@pytest.fixture(scope="session")
def answered(published: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """The same once a question was answered."""
    folder = tmp_path_factory.mktemp("answered") / "acme"
    shutil.copytree(published, folder)
    (answer,) = ask(folder, HOTEL)
    assert isinstance(answer, Answer), answer
    return folder, answer


@pytest.fixture
def asked(answered: tuple[Path, Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Answer]:
    """A published workspace in which one question was answered. The test runs in it."""
    folder, answer = answered
    return _copied(folder, tmp_path, monkeypatch), answer
