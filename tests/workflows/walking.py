"""Runs of a whole deployment, walked here and now: no carriage, no waiting for anybody."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from tests.world import World, world

from fairlead.workflows.asked import Order
from fairlead.workflows.definition import Definition
from fairlead.workflows.segments import Segments
from fairlead.workflows.taking import Taking

BANK = '''
from fairlead.tools import Person, ToolError

READS = {"price"}
_PRICES = {"lamp": 40}
_PAID = {}

def price(article: str) -> int:
    """What an article costs."""
    if article not in _PRICES:
        raise ToolError(f"there is no article {article}")
    return _PRICES[article]

def pay(amount: int, caller: Person) -> str:
    """Pay."""
    _PAID[caller.idempotency_key] = amount
    return f"{len(_PAID)} paid"

def refund(amount: int) -> str:
    """Get it back."""
    return "refunded"

def ship(article: str) -> str:
    """Send it."""
    if article == "stone":
        raise ToolError("it is too heavy")
    return "sent"
'''
PERMITS = '@id("all") permit(principal, action, resource);\n'
SYSTEMS = {"bank": {"use": "python", "file": "systems/bank.py"}}
ROLES = {"roles": {"boss": {"persons": ["lee"]}, "clerk": {"persons": ["lee", "max"]}}}
PRICE = {"id": "price", "tool": {"call": "bank.price", "arguments": {"article": "${input.article}"}}}
PAY = {"id": "pay", "tool": {"call": "bank.pay", "arguments": {"amount": "${steps.price.value}"}}}
SHIP = {"id": "ship", "tool": {"call": "bank.ship", "arguments": {"article": "${input.article}"}}}
INPUT = {"properties": {"article": {"type": "string"}}, "required": ["article"]}


class Shop:
    """A deployment with one workflow, `buy`."""

    def __init__(self, w: World) -> None:
        self.w = w
        self.workflows = w.running.workflows
        self.runs = w.running.runs
        self.taking = Taking(w.store, w.clock, self.runs, w.fairlead.ledger.journal.worker)

    def begin(self, person: str = "kim", article: str = "lamp", workflow: str = "buy", **more: Any) -> str:
        given = {"article": article}
        begun = self.workflows.begin(self.w.caller(person), workflow, given, once="", door="test", **more)
        return str(begun["id"])

    async def walked(self, run: str) -> dict[str, Any]:
        """The run, once nothing is left to be done for now."""
        worker = self.w.fairlead.ledger.journal.worker
        segments = Segments(self.w.fairlead, self.runs, self.taking, worker)
        while ready := self.taking.take(8):
            for each in ready:
                await segments.walk(each.id, each.segment)
        return self.shown(run)

    async def bought(self, **more: Any) -> dict[str, Any]:
        return await self.walked(self.begin(**more))

    def shown(self, run: str) -> dict[str, Any]:
        return self.workflows.shown(run, None)

    def order(self, run: str, do: str, person: str = "kim", **more: Any) -> dict[str, Any]:
        order = msgspec.convert({"do": do, **more}, Order)
        return self.workflows.carry_out(run, self.w.caller(person), order)

    def calls(self, tool: str) -> int:
        """How often a tool was called to an end."""
        return sum(each.tool == tool and each.outcome == "done" for each in self.w.records("call_tool"))


@asynccontextmanager
async def shop(
    folder: Path, *steps: Mapping[str, Any], files: Mapping[str, str] | None = None, clock: Any = None, **more: Any
) -> AsyncIterator[Shop]:
    """`more` are keys of the definition."""
    definition = msgspec.convert({"input": INPUT, "steps": steps, **more}, Definition)
    text = msgspec.json.encode(definition).decode()
    found = {"systems/bank.py": BANK, "policies/all.cedar": PERMITS, "workflows/buy.yaml": text, **(files or {})}
    async with world(folder, found, systems=SYSTEMS, approvals=ROLES, clock=clock) as w:
        yield Shop(w)
