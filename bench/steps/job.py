"""What the contestants share: the job that they are given, and how they tell what it came to. Nothing but the standard
library, since each runs in an environment of its own.

A contestant is started with the job as JSON, makes itself ready, does a first run, says `ready`, waits for a line, does
the runs, and prints the CPU seconds of its process and the seconds that passed. The work of a step is `next_number`, or
one question to a model over HTTP.
"""

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

QUESTION = "Is the delivery of Tuesday complete? Say what is missing, and when it will follow."


@dataclass(frozen=True)
class Job:
    """`storage` is a URL of PostgreSQL, or "" for files in `folder`. `upstream` is a model's port, 0 where a step is a
    function."""

    folder: str
    storage: str
    runs: int
    steps: int
    at_once: int
    upstream: int


def given() -> Job:
    return Job(**json.loads(sys.argv[1]))


def next_number(number: int) -> int:
    return number + 1


class Model:
    """The question by hand, as whoever needs no gateway asks it: one kept connection a thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._own = threading.local()

    def ask(self, number: int) -> int:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection("127.0.0.1", self._port)
        body = json.dumps({"model": "instant", "messages": [{"role": "user", "content": QUESTION}]})
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        said = json.loads(connection.getresponse().read())
        assert said["choices"][0]["message"]["content"]
        return number + 1


def timed(work: Callable[[], None]) -> None:
    """Wait to be told, do it, and tell what it took."""
    print("ready", flush=True)
    sys.stdin.readline()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}), flush=True)
