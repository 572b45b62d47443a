"""One connection, two readers: what a proxy in front might take for one request must never be two here."""

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from tests.world import Served, key_of, served

HIDDEN = b"GET /healthz HTTP/1.1\r\nhost: hidden\r\n\r\n"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN

# Heads over whose framing readers have differed. What follows is a hidden request, for who reads it so.
HEADS = {
    "both framings": b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n" + CHUNKED,
    "both, the other way round": b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n" + CHUNKED,
    "two lengths": b"content-length: 0\r\ncontent-length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a list of lengths": b"content-length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a signed length": b"content-length: +0\r\n\r\n" + HIDDEN,
    "a negative length": b"content-length: -1\r\n\r\n" + HIDDEN,
    "a hexadecimal length": b"content-length: 0x0\r\n\r\n" + HIDDEN,
    "a length without end": b"content-length: 99999999999999999999999999\r\n\r\n" + HIDDEN,
    "an unknown encoding": b"transfer-encoding: xchunked\r\n\r\n" + CHUNKED,
    "chunked and then another": b"transfer-encoding: chunked, identity\r\n\r\n" + CHUNKED,
    "a blank before the colon": b"transfer-encoding : chunked\r\n\r\n" + CHUNKED,
    "a folded line": b"transfer-encoding:\r\n chunked\r\n\r\n" + CHUNKED,
    "a bare line feed": b"x: y\ntransfer-encoding: chunked\r\n\r\n" + CHUNKED,
    "a bare carriage return": b"x: y\rtransfer-encoding: chunked\r\n\r\n" + CHUNKED,
    "a nought in a value": b"x: y\x00z\r\n\r\n" + HIDDEN,
    "a signed size of a chunk": b"transfer-encoding: chunked\r\n\r\n+0\r\n\r\n" + HIDDEN,
    "a hexadecimal mark in a size": b"transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n" + HIDDEN,
    "a size of a chunk that overflows": b"transfer-encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + HIDDEN,
    "a chunk that ends early": b"transfer-encoding: chunked\r\n\r\n5\r\nab\r\n0\r\n\r\n" + HIDDEN,
}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("smuggling")) as s:
        yield s


def answers(s: Served, sent: bytes) -> list[int]:
    """The status of every answer that comes back until the connection is closed, or rests."""
    address = urlsplit(s.url)
    with socket.create_connection((address.hostname, address.port), 10) as client:
        client.sendall(sent)
        client.settimeout(1.0)
        heard = b""
        try:
            while piece := client.recv(65536):
                heard += piece
        except (TimeoutError, ConnectionResetError):
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", heard)]


@pytest.mark.parametrize("head", HEADS.values(), ids=list(HEADS))
def test_a_request_whose_framing_can_be_read_twice_is_refused_and_hides_no_other(s: Served, head: bytes) -> None:
    before = s.count("log")
    got = answers(s, HEAD + b"authorization: Bearer " + key_of("kim").encode() + b"\r\n" + head)
    assert len(got) <= 1
    assert all(400 <= status < 500 for status in got), got
    assert s.provider.received == []
    assert s.count("log") - before <= 1


def test_what_is_pipelined_in_good_form_is_answered_in_its_order(s: Served) -> None:
    got = answers(s, HIDDEN + b"GET /nowhere HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
    assert got == [200, 404]


@pytest.mark.parametrize(
    "path",
    ["/v1/../healthz", "/healthz/", "//healthz", "/%68ealthz", "/healthz%00", "/HEALTHZ", "/v1/chat%2fcompletions"],
)
def test_a_path_has_one_spelling_so_that_a_guard_in_front_sees_the_same(s: Served, path: str) -> None:
    assert answers(s, f"GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n".encode()) == [404]
