"""What a model replied to real requests is kept, and played back to the same requests."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests import programs
from tests.cli.conftest import Fairlead
from tests.cli.test_serve import Server

ROOT = Path(__file__).parents[2]
QUESTION = "Tell me something."


@pytest.fixture
def provider() -> Iterator[str]:
    """A model's server, by its address."""
    command = programs.command("-m", "tests.faults.provider", "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


@contextmanager
def running(folder: Path, *command: str) -> Iterator[Server]:
    with subprocess.Popen(
        programs.command("-m", "fairlead", *command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        server = Server(process, folder)
        try:
            yield server
        finally:
            if process.poll() is None:
                server.stop()


def house(folder: Path, use: str) -> None:
    """Let the workspace's model `house` be this one."""
    entry = folder / "fairlead.yaml"
    lines = [line for line in entry.read_text().splitlines() if not line.startswith("  house:")]
    place = lines.index("models:") + 1
    entry.write_text("\n".join([*lines[:place], f"  house: {use}", *lines[place:]]) + "\n")


def test_replies_are_kept_and_come_back_without_the_model(
    live: Path, tmp_path: Path, fairlead: Fairlead, provider: str
) -> None:
    house(live, f"{{use: openai-compatible/tiny, url: '{provider}/v1', placement: {{kind: device}}}}")
    assert fairlead("apply", "--yes").status == 0
    cassette = tmp_path / "house.jsonl"
    with running(live, "record", "house", str(cassette), "--yes") as server:
        heard = fairlead("ask", QUESTION, "--model", "house", "--url", server.url)
        assert heard.status == 0, heard.err
        assert fairlead("ask", "Which hotel price is fine?", "--model", "local", "--url", server.url).status == 0
        assert f"use: recorded/{cassette}" in "".join(server.said)
    assert len(cassette.read_text().splitlines()) == 1
    assert cassette.stat().st_mode & 0o077 == 0
    assert QUESTION not in cassette.read_text()
    house(live, f"recorded/{cassette}")
    with running(live, "serve", str(live), "--port", "0") as server:
        again = fairlead("ask", QUESTION, "--model", "house", "--url", server.url)
        assert again.out == heard.out
        other = fairlead("ask", "Something else.", "--model", "house", "--url", server.url)
    assert "model: local" in other.err  # what was not recorded is an error of that model, and another one answers
    assert fairlead("audit", "verify").status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hous", "x.jsonl"), "there is no model 'hous'"),
        (("small", "x.jsonl"), "model small is left out on this machine"),
        (("local", "x.jsonl"), "--yes"),
        (("local", "absent/x.jsonl", "--yes"), "absent/x.jsonl"),
    ],
)
def test_what_cannot_be_recorded_is_told_before_anything_is_served(
    live: Path, fairlead: Fairlead, arguments: tuple[str, ...], said: str
) -> None:
    refused = fairlead("record", *arguments)
    assert refused.status == 2
    assert said in refused.err
    assert not (live / "x.jsonl").exists()
