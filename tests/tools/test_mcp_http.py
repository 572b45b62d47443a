"""Servers that speak the Model Context Protocol at an address: the SDK's own in both revisions, and ones that
misbehave."""

import asyncio
import json
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.tools.mcp_shop import shop
from tests.tools.mcp_world import served, system

from fairlead.errors import BadInput, DeadlineExceeded, RateLimited
from fairlead.tools.failures import NotAuthorised, ResultTooLarge, SystemFailed

App = Callable[..., Awaitable[None]]


class Watched:
    """An application that is watched. `older`: it knows no revision after 2025-11-25."""

    def __init__(self, app: App, *, older: bool = False) -> None:
        self.asked: list[tuple[str, str, str]] = []  # method of HTTP, credential, session
        self.headers: list[dict[str, str]] = []
        self._app = app
        self._older = older

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.headers.append(headers)
            self.asked.append((scope["method"], headers.get("authorization", ""), headers.get("mcp-session-id", "")))
            if self._older and headers.get("mcp-protocol-version") == "2026-07-28":
                await reply(send, 400, b"Bad Request: unsupported protocol version", "text/plain")
                return
        await self._app(scope, receive, send)


async def reply(send: Any, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode()), *named]})
    await send({"type": "http.response.body", "body": body})


async def asked(receive: Any) -> dict[str, Any]:
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            return json.loads(body or b"{}")


