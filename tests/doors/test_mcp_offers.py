"""What a system of the Model Context Protocol offers beside its tools, through the door, with the official client and a
real server."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference
from tests.tools.mcp_world import forked
from tests.world import Served, served

POLICIES = """
@id("staff") permit(principal == Person::"kim", action in Action::"call_tool", resource);
@id("no") forbid(principal, action == Action::"shop.resources/read", resource)
when { context.arguments.uri like "note://secret*" };
@id("not-lee") forbid(principal == Person::"lee", action == Action::"shop.resources/read", resource)
when { context.arguments.uri == "note://logo" };
@id("no-greeting") forbid(principal == Person::"lee", action == Action::"shop.prompts/get", resource);
@id("lee") permit(principal == Person::"lee", action in Action::"call_tool", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
@id("cards") @redact("payment_card") forbid(principal, action == Action::"release_result", resource)
when { context.categories.contains("payment_card") };
"""
APART = {
    "use": "mcp",
    "url": "https://apart.example/mcp",
    "offers": ["resources"],
    "credential": {
        "exchange": {
            "token_url": "https://idp.example/token",
            "client": "fairlead",
            "secret": "env:LOGIN_SECRET",
            "audience": "apart",
        }
    },
}
MODES = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    plain = {"use": "mcp", "command": forked("mcp_shop.py"), "timeout": 60}
    offering = {**plain, "offers": ["resources", "prompts", "completions"]}
    with served(
        tmp_path_factory.mktemp("shop"),
        {"policies/main.cedar": POLICIES},
        systems={"shop": offering, "plain": plain, "apart": APART},
    ) as s:
        yield s


@asynccontextmanager
async def client(s: Served, mode: str, path: str = "/mcp/shop", person: str = "kim") -> AsyncIterator[Client]:
    async with (
        httpx.AsyncClient(headers=s.auth(person), timeout=60) as http,
        Client(streamable_http_client(f"{s.url}{path}", http_client=http), mode=mode) as connected,
    ):
        yield connected


@MODES
async def test_what_a_system_offers_has_its_own_names_at_its_own_endpoint(shop: Served, mode: str) -> None:
    async with client(shop, mode) as agent:
        assert {"note://daily", "note://logo"} < {str(each.uri) for each in (await agent.list_resources()).resources}
        templates = (await agent.list_resource_templates()).resource_templates
        assert [each.uri_template for each in templates] == ["note://{day}/notes"]
        (text,) = (await agent.read_resource("note://monday/notes")).contents
        assert (text.text, str(text.uri)) == ("notes of monday", "note://monday/notes")
        assert [each.name for each in (await agent.list_prompts()).prompts] == ["greet"]
        (said,) = (await agent.get_prompt("greet", {"name": "Kim"})).messages
        assert (said.role, said.content.text) == ("user", "Greet Kim.")
        found = await agent.complete(PromptReference(name="greet"), {"name": "name", "value": "K"})
        assert found.completion.values == ["Kim"]
    tools = {each.tool for each in shop.records("call_tool") if each.outcome == "done"}
    assert tools >= {"shop.resources/list", "shop.resources/read", "shop.prompts/get", "shop.completion/complete"}


async def test_of_all_systems_together_everything_is_named_after_its_system(shop: Served) -> None:
    async with client(shop, "legacy", "/mcp") as agent:
        uris = {str(each.uri) for each in (await agent.list_resources()).resources}
        assert "fairlead://shop/note://daily" in uris
        (text,) = (await agent.read_resource("fairlead://shop/note://monday/notes")).contents
        assert (text.text, str(text.uri)) == ("notes of monday", "fairlead://shop/note://monday/notes")
        assert [each.name for each in (await agent.list_prompts()).prompts] == ["shop__greet"]
        assert (await agent.get_prompt("shop__greet", {"name": "Kim"})).messages
        reference = PromptReference(name="shop__greet")
        assert (await agent.complete(reference, {"name": "name", "value": "K"})).completion.values == ["Kim"]
        for unknown in ("fairlead://plain/note://daily", "note://daily"):
            with pytest.raises(MCPError, match="no such resource"):
                await agent.read_resource(unknown)


@MODES
async def test_reading_is_decided_recorded_and_screened_as_every_call(shop: Served, mode: str) -> None:
    async with client(shop, mode) as agent:
        (text,) = (await agent.read_resource("note://daily")).contents
        assert text.text == "card [PAYMENT_CARD]"
        with pytest.raises(MCPError, match="not permitted"):
            await agent.read_resource("note://secret/notes")
        with pytest.raises(MCPError, match="does not take these arguments"):
            await agent.read_resource("note://nothing")
    async with client(shop, mode, person="max") as stranger:
        assert (await stranger.list_resources()).resources == []
        with pytest.raises(MCPError, match="not permitted"):
            await stranger.read_resource("note://monday/notes")
    assert any(each.tool == "shop.resources/read" and each.outcome == "refused" for each in shop.records("call_tool"))


@MODES
async def test_names_of_what_may_not_be_used_are_not_told(shop: Served, mode: str) -> None:
    async with client(shop, mode, person="lee") as agent:
        uris = {str(each.uri) for each in (await agent.list_resources()).resources}
        assert "note://daily" in uris
        assert "note://logo" not in uris
        assert (await agent.list_prompts()).prompts == []


async def test_files_come_in_the_types_that_are_taken_and_no_others(shop: Served) -> None:
    async with client(shop, "legacy") as agent:
        (logo,) = (await agent.read_resource("note://logo")).contents
        assert (logo.mime_type, logo.blob) == ("image/png", "iVBORw==")
        (left_out,) = (await agent.read_resource("note://program")).contents
        assert "application/x-executable" in left_out.text


async def test_a_system_that_does_not_know_the_caller_hides_nothing_of_the_others(shop: Served) -> None:
    async with client(shop, "legacy", "/mcp") as agent:
        uris = {str(each.uri) for each in (await agent.list_resources()).resources}
    assert "fairlead://shop/note://daily" in uris
    assert [each.error.code for each in shop.records("call_tool") if each.tool == "apart.resources/list" and each.error]
    async with client(shop, "legacy", "/mcp/apart") as agent:
        with pytest.raises(MCPError, match="apart"):
            await agent.list_resources()


def test_an_endpoint_of_no_system_is_not_found(shop: Served) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert httpx.post(f"{shop.url}/mcp/nothing", json=body, headers=shop.auth()).status_code == 404
    there = httpx.post(f"{shop.url}/mcp/plain", json={**body, "method": "resources/list"}, headers=shop.auth())
    assert (there.status_code, there.json()["error"]["code"]) == (404, -32601)
