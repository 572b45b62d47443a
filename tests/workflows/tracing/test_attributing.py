"""What a run failed of is found where it began, not where it was noticed, and the commands show it."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.workflows.scripted import Scripted
from tests.workflows.walking import PRICE, Shop, shop
from tests.world import MASTER_KEY, secret_of

from fairlead.cli.main import run as command
from fairlead.models.types import ModelCall
from fairlead.workflows.tracing.attributing import attributed
from fairlead.workflows.tracing.tree import shown
from fairlead.workspace.tracing import LoggedFacts, opened_again

NUMBER = {"type": "number"}
ASK = {"model": "small"}


def gives(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


NET = {"id": "net", "model": {**ASK, "prompt": "Part one: three of ${steps.price.value}.", "gives": gives(net=NUMBER)}}
CUT = {"id": "cut", "model": {**ASK, "prompt": "Part two: the discount on ${steps.net.value}.",
                              "gives": gives(rate=NUMBER, net=NUMBER, why={"type": "string"})}}  # fmt: skip
OFFER = {"id": "offer", "model": {**ASK, "prompt": "Part three: offer ${steps.cut.value}.",
                                  "gives": gives(total=NUMBER, sound={"type": "boolean"})}}  # fmt: skip
CLOSE = {"id": "close", "transform": {"total": "${steps.offer.value.total}"},
         "check": {"rules": [{"that": "value.total == 108.0", "otherwise": "it is not 108"}]}}  # fmt: skip
WELL = {"one": '{"net": 120}', "two": '{"rate": 10, "net": 120, "why": "10 percent of 120 for friends of the house."}',
        "three": '{"total": 108, "sound": true}'}  # fmt: skip


def says(s: Shop, **otherwise: str) -> None:
    replies = WELL | otherwise

    def said(call: ModelCall) -> str:
        text = str(call.request.messages[-1].content)
        return next(reply for part, reply in replies.items() if f"Part {part}" in text)

    Scripted(s.w, said)


async def traced(s: Shop, run: str) -> dict[str, Any]:
    back = await opened_again(s.runs, run)
    facts = LoggedFacts(s.w.store, s.w.fairlead.ledger.vault, s.w.clock, secret_of, back)
    return shown(back, facts, attributed(back, facts))


async def test_the_root_is_found_with_its_model_and_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shop(tmp_path, PRICE, NET, CUT, OFFER, CLOSE) as s:

        async def root(**otherwise: str) -> tuple[Any, ...]:
            says(s, **otherwise)
            found = (await traced(s, (await s.bought())["id"]))["attribution"]
            return (
                found["cause"],
                found["step"],
                found["model"],
                found["input"],
                [each["at"] for each in found["chain"]],
            )

        # 127.77 is no sum of three times 40: it first appears in `net`, and is noticed two steps later.
        net = {"one": '{"net": 127.77}', "two": '{"rate": 10, "net": 127.77, "why": "As usual."}',
               "three": '{"total": 114.99, "sound": true}'}  # fmt: skip
        assert await root(**net) == (
            "hallucinated_value", "net", "small", "value.net", ["net", "cut", "offer", "close"]
        )  # fmt: skip
        late = {"three": '{"total": 90.21, "sound": true}'}
        assert (await root(**late))[:4] == ("hallucinated_value", "offer", "small", "value.total")
        assert (await root(two="I'm sorry, I cannot help with that."))[:4] == ("model_error", "cut", "small", "prompt")
        run = (await s.bought())["id"]
        monkeypatch.setenv("FAIRLEAD_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
        where = ["-w", str(s.w.folder / "acme"), "--data", str(s.w.folder / "data")]
        assert await asyncio.to_thread(command, ["trace", run, *where]) == 0
        assert await asyncio.to_thread(command, ["trace", run, "--value", "steps.net.value.net", *where]) == 0
        assert await asyncio.to_thread(command, ["trace", run, "--value", "120", "--json", *where]) == 0
        assert await asyncio.to_thread(command, ["trace", run, "--value", "result.net", *where]) != 0, "it gave nothing"
        assert await asyncio.to_thread(command, ["replay", run, *where]) == 0
        assert await asyncio.to_thread(command, ["replay", run, "--step", "cut", "--json", *where]) == 0


async def test_a_run_without_a_fault_is_blamed_on_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with shop(tmp_path, PRICE, NET, CUT, OFFER, CLOSE) as s:
        says(s)
        done = await s.bought()
        told = await traced(s, done["id"])
        assert (told["status"], told["attribution"], told["mend"]) == ("done", None, [])
        assert [(each["at"], each["state"]) for each in told["steps"]][-1] == ("close", "done")
        lost = await traced(s, (await s.bought(article="rock"))["id"])
        found = lost["attribution"]
        assert (found["cause"], found["step"], found["tool"]) == ("tool_error", "price", "bank.price")
        assert lost["mend"][0].startswith("fairlead workflow retry wf_")
        assert json.dumps(lost)


async def test_what_a_step_failed_of_is_behind_what_took_its_place(tmp_path: Path) -> None:
    guess = {**PRICE, "otherwise": [{"id": "guess", "transform": {"price": 1}}]}
    close = {**CLOSE, "transform": {"total": "${steps.price.value.price}"}}
    async with shop(tmp_path, guess, close) as s:
        found = (await traced(s, (await s.bought(article="rock"))["id"]))["attribution"]
        assert (found["cause"], found["step"], found["tool"]) == ("tool_error", "price", "bank.price")
