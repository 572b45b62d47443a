"""The MCP door, with the official client in both kinds of revision, and with what no client of good faith sends."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from tests.execution.test_tool_call import BANK, CARD, POLICIES, SYSTEMS
from tests.world import Served, served

FILES = {"systems/bank.py": BANK, "systems/bank.yaml": CARD, "policies/main.cedar": POLICIES}
NEW = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": NEW, "io.modelcontextprotocol/clientCapabilities": {}}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("mcp"), FILES, systems=SYSTEMS) as s:
        yield s


@asynccontextmanager
async def client(s: Served, mode: str, person: str = "kim") -> AsyncIterator[Client]:
    async with (
        httpx.AsyncClient(headers=s.auth(person), timeout=60) as http,
        Client(streamable_http_client(f"{s.url}/mcp", http_client=http), mode=mode) as connected,
    ):
        yield connected


def post(s: Served, body: Any, *, person: str = "kim", **headers: str) -> httpx.Response:
    sent = s.auth(person) | {"accept": "application/json, text/event-stream"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(
        f"{s.url}/mcp", headers=sent, **({"content": body} if isinstance(body, bytes) else {"json": body})
    )


def asked(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels):
        data = {"a": data}
    return data


@pytest.mark.parametrize("mode", ["legacy", NEW])
async def test_the_official_client_lists_and_calls_what_its_person_may(bank: Served, mode: str) -> None:
    async with client(bank, mode) as agent:
        listed = {each.name: each for each in (await agent.list_tools()).tools}
        assert listed.keys() == {"bank__balance", "bank__transfer", "bank__slow", "bank__broken"}
        transfer = listed["bank__transfer"]
        assert "Moves money between accounts." in (transfer.description or "")
        assert "read the balance first" in (transfer.description or "")
        assert listed["bank__balance"].annotations is not None
        assert listed["bank__balance"].annotations.read_only_hint
        result = await agent.call_tool("bank__balance", {"account": "A1"})
        assert not result.is_error
        assert result.structured_content["note"] == "card [PAYMENT_CARD]"
        denied = await agent.call_tool("bank__transfer", {"account": "A1", "payee": "B2", "amount": 5})
        assert denied.is_error
        assert "a payee comes from" in denied.content[0].text
        wrong = await agent.call_tool("bank__balance", {"account": 7})
        assert wrong.is_error
        with pytest.raises(MCPError, match="Unknown tool"):
            await agent.call_tool("bank__nothing", {})
    records = [each for each in bank.records("call_tool") if each.door == "mcp"]
    assert {each.tool for each in records} >= {"bank.balance", "bank.transfer"}


@pytest.mark.parametrize("mode", ["legacy", NEW])
async def test_who_may_use_nothing_sees_nothing(bank: Served, mode: str) -> None:
    async with client(bank, mode, "max") as agent:
        assert (await agent.list_tools()).tools == []
        assert (await agent.call_tool("bank__balance", {"account": "A1"})).is_error


def test_strangers_are_told_where_a_token_is_to_be_had(bank: Served) -> None:
    reply = httpx.post(f"{bank.url}/mcp", json=asked("tools/list"))
    assert reply.status_code == 401
    where = reply.headers["www-authenticate"].partition('resource_metadata="')[2].rstrip('"')
    told = httpx.get(where).json()
    assert told["resource"] == f"{bank.url}/mcp"
    assert told["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"[" * 100_000, 400, -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}', 400, -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"n": 1e999}}', 400, -32700),
        (asked("ping", deep=nested(300)), 400, -32600),
        ([asked("ping")], 400, -32600),
        ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, 400, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, 400, -32600),
        (asked("resources/list"), 404, -32601),
        (asked("tools/call", name=7), 400, -32602),
        (asked("tools/call", name="bank.balance", arguments=[]), 400, -32602),
        (asked("tools/call", name="bank.nothing", arguments={}), 400, -32602),
    ],
)
def test_what_is_no_request_is_answered_with_the_code_for_it(bank: Served, body: Any, status: int, code: int) -> None:
    reply = post(bank, body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    (record,) = bank.records(run=reply.headers["x-fairlead-run"])
    assert (record.door, record.outcome, record.credential) == ("mcp", "refused", "key:kim")


@pytest.mark.parametrize(
    ("headers", "meta", "code"),
    [
        ({"mcp_protocol_version": "1999-01-01"}, None, -32022),
        ({"mcp_protocol_version": NEW, "mcp_method": "tools/list"}, {}, -32602),
        ({"mcp_protocol_version": NEW, "mcp_method": "tools/call"}, META, -32020),
        ({"mcp_protocol_version": "2025-11-25", "mcp_method": "tools/list"}, META, -32020),
        ({"mcp_method": "tools/list"}, META, -32020),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(
    bank: Served, headers: dict[str, str], meta: dict[str, Any] | None, code: int
) -> None:
    params = {} if meta is None else {"_meta": meta}
    reply = post(bank, asked("tools/list", **params), **headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)
    assert [each.kind for each in bank.records(run=reply.headers["x-fairlead-run"])] == ["refusal"]


def test_a_notification_is_taken_without_a_word(bank: Served) -> None:
    reply = post(bank, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (reply.status_code, reply.content) == (202, b"")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://[x", "null", "127.0.0.1"])
def test_a_page_of_another_origin_may_not_ask(bank: Served, origin: str) -> None:
    reply = post(bank, asked("tools/list"), origin=origin)
    assert reply.status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "[", "[::1", ""])
def test_a_name_that_was_led_here_gets_nothing_without_a_key(bank: Served, host: str) -> None:
    headers = {"host": host, "origin": f"http://{host}"}
    reply = httpx.post(f"{bank.url}/mcp", headers=headers, json=asked("tools/list"))
    assert (reply.status_code, reply.json()["error"]["data"]["code"]) == (401, "unauthenticated")
    assert httpx.get(f"{bank.url}/v1/models", headers=headers).status_code == 401


def test_without_a_session_only_posts_are_answered(bank: Served) -> None:
    reply = httpx.get(f"{bank.url}/mcp", headers=bank.auth())
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


def test_a_card_in_the_arguments_does_not_reach_the_log(bank: Served) -> None:
    post(bank, asked("tools/call", name="bank.balance", arguments={"account": "4111 1111 1111 1111"}))
    assert not any(b"4111 1111" in each for each in bank.raw_records())
