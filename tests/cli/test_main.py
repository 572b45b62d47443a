"""The frame of the command line: what help costs, how errors look, what scripts see."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from tests import programs
from tests.cli.conftest import Fairlead, program

from fairlead.cli.later import Later
from fairlead.cli.main import COMMANDS
from fairlead.execution import Answer

HEAVY = (
    "aiohttp", "alembic", "asyncio", "cedarpy", "cryptography", "genai_prices", "joserfc", "msgspec", "re2", "rich",
    "sqlalchemy", "sqlite3", "uvicorn", "yaml",
)  # fmt: skip


def test_help_of_all_and_of_a_group_imports_nothing_that_is_heavy() -> None:
    code = (
        "import sys\nfrom fairlead.cli.main import run\nstatus = run(['--help']) or run(['context', '--help'])\n"
        "print(status, *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, *modules = done.stderr.split()
    assert status == "0"
    assert not [name for name in modules if name.partition(".")[0] in HEAVY]
    assert [name for name in modules if name.startswith("fairlead.")] == [
        "fairlead.cli",
        "fairlead.cli.context",
        "fairlead.cli.later",
        "fairlead.cli.main",
    ]
    assert all(name in done.stdout for name in COMMANDS)


def test_ctrl_c_while_imports_run_ends_it_with_its_status_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    search = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-m", "fairlead", "--version"]
    env = {**os.environ, "PYTHONPATH": search}
    # Who runs tests in the background may have told them to ignore it.
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, preexec_fn=heeds)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_the_help_of_a_command_imports_no_database_and_no_drawing() -> None:
    code = "import sys\nfrom fairlead.cli.main import run\nrun(['trace', '--help'])\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"aiohttp", "alembic", "cedarpy", "genai_prices", "rich", "sqlalchemy", "uvicorn"}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_every_command_explains_itself(name: str, fairlead: Fairlead) -> None:
    said = fairlead(name, "--help")
    assert said.status == 0
    assert f"Usage: fairlead {name}" in said.out


def leaves() -> Iterator[tuple[str, set[str]]]:
    """Every command with its options, those of groups too."""
    for name, (module, _) in COMMANDS.items():
        if name == "demo":
            continue
        command = import_module(f"fairlead.cli.{module}").commands()[name]
        for each, leaf in getattr(command, "commands", {"": command}).items():
            real = leaf.load() if isinstance(leaf, Later) else leaf
            yield f"{name} {each}".strip(), {option for parameter in real.params for option in parameter.opts}


CHANGES = {
    "init", "new", "apply", "key add", "key revoke", "key rotate-master", "audit export", "audit checkpoint",
    "data erase", "migrate", "migrate-storage", "data hold", "data release", "backup", "restore", "stop", "resume",
    "credits allot", "credits transfer",
    "key rotate-signing", "tools accept", "approvals approve", "approvals deny", "login", "logout", "context unpin",
    "context start", "context add", "context sync", "context verify", "context publish", "context retire",
    "context requests", "context propose", "context accept", "feedback", "routing train", "routing use",
    "names sync", "workflow run", "workflow approve", "workflow deny", "workflow signal", "workflow cancel",
    "workflow pause", "workflow resume", "workflow retry", "workflow fork", "workflow new",
    "examples export", "examples forget",
}  # fmt: skip
# What prints JSON anyway, and what answers requests until it is stopped.
NEITHER = {"audit prove", "audit consistency", "record", "schema", "serve", "workflow graph", "workflow work"}


def test_every_change_can_be_tried_without_effect_and_every_read_gives_json() -> None:
    commands = dict(leaves())
    assert not [name for name in CHANGES if "--dry-run" not in commands[name]]
    assert not [name for name in commands.keys() - CHANGES - NEITHER if "--json" not in commands[name]]


def test_every_command_that_needs_a_workspace_takes_it_the_same_way() -> None:
    elsewhere = {"init", "new", "schema", "explain"}
    assert not [name for name, options in leaves() if name not in elsewhere and "--workspace" not in options]


def test_no_command_shows_the_help(fairlead: Fairlead) -> None:
    said = fairlead()
    assert said.status == 0
    assert "Commands:" in said.out


def test_a_group_without_a_command_shows_its_help_and_fails(fairlead: Fairlead) -> None:
    said = fairlead("key")
    assert said.status == 2
    assert "revoke" in said.err
    assert said.out == ""


def test_a_mistyped_command_is_named_with_the_likely_one(fairlead: Fairlead) -> None:
    said = fairlead("expain")
    assert said.status == 2
    assert said.out == ""
    assert said.err == "error: No such command 'expain'. Did you mean 'explain'? [usage]\nhelp: fairlead --help\n"


def test_an_unknown_option_is_a_usage_error_of_its_command(fairlead: Fairlead) -> None:
    said = fairlead("runs", "--nope")
    assert said.status == 2
    assert "No such option: --nope [usage]" in said.err
    assert "help: fairlead runs --help" in said.err


def test_an_error_says_what_why_and_what_mends_it(
    fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = fairlead("check")
    assert said.status == 2
    assert said.out == ""
    error, cause, mend = said.err.splitlines()
    assert error.startswith("error: there is no workspace in ")
    assert error.endswith("[not_found]")
    assert cause == "cause: a workspace is a folder with a fairlead.yaml"
    assert mend.startswith("help: make one: fairlead init NAME")


def test_a_fault_of_our_own_is_said_in_words_and_traced_only_on_demand(
    acme: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(store: object) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr("fairlead.cli.trace.log_of", breaks)
    said = fairlead("runs")
    assert said.status == 70
    assert "Traceback" not in said.err
    assert "[broken]" in said.err
    assert "fairlead --debug" in said.err
    with pytest.raises(ZeroDivisionError):
        fairlead("--debug", "runs")


def test_a_damaged_database_is_named(acme: Path, fairlead: Fairlead) -> None:
    (acme / ".fairlead" / "state.db").write_bytes(b"this is no database, and long enough to be looked at" * 100)
    said = fairlead("runs")
    assert said.status == 70
    assert "[database_away]" in said.err
    assert "file is not a database" in said.err


def test_the_version_is_data(fairlead: Fairlead) -> None:
    assert fairlead("--version").out == "fairlead 0.1.0\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    ended = subprocess.run(
        f"{sys.executable} -m fairlead schema fairlead | head -c 10; echo; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""


def test_no_colour_where_nobody_looks(acme: Path, fairlead: Fairlead) -> None:
    said = fairlead("doctor")
    assert "\x1b" not in said.out + said.err


def on_a_terminal(*arguments: str, cwd: Path, **environment: str) -> str:
    """What the program shows on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = programs.command("-m", "fairlead", *arguments)
    surroundings = {"PATH": os.environ["PATH"], "TERM": "xterm", **environment}
    with subprocess.Popen(command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, env=surroundings) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the terminal's other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        assert process.wait(120) == 0
    return shown.decode()


