"""How far a run is, drawn step by step: done, parked and for whom, failed, undone, left out, still to come."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.workflows.walking import PAY, PRICE, SHIP, Shop, shop
from tests.world import FixedClock

from fairlead.errors import BadInput, NotFound
from fairlead.workflows.tracing import pictured

ASK = {"id": "ask", "approval": {"role": "boss", "ask": "Pay it?"}}
UNDO = {"compensate": {"tool": {"call": "bank.refund", "arguments": {"amount": "${steps.price.value}"}}}}
NOTE = {"id": "note", "when": "input.article == 'none'", "transform": "never"}
WORD = {"id": "word", "model": {"prompt": "Say it.", "model": "small"}}
EACH = {"id": "each", "map": {"over": "[1, 2, 3]", "at_most": 3, "steps": [{"id": "one", "transform": "${item}"}]}}


async def drawn(s: Shop, run: str, format: str = "text") -> dict[str, Any]:
    return await asyncio.to_thread(s.workflows.pictured, run, s.w.caller("kim"), format)


DEAR = "what `price` gave does not pass its check: it is too dear"


async def counts(s: Shop, run: str) -> dict[str, str]:
    """The states of a run that has too many steps to be walked again for a picture."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictured, "MOST_STEPS", 1)
        found = await drawn(s, run)
    assert found["counted"]
    return {each["step"]: each["state"] for each in found["steps"]}


async def test_a_run_is_drawn_as_far_as_it_is(tmp_path: Path) -> None:
    clock = FixedClock()
    async with shop(tmp_path, PRICE, WORD, EACH, NOTE, ASK, PAY | UNDO, SHIP, clock=clock) as s:
        run = s.begin()
        assert {each["state"] for each in (await drawn(s, run))["steps"]} == {"to come"}
        await s.walked(run)
        found = await drawn(s, run)
        states = {each["step"]: each["state"] for each in found["steps"]}
        assert states == {"price": "done", "word": "done", "each": "done", "one": "done", "note": "left out",
                          "ask": "parked", "pay": "to come", "ship": "to come"}  # fmt: skip
        (word,) = (each for each in found["steps"] if each["step"] == "word")
        assert (word["models"], word["cost"] != "0", word["ms"] is not None) == (("small",), True, True)
        assert "[parked for boss, asked 20" in found["drawn"]
        assert "one: transform  [done 3 of 3]" in found["drawn"]
        with pytest.raises(NotFound):
            await asyncio.to_thread(s.workflows.pictured, run, s.w.caller("max"), "text")
        assert await counts(s, run) == states
        clock.tick(2)
        s.order(run, "approve", "lee", at="ask")
        (ask,) = (each for each in (await drawn(s, run))["steps"] if each["step"] == "ask")
        assert (ask["state"], ask["waited_ms"], pictured._long(3 * 3_600_000)) == ("done", 2000, "3 h")
        assert (await s.walked(run))["status"] == "done"
        assert set((await counts(s, run)).values()) == {"done", "left out"}
        found = await drawn(s, run, "svg")
        assert {each["state"] for each in found["steps"]} == {"done", "left out"}
        assert found["drawn"].startswith("<svg")
        assert "#bbf7d0" in found["drawn"]


async def test_what_failed_and_what_was_undone_is_seen(tmp_path: Path) -> None:
    price = {"id": "price", "transform": "${40}"}
    async with shop(tmp_path, price, PAY | UNDO, SHIP, {"id": "last", "transform": "x"}) as s:
        failed = (await s.bought(article="stone"))["id"]
        found = await drawn(s, failed, "mermaid")
        assert [each["state"] for each in found["steps"]] == ["done", "undone", "failed", "not reached"]
        assert list((await counts(s, failed)).values()) == ["done", "undone", "failed", "not reached"]
        assert "style ship_ fill:#fecaca" in found["drawn"]
        with pytest.raises(BadInput, match="format"):
            await drawn(s, failed, "gif")


async def test_a_failed_check_that_its_otherwise_took_is_seen_as_that(tmp_path: Path) -> None:
    cheap = {"check": {"rules": [{"that": "value < 30", "otherwise": "it is too dear"}]}}
    taken = {"otherwise": [{"id": "list", "transform": "${30}"}]}
    calls = {"id": "each", "map": {"over": "['lamp', 'lamp']", "at_most": 2, "steps": [PRICE | {"id": "one"}]}}
    calls["map"]["steps"][0]["tool"] = {"call": "bank.price", "arguments": {"article": "${item}"}}  # type: ignore[index]
    async with shop(tmp_path, PRICE | cheap | taken, calls, output="${steps.price.value}") as s:
        run = s.begin()
        await s.walked(run)
        found = await drawn(s, run)
        price, _, each, one = found["steps"]
        assert (price["state"], price["error"], each["state"]) == ("caught", DEAR, "done")
        assert "[failed, caught by otherwise" in found["drawn"]
        assert (one["times"], one["done"]) == (2, 2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pictured, "MOST_STEPS", 3)
            counted = (await drawn(s, run))["steps"]
        assert [(each["times"], each["done"]) for each in counted[2:]] == [(1, 1), (2, 2)]
        shown = await asyncio.to_thread(s.shown, run)
        told = {each["at"]: each for each in shown["steps"]}
        assert (shown["output"], told["price"]["status"], told["each[1].one"]["status"]) == (30, "failed", "done")
        assert "otherwise" in told["price"]["error"]["message"]
