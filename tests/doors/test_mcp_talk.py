"""What a system and an agent's program say to each other during a call, and how a call waits for an approval: with the
official client and a real server, in both kinds of revision."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, nullcontext
from typing import Any

import httpx
import msgspec
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CreateMessageResult,
    ElicitResult,
    TextContent,
    ToolListChangedNotification,
)
from msgspec.structs import replace
from tests.execution.test_tool_call import BANK
from tests.tools import mcp_asking
from tests.tools.mcp_world import system
from tests.world import Served, served

from fairlead.clock import SystemClock
from fairlead.execution.approval_question import ApprovalPending
from fairlead.identity.types import Caller
from fairlead.server.mcp.client import Seals
from fairlead.server.mcp.conversation import question_of
from fairlead.server.mcp.message import Unanswerable
from fairlead.server.mcp.revision import refuse_other_arguments
from fairlead.storage.fleet import Fleet
from fairlead.tools.systems import Pins
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish

POLICIES = """
@id("staff") permit(principal, action in Action::"call_tool", resource);
@id("no-cards") forbid(principal, action in Action::"call_tool", resource)
when { context.labels.contains("payment_card") && !context.given.contains("card") };
@id("large") @approval("finance-lead") forbid(principal, action == Action::"bank.transfer", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
@id("cards") @redact("payment_card") forbid(principal, action == Action::"release_result", resource)
when { context.categories.contains("payment_card") };
"""
pytestmark = pytest.mark.filterwarnings("ignore:The .* capability is deprecated")  # servers of today still use them
MODES = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
TRANSFER = {"account": "A1", "payee": "B2", "amount": 75}


def whole(url: str) -> dict[str, Any]:
    talks = {"use": "mcp", "url": url, "timeout": 60}
    return {
        "systems": {
            "desk": {**talks, "passes": ["questions", "progress", "logs"]},
            "quiet": talks,
            "bank": {"use": "python", "file": "bank.py"},
        },
        "approvals": {"roles": {"finance-lead": {"persons": ["lee"]}}},
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with mcp_asking.running() as url:

        async def accepted() -> str:
            async with system(url=url) as there:
                tools = await there.definitions()
            return msgspec.json.encode(Pins(tools=tuple(tools.values()))).decode()

        pins = asyncio.run(accepted())
        files = {
            "systems/desk.pins.json": pins,
            "systems/quiet.pins.json": pins,
            "systems/bank.py": BANK,
            "policies/main.cedar": POLICIES,
        }
        with served(tmp_path_factory.mktemp("desk"), files, **whole(url)) as s:
            yield s


@asynccontextmanager
async def client(s: Served, mode: str, path: str = "/mcp/desk", **more: Any) -> AsyncIterator[Client]:
    async with (
        httpx.AsyncClient(headers=s.auth("kim"), timeout=60) as http,
        Client(streamable_http_client(f"{s.url}{path}", http_client=http), mode=mode, **more) as connected,
    ):
        yield connected


def answering(seen: list[str], content: Mapping[str, Any] | None = None, action: str = "accept") -> Any:
    async def answer(context: Any, params: Any) -> ElicitResult:
        seen.append(params.message)
        return ElicitResult(action=action, content=dict(content or {}) if action == "accept" else None)

    return answer


@MODES
async def test_a_system_asks_the_callers_program_and_goes_on_with_its_answer(desk: Served, mode: str) -> None:
    seen: list[str] = []
    async with client(desk, mode, elicitation_callback=answering(seen, {"room": "blue"})) as agent:
        result = await agent.call_tool("book", {"card": "4111 1111 1111 1111"})
    assert (result.content[0].text, seen) == ("booked blue", ["Which room? [PAYMENT_CARD]"])
    async with client(desk, mode, elicitation_callback=answering(seen, action="decline")) as agent:
        assert (await agent.call_tool("book", {})).content[0].text == "decline"


@MODES
async def test_an_answer_is_judged_as_an_argument_is(desk: Served, mode: str) -> None:
    async with client(desk, mode, elicitation_callback=answering([], {"room": "4111 1111 1111 1111"})) as agent:
        result = await agent.call_tool("book", {})
    assert result.is_error
    assert "4111" not in result.content[0].text


@MODES
async def test_nothing_is_asked_where_the_workspace_does_not_say_so(desk: Served, mode: str) -> None:
    seen: list[str] = []
    async with client(desk, mode, "/mcp/quiet", elicitation_callback=answering(seen, {"room": "blue"})) as agent:
        assert (await agent.call_tool("book", {})).is_error
    async with client(desk, mode) as agent:
        assert (await agent.call_tool("book", {})).is_error
    assert seen == []


async def test_a_system_lets_the_callers_model_answer(desk: Served) -> None:
    async def sampled(context: Any, params: Any) -> CreateMessageResult:
        return CreateMessageResult(role="assistant", content=TextContent(text="four"), model="m")

    async with client(desk, "legacy", sampling_callback=sampled) as agent:
        assert (await agent.call_tool("think", {})).content[0].text == "four"


@MODES
async def test_progress_and_notes_come_as_they_are_wanted_and_screened(desk: Served, mode: str) -> None:
    told: list[Any] = []
    notes: list[Any] = []

    async def went_on(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))

    async def noted(params: Any) -> None:
        notes.append(params.data)

    async with client(desk, mode, logging_callback=noted, log_level="debug") as agent:
        if mode == "legacy":
            await agent.session.set_logging_level("debug")
        result = await agent.call_tool("work", {}, progress_callback=went_on)
        assert result.content[0].text == "done"
    assert told == [(1, 2, "half of [PAYMENT_CARD]")]
    assert notes == ["card [PAYMENT_CARD]"]


@MODES
async def test_a_call_waits_for_its_approval_and_is_made_once_it_is_granted(desk: Served, mode: str) -> None:
    fairlead, seen = desk.running.fairlead, []

    async def granted(context: Any, params: Any) -> ElicitResult:
        seen.append(params.message)
        (open_,) = [each for each in fairlead.approvals.all(("pending",)) if each.question.tool == "bank.transfer"]
        lee = fairlead.deployment.authenticator.known("lee")
        fairlead.approvals.answer(open_.id, lee, True, "", revision=fairlead.deployment.revision)
        return ElicitResult(action="accept", content={})

    async with client(desk, mode, "/mcp/bank", elicitation_callback=granted) as agent:
        result = await agent.call_tool("transfer", TRANSFER)
        assert not result.is_error, result.content
        assert "moved 75 to B2" in result.content[0].text
    assert len(seen) == 1
    assert "finance-lead" in seen[0]


@MODES
async def test_saying_yes_approves_nothing_and_saying_no_leaves_the_question(desk: Served, mode: str) -> None:
    seen: list[str] = []
    amount = 80 if mode == "legacy" else 81

    async def no(context: Any, params: Any) -> ElicitResult:
        seen.append(params.message)
        return ElicitResult(action="decline")

    async with client(desk, mode, "/mcp/bank", elicitation_callback=no) as agent:
        result = await agent.call_tool("transfer", {**TRANSFER, "amount": amount})
        assert result.is_error
        assert "waits for the approval" in result.content[0].text
    pending = desk.running.fairlead.approvals.all(("pending",))
    assert [each.question.arguments["amount"] for each in pending] == [amount]
    lee = desk.running.fairlead.deployment.authenticator.known("lee")
    revision = desk.running.fairlead.deployment.revision
    desk.running.fairlead.approvals.answer(pending[0].id, lee, False, "", revision=revision)


def test_what_comes_back_must_be_what_went_out_to_this_person(desk: Served) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "book"}

    def called(person: str, tool: str = "book", **more: Any) -> dict[str, Any]:
        params = {"name": tool, "arguments": {}, "_meta": meta, **more}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        sent = {**headers, "mcp-name": tool, **desk.auth(person)}
        found: dict[str, Any] = httpx.post(f"{desk.url}/mcp/desk", json=body, headers=sent, timeout=60).json()
        return found

    first = called("kim")["result"]
    assert (first["resultType"], list(first["inputRequests"])) == ("input_required", ["room"])
    answers = {"room": {"action": "accept", "content": {"room": "red"}}}
    state = first["requestState"]
    assert "booked red" in str(called("kim", requestState=state, inputResponses=answers)["result"])
    for person, tool, wrong in (("lee", "book", state), ("kim", "work", state), ("kim", "book", f"{state}x")):
        refused = called(person, tool, requestState=wrong, inputResponses=answers)
        assert refused["error"]["code"] == -32602
    other = called("kim", arguments={"card": "another"}, requestState=state, inputResponses=answers)
    assert other["error"]["code"] == -32602
    assert called("kim", requestState=state, inputResponses={"room": 7})["error"]["code"] == -32602
    assert called("kim", requestState=state, inputResponses={"room": {"action": "?"}})["result"]["isError"]


@pytest.mark.parametrize(
    ("header", "arguments", "passes"),
    [
        ("north", {"region": "north"}, True),
        ("=?base64?bm9ydGg=?=", {"region": "north"}, True),
        ("=?base64?n!rth?=", {"region": "north"}, False),
        ("south", {"region": "north"}, False),
        (None, {"region": "north"}, False),
        ("north", {}, False),
        (None, {}, True),
    ],
)
def test_headers_that_repeat_arguments_must_not_say_otherwise(
    desk: Served, header: str | None, arguments: dict[str, str], passes: bool
) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    sent = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "visit"}
    sent |= {} if header is None else {"mcp-param-region": header}
    params = {"name": "visit", "arguments": arguments, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    reply = httpx.post(f"{desk.url}/mcp/desk", json=body, headers=sent | desk.auth(), timeout=60)
    assert (reply.status_code == 200) == passes
    assert passes or reply.json()["error"]["code"] == -32020


@pytest.mark.parametrize(
    ("told", "value", "same"),
    [
        ("10", 10, True),
        ("10.0", 10, True),
        ("1_0", 10, False),
        ("nan", 10, False),
        ("9007199254740993", 9007199254740992, False),
        ("1", 10**400, False),
        ("1e999999999", 10, False),
    ],
)
def test_a_number_in_a_header_is_that_very_number(told: str, value: int, same: bool) -> None:
    scope = {"headers": [(b"mcp-param-n", told.encode())]}
    with nullcontext() if same else pytest.raises(Unanswerable):
        refuse_other_arguments(scope, {"n": "n"}, {"n": value})


async def test_what_is_sealed_for_one_agent_opens_for_no_other(desk: Served) -> None:
    seals = Seals(desk.running.fairlead)
    kim = Caller(person="kim", agent="writer", credential="key:kim")
    text = await seals.sealed("state", kim, ["said"])
    assert await seals.opened("state", kim, text) == ["said"]
    assert await seals.opened("state", replace(kim, agent="reader"), text) is None
    assert await seals.opened("session", kim, text) is None


def test_one_person_has_a_bounded_number_of_streams(desk: Served) -> None:
    greet = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}
    url, kim = f"{desk.url}/mcp/bank", desk.auth("kim")
    session = {"mcp-session-id": httpx.post(url, json=greet, headers=kim).headers["mcp-session-id"]}
    with httpx.Client(limits=httpx.Limits(), timeout=60) as http, ExitStack() as streams:
        headers = kim | session | {"accept": "text/event-stream"}
        opened = [streams.enter_context(http.stream("GET", url, headers=headers)).status_code for _ in range(40)]
        assert (opened.count(200), opened.count(503)) == (32, 8)
        other = httpx.post(url, json=greet, headers=desk.auth("lee")).headers["mcp-session-id"]
        lee = desk.auth("lee") | {"mcp-session-id": other, "accept": "text/event-stream"}
        assert streams.enter_context(http.stream("GET", url, headers=lee)).status_code == 200


def test_a_session_is_its_persons_alone(desk: Served) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {"elicitation": {}}}}
    greeted = httpx.post(f"{desk.url}/mcp/desk", json=body, headers=desk.auth("kim"))
    session = {"mcp-session-id": greeted.headers["mcp-session-id"]}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    assert httpx.post(f"{desk.url}/mcp/desk", json=ping, headers=desk.auth("kim") | session).status_code == 200
    assert httpx.post(f"{desk.url}/mcp/desk", json=ping, headers=desk.auth("lee") | session).status_code == 404
    answer = {"jsonrpc": "2.0", "id": "fairlead-0", "result": {}}
    reply = httpx.post(f"{desk.url}/mcp/desk", json=answer, headers=desk.auth("kim") | session)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32600)


@pytest.mark.parametrize("mode", ["legacy"])
async def test_a_program_hears_when_its_person_may_use_other_tools(desk: Served, mode: str) -> None:
    heard = asyncio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            heard.set()

    async with client(desk, mode, "/mcp/bank", message_handler=hear) as agent:
        assert (await agent.list_tools()).tools
        await asyncio.to_thread(_publish_without, desk, "balance")
        async with asyncio.timeout(120):
            await heard.wait()
        names = {each.name for each in (await agent.list_tools()).tools}
        assert "balance" not in names


def _publish_without(desk: Served, tool: str) -> None:
    forbid = f'@id("gone") forbid(principal, action == Action::"bank.{tool}", resource);'
    workspace, clock = desk.folder / "acme", SystemClock()
    (workspace / "policies" / "less.cedar").write_text(forbid)
    publish(desk.store, Fleet(desk.store, clock), read_folder(workspace), lambda _: None, by="test", clock=clock)


def test_whoever_waits_is_shown_the_page_where_others_answer() -> None:
    pending = ApprovalPending("bank.transfer waits", why="it is large", approval="apr_1")
    page = "https://fairlead.acme.example/approvals/apr_1"
    shown = question_of(pending, {"form": {}, "url": {}}, page)
    assert shown is not None
    assert (shown["mode"], shown["url"], shown["elicitationId"]) == ("url", page, "apr_1")
    for declared in ({}, {"form": {}}):
        asked = question_of(pending, declared, page)
        assert asked is not None
        assert (asked["mode"], page in asked["message"]) == ("form", True)
    assert question_of(pending, {"url": {}}, "") is None
    assert question_of(pending, None, page) is None
