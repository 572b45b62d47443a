"""Agents: what they give is checked before anybody else sees it, and they go on within their turns and their money."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert, to_builtins
from tests.workflows.scripted import Scripted, gone_on, value, walked
from tests.world import World, secret_of, until, world

from fairlead.labels import DataClass
from fairlead.models.types import ChatRequest, Function, ModelCall, ToolCall
from fairlead.storage.fleet import Fleet
from fairlead.tools.types import Definition, Tool
from fairlead.workflows.agent import Turn, reached
from fairlead.workflows.grounds import unborne
from fairlead.workflows.nodes import AgentNode
from fairlead.workflows.walk import Asked, Bounds, Place, StepResult
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish

SHOP = '''
import threading

READS = {"price", "meet"}
_BOTH = threading.Barrier(2)


def price(article: str) -> dict[str, float | str]:
    """What an article costs."""
    return {"article": article, "price": {"lamp": 1240.5, "desk": 89.0}.get(article, 0.0)}


def meet(name: str) -> str:
    """Meets whoever calls at the same time."""
    _BOTH.wait(60)
    return f"{name} was met"


def order(article: str, price: float) -> str:
    """Order it."""
    return f"ordered {article} for {price:g}"
'''
FILES = {
    "systems/shop.py": SHOP,
    "policies/main.cedar": '@id("all") permit(principal, action, resource);',
    "context/prices.md": "# Prices\n\nDelivery of a lamp costs 14.90 EUR.\n",
}
SYSTEMS = {"shop": {"use": "python", "file": "shop.py", "data_class": "confidential"}}
QUOTE = {
    "type": "object",
    "properties": {"price": {"type": "number"}, "why": {"type": "string"}},
    "required": ["price"],
}
PRICE = ("shop.price", {"article": "lamp"})
WRONG, RIGHT = '{"price": 1150.0}', '{"price": 1240.5}'


def quotes(**more: Any) -> dict[str, Any]:
    agent = {"goal": "What does a lamp cost?", "at_most": 4, "model": "house", "gives": QUOTE, "tools": ["shop.price"]}
    return {"id": "quote", "agent": {**agent, **more.pop("agent", {})}, "check": {"grounded": "sources"}, **more}


ORDERS = {
    "id": "order",
    "tool": {"call": "shop.order", "arguments": {"article": "lamp", "price": "${steps.quote.value.price}"}},
}


def shop(folder: Path) -> Any:
    return world(folder, FILES, systems=SYSTEMS)


def called(w: World, tool: str) -> int:
    return sum(each.tool == tool for each in w.records("call_tool"))


async def test_a_hallucinated_price_is_stopped_told_and_mended_within_the_agents_turns(tmp_path: Path) -> None:
    async with shop(tmp_path) as w:
        model = Scripted(w, [[PRICE], WRONG, RIGHT])
        run = await walked(w, quotes(), ORDERS)
        assert value(w, run) == "ordered lamp for 1240.5"
        assert "That does not pass: 1150: no source of it says so" in model.told()
        assert len(model.heard) == 3
        paid = sum(each.cost for each in w.records())
        assert paid == w.running.workflows.shown(run.id, None)["cost"] == 3 * 20_000  # each turn counts once


async def test_a_price_that_stays_hallucinated_goes_to_a_person_or_ends_the_run_and_is_never_ordered(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as w:
        Scripted(w, [[PRICE], WRONG])
        run = await walked(w, quotes(), ORDERS)
        assert run.error == "check check_failed quote"
        assert "1150: no source of it says so" in value(w, run)["message"]
        asking = await walked(w, quotes(agent={"expert": {"role": "buyer"}}), ORDERS)
        ((_, waiting),) = w.running.runs.waits(w.running.runs.open(asking.id))
        assert (waiting.kind, waiting.role, waiting.show["failed"]) == ("question", "buyer", "check")
        assert called(w, "shop.order") == 0


async def test_what_a_page_says_bears_a_price_out_and_what_another_agent_said_does_not(tmp_path: Path) -> None:
    async with shop(tmp_path) as w:
        Scripted(w, ['{"price": 14.9}'])
        asks = {"goal": "What does delivery of a lamp cost?"}
        assert value(w, await walked(w, quotes(agent=asks)))["price"] == 14.9
        opened = w.running.runs.open((await walked(w, quotes(agent=asks))).id)
        assert "read" not in w.running.runs.result(opened)  # it is for the check alone
        # The second is handed a typed result, not what the first has read; it makes up another number.
        Scripted(w, lambda call: RIGHT if _is(call, "handed") else [PRICE] if not _answered(call) else RIGHT)
        second = quotes(id="second", agent={"goal": "You are handed ${steps.quote.value.price}. Say it.", "tools": []})
        run = await walked(w, quotes(), second)
        assert value(w, run) == {"price": 1240.5}
        kept = w.running.runs.result(w.running.runs.open(run.id))
        assert {"tool:shop.price", "model:house"} <= set(kept["provenance"])
        assert kept["labels"]["data_class"] == DataClass.confidential
        Scripted(w, lambda call: WRONG if _is(call, "handed") else [PRICE] if not _answered(call) else RIGHT)
        assert (await walked(w, quotes(), second)).error == "check check_failed second"


def _is(call: ModelCall, word: str) -> bool:
    return any(word in str(each.content) for each in call.request.messages)


def _answered(call: ModelCall) -> bool:
    return any(each.role == "tool" for each in call.request.messages)


async def test_tools_that_only_read_go_side_by_side_and_an_agent_that_goes_in_circles_is_stopped(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as w:
        both = [("shop.meet", {"name": "a"}), PRICE, ("shop.meet", {"name": "b"}), ("shop.none", {})]
        model = Scripted(w, [both, RIGHT])
        assert value(w, await walked(w, quotes(agent={"tools": ["shop.price", "shop.meet"]}))) == {"price": 1240.5}
        told = [str(each.content) for each in model.heard[-1].request.messages if each.role == "tool"]
        assert told == ["a was met", '{"article":"lamp","price":1240.5}', "b was met", "There is no tool 'shop__none'."]
        model = Scripted(w, [[PRICE]])
        run = await walked(w, quotes(agent={"at_most": 20}))
        assert run.error.startswith("unfinished no_progress quote")
        assert "with the same arguments again and again" in value(w, run)["message"]
        assert called(w, "shop.price") == 1 + 3
        assert "Not called: shop.price gave the same 3 times" in model.told()


async def test_a_run_tells_what_its_agent_was_refused_and_went_on_without(tmp_path: Path) -> None:
    forbids = '@id("none") forbid(principal, action == Action::"shop.price", resource);'
    async with world(tmp_path, FILES | {"policies/prices.cedar": forbids}, systems=SYSTEMS) as w:
        Scripted(w, [[PRICE], "It costs something."])
        free = {"goal": "What does a lamp cost?", "at_most": 4, "model": "house", "tools": ["shop.price"]}
        run = await walked(w, {"id": "quote", "agent": free})
        assert (run.status, value(w, run)) == ("done", "It costs something.")
        (refused,) = w.running.workflows.shown(run.id, None)["refused"]
        assert (refused["code"], refused["message"]) == ("denied", "shop.price is not permitted")
        mended = await walked(w, {"id": "quote", "agent": {**free, "tools": []}})
        assert "refused" not in w.running.workflows.shown(mended.id, None)


async def test_an_agents_budget_counts_over_its_turns(tmp_path: Path) -> None:
    async with shop(tmp_path) as w:
        model = Scripted(w, [[PRICE], [("shop.price", {"article": "desk"})], RIGHT])
        run = await walked(w, quotes(budget=0.00003))  # a turn costs 0.00002
        assert run.error.startswith("refused over_budget quote")
        assert len(model.heard) == 2


async def test_every_agent_of_a_run_reads_the_same_pages_whatever_is_published_meanwhile(tmp_path: Path) -> None:
    async with shop(tmp_path) as w:
        first = {"id": "first", "agent": {"goal": "What does delivery of a lamp cost?", "at_most": 1, "model": "house"}}
        wait = {"id": "rest", "wait": {"signal": "go"}}
        second = {**first, "id": "second"}
        Scripted(w, ["Delivery of a lamp costs 14.90 EUR."])
        run = await walked(w, first, wait, second)
        assert run.status == "waiting"
        page = tmp_path / "acme" / "context" / "prices.md"
        page.write_text(page.read_text().replace("14.90", "19.90"))
        await republished(w)
        opened = w.running.runs.open(run.id)
        w.running.runs.answer(opened, "rest", StepResult(value=1), by="test", kind="workflow_answered")
        model = Scripted(w, ["Delivery of a lamp costs 14.90 EUR."])
        assert (await gone_on(w, run.id)).status == "done"
        assert "14.90" in str(model.heard[-1].passages)
        await walked(w, first)
        assert "19.90" in str(model.heard[-1].passages)


class Crash(BaseException):
    """The process ends here."""


class Acted:
    """The effects of an agent that may crash before or after any of them; what was kept is given again."""

    def __init__(self, kept: dict[str, StepResult], done: list[str], left: int) -> None:
        self.kept, self.done, self.left = kept, done, left
        self.asked: list[str] = []

    async def turn(self, at: Place, request: ChatRequest, bounds: Bounds, *, grounds: bool) -> StepResult:
        self.asked.append(str(request.messages))
        told = sum(each.role == "tool" for each in request.messages)
        read = [("shop__price", '{"article": "lamp"}')] * 2
        says = {0: read, 2: [*read, ("shop__order", "{}")], 5: read if len(request.messages) < 9 else []}.get(told, [])
        calls = tuple(ToolCall(str(n), Function(*each)) for n, each in enumerate(says))
        turn = Turn(text="" if calls else RIGHT if "does not pass" in self.asked[-1] else WRONG, calls=calls)
        return await self._once(at, StepResult(value=to_builtins(turn), text=turn.text, cost=1))

    async def call(self, at: Place, name: str, arguments: Any, bounds: Bounds) -> StepResult:
        return await self._once(at, StepResult(text="1240.5", cost=10))

    async def _once(self, at: Place, result: StepResult) -> StepResult:
        if at.text not in self.kept:
            self._step()
            await asyncio.sleep(0)
            self.done.append(at.text)
            self.kept[at.text] = result
            self._step()
        return self.kept[at.text]

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


async def test_an_agent_that_crashes_anywhere_asks_the_same_and_does_nothing_twice() -> None:
    tools = [
        Tool(system="shop", definition=Definition(name=name, effect=effect), digest="")
        for name, effect in (("price", "read"), ("order", "write"))
    ]
    node = convert({**quotes()["agent"], "at_most": 6}, AgentNode)
    asked = Asked(prompt="?", grounds=True, judge=lambda result: "; ".join(unborne(result, result.read)))

    async def reach(kept: dict[str, StepResult], done: list[str], left: int) -> tuple[StepResult, list[str]]:
        acts = Acted(kept, done, left)
        return await reached(acts, Place("wf", ("quote",)), node, asked, Bounds(budget=1000), tools), acts.asked

    whole, first = await reach({}, [], 1 << 30)
    assert whole.value == {"price": 1240.5}
    assert len(first) == 5
    for crash in range(1, 24):
        kept: dict[str, StepResult] = {}
        done: list[str] = []
        for left in (crash, 1 << 30):
            try:
                again, told = await reach(kept, done, left)
            except (Crash, BaseExceptionGroup):
                continue
            assert (again, told) == (whole, first)
            assert len(done) == len(set(done))


async def republished(w: World) -> None:
    """What the folder says by now is in force."""
    made = await asyncio.to_thread(
        lambda: publish(
            w.store, Fleet(w.store, w.clock), read_folder(w.folder / "acme"), secret_of, by="test", clock=w.clock
        )
    )
    await until(lambda: w.fairlead.deployment.revision == made.revision)


@pytest.mark.parametrize(
    ("said", "fine"),
    [
        ({"price": 1234.5}, True),
        ({"price": 1234}, False),
        ({"days": 30, "open": True}, True),
        ("It costs 1.234,50 EUR and is due in 30 days.", True),
        ("It costs 1,234.50 EUR and is due in 14 days.", False),
        ("It costs 1,234.50 EUR and is due in 30 days. [terms/pay@c5d82e7c753f]", True),
        ("It costs 1,234.50 EUR and is due in 30 days. [live/due@2026-11-22T08:33:56Z]", True),
        ("It costs 1,234.50 EUR and is due in 77 days. [terms/pay@c5d82e7c753f]", False),
        ("The moon is made of green cheese and cream.", False),
        ({"id": "A-17"}, True),
        ({"id": "A-18"}, False),
        ({"account": "12345678901234567890123456789012345"}, True),
        ({"account": "12345678901234567890123456789012346"}, False),
    ],
)
def test_numbers_are_held_against_sources_exactly_however_they_are_written(said: Any, fine: bool) -> None:
    sources = (
        "Invoice A-17 of 12345678901234567890123456789012345: it costs 1.234,50 EUR",
        "and is due in 30 days.\nIt costs EUR 1.234,50, due in 30 days",
    )
    found = unborne(StepResult(value=said), sources)
    assert (not found) == fine, found
