"""Every policy through every door, streamed and not: a door decides nothing, so none may differ.

A door that is added adds one line to `DOORS`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from tests.world import CARD, Served, key_of, served

IBAN = "DE89370400440532013000"
CATEGORIES = """
detectors:
  - {name: project, category: project, pattern: '(?i)project bluebird'}
  - {name: verdict, category: verdict, pattern: '(?i)guaranteed profit'}
facts:
  - {name: discount, pattern: '(?P<value>[0-9]{1,3})%', take: max}
"""
POLICIES = """
@id("staff-may-ask") @reason("staff may ask")
permit (principal in Group::"staff", action == Action::"call_model", resource);

@id("cards-are-taken-out") @reason("no cards in the cloud") @redact("payment_card, email")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.containsAny(["payment_card", "email"]) };

@id("projects-stay") @reason("projects stay in the house")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.contains("project") };

@id("no-ibans") @reason("account numbers go nowhere")
forbid (principal, action == Action::"call_model", resource)
when { context.labels.contains("iban") };

@id("replies-may-leave") @reason("replies may leave")
permit (principal, action == Action::"release_reply", resource);

@id("no-verdicts") @reason("nobody promises profits")
forbid (principal, action == Action::"release_reply", resource)
when { context.categories.contains("verdict") };

@id("small-discounts") @reason("more than 15% is for managers")
forbid (principal, action == Action::"release_reply", resource)
when { context.facts has discount && context.facts.discount.greaterThan(decimal("15.0")) };
"""


class Got(NamedTuple):
    """What a client saw: the whole text that was let out, the run, and the error's code, "" for none."""

    text: str
    run: str
    error: str
    ended: bool


def by_chat(s: Served, person: str, content: str, streamed: bool, model: str = "auto") -> Got:
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": content}], "stream": streamed}
    response = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(person), json=body, timeout=20)
    run = response.headers.get("x-fairlead-run", "")
    if not response.headers["content-type"].startswith("text/event-stream"):
        found = response.json()
        if response.status_code != 200:
            return Got("", run, found["error"]["code"], True)
        return Got(found["choices"][0]["message"]["content"], run, "", True)
    text, error, ended = "", "", False
    for line in response.text.splitlines():
        data = line.removeprefix("data: ")
        if data == "[DONE]":
            ended = True
        elif data:
            event = json.loads(data)
            error = event["error"]["code"] if "error" in event else error
            text += "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ()))
    return Got(text, run, error, ended)


def by_completions(s: Served, person: str, content: str, streamed: bool, model: str = "auto") -> Got:
    body: dict[str, Any] = {"model": model, "prompt": content, "stream": streamed, "max_tokens": 1024}
    response = httpx.post(f"{s.url}/v1/completions", headers=s.auth(person), json=body, timeout=20)
    run = response.headers.get("x-fairlead-run", "")
    if not response.headers["content-type"].startswith("text/event-stream"):
        found = response.json()
        if response.status_code != 200:
            return Got("", run, found["error"]["code"], True)
        return Got(found["choices"][0]["text"], run, "", True)
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    text = "".join(choice["text"] for event in events for choice in event.get("choices", ()))
    error = next((event["error"]["code"] for event in events if "error" in event), "")
    return Got(text, run, error, response.text.endswith("data: [DONE]\n\n"))


def by_messages(s: Served, person: str, content: str, streamed: bool, model: str = "auto") -> Got:
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": streamed, "max_tokens": 1024}
    response = httpx.post(f"{s.url}/v1/messages", headers={"x-api-key": key_of(person)}, json=body, timeout=20)
    run = response.headers.get("x-fairlead-run", "")
    if not response.headers["content-type"].startswith("text/event-stream"):
        found = response.json()
        if response.status_code != 200:
            return Got("", run, found["fairlead"]["code"], True)
        return Got("".join(block["text"] for block in found["content"]), run, "", True)
    events = [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line.startswith("data")]
    text = "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    error = next((event["fairlead"]["code"] for event in events if event["type"] == "error"), "")
    return Got(text, run, error, events[-1]["type"] == "message_stop")


def by_responses(s: Served, person: str, content: str, streamed: bool, model: str = "auto") -> Got:
    body: dict[str, Any] = {"model": model, "input": content, "stream": streamed}
    response = httpx.post(f"{s.url}/v1/responses", headers=s.auth(person), json=body, timeout=20)
    run = response.headers.get("x-fairlead-run", "")
    if not response.headers["content-type"].startswith("text/event-stream"):
        found = response.json()
        if response.status_code != 200:
            return Got("", run, found["error"]["code"], True)
        return Got("".join(part["text"] for item in found["output"] for part in item["content"]), run, "", True)
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    error = next((event["response"]["error"]["code"] for event in events if event["type"] == "response.failed"), "")
    return Got(text, run, error, events[-1]["type"] == "response.completed")


