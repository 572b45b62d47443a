"""A batch of files against a server that is busy now and then."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import each_file
from fairlead.errors import FairleadError

BUSY = {"error": {"message": "too fast", "code": "rate_limited"}}
DONE = {"id": "wf_1", "status": "done"}


@contextmanager
def answering(answers: list[tuple[int, dict[str, Any], str]]) -> Iterator[str]:
    """A server that gives these answers one after the other: status, body, Retry-After."""

    class Door(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body, wait = answers.pop(0)
            self.send_response(status)
            if wait:
                self.send_header("retry-after", wait)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_GET = do_POST = answer  # noqa: N815 the names are the library's

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_batch_waits_as_long_as_a_busy_server_says_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.pdf").write_bytes(b"%PDF-")
    pauses: list[float] = []
    monkeypatch.setattr("fairlead.cli.each_file.time.sleep", pauses.append)
    answers: list[tuple[int, dict[str, Any], str]] = [
        (429, BUSY, "7"),
        (503, {}, "2"),
        (200, {"id": "wf_1"}, ""),
        (503, BUSY, "3"),
        (200, DONE, ""),
    ]
    with answering(answers) as address:
        assert each_file.run_each("invoice", {}, f"document={tmp_path}/*.pdf", address, "key", json=True)
    assert pauses[:3] == [7, 2, 3]
    assert answers == []


def test_a_server_that_stays_busy_ends_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.pdf").write_bytes(b"%PDF-")
    pauses: list[float] = []
    monkeypatch.setattr("fairlead.cli.each_file.time.sleep", pauses.append)
    with answering([(429, BUSY, "400")] * 3) as address, pytest.raises(FairleadError, match="too fast"):
        each_file.run_each("invoice", {}, f"document={tmp_path}/*.pdf", address, "key", json=True)
    assert pauses == [400]