@pytest.mark.parametrize("command", ["trace", "load", "doctor"])
def test_a_terminal_gets_colour_unless_it_asks_for_none(command: str, asked: tuple[Path, Answer]) -> None:
    assert "\x1b[" in on_a_terminal(command, cwd=asked[0])
    assert "\x1b[" not in on_a_terminal(command, cwd=asked[0], NO_COLOR="1")


def test_a_name_is_never_broken_over_lines(asked: tuple[Path, Answer]) -> None:
    assert asked[1].run in on_a_terminal("runs", cwd=asked[0])


def test_commands_can_be_completed() -> None:
    said = program(_FAIRLEAD_COMPLETE="complete_bash", COMP_WORDS="fairlead exp", COMP_CWORD="1")
    assert said.out.split() == ["explain"]


def test_models_and_codes_can_be_completed(acme: Path) -> None:
    said = program(cwd=acme, _FAIRLEAD_COMPLETE="complete_bash", COMP_WORDS="fairlead ask --model l", COMP_CWORD="3")
    assert said.out.split() == ["local", "large"]
    said = program(_FAIRLEAD_COMPLETE="complete_bash", COMP_WORDS="fairlead explain over", COMP_CWORD="2")
    assert said.out.split() == ["over_budget", "overloaded"]


def test_what_a_command_does_is_told_whole_in_the_list_of_its_group(fairlead: Fairlead) -> None:
    told = fairlead("memory", "--help").out
    assert "where it came from, and" in told
    assert "until when, the youngest first." in told
    assert "..." not in told.partition("Commands:")[2]
