"""A run that is in memory only is begun again, under the same name, by whoever has its input: where it was lost."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from fairlead.cli import resting, workflow_waited
from fairlead.cli.workflow_waited import begun
from fairlead.errors import CutOff
from fairlead.storage import workflow_rows

RUN = {"object": "workflow.run", "id": "wf_1", "status": "running", "error": None}


def _event(**more: Any) -> bytes:
    return b"data: " + json.dumps({**RUN, **more}).encode() + b"\n\n"


LOST = _event() + _event(status="lost", steps=[], error="fault") + b"data: [DONE]\n\n"
DONE = _event() + b": it goes on\n\n" + _event(status="done", steps=[], output=7) + b"data: [DONE]\n\n"


class _Server(HTTPServer):
    answers: list[bytes]
    heard: list[Any]


class _Once(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(self.server.answers.pop(0))

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setattr(workflow_waited, "_PAUSE", 0.0)
    made = _Server(("127.0.0.1", 0), _Once)
    made.heard = []
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_it_begins_again_where_the_server_went_away_or_lost_it(server: _Server) -> None:
    server.answers = [_event(), LOST, DONE]
    found = begun(f"http://127.0.0.1:{server.server_port}", "/runs", {"once": "monday"}, "key")
    assert (found["status"], found["output"]) == ("done", 7)
    assert server.heard == [{"once": "monday"}] * 3


def test_in_the_end_it_says_that_it_was_lost(server: _Server) -> None:
    server.answers = [_event()] * 9
    with pytest.raises(CutOff):
        begun(f"http://127.0.0.1:{server.server_port}", "/runs", {"once": "monday"}, "key")


def test_a_command_waits_for_no_run_of_which_nothing_more_comes() -> None:
    assert set(resting.OVER) == set(workflow_rows.OVER)
