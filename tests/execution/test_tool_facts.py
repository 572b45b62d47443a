"""The facts of a call: read once however many are taken from one answer, and of the kind that their card says."""

from typing import Any

import pytest
from tests.world import World, world

from fairlead.costs.told import Arrival
from fairlead.errors import Denied
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest
from fairlead.execution.tool_call import call_tool

SHOP = '''
READS = {"order", "limits", "greeting"}


def order(number: str, at: str = "home") -> dict[str, int | str]:
    """An order."""
    return {"free": 2, "status": "open", "at": at, "half": "2.5"}


def limits(number: str) -> list[int]:
    """What may be given back."""
    return [10, 20]


def greeting(number: str) -> str:
    """A word."""
    return "hello"


def ship(number: str, parcels: list[str], paid: int, at: str = "") -> str:
    """Ship parcels."""
    return f"{len(parcels)} shipped"


def refund(number: str, amount: int) -> str:
    """Give money back."""
    return "done"


def odd(number: str) -> str:
    """Never decided."""
    return "done"
'''
CARD = """
tools:
  ship:
    facts:
      free: {tool: shop.order, arguments: {number: $number, at: $at}, take: free, type: integer}
      status: {tool: shop.order, arguments: {number: $number, at: $at}, take: status}
      place: {tool: shop.order, arguments: {number: $number, at: $at}, take: at}
      word: {tool: shop.greeting, arguments: {number: $number}}
    requires:
      paid:
        that: >-
          context.arguments.paid == (if context.count.parcels > context.facts.free
          then context.count.parcels - context.facts.free else 0)
        instead: pay for the parcels beyond the free ones
      open: {that: 'context.facts.status == "open" && context.facts.word == "hello"', instead: open it}
      home: {that: 'context.facts.place == "home"', instead: ship from home}
  refund:
    facts: {limits: {tool: shop.limits, arguments: {number: $number}, type: integers}}
    requires: {known: {that: context.facts.limits.contains(context.arguments.amount), instead: give 10 or 20}}
  odd:
    facts: {half: {tool: shop.order, arguments: {number: $number}, take: half, type: integer}}
"""
FILES = {
    "systems/shop.py": SHOP,
    "systems/shop.yaml": CARD,
    "policies/main.cedar": '@id("all") permit(principal, action, resource);',
}
SYSTEMS = {"shop": {"use": "python", "file": "shop.py"}}


async def call(w: World, name: str, **arguments: Any) -> ToolAnswer:
    return await call_tool(w.fairlead, w.caller(), ToolRequest(name=name, arguments=arguments), Arrival(door="test"))


async def test_policies_reckon_with_integers_and_count_what_a_list_holds_twice(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        answer = await call(w, "shop.ship", number="1", parcels=["same", "same", "same"], paid=1)
        assert answer.result.text == "3 shipped"
        with pytest.raises(Denied) as broken:
            await call(w, "shop.ship", number="1", parcels=["same", "same", "same"], paid=0)
        assert broken.value.mend == "pay for the parcels beyond the free ones"
        assert (await call(w, "shop.refund", number="1", amount=20)).result.text == "done"
        with pytest.raises(Denied):
            await call(w, "shop.refund", number="1", amount=15)


async def test_one_answer_gives_several_facts_and_is_asked_for_once(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        answer = await call(w, "shop.ship", number="1", parcels=[], paid=0)
        read = [each.tool for each in w.records("call_tool") if each.within == answer.run]
        assert read == ["shop.order", "shop.greeting"]


async def test_an_argument_that_the_call_lacks_is_not_given_to_the_tool_of_the_fact(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        assert (await call(w, "shop.ship", number="1", parcels=[], paid=0)).result.text == "0 shipped"
        with pytest.raises(Denied) as elsewhere:
            await call(w, "shop.ship", number="1", parcels=[], paid=0, at="abroad")
        assert elsewhere.value.mend == "ship from home"


async def test_a_fact_that_is_no_integer_decides_nothing(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        with pytest.raises(Denied, match="half is not to be had"):
            await call(w, "shop.odd", number="1")
