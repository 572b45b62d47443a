"""No connector is ever reached without a caller, a decision, a kind of credential, a reservation and a record, whatever
is sent, by whom, and through which way in: each driver itself looks into the database while it is being called."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql
from tests.execution.test_tool_call import BANK, CARD
from tests.orders import orders_file
from tests.tools.mcp_world import OURS, forked, system
from tests.tools.services import Service, json_reply, running
from tests.world import PERSONS, World, key_of, world

import fairlead
from fairlead.costs.record import Record, decode_record
from fairlead.costs.told import Arrival
from fairlead.errors import FairleadError
from fairlead.execution.tool_asking import ToolRequest, digest_of
from fairlead.execution.tool_call import call_tool
from fairlead.server.routes import routes
from fairlead.tools.systems import Pins
from fairlead.tools.types import Credential, Definition, SystemCall

DESCRIPTION = """
openapi: 3.1.0
paths:
  /orders/{id}:
    get: {operationId: get_order, parameters: [{name: id, in: path, schema: {type: string}}]}
    delete: {operationId: drop_order, parameters: [{name: id, in: path, schema: {type: string}}]}
"""
POLICIES = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
@id("large") @reason("two look at it") @approval("lead")
forbid(principal, action == Action::"bank.transfer", resource)
when { context.arguments.amount.greaterThan(decimal("50.0")) };
@id("never") forbid(principal, action == Action::"shop.drop_order", resource);
"""
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "bank.balance": [{"account": "A1"}, {"account": 7}, {}],
    "bank.transfer": [{"account": "A1", "payee": "B2", "amount": n} for n in (1, 75, 1000)],
    "bank.broken": [{"account": "A1"}],
    "bank.nothing": [{}],
    "notes.mine": [{}, {"more": 1}],
    "notes.rename": [{"id": 1, "item": "pen"}, {"id": "1; DROP TABLE orders", "item": "x"}],
    "shop.get_order": [{"id": "7"}, {"id": "../admin"}, {"id": "gone"}],
    "shop.drop_order": [{"id": "7"}],
    "clerk.get_order": [{"order": "7"}, {"order": "none"}],
    "clerk.set_note": [{"order": "7", "note": "late"}],
}
CALLS = [(name, arguments) for name, several in ARGUMENTS.items() for arguments in several]


@dataclass
class Watch:
    """What the drivers noticed: which tools were called, and what was missing when they were."""

    w: World
    missing: list[str] = field(default_factory=list)
    attempts: set[str] = field(default_factory=set)
    tools: set[str] = field(default_factory=set)

    def held(self) -> dict[str, Record]:
        """The intents of all open holds, by the attempt's id."""
        with self.w.store.reading() as connection:
            rows = connection.execute(sql("SELECT id, intent FROM hold")).all()
        return {row.id: decode_record(bytes(row.intent)) for row in rows}

    def expect(self, truth: object, what: str) -> None:
        if not truth:
            self.missing.append(what)

    def called(self, system: str, call: SystemCall) -> None:
        name = f"{system}.{call.tool.name}"
        intent = self.held().get(call.idempotency_key)
        actions = [each for each in self.w.fairlead.under_way if each.attempt_id == call.idempotency_key]
        self.expect(len(actions) == 1, f"{name}: no action under way")
        if intent is None:
            self.missing.append(f"{name}: no reservation")
            return
        self.attempts.add(call.idempotency_key)
        self.tools.add(name)
        self.expect(call.person in PERSONS and actions[0].caller.person == call.person, f"{name}: no caller")
        self.expect(intent.tool == name, f"{name}: held for {intent.tool}")
        self.expect(intent.rights == call.credential.kind != "", f"{name}: no kind of credential")
        self.expect("staff" in intent.policies, f"{name}: no decision")
        self.expect(intent.arguments == digest_of(name, call.arguments), f"{name}: other arguments")
        self.expect(intent.definition == call.tool.digest, f"{name}: another definition")
        if name == "bank.transfer" and call.arguments["amount"] > 50:
            self.expect(self._used(intent.approvals), f"{name}: no approval, or one that is not used up")

    def _used(self, approvals: tuple[str, ...]) -> bool:
        with self.w.store.reading() as connection:
            rows = connection.execute(sql("SELECT id, state FROM approval")).all()
        return len(approvals) == 1 and (approvals[0], "used") in [(row.id, row.state) for row in rows]

    def asked(self, system: str, way: str, credential: Any) -> None:
        """Reached otherwise than by a call, such as for what it offers."""
        intents = [each for each in self.held().values() if each.tool.startswith(f"{system}.")]
        self.expect(intents and credential.kind in {each.rights for each in intents}, f"{system}.{way}: not governed")


