"""Serving and asking, with the program itself on a free port."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest
from tests import programs
from tests.cli.conftest import Fairlead, program

from fairlead.identity.keys import is_well_formed

ANSWERING = re.compile(r"answering at (https?://127\.0\.0\.1:\d+)/v1")
RECEIPT = "What do I do when a receipt is lost?"


class Server:
    """A running `fairlead serve`: where it answers, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.said: list[str] = []
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line)
            if found := ANSWERING.search(line):
                self.url = found[1]
                break
        else:
            raise AssertionError("it did not start: " + "".join(self.said))
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(self.process.stderr)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(120)


@contextmanager
def serving(folder: Path, *more: str, real: bool = False) -> Iterator[Server]:
    """A server over a folder; with `real` started as a user does, imports and all."""
    arguments = ("-m", "fairlead", "serve", str(folder), "--port", "0", *more)
    command = [sys.executable, *arguments] if real else programs.command(*arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        server = Server(process, folder)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            if process.poll() is None:
                server.stop()


def _wait_until_ready(server: Server) -> None:
    # The socket listens before the worker answers, so one request waits as long as it takes.
    from urllib.request import urlopen

    with urlopen(f"{server.url}/healthz", timeout=60) as answer:
        assert answer.status == 200


@pytest.fixture(scope="module")
def server(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served") / "acme"
    shutil.copytree(published, folder)
    with serving(folder, real=True) as started:
        yield started


@pytest.fixture
def there(server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The served workspace; the test runs in it, and commands know where the server is."""
    monkeypatch.chdir(server.folder)
    monkeypatch.setenv("FAIRLEAD_URL", server.url)
    return server.folder


def test_a_question_is_answered_with_sources_cost_and_run(there: Path, fairlead: Fairlead) -> None:
    said = fairlead("ask", RECEIPT)
    assert said.status == 0, said.err
    assert said.out.strip()
    assert "cost: 0 USD" in said.err
    run_name = re.search(r"run: (run_\w+)", said.err)
    assert run_name
    assert run_name[1] in fairlead("trace", run_name[1]).out


def test_a_streamed_answer_is_the_same(there: Path, fairlead: Fairlead) -> None:
    assert fairlead("ask", RECEIPT, "--stream").out == fairlead("ask", RECEIPT).out


def test_programs_get_the_whole_reply(there: Path, fairlead: Fairlead) -> None:
    reply = fairlead("ask", RECEIPT, "--json").json
    assert reply["fairlead"]["model"] == "local"
    assert reply["choices"][0]["message"]["content"]


def test_an_error_of_the_server_reads_like_one_of_our_own(there: Path, fairlead: Fairlead) -> None:
    said = fairlead("ask", "hello", "--as", "fl_nonsense")
    assert said.status == 1
    assert said.err.startswith("error: ")
    assert "[unauthenticated]" in said.err
    unknown = fairlead("ask", "hello", "--model", "nothing")
    assert unknown.status == 2
    assert "[not_found]" in unknown.err


def test_an_estimate_names_every_candidate_and_every_drop(there: Path, fairlead: Fairlead) -> None:
    said = fairlead("estimate", RECEIPT)
    assert said.status == 0, said.err
    assert "local" in said.out
    assert "dropped small: unavailable" in said.err
    assert "no server runs" not in said.err


def test_a_key_counts_at_once_and_its_revocation_too(there: Path, fairlead: Fairlead) -> None:
    key = fairlead("key", "add", "sam", "--person", "sam").out.strip()
    assert fairlead("ask", RECEIPT, "--as", key).status == 0
    assert fairlead("key", "revoke", "sam").status == 0
    refused = fairlead("ask", RECEIPT, "--as", key)
    assert refused.status == 1
    assert "the key 'sam' was revoked" in refused.err


def test_the_master_key_is_changed_under_a_live_worker(there: Path, fairlead: Fairlead) -> None:
    old = fairlead("ask", RECEIPT, "--json").json["fairlead"]["run"]
    assert fairlead("key", "rotate-master", "--yes").status == 0
    new = fairlead("key", "add", "robin", "--person", "robin").out.strip()  # a person whom the worker has not met
    run = fairlead("ask", RECEIPT, "--as", new, "--json").json["fairlead"]["run"]
    for each in (old, run):
        assert RECEIPT in fairlead("trace", each, "--payload").out
    assert fairlead("audit", "checkpoint").status == 0


def test_a_publish_reaches_the_live_worker_before_it_returns(there: Path, fairlead: Fairlead) -> None:
    entry = there / "fairlead.yaml"
    entry.write_text(entry.read_text() + "\n# changed\n")
    said = fairlead("apply")
    assert "(1 live worker(s) decide under it)" in said.err
    assert fairlead("ask", RECEIPT, "--json").json["fairlead"]["revision"] == said.out.strip()


def test_the_doctor_sees_the_worker(there: Path, fairlead: Fairlead) -> None:
    found = [each for each in fairlead("doctor", "--json").json if each["subject"] == "workers"]
    assert [each["state"] for each in found] == ["ok"]
    assert "process" in found[0]["said"]


def test_the_greeting_tells_what_is_switched_off(server: Server) -> None:
    said = "".join(server.said)
    assert "anonymous: programs on this machine need no key" in said
    assert "model small is left out: no key: OPENAI_API_KEY is not set" in said
    assert f"curl {server.url}/v1/chat/completions" in said
    assert "no budgets" not in said


def test_a_fresh_folder_gets_its_state_and_a_first_key(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns(".fairlead"))
    with serving(folder, "--workers", "2") as started:
        assert started.process.stdout is not None
        assert is_well_formed(started.process.stdout.readline().strip())
        said = program("ask", RECEIPT, "--url", started.url)
        assert said.status == 0, said.err
        assert started.stop() == 0
    assert "Traceback" not in "".join(started.said)


def test_without_a_server_an_estimate_is_decided_here(live: Path, fairlead: Fairlead) -> None:
    entry = live / "fairlead.yaml"
    entry.write_text(entry.read_text() + "\nserver: {port: 1}\n")
    assert fairlead("apply").status == 0
    said = fairlead("estimate", RECEIPT, "--json")
    assert said.status == 0, said.err
    assert [each["model"] for each in said.json["estimates"]] == ["local"]
    assert fairlead("runs", "--json").json[0]["outcome"] == "estimated"
    refused = fairlead("estimate", RECEIPT, "--url", "http://127.0.0.1:1")
    assert refused.status == 3

    asked = '{"messages": [{"role": "user", "content": "How much is the meal allowance?"}]}'
    batch = live / "batch.jsonl"
    unknown = asked.replace("{", '{"model": "none", ', 1)
    batch.write_text(f'{asked}\n{{"custom_id": "b", "body": {asked}}}\n{unknown}\n')
    given = fairlead("estimate", str(batch), "--json")
    assert given.status == 0, given.err
    together = given.json
    assert [part["requests"] for part in together["parts"]] == [2]
    assert [each["line"] for each in together["refused"]] == [3]
    assert (together["outcomes"], together["since"]) == (0, "")
    assert "no history yet" in fairlead("estimate", str(batch)).err
    batch.write_text("[]\n")
    assert "line 1" in fairlead("estimate", str(batch)).err


def test_without_a_server_asking_says_how_to_start_one(live: Path, fairlead: Fairlead) -> None:
    said = fairlead("ask", "hello", "--url", "http://127.0.0.1:1")
    assert said.status == 3
    assert "[no_server]" in said.err
    assert "help: fairlead serve" in said.err
    assert fairlead("ask", "hello", "--url", "localhost:8700").status == 2


def test_what_answers_and_is_no_fairlead_is_told(live: Path, fairlead: Fairlead) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with closing(connection):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 5\r\n\r\nsorry")

        Thread(target=answer, daemon=True).start()
        said = fairlead("ask", "hello", "--url", f"http://127.0.0.1:{other.getsockname()[1]}")
    assert said.status == 3
    assert "no Fairlead" in said.err


def test_a_port_that_is_taken_is_told_before_anything_is_served(live: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        said = program("serve", "--port", other.getsockname()[1], cwd=live)
    assert said.status == 2
    assert "cannot listen on 127.0.0.1" in said.err


def test_nothing_published_and_no_apply_is_refused(acme: Path) -> None:
    said = program("serve", "--no-apply", "--port", "0", cwd=acme)
    assert said.status == 2
    assert "nothing is published yet" in said.err
