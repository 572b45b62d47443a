"""Who a request comes from, and how much of it is read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fairlead.errors import BadInput
from fairlead.server.http import Gone, TooLarge, is_loopback, only_header, read_body


def scope(*headers: tuple[bytes, bytes], client: str = "127.0.0.1", host: bytes = b"127.0.0.1:8700") -> dict[str, Any]:
    return {"client": (client, 50000), "headers": [(b"host", host), *headers]}


@pytest.mark.parametrize("host", [b"127.0.0.1:8700", b"localhost", b"[::1]:8700"])
def test_a_program_on_this_machine_is_one(host: bytes) -> None:
    assert is_loopback(scope(host=host))
    assert is_loopback(scope(host=host, client="::1"))


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"https://elsewhere.example"),
        (b"sec-fetch-site", b"cross-site"),
        (b"x-forwarded-for", b""),
        (b"x-real-ip", b"10.0.0.1"),
        (b"via", b"1.1 proxy"),
        (b"forwarded", b"for=10.0.0.1"),
    ],
)
def test_whoever_speaks_for_another_is_not_on_this_machine(header: tuple[bytes, bytes]) -> None:
    assert not is_loopback(scope(header))


@pytest.mark.parametrize(
    "host", [b"elsewhere.example", b"", b"127.0.0.1.elsewhere.example", b"10.0.0.1", b"[", b"[::1"]
)
def test_a_foreign_name_that_leads_here_is_not_this_machine(host: bytes) -> None:
    assert not is_loopback(scope(host=host))


def test_another_machine_is_not_this_one() -> None:
    assert not is_loopback(scope(client="10.0.0.1"))
    assert not is_loopback({"client": None, "headers": []})


def test_a_header_that_must_stand_alone_is_refused_when_it_does_not() -> None:
    assert only_header(scope((b"authorization", b"Bearer a")), b"authorization") == "Bearer a"
    assert only_header(scope(), b"authorization") is None
    with pytest.raises(BadInput, match="2 authorization headers"):
        only_header(scope((b"authorization", b"a"), (b"authorization", b"b")), b"authorization")


def arriving(*messages: dict[str, Any]) -> Callable[[], Awaitable[dict[str, Any]]]:
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_is_read_whole_and_within_its_limit() -> None:
    assert await read_body(arriving(part(b"ab", more=True), part(b"c", more=False)), 3) == b"abc"
    with pytest.raises(TooLarge):
        await read_body(arriving(part(b"ab", more=True), part(b"cd", more=True)), 3)
    with pytest.raises(TooLarge):
        await read_body(arriving(part(b"abcd", more=False)), 3)
    with pytest.raises(Gone):
        await read_body(arriving(part(b"ab", more=True), {"type": "http.disconnect"}), 9)


def test_a_page_of_this_very_server_is_a_program_on_this_machine_and_no_other_page_is() -> None:
    own = {"type": "http", "scheme": "http", "client": ("127.0.0.1", 5000)}
    host = (b"host", b"127.0.0.1:8700")
    assert is_loopback({**own, "headers": [host, (b"origin", b"http://127.0.0.1:8700")]})
    for origin in (b"http://127.0.0.1:9000", b"https://127.0.0.1:8700", b"null", b"http://evil.example"):
        assert not is_loopback({**own, "headers": [host, (b"origin", origin)]})
    evil = [(b"host", b"evil.example"), (b"origin", b"http://evil.example")]
    assert not is_loopback({**own, "headers": evil})
