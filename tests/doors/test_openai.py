"""The official client gets from the chat door what it expects, streamed and not, and what Fairlead adds beside it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from tests.world import IN, OUT, Served, key_of, served

from fairlead.costs.histories import LEAST

HELLO: Any = [{"role": "user", "content": "echo the harbour is calm"}]
PROSE = "the harbour is calm"


def tool(name: str) -> Any:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"type": "function", "function": {"name": name, "description": "looks", "parameters": parameters}}


def user(content: str) -> Any:
    return [{"role": "user", "content": content}]


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    budgets = {"organisation": {"total": 1000}, "persons": {"max": {"total": "0.0001"}}}
    breaker = {"failures": 100, "least": 1000}
    with served(tmp_path_factory.mktemp("doors"), budgets=budgets, rules=[{"refuse": ["iban"]}], breaker=breaker) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


@pytest.fixture
def client(s: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), max_retries=0) as client:
        yield client


def test_a_reply_comes_with_its_text_usage_and_what_fairlead_says(s: Served, client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="small", messages=HELLO)
    reply = raw.parse()
    choice = reply.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", PROSE, "stop")
    assert reply.object == "chat.completion"
    assert reply.model == "small"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 4
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + 4
    about = reply.fairlead  # type: ignore[attr-defined]
    assert raw.headers["x-fairlead-run"] == about["run"]
    assert reply.id == f"chatcmpl-{about['run']}"
    expected = reply.usage.prompt_tokens * IN + 4 * OUT
    assert Decimal(about["cost"]["amount"]) * 10**9 == expected
    assert about["cost"]["currency"] == "USD"
    assert about["placement"] == "cloud"
    assert about["route"]["candidates"] == ["small"]
    (record,) = s.records(run=about["run"])
    assert (record.cost, record.outcome, record.door) == (expected, "done", "openai.chat")


def test_a_stream_says_the_same_piece_by_piece(s: Served, client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="small", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == PROSE
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    last = chunks[-1]
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == 4
    assert all(chunk.usage is None for chunk in chunks[:-1])
    about = last.fairlead  # type: ignore[attr-defined]
    assert {chunk.id for chunk in chunks} == {f"chatcmpl-{about['run']}"}
    (record,) = s.records(run=about["run"])
    assert record.cost == last.usage.prompt_tokens * IN + 4 * OUT


def test_a_stream_without_usage_has_the_fairlead_object_in_its_last_chunk(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="small", messages=HELLO, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert chunks[-1].fairlead["model"] == "small"  # type: ignore[attr-defined]


def test_a_stream_ends_with_the_end_mark_after_its_bill_is_durable(s: Served) -> None:
    body = {"model": "small", "messages": HELLO, "stream": True}
    with httpx.stream("POST", f"{s.url}/v1/chat/completions", headers=s.auth(), json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        run = response.headers["x-fairlead-run"]
        for line in response.iter_lines():
            if line == "data: [DONE]":
                (record,) = s.records(run=run)
                assert record.outcome == "done"
                break
        else:
            pytest.fail("the stream ended without [DONE]")


async def test_the_asynchronous_client_works_alike(s: Served) -> None:
    async with AsyncOpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), max_retries=0) as client:
        reply = await client.chat.completions.create(model="auto", messages=HELLO)
        assert reply.choices[0].message.content == PROSE
        stream = await client.chat.completions.create(model="small", messages=HELLO, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == PROSE


def test_tools_are_called_and_answered(client: OpenAI) -> None:
    first = client.chat.completions.create(model="small", messages=user("weather"), tools=[tool("look")])
    (call,) = first.choices[0].message.tool_calls or []
    assert first.choices[0].finish_reason == "tool_calls"
    assert first.choices[0].message.content is None
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("look", {"city": "Paris"})
    messages = [
        *user("weather"),
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    second = client.chat.completions.create(model="small", messages=messages, tools=[tool("look")])
    assert second.choices[0].message.content


def test_parallel_tool_calls_arrive_whole_and_in_pieces(client: OpenAI) -> None:
    asked: dict[str, Any] = {"model": "small", "messages": user("both"), "tools": [tool("one"), tool("two")]}
    reply = client.chat.completions.create(**asked)
    whole = [(c.id, c.function.name, c.function.arguments) for c in reply.choices[0].message.tool_calls or []]
    assert [name for _, name, _ in whole] == ["one", "two"]
    pieces: dict[int, list[str]] = {}
    for chunk in client.chat.completions.create(**asked, stream=True):
        for delta in chunk.choices[0].delta.tool_calls or []:
            piece = pieces.setdefault(delta.index, ["", "", ""])
            piece[0] += delta.id or ""
            piece[1] += (delta.function and delta.function.name) or ""
            piece[2] += (delta.function and delta.function.arguments) or ""
    assert [tuple(pieces[index]) for index in sorted(pieces)] == whole


def test_a_stream_of_tool_calls_can_be_accumulated_by_the_client(client: OpenAI) -> None:
    with client.chat.completions.stream(model="small", messages=user("both"), tools=[tool("one"), tool("two")]) as st:
        final = st.get_final_completion()
    assert [call.function.name for call in final.choices[0].message.tool_calls or []] == ["one", "two"]


class City(BaseModel):
    city: str
    people: int


def test_an_answer_by_a_schema_is_parsed(client: OpenAI) -> None:
    reply = client.chat.completions.parse(model="small", messages=user("which"), response_format=City)
    assert reply.choices[0].message.parsed == City(city="Paris", people=3)


@pytest.mark.parametrize(
    "said",
    [
        {"type": "json_object", "schema": {"type": "object"}},
        {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
    ],
)
def test_a_schema_that_comes_without_a_name_gets_one(s: Served, client: OpenAI, said: Any) -> None:
    client.chat.completions.create(model="small", messages=HELLO, response_format=said)
    wanted = {"type": "json_schema", "json_schema": {"name": "reply", "schema": {"type": "object"}}}
    assert json.loads(s.provider.received[-1].body)["response_format"] == wanted


def test_a_schema_beside_another_type_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="json_object") as caught:
        client.chat.completions.create(
            model="small", messages=HELLO, response_format={"type": "text", "schema": {}}  # type: ignore[call-overload]
        )  # fmt: skip
    assert caught.value.param == "response_format.schema"


def test_who_speaks_is_said_in_an_event_of_its_own_before_the_first_piece(client: OpenAI) -> None:
    first, *rest = client.chat.completions.create(model="small", messages=HELLO, stream=True)
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", None)
    assert not any(chunk.choices[0].delta.role for chunk in rest)
    assert rest[0].choices[0].delta.content


def test_a_parsed_reply_can_be_sent_back_as_the_client_holds_it(s: Served, client: OpenAI) -> None:
    reply = client.chat.completions.parse(
        model="small", messages=user("weather"), tools=[openai.pydantic_function_tool(City)]
    ).choices[0]
    (call,) = reply.message.tool_calls or []
    call.function.parsed_arguments = City(city="Paris", people=3)
    for message in (reply.message, reply.message.model_dump(warnings=False)):
        answered: Any = [*user("weather"), message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        assert client.chat.completions.create(model="small", messages=answered).choices[0].message.content
        received = json.loads(s.provider.received[-1].body)["messages"][1]
        assert set(received) <= {"role", "content", "tool_calls"}
        assert set(received["tool_calls"][0]["function"]) == {"name", "arguments"}


@pytest.mark.parametrize("streamed", [False, True])
def test_several_answers_are_kept_apart(client: OpenAI, streamed: bool) -> None:
    if not streamed:
        reply = client.chat.completions.create(model="small", messages=HELLO, n=3)
        assert [(choice.index, choice.message.content) for choice in reply.choices] == [(n, PROSE) for n in range(3)]
        return
    texts = ["", "", ""]
    for chunk in client.chat.completions.create(model="small", messages=HELLO, n=3, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [PROSE] * 3


@pytest.mark.parametrize("streamed", [False, True])
def test_log_probabilities_come_through(client: OpenAI, streamed: bool) -> None:
    asked: dict[str, Any] = {"model": "small", "messages": HELLO, "logprobs": True, "top_logprobs": 1}
    if streamed:
        chunks = client.chat.completions.create(**asked, stream=True)
        found = [c.choices[0].logprobs for c in chunks]
        tokens = [entry.token for each in found if each for entry in each.content or []]
    else:
        logprobs = client.chat.completions.create(**asked).choices[0].logprobs
        assert logprobs is not None
        tokens = [entry.token for entry in logprobs.content or []]
    assert "".join(tokens).replace(" ", "") == PROSE.replace(" ", "")


def test_reasoning_is_passed_beside_the_text(client: OpenAI) -> None:
    reply = client.chat.completions.create(model="small", messages=user("think about it"))
    assert reply.choices[0].message.reasoning_content == "Let me think about it"  # type: ignore[attr-defined]


def test_a_reply_that_reached_its_limit_says_so(client: OpenAI) -> None:
    reply = client.chat.completions.create(model="small", messages=user("say 50"), max_tokens=5)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 5


def error_of(raised: openai.APIStatusError) -> dict[str, Any]:
    body = raised.body
    assert isinstance(body, dict)
    assert {"message", "type", "param", "code", "fairlead"} == set(body)
    return body


def test_a_wrong_key_is_an_authentication_error(s: Served) -> None:
    with (
        OpenAI(base_url=f"{s.url}/v1", api_key="nobody-knows-this-key", max_retries=2) as client,
        pytest.raises(openai.AuthenticationError) as raised,
    ):
        client.chat.completions.create(model="small", messages=HELLO)
    assert error_of(raised.value)["code"] == "unauthenticated"
    assert raised.value.response.headers["www-authenticate"].startswith("Bearer")


def test_what_policy_refuses_is_a_permission_error_that_names_the_step_and_the_mend(s: Served, client: OpenAI) -> None:
    with pytest.raises(openai.PermissionDeniedError) as raised:
        client.chat.completions.create(model="small", messages=user("pay to DE89370400440532013000 please"))
    error = error_of(raised.value)
    assert (error["code"], error["type"]) == ("denied", "permission_error")
    assert error["fairlead"]["step"] == "authorize"
    assert error["fairlead"]["help"]
    assert error["message"].endswith(f": {error['fairlead']['why']}")  # clients show nothing else
    assert error["fairlead"]["run"] == raised.value.response.headers["x-fairlead-run"]
    assert s.records(run=error["fairlead"]["run"])[0].outcome == "refused"


def test_a_spent_budget_is_a_rate_limit_error_that_clients_do_not_retry(s: Served) -> None:
    with (
        OpenAI(base_url=f"{s.url}/v1", api_key=key_of("max"), max_retries=3) as client,
        pytest.raises(openai.RateLimitError) as raised,
    ):
        client.chat.completions.create(model="small", messages=HELLO)
    error = error_of(raised.value)
    assert (error["code"], error["fairlead"]["step"]) == ("over_budget", "reserve")
    person = s.records(run=error["fairlead"]["run"])[0].person
    refused = [each for each in s.records("call_model") if each.person == person]
    assert len(refused) == 1


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="smal") as raised:
        client.chat.completions.create(model="smal", messages=HELLO)
    assert "small" in error_of(raised.value)["fairlead"]["help"]


def test_a_field_that_nobody_knows_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="wings"):
        client.chat.completions.create(model="small", messages=HELLO, extra_body={"wings": 2})


def test_a_failing_provider_is_a_server_error(s: Served, client: OpenAI) -> None:
    s.provider.always = "500"
    with pytest.raises(openai.InternalServerError) as raised:
        client.chat.completions.create(model="small", messages=HELLO)
    assert raised.value.status_code == 502
    assert error_of(raised.value)["fairlead"]["step"] == "attempt"


def test_what_a_provider_calls_wrong_is_a_bad_request(s: Served, client: OpenAI) -> None:
    s.provider.always = "400"
    with pytest.raises(openai.BadRequestError, match="calls the request wrong"):
        client.chat.completions.create(model="small", messages=HELLO)


def test_a_stream_that_dies_ends_with_an_error_and_never_with_the_end_mark(s: Served, client: OpenAI) -> None:
    s.provider.always = "reset-mid-body"
    got = []
    with pytest.raises(openai.APIError, match="stopped in the middle") as raised:
        for chunk in client.chat.completions.create(model="small", messages=user("say 30"), stream=True):
            got.append(chunk.choices[0].delta.content)
    assert got
    assert raised.value.code == "upstream_cut_off"
    body = {"model": "small", "messages": user("say 30"), "stream": True}
    text = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), json=body).text
    assert "[DONE]" not in text
    assert text.rstrip().splitlines()[-1].startswith('data: {"error":')


def test_a_dry_run_tells_what_it_would_cost_and_calls_nobody(s: Served) -> None:
    before = len(s.provider.received)
    headers = {**s.auth(), "x-fairlead-dry-run": "estimate"}
    response = httpx.post(f"{s.url}/v1/chat/completions", headers=headers, json={"model": "auto", "messages": HELLO})
    body = response.json()
    assert response.status_code == 200
    assert body["object"] == "fairlead.estimate"
    assert [each["model"] for each in body["estimates"]] == ["small", "house"]
    assert all(Decimal(each["most"]) >= Decimal(each["likely"]) > 0 for each in body["estimates"])
    assert response.headers["x-fairlead-run"] == body["run"]
    assert len(s.provider.received) == before


def test_an_estimate_rests_on_what_replies_were_before(s: Served) -> None:
    body, headers = {"model": "small", "messages": HELLO}, {**s.auth(), "x-fairlead-dry-run": "estimate"}
    with httpx.Client() as client:
        for _ in range(LEAST):
            client.post(f"{s.url}/v1/chat/completions", headers=s.auth(), json=body)
        s.running.fairlead.replies.read()  # what is read is up to five seconds old, where somebody has asked before
        told = client.post(f"{s.url}/v1/chat/completions", headers=headers, json=body).json()["estimates"][0]
    assert told["outcomes"] >= LEAST
    assert told["since"]
    assert Decimal(told["low"]) <= Decimal(told["likely"]) <= Decimal(told["high"]) < Decimal(told["most"])


def test_a_deadline_can_be_asked_for(s: Served) -> None:
    s.provider.always = "hang"
    headers = {**s.auth(), "x-fairlead-deadline": "0.3"}
    response = httpx.post(f"{s.url}/v1/chat/completions", headers=headers, json={"model": "small", "messages": HELLO})
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "deadline_exceeded"


@pytest.mark.parametrize(
    ("name", "value"),
    [("x-fairlead-deadline", "soon"), ("x-fairlead-deadline", "-1"), ("x-fairlead-deadline", "nan"),
     ("x-fairlead-dry-run", "yes")],
)  # fmt: skip
def test_a_header_that_makes_no_sense_is_a_bad_request(s: Served, name: str, value: str) -> None:
    body = {"model": "small", "messages": HELLO}
    response = httpx.post(f"{s.url}/v1/chat/completions", headers={**s.auth(), name: value}, json=body)
    assert response.status_code == 400
    assert name in response.json()["error"]["message"]


def test_models_are_listed_and_looked_up(client: OpenAI) -> None:
    listed = {model.id: model for model in client.models.list()}
    assert {"auto", "small", "house"} <= set(listed)
    assert client.models.retrieve("house").owned_by == "on_prem"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


def test_who_asks_is_not_told_to_the_provider(s: Served, client: OpenAI) -> None:
    client.chat.completions.create(
        model="small", messages=HELLO, user="kim@example.com", metadata={"who": "kim"}, safety_identifier="kim"
    )
    received = s.provider.received[-1]
    assert b"kim" not in received.body
    assert key_of("kim") not in str(received.headers)


def test_text_that_is_not_ascii_comes_through(client: OpenAI) -> None:
    said = "grüße 🚢 κόσμε \u2028 日本"
    reply = client.chat.completions.create(model="small", messages=user(f"echo {said}"))
    assert reply.choices[0].message.content == said
    chunks = client.chat.completions.create(model="small", messages=user(f"echo {said}"), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == said