class Watched:
    """A driver in whose place it stands."""

    def __init__(self, system: str, driver: Any, watch: Watch) -> None:
        self._system, self._driver, self._watch = system, driver, watch

    def __getattr__(self, way: str) -> Any:
        inner = getattr(self._driver, way)
        if way == "close" or not callable(inner):
            return inner

        async def looked_at(*given: Any, **named: Any) -> Any:
            if isinstance(given[0], SystemCall):
                self._watch.called(self._system, given[0])
            else:
                self._watch.asked(self._system, way, given[0])
            return await inner(*given, **named)

        return looked_at


@dataclass
class House:
    """A deployment with one system of each kind, all watched, and the ways into it."""

    watch: Watch
    loop: asyncio.AbstractEventLoop
    http: httpx.AsyncClient

    async def path(self, person: str, name: str, arguments: dict[str, Any]) -> str:
        """By the path itself. Gives the id of the question that the call waits for, "" for none."""
        request = ToolRequest(name=name, arguments=arguments)
        try:
            await call_tool(self.watch.w.fairlead, self.watch.w.caller(person), request, Arrival(door="test"))
        except FairleadError as error:
            return str(getattr(error, "approval", ""))
        return ""

    async def mcp(self, key: str, name: str, arguments: Any, revision: str) -> None:
        meta = {
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        named = name.replace(".", "__")
        params = {"name": named, "arguments": arguments, **({"_meta": meta} if revision > "2026" else {})}
        headers = {"authorization": f"Bearer {key}", "mcp-protocol-version": revision, "host": "127.0.0.1"}
        headers |= {"accept": "application/json, text/event-stream"}
        headers |= {"mcp-method": "tools/call", "mcp-name": named} if revision > "2026" else {}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        await self.http.post("/mcp", json=body, headers=headers)

    async def approve(self, question: str, person: str) -> None:
        w = self.watch.w
        try:
            await asyncio.to_thread(
                w.fairlead.approvals.answer,
                question,
                w.caller(person),
                True,
                "",
                revision=w.fairlead.deployment.revision,
            )
        except FairleadError:
            return


async def accepted(command: list[str]) -> tuple[Definition, ...]:
    """One tool as the program gives it, and one otherwise, so that calling it is refused."""
    async with system(environment=OURS, command=command) as clerk:
        offered = await clerk.definitions()
    return offered["get_order"], msgspec.structs.replace(offered["set_note"], description="Notes what they say.")


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as opened:
        opened.reply = lambda seen: json_reply({"id": seen.path}, 404 if "gone" in seen.path else 200)
        yield opened


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    orders_file(folder / "orders.db")
    command = forked("mcp_shop.py")
    loop = asyncio.new_event_loop()
    pins = msgspec.json.encode(Pins(tools=loop.run_until_complete(accepted(command)))).decode()
    files = {
        "systems/bank.py": BANK,
        "systems/bank.yaml": CARD,
        "systems/shop-api.yaml": DESCRIPTION,
        "systems/clerk.pins.json": pins,
        "policies/main.cedar": POLICIES,
    }
    queries = {
        "mine": {"sql": "SELECT id, item FROM orders WHERE owner = :person"},
        "rename": {
            "sql": "UPDATE orders SET item = :item WHERE id = :id",
            "parameters": {"id": {"type": "integer"}},
            "effect": "write",
        },
    }
    systems = {
        "bank": {"use": "python", "file": "bank.py"},
        "notes": {"use": "sql", "url": f"sqlite:{folder}/orders.db", "queries": queries},
        "shop": {"use": "openapi", "description": "shop-api.yaml", "url": service.url, "at_home": True},
        "clerk": {"use": "mcp", "command": command, "timeout": 60},
    }
    opened = world(folder, files, systems=systems, approvals={"roles": {"lead": {"persons": ["lee"]}}})
    w = loop.run_until_complete(opened.__aenter__())
    watch = Watch(w)
    drivers: Any = w.fairlead.deployment.systems.drivers
    drivers.update({name: Watched(name, driver, watch) for name, driver in drivers.items()})
    live = w.running
    known = routes(live, 1 << 20)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await known[scope["method"], scope["path"]](scope, receive, send)

    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")
    yield House(watch, loop, http)
    loop.run_until_complete(http.aclose())
    loop.run_until_complete(opened.__aexit__(None, None, None))
    loop.close()


KEYS = [*map(key_of, PERSONS), "wrong-key-0123456789-0123456789", ""]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(CALLS),
        st.sampled_from(list(PERSONS)),
        st.sampled_from(KEYS),
        st.sampled_from(["path", "2025-11-25", "2026-07-28"]),
        st.sampled_from(["", *PERSONS]),
    ),
    max_size=6,
)