def odd(on_call: Callable[[dict[str, Any], Any], Awaitable[None]]) -> App:
    """A server of the newer revision that greets well and then answers calls by `on_call`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        message = await asked(receive)
        if message.get("method") == "server/discover":
            found = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "resultType": "complete"}
            await answer(send, message, {**found, "ttlMs": 0, "cacheScope": "private"})
        else:
            await on_call(message, send)

    return app


async def answer(send: Any, message: dict[str, Any], result: dict[str, Any]) -> None:
    await reply(send, 200, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode())


DONE = {"content": [{"type": "text", "text": "done"}], "resultType": "complete"}


@pytest.mark.parametrize("older", [False, True], ids=["2026-07-28", "2025-11-25"])
@pytest.mark.parametrize("as_json", [False, True], ids=["events", "json"])
async def test_a_server_is_asked_and_answers_in_either_revision(older: bool, as_json: bool) -> None:
    seen: list[str] = []
    watched = Watched(shop(seen).streamable_http_app(json_response=as_json), older=older)
    async with served(watched) as url:
        async with system(url=f"{url}/mcp") as crm:
            assert (await crm.definitions(secret="kims-token"))["get_order"].effect == "read"
            order = await crm.call("get_order", secret="kims-token", order="7")
            assert order.structured == {"number": "7", "amount": 12.5}
            assert (await crm.call("get_order", secret="kims-token", order="none")).failed
            with pytest.raises(ResultTooLarge):
                await crm.call("many", secret="kims-token", count=3000, most_bytes=2000)
            calls = [crm.call("set_note", person, secret=f"{person}-x", order="1", note=person) for person in "abc"]
            assert [each.text for each in await asyncio.gather(*calls)] == ["1: a", "1: b", "1: c"]
            with pytest.raises(DeadlineExceeded):
                await crm.call("wait", secret="kims-token", seconds=1.0)
            async with asyncio.timeout(120):
                while (older or not as_json) and "cancelled" not in seen:  # else the SDK's server looks up at its end
                    await asyncio.sleep(0.01)
        opened = {session for _, _, session in watched.asked if session}
        ended = {session for method, _, session in watched.asked if method == "DELETE"}
        assert len(opened) == (5 if older else 0)
        assert ended == opened


@pytest.mark.parametrize("older", [False, True], ids=["2026-07-28", "2025-11-25"])
async def test_every_request_carries_the_credential_of_its_own_person_and_no_session_has_two(older: bool) -> None:
    watched = Watched(shop().streamable_http_app(), older=older)
    async with served(watched) as url, system(url=f"{url}/mcp") as crm:
        people = ["kim", "lee", "max"]
        await asyncio.gather(
            *(crm.call("get_order", person, secret=f"token-of-{person}", order="1") for person in people * 5)
        )
        await crm.call(
            "get_order", "kim", secret="token-of-lee", order="1"
        )  # the same secret makes no one else of them
        await crm.definitions(secret="token-of-kim")
    assert {who for _, who, _ in watched.asked} == {f"Bearer token-of-{person}" for person in people}
    holders = Counter(session for session, _ in {(session, who) for _, who, session in watched.asked if session})
    assert set(holders.values()) == ({1} if older else set())
    assert len(holders) == (5 if older else 0)


async def test_a_forgotten_session_is_opened_anew_and_the_call_made_once() -> None:
    inner = shop().streamable_http_app()
    forget = False

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal forget
        if scope["type"] == "http" and forget and dict(scope["headers"]).get(b"mcp-session-id"):
            forget = False
            await reply(send, 404, b"{}")
        else:
            await inner(scope, receive, send)

    async with served(Watched(app, older=True)) as url, system(url=f"{url}/mcp") as crm:
        await crm.call("get_order", order="1")
        forget = True
        assert (await crm.call("set_note", order="1", note="x")).text == "1: x"


@pytest.mark.parametrize(
    ("status", "headers", "error", "words"),
    [
        (401, {}, NotAuthorised, "does not let the caller in"),
        (403, {}, NotAuthorised, "does not let the caller do this"),
        (429, {"retry_after": "7"}, RateLimited, "asks for a pause"),
        (500, {}, SystemFailed, "broke off: it answered with status 500"),
        (307, {"location": "https://evil.example/mcp"}, SystemFailed, "sends callers to another server"),
        (307, {"location": "//evil.example/mcp"}, SystemFailed, "sends callers to another server"),
        (302, {"location": "http://169.254.169.254/"}, SystemFailed, "sends callers to another server"),
    ],
)
@pytest.mark.parametrize("when", ["greeting", "call"])
async def test_a_status_becomes_the_failure_that_it_means(
    when: str, status: int, headers: dict[str, str], error: type[Exception], words: str
) -> None:
    async def refuse(message: dict[str, Any], send: Any) -> None:
        await reply(send, status, b"secret words", "text/plain", **headers)

    app = odd(refuse)

    async def at_once(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        else:
            await asked(receive)
            await refuse({}, send)

    async with served(app if when == "call" else at_once) as url, system(url=f"{url}/mcp") as crm:
        with pytest.raises(error) as raised:
            await crm.call("act", secret="token-123")
    told = raised.value
    expected = words.replace("broke off", "could not be reached") if when == "greeting" else words
    assert expected in f"{told.message}: {told.why}"  # type: ignore[attr-defined]
    assert "secret" not in f"{told!r}{told.__dict__}"
    assert "token-123" not in f"{told!r}{told.__dict__}"
    assert getattr(told, "retry_after", None) == (7 if status == 429 else None)
    assert told.charged == ("unknown" if (status, when) == (500, "call") else "no")  # type: ignore[attr-defined]


async def garbage(message: dict[str, Any], send: Any) -> None:
    await reply(send, 200, b"<html>")


async def page(message: dict[str, Any], send: Any) -> None:
    await reply(send, 200, b"<html>", "text/html")


async def other_result(message: dict[str, Any], send: Any) -> None:
    await answer(send, message, {"content": "no list", "resultType": "complete"})


async def huge(message: dict[str, Any], send: Any) -> None:
    await reply(send, 200, b" " * (1 << 20))


async def huge_events(message: dict[str, Any], send: Any) -> None:
    await reply(send, 200, b"data: {}\n\n" * 100_000, "text/event-stream")


async def huge_event(message: dict[str, Any], send: Any) -> None:
    await reply(send, 200, b"data: " + b"x" * (1 << 20), "text/event-stream")


async def broken_events(message: dict[str, Any], send: Any) -> None:
    await reply(send, 200, b"event: message\n", "text/event-stream")


async def asks_back(message: dict[str, Any], send: Any) -> None:
    await answer(send, message, {"resultType": "input_required", "requestState": "x"})


async def accepted(message: dict[str, Any], send: Any) -> None:
    await reply(send, 202, b"")


async def hangs(message: dict[str, Any], send: Any) -> None:
    await asyncio.Event().wait()


async def wrong_arguments(message: dict[str, Any], send: Any) -> None:
    error = {"code": -32602, "message": "amount must be\n\x1b[31m positive"}
    await reply(send, 400, json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode())


@pytest.mark.parametrize(
    ("way", "error", "words"),
    [
        (garbage, SystemFailed, "answered with an error"),
        (page, SystemFailed, "Unexpected content type: text/html"),
        (other_result, SystemFailed, "content: Input should be a valid list"),
        (huge, ResultTooLarge, "more than is taken"),
        (huge_events, ResultTooLarge, "more than is taken"),
        (huge_event, ResultTooLarge, "more than is taken"),
        (broken_events, SystemFailed, "the connection ended before its answer"),
        (asks_back, SystemFailed, "it wants the caller or a model to add to the arguments"),
        (accepted, SystemFailed, "202 Accepted"),
        (hangs, DeadlineExceeded, "within the deadline"),
        (wrong_arguments, BadInput, "amount must be [31m positive"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
async def test_an_answer_that_cannot_be_taken_says_why(way: Any, error: type[Exception], words: str) -> None:
    async with served(odd(way)) as url, system(url=f"{url}/mcp") as crm:
        with pytest.raises(error) as raised:
            await crm.call("act", most_bytes=1000, seconds=0.3 if way is hangs else 20)
        told = raised.value
        assert words in f"{told.message}: {told.why}"  # type: ignore[attr-defined]


async def test_one_bad_answer_breaks_nothing_for_other_calls() -> None:
    ways = {"garbage": garbage, "huge": huge, "broken": broken_events, "hangs": hangs}

    async def app(message: dict[str, Any], send: Any) -> None:
        way = ways.get(message["params"]["name"])
        await (answer(send, message, DONE) if way is None else way(message, send))

    async with served(odd(app)) as url, system(url=f"{url}/mcp") as crm:
        names = [*ways, "act"] * 4
        found = await asyncio.gather(
            *(crm.call(name, most_bytes=1000, seconds=1 if name == "hangs" else 20) for name in names),
            return_exceptions=True,
        )
        for name, each in zip(names, found, strict=True):
            assert getattr(each, "text", None) == "done" if name == "act" else isinstance(each, Exception)
        assert (await crm.call("act")).text == "done"


async def test_arguments_that_the_schema_wants_in_headers_are_put_there() -> None:
    async def app(message: dict[str, Any], send: Any) -> None:
        await answer(send, message, DONE)

    watched = Watched(odd(app))
    schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
    async with served(watched) as url, system(url=f"{url}/mcp") as crm:
        await crm.call("act", schema=schema, region="north\r\nx-evil: 1")
    assert watched.headers[-1]["mcp-param-region"].startswith("=?base64?")
    assert watched.headers[-1]["mcp-name"] == "act"
    assert "x-evil" not in watched.headers[-1]


async def test_a_name_that_leads_inside_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def leads_inside(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", leads_inside)
    async with system(url="https://crm.example.com/mcp") as crm:
        with pytest.raises(SystemFailed, match="could not be reached") as error:
            await crm.call("act")
    assert (error.value.why, error.value.retryable) == ("it means 127.0.0.1, inside a private network", False)


async def test_a_server_that_is_down_has_done_nothing() -> None:
    async with system(url="http://127.0.0.1:1/mcp") as crm:
        with pytest.raises(SystemFailed, match="could not be reached") as error:
            await crm.call("act")
    assert (error.value.why, error.value.charged) == ("it refuses connections", "no")


async def test_neither_credentials_nor_answers_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(Watched(shop().streamable_http_app(), older=True)) as url, system(url=f"{url}/mcp") as crm:
        await crm.call("set_note", secret="token-123", order="secret-7", note="x")
    async with served(odd(garbage)) as url, system(url=f"{url}/mcp") as crm:
        with pytest.raises(SystemFailed):
            await crm.call("act", secret="token-123")
    ours = [each for each in caplog.records if not each.name.startswith(("mcp.server", "asyncio", "sse_starlette"))]
    assert not [each for each in ours if "token-123" in each.getMessage() or "secret-7" in each.getMessage()]


async def test_a_credential_that_would_break_its_header_is_refused_without_being_shown() -> None:
    async with system(url="https://crm.example.com/mcp") as crm:
        with pytest.raises(BadInput) as error:
            await crm.call("act", secret="abc\r\nx-admin: 1")
    assert "abc" not in str(error.value.__dict__)
