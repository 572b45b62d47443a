"""A person lets one very text have a lower class: never their own, once, and with the reason kept."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.execution.test_aggregating import POLICIES, shop
from tests.execution.test_tool_call import call
from tests.world import World, world

from fairlead.costs.told import Arrival
from fairlead.errors import Denied
from fairlead.execution import Answer, call_model
from fairlead.execution.approval_question import ApprovalPending, OwnCall
from fairlead.execution.tool_asking import ToolAnswer
from fairlead.identity.types import Caller
from fairlead.labels import DataClass
from fairlead.server.openai.chat_request import read_request

RULE = """
declassify:
  - {kind: decision, name: summary, role: publisher, take_down: confidential, to: public}
classes: {payment_card: restricted}
"""
FILES = {"policies/main.cedar": POLICIES, "rules/out.yaml": RULE}
TEXT = "Sales in the north grew by a tenth."
ASKS = {"text": TEXT, "reason": "for the annual report"}
LEE = Caller(person="lee", department="finance", credential="key:lee")


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    roles = {"roles": {"publisher": {"persons": ["lee", "kim"]}}}
    agents = {"bot": {"passes_words_on": False}}
    async with world(tmp_path, FILES, systems=shop(tmp_path), approvals=roles, agents=agents) as one:
        yield one


async def asked(w: World, text: str = TEXT) -> str:
    with pytest.raises(ApprovalPending) as waits:
        await call(w, "declassify.summary", {**ASKS, "text": text}, flow="report")
    return waits.value.approval


async def answered(w: World, id_: str, who: Caller, *, allowed: bool = True) -> None:
    approvals, revision = w.fairlead.approvals, w.fairlead.deployment.revision
    await asyncio.to_thread(lambda: approvals.answer(id_, who, allowed, "it names nobody", revision=revision))


async def chat(w: World, found: ToolAnswer) -> Answer:
    body = {
        "model": "auto",
        "messages": [
            {"role": "user", "content": "Write it up."},
            {"role": "assistant", "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "shop", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": found.result.text},
        ],
    }  # fmt: skip
    request = read_request(msgspec.json.encode(body)).request
    return await call_model(w.fairlead, w.caller(), request, Arrival(door="openai.chat", flow="report"))


async def test_what_another_person_lets_pass_has_the_lower_class_once_and_is_recorded(w: World) -> None:
    id_ = await asked(w)
    with pytest.raises(OwnCall):
        await answered(w, id_, w.caller("kim"))
    await answered(w, id_, LEE)
    found = await call(w, "declassify.summary", ASKS, flow="report")
    assert (found.result.text, found.labels.data_class) == (TEXT, DataClass.public)
    assert (await chat(w, found)).model.name == "small"
    record = w.records("call_tool")[-1]
    assert record.declassified is not None
    assert (record.declassified.rule, record.declassified.was, record.declassified.to) == (
        "declassify.summary",
        "confidential",
        "public",
    )
    assert record.approvals == (id_,)
    assert TEXT.encode() not in msgspec.json.encode(record)
    assert await asked(w) != id_  # used up
    (kept,) = await asyncio.to_thread(lambda: [each for each in w.fairlead.approvals.all() if each.id == id_])
    assert (kept.question.arguments["reason"], kept.answers[0].reason) == ("for the annual report", "it names nobody")


async def test_another_text_is_another_question_and_a_no_is_final(w: World) -> None:
    id_ = await asked(w)
    await answered(w, id_, LEE, allowed=False)
    with pytest.raises(Denied, match="was not approved"):
        await call(w, "declassify.summary", ASKS, flow="report")
    other = await asked(w, TEXT + " And more.")
    assert other != id_


async def test_what_is_too_high_or_found_by_detectors_does_not_fall(w: World) -> None:
    with pytest.raises(Denied, match="is not for restricted texts"):
        await call(w, "declassify.summary", {**ASKS, "text": "the card is 4111 1111 1111 1111"})
