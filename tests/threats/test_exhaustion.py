"""Small requests that are meant to cost much: refused early, in linear time, and the worker goes on."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from tests.world import Served, key_of, served

DOORS = ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/completions", "/v1/embeddings")


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("exhaustion")) as s:
        yield s


def sent(s: Served, path: str, body: bytes, **headers: str) -> httpx.Response:
    said = {"authorization": f"Bearer {key_of('kim')}", "content-type": "application/json", **headers}
    return httpx.post(s.url + path, content=body, headers=said, timeout=60)


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"model":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"model":"small","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"model":"small","metadata":' + b'{"a":' * 60_000 + b"1" + b"}" * 60_000 + b"}",
        b'{"model":"small","max_tokens":' + b"9" * 400_000 + b"}",
        b'{"model":"small","temperature":1e' + b"9" * 100_000 + b"}",
    ],
    ids=["open", "objects", "lists", "metadata", "digits", "exponent"],
)
def test_json_that_is_deep_or_long_without_end_is_bad_input(s: Served, path: str, body: bytes) -> None:
    assert sent(s, path, body).status_code == 400
    assert httpx.get(f"{s.url}/healthz").status_code == 200


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(("coding", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_what_is_packed_is_not_unpacked_so_no_bomb_goes_off(
    s: Served, path: str, coding: str, packed: Callable[[bytes], bytes]
) -> None:
    plain = json.dumps({"model": "small", "messages": [], "fill": "a" * 500_000}).encode()
    assert sent(s, path, packed(plain), **{"content-encoding": coding}).status_code == 400


def test_many_headers_are_bounded(s: Served) -> None:
    many = {f"x-{number}": "a" * 100 for number in range(2000)}
    try:
        status = sent(s, "/v1/chat/completions", b"{}", **many).status_code
    except httpx.TransportError:
        status = 413  # the answer was on its way while we still sent
    assert status in (400, 413, 431)
    assert httpx.get(f"{s.url}/healthz").status_code == 200