@given(STEPS)
def test_no_system_is_reached_but_by_a_governed_call(house: House, steps: list[Any]) -> None:
    async def whole() -> None:
        for (name, arguments), person, key, way, approver in steps:
            if way != "path":
                await house.mcp(key, name, arguments, way)
                continue
            question = await house.path(person, name, arguments)
            if question and approver:
                await house.approve(question, approver)
                await asyncio.gather(*(house.path(person, name, arguments) for _ in range(2)))

    house.loop.run_until_complete(whole())
    watch = house.watch
    missing, watch.missing = watch.missing, []
    assert not missing
    assert not watch.w.holds()
    recorded = {f"{each.run}.{each.attempt}" for each in watch.w.records() if each.kind in ("attempt", "call_tool")}
    assert watch.attempts <= recorded


def test_the_watch_sees_what_is_not_governed(house: House) -> None:
    """Every kind of system is reached where it may be; and a call beside the path is noticed."""

    async def whole() -> None:
        for name in ("bank.balance", "notes.mine", "shop.get_order", "clerk.get_order"):
            await house.path("kim", name, ARGUMENTS[name][0])
        call = SystemCall(
            tool=house.watch.w.fairlead.deployment.systems.tools["bank.balance"].definition,
            arguments={"account": "A1"},
            credential=Credential(),
            person="kim",
            deadline=house.watch.w.clock.monotonic() + 20,
            idempotency_key="run_none.1",
        )
        await house.watch.w.fairlead.deployment.systems.drivers["bank"].call(call)

    house.loop.run_until_complete(whole())
    missing, house.watch.missing = house.watch.missing, []
    assert {"bank.balance", "notes.mine", "shop.get_order", "clerk.get_order"} <= house.watch.tools
    assert not {"clerk.set_note", "shop.drop_order"} & house.watch.tools
    assert missing == ["bank.balance: no action under way", "bank.balance: no reservation"]


def test_only_the_path_reaches_for_the_drivers_of_systems() -> None:
    source = Path(fairlead.__file__).parent
    reaching = {str(each.relative_to(source)) for each in source.rglob("*.py") if "systems.drivers" in each.read_text()}
    assert reaching == {"execution/tool_attempt.py", "execution/tool_pins.py"}
    opening = {str(each.relative_to(source)) for each in source.rglob("*.py") if "open_system" in each.read_text()}
    assert opening == {"tools/registry.py", "tools/left_aside.py", "cli/systems_asked.py"}
