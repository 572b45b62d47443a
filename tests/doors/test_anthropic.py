"""The official client gets from the Messages door what it expects, streamed and not, whatever wire the model speaks."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from anthropic import Anthropic, AsyncAnthropic
from tests.world import IN, OUT, Served, key_of, served

PROSE = "the harbour is calm"
HELLO: Any = [{"role": "user", "content": f"echo {PROSE}"}]
MODELS = ["small", "claude"]
every_wire = pytest.mark.parametrize("model", MODELS)


def models(url: str) -> dict[str, Any]:
    """One model behind each wire, at the same provider."""
    cloud = {"kind": "cloud"}
    return {
        "small": {"use": "openai-compatible/tiny", "url": f"{url}/v1", "placement": cloud},
        "claude": {"use": "anthropic/tiny", "url": f"{url}/v1", "placement": cloud, "key": "env:TEST_KEY"},
    }


PRICES = {"small": {"input": 2, "output": 8}, "claude": {"input": 2, "output": 8}}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    budgets = {"organisation": {"total": 1000}, "persons": {"max": {"total": "0.0001"}}}
    with served(
        tmp_path_factory.mktemp("messages"), models=models, prices=PRICES, budgets=budgets,
        rules=[{"refuse": ["iban"]}], breaker={"failures": 100, "least": 1000},
    ) as s:  # fmt: skip
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


@pytest.fixture
def client(s: Served) -> Iterator[Anthropic]:
    with Anthropic(base_url=s.url, api_key=key_of("kim"), max_retries=0) as client:
        yield client


def user(content: Any) -> Any:
    return [{"role": "user", "content": content}]


def tool(name: str) -> Any:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"name": name, "description": "looks", "input_schema": schema}


def last_sent(s: Served) -> Any:
    return s.provider.received[-1].json


def post(s: Served, body: Any, person: str = "kim", path: str = "/v1/messages", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(
        s.url + path, headers={"x-api-key": key_of(person), "anthropic-version": "2023-06-01", **headers},
        content=content, timeout=20,
    )  # fmt: skip


def events(response: httpx.Response) -> list[tuple[str, Any]]:
    pieces = [piece.splitlines() for piece in response.text.split("\n\n") if piece]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pieces]


@every_wire
def test_a_reply_comes_with_its_text_usage_and_what_fairlead_says(s: Served, client: Anthropic, model: str) -> None:
    raw = client.messages.with_raw_response.create(model=model, max_tokens=50, messages=HELLO)
    reply = raw.parse()
    assert (reply.type, reply.role, reply.model) == ("message", "assistant", model)
    assert [(block.type, block.text) for block in reply.content if block.type == "text"] == [("text", PROSE)]
    assert (reply.stop_reason, reply.stop_sequence) == ("end_turn", None)
    usage = reply.usage
    assert usage.output_tokens == 4
    assert usage.cache_read_input_tokens == (1 if model == "small" else 2)
    about = reply.fairlead  # type: ignore[attr-defined]
    assert reply.id == f"msg_{about['run']}"
    assert raw.headers["x-fairlead-run"] == raw.headers["request-id"] == reply._request_id == about["run"]
    (record,) = s.records(run=about["run"])
    assert (record.outcome, record.door, record.model) == ("done", "anthropic.messages", model)
    assert Decimal(about["cost"]["amount"]) * 10**9 == record.cost
    whole = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    if model == "small":  # the other wire counts what it put into a cache, which costs more
        assert record.cost == whole * IN + 4 * OUT


@every_wire
def test_a_stream_says_the_same_piece_by_piece(s: Served, client: Anthropic, model: str) -> None:
    whole = client.messages.create(model=model, max_tokens=50, messages=HELLO)
    s.provider.always = "trickle"
    with client.messages.stream(model=model, max_tokens=50, messages=HELLO) as stream:
        pieces = list(stream.text_stream)
        reply = stream.get_final_message()
    assert "".join(pieces) == PROSE
    assert len(pieces) > 1
    assert [block.text for block in reply.content if block.type == "text"] == [PROSE]
    assert (reply.stop_reason, reply.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)
    assert reply.usage.input_tokens == whole.usage.input_tokens
    assert reply.usage.cache_read_input_tokens == whole.usage.cache_read_input_tokens
    (record,) = s.records(run=reply.id.removeprefix("msg_"))
    assert record.outcome == "done"


def test_the_events_come_in_the_protocols_order_and_the_last_ones_carry_the_bill(s: Served) -> None:
    response = post(s, {"model": "small", "max_tokens": 50, "messages": HELLO, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["request-id"] == response.headers["x-fairlead-run"]
    found = events(response)
    names = [name for name, _ in found]
    assert all(data["type"] == name for name, data in found)
    deltas = names.count("content_block_delta")
    assert names == [
        "message_start", "content_block_start", *["content_block_delta"] * deltas, "content_block_stop",
        "message_delta", "message_stop",
    ]  # fmt: skip
    assert found[0][1]["message"]["content"] == []
    last = dict(found)["message_delta"]
    assert last["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert last["usage"]["output_tokens"] == 4
    assert last["fairlead"]["run"] == response.headers["x-fairlead-run"]
    assert last["fairlead"]["cost"]["currency"] == "USD"


async def test_the_asynchronous_client_works(s: Served) -> None:
    async with AsyncAnthropic(base_url=s.url, api_key=key_of("kim"), max_retries=0) as client:
        reply = await client.messages.create(model="auto", max_tokens=50, messages=HELLO)
        assert reply.content[0].text == PROSE  # type: ignore[union-attr]
        async with client.messages.stream(model="auto", max_tokens=50, messages=HELLO) as stream:
            assert "".join([text async for text in stream.text_stream]) == PROSE


def test_a_bearer_token_is_a_credential_too(s: Served) -> None:
    with Anthropic(base_url=s.url, api_key=None, auth_token=key_of("kim"), max_retries=0) as client:
        assert client.messages.create(model="small", max_tokens=9, messages=HELLO).stop_reason == "end_turn"