Door = Callable[[Served, str, str, bool], Got]
DOORS: dict[str, Door] = {
    "openai.chat": by_chat,
    "openai.completions": by_completions,
    "anthropic.messages": by_messages,
    "openai.responses": by_responses,
}

every_door = pytest.mark.parametrize("door", DOORS.values(), ids=list(DOORS))
streamed_and_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    files = {"policies/main.cedar": POLICIES, "rules/more.yaml": CATEGORIES}
    with served(tmp_path_factory.mktemp("matrix"), files, budgets={"organisation": {"total": 1000}}) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


def sent_since(s: Served, before: int) -> str:
    return "".join(received.body.decode() for received in s.provider.received[before:])


@every_door
@streamed_and_not
def test_what_is_allowed_is_answered(s: Served, door: Door, streamed: bool) -> None:
    got = door(s, "kim", "echo good morning", streamed)
    assert (got.text, got.error, got.ended) == ("good morning", "", True)
    (record,) = s.records(run=got.run)
    assert (record.outcome, record.policies) == ("done", ("staff-may-ask",))


@every_door
@streamed_and_not
def test_who_no_policy_permits_is_denied(s: Served, door: Door, streamed: bool) -> None:
    before = len(s.provider.received)
    got = door(s, "max", "echo good morning", streamed)
    assert (got.text, got.error) == ("", "denied")
    assert s.records(run=got.run)[0].outcome == "refused"
    assert len(s.provider.received) == before


@every_door
@streamed_and_not
def test_what_may_go_nowhere_is_denied(s: Served, door: Door, streamed: bool) -> None:
    before = len(s.provider.received)
    got = door(s, "kim", f"echo pay {IBAN} now", streamed)
    assert (got.text, got.error) == ("", "denied")
    (record,) = s.records(run=got.run)
    assert "no-ibans" in record.policies
    assert "iban" in record.categories
    assert len(s.provider.received) == before


@every_door
@streamed_and_not
def test_what_is_redacted_leaves_without_it_and_comes_back_with_it(s: Served, door: Door, streamed: bool) -> None:
    before = len(s.provider.received)
    said = f"card {CARD} of ann.smith@example.com is fine"
    got = door(s, "kim", f"echo {said}", streamed)
    assert (got.text, got.error) == (said, "")
    sent = sent_since(s, before)
    assert "4111" not in sent
    assert "ann.smith" not in sent
    (record,) = s.records(run=got.run)
    assert (record.placement, record.redacted) == ("cloud", ("email", "payment_card"))


@every_door
@streamed_and_not
def test_what_must_stay_is_answered_in_the_house(s: Served, door: Door, streamed: bool) -> None:
    before = len(s.provider.received)
    got = door(s, "kim", "echo project bluebird is late", streamed)
    assert (got.text, got.error) == ("project bluebird is late", "")
    (record,) = s.records(run=got.run)
    assert (record.model, record.placement) == ("house", "on_prem")
    assert dict(record.dropped)["small"] == "policy"
    assert all(json.loads(r.body)["model"] == "house" for r in s.provider.received[before:])


@every_door
@streamed_and_not
@pytest.mark.parametrize(
    "said", ["this is a guaranteed profit for you", "take it at 20% off today", "first 5% and then 40% off"]
)
def test_what_may_not_leave_is_withheld(s: Served, door: Door, streamed: bool, said: str) -> None:
    got = door(s, "kim", f"echo {said}", streamed)
    assert got.error == "withheld"
    assert "profit" not in got.text
    assert "20%" not in got.text
    assert "40%" not in got.text
    assert not (streamed and got.text and got.ended)
    (record,) = s.records(run=got.run)
    assert (record.outcome, record.cost > 0) == ("refused", True)
    assert record.error is not None
    assert record.error.step == "check"


@every_door
def test_a_reply_that_is_withheld_is_withheld_however_the_provider_cuts_it(s: Served, door: Door) -> None:
    # One event for each byte of the stream, then all of it in one read, then in words.
    for fault in ("split-every-byte", "one-read", "crlf", ""):
        s.provider.always = fault
        got = door(s, "kim", "echo well this is a guaranteed profit for you", True)
        assert got.error == "withheld", fault
        assert "guaranteed" not in got.text
        assert not (got.text and got.ended)


@every_door
@streamed_and_not
def test_a_discount_within_bounds_leaves(s: Served, door: Door, streamed: bool) -> None:
    got = door(s, "kim", "echo take it at 15% off today", streamed)
    assert (got.text, got.error) == ("take it at 15% off today", "")


@every_door
@streamed_and_not
def test_a_policy_decides_by_who_asks_now(s: Served, door: Door, streamed: bool) -> None:
    for person, error in (("kim", ""), ("max", "denied"), ("lee", "")):
        assert door(s, person, "echo hello", streamed).error == error
