"""How far a run is, drawn step by step: done, parked and for whom, failed, undone, left out, still to come."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.workflows.walking import PAY, PRICE, SHIP, Shop, shop

from fairlead.errors import BadInput, NotFound

ASK = {"id": "ask", "approval": {"role": "boss", "ask": "Pay it?"}}
UNDO = {"compensate": {"tool": {"call": "bank.refund", "arguments": {"amount": "${steps.price.value}"}}}}
NOTE = {"id": "note", "when": "input.article == 'none'", "transform": "never"}
WORD = {"id": "word", "model": {"prompt": "Say it.", "model": "small"}}
EACH = {"id": "each", "map": {"over": "[1, 2, 3]", "at_most": 3, "steps": [{"id": "one", "transform": "${item}"}]}}


async def drawn(s: Shop, run: str, format: str = "text") -> dict[str, Any]:
    return await asyncio.to_thread(s.workflows.pictured, run, s.w.caller("kim"), format)


async def test_a_run_is_drawn_as_far_as_it_is(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, WORD, EACH, NOTE, ASK, PAY | UNDO, SHIP) as s:
        run = (await s.bought())["id"]
        found = await drawn(s, run)
        states = {each["step"]: each["state"] for each in found["steps"]}
        assert states == {"price": "done", "word": "done", "each": "done", "one": "done", "note": "left out",
                          "ask": "parked", "pay": "to come", "ship": "to come"}  # fmt: skip
        (word,) = (each for each in found["steps"] if each["step"] == "word")
        assert (word["models"], word["cost"] != "0", word["ms"] is not None) == (("small",), True, True)
        assert "[parked for boss]" in found["drawn"]
        assert "one: transform  [done 3 of 3]" in found["drawn"]
        with pytest.raises(NotFound):
            await asyncio.to_thread(s.workflows.pictured, run, s.w.caller("max"), "text")
        s.order(run, "approve", "lee", at="ask")
        assert (await s.walked(run))["status"] == "done"
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
        assert "style ship_ fill:#fecaca" in found["drawn"]
        with pytest.raises(BadInput, match="format"):
            await drawn(s, failed, "gif")
