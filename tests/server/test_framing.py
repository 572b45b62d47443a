"""Connections whose other side is slow, stops, or speaks something else."""

import itertools
import json
import socket
import time
from collections.abc import Iterable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.world import Served, served, settings, wait_until

from fairlead.server.framing import Framing, Patience

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
BUDGETS = {"organisation": {"total": 1000}}


@pytest.fixture
def s(tmp_path: Path) -> Iterator[Served]:
    def long_winded(url: str) -> dict[str, Any]:
        models: dict[str, Any] = settings(url)["models"]
        return {**models, "small": {**models["small"], "max_output": 100_000}}

    with served(tmp_path, budgets=BUDGETS, models=long_winded, patience=Patience(receive=0.5, send=0.5)) as s:
        yield s


def address(s: Served) -> tuple[str, int]:
    host, port = s.url.removeprefix("http://").split(":")
    return host, int(port)


def connected(s: Served) -> socket.socket:
    return socket.create_connection(address(s), timeout=60)


def heard(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    pieces = []
    while piece := client.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def a_request(s: Served, content: str, **more: Any) -> bytes:
    body = {"model": "small", "messages": [{"role": "user", "content": content}], **more}
    data = json.dumps(body).encode()
    credentials = "".join(f"{name}: {value}\r\n" for name, value in s.auth().items()).encode()
    return HEAD + credentials + b"content-length: %d\r\n\r\n" % len(data) + data


@pytest.mark.parametrize("part", [b"", b"POST /v1/cha", HEAD + b"content-length: 100\r\n\r\n"])
def test_a_request_that_does_not_come_is_not_waited_for_for_ever(s: Served, part: bytes) -> None:
    with connected(s) as client:
        client.sendall(part)
        answer = heard(client)
    if part.endswith(b"\r\n\r\n"):  # its head is here, and it brings no credential
        assert answer.startswith(b"HTTP/1.1 401 ")
    else:
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "too_slow"


def test_a_body_that_stops_coming_is_told_so_and_changes_nothing(s: Served) -> None:
    request = a_request(s, "echo hello")
    with connected(s) as client:
        client.sendall(request[:-10])
        assert b"HTTP/1.1 408 " in heard(client)
    assert s.records() == []


@pytest.mark.parametrize(
    ("rest", "status", "kind"),
    [
        (b"content-length: 9\r\n\r\n{", 408, "timeout_error"),
        (b"transfer-encoding: chunked\r\n\r\nzz\r\n", 400, "invalid_request_error"),
        (b"bad header\r\n\r\n", 400, "invalid_request_error"),
        (b"x: " + b"y" * 70_000, 413, "request_too_large"),
        (b"x: " + b"y" * 3_000_000, 413, "request_too_large"),  # still coming when the answer is long on its way
    ],
)
def test_what_is_no_request_of_messages_is_told_so_in_their_form(
    s: Served, rest: bytes, status: int, kind: str
) -> None:
    key = s.auth()["authorization"].encode()
    with connected(s) as client:
        # In pieces, as a head that is bounded comes.
        for piece in (b"POST /v1/messages?beta=true HTTP/1.1\r\nhost: here\r\nauthorization: " + key + b"\r\n", rest):
            client.sendall(piece)
        answer = heard(client)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    said = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (said["type"], said["error"]["type"]) == ("error", kind)
    assert said["fairlead"]["help"]


def test_a_request_within_a_kept_connection_has_its_own_time(s: Served) -> None:
    request = a_request(s, "echo hello")
    with connected(s) as client:
        for pause in (1.0, 0.0):  # longer than a request may take: nothing is under way meanwhile
            client.sendall(request)
            response = HTTPResponse(client)
            response.begin()
            assert (response.status, response.will_close) == (200, False)
            response.read()
            time.sleep(pause)
        client.sendall(request[:40])
        assert heard(client).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("way", ["head", "body"])
def test_a_request_that_comes_byte_by_byte_wins_no_time(s: Served, way: str) -> None:
    request = a_request(s, "echo hello")
    start = 20 if way == "head" else request.index(b"\r\n\r\n") + 4
    with connected(s) as client:
        client.sendall(request[:start])
        answer = dribbled(client, (request[n : n + 1] for n in range(start, len(request) - 1)))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert s.records() == []


def test_empty_lines_after_a_reply_do_not_keep_a_connection(s: Served) -> None:
    with connected(s) as client:
        client.sendall(a_request(s, "echo hello"))
        response = HTTPResponse(client)
        response.begin()
        response.read()
        assert dribbled(client, itertools.repeat(b"\r\n")).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nx: "])
def test_a_head_without_end_is_not_kept_in_memory(s: Served, start: bytes) -> None:
    with connected(s) as client:
        client.sendall(start)
        answer = dribbled(client, itertools.repeat(b"x" * 65_536))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "too_large"


def test_long_headers_within_the_limit_are_read_however_they_come(s: Served) -> None:
    head, _, content = a_request(s, "echo hello").partition(b"\r\n\r\n")
    request = head + b"\r\nx: " + b"y" * 40_000 + b"\r\n\r\n" + content
    with connected(s) as client:
        for start in range(0, len(request), 15_000):
            client.sendall(request[start : start + 15_000])
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")


def dribbled(client: socket.socket, pieces: Iterable[bytes]) -> bytes:
    """Send pieces one after the other until the server answers; everything that it said."""
    client.settimeout(0.02)
    for piece in pieces:
        client.sendall(piece)
        try:
            answer = client.recv(65536)
        except TimeoutError:
            continue
        client.settimeout(60)
        return answer + heard(client)
    return b""


def probed(client: socket.socket) -> int:
    client.sendall(b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n")
    response = HTTPResponse(client)
    response.begin()
    response.read()
    return response.status


def test_connections_beyond_their_limit_are_turned_away_until_one_closes(tmp_path: Path) -> None:
    with served(tmp_path, patience=Patience(connections=2)) as s:
        first, second = connected(s), connected(s)
        with first, second:
            for client in (first, second):
                assert probed(client) == 200
            with connected(s) as third:
                head, _, body = heard(third).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 Service Unavailable")
            assert b"retry-after: 1" in head.splitlines()
            error = json.loads(body)["error"]
            assert error["code"] == "overloaded"
            assert "server.max_connections" in error["fairlead"]["help"]
            assert probed(first) == 200

        def taken_again() -> bool:
            try:
                return httpx.get(f"{s.url}/healthz").status_code == 200
            except httpx.TransportError:  # turned away before the request was sent
                return False

        wait_until(taken_again)


def test_a_reader_that_stops_reading_ends_its_stream(s: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Framing.connection_made

    def with_little_room(self: Framing, transport: Any) -> None:
        begin(self, transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    monkeypatch.setattr(Framing, "connection_made", with_little_room)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # else the kernel takes it all for us
        client.connect(address(s))
        client.sendall(a_request(s, "say 90000", stream=True, max_tokens=90_000))
        wait_until(lambda: s.records() and not s.holds())
        (record,) = s.records()
        assert record.outcome == "abandoned"
        assert record.cost > 0


def test_two_credentials_that_differ_are_refused_and_the_same_twice_is_one(s: Served) -> None:
    (credential,) = s.auth().values()
    key = credential.removeprefix("Bearer ")
    body = {"model": "small", "messages": [{"role": "user", "content": "echo hello"}]}
    url = f"{s.url}/v1/chat/completions"
    assert httpx.post(url, json=body, headers={"x-api-key": key}).status_code == 200
    assert httpx.post(url, json=body, headers={"x-api-key": key, **s.auth()}).status_code == 200
    for other in (f"Bearer {key}x", f"Basic {key}", key, ""):
        refused = httpx.post(url, json=body, headers={"x-api-key": key, "authorization": other})
        assert refused.status_code == 401
        assert "two credentials" in refused.json()["error"]["message"]
    assert httpx.post(url, json=body, headers={"x-api-key": f"{key}x"}).status_code == 401
