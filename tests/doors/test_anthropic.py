"""The official client gets from the Messages door what it expects, streamed and not, whatever wire the model speaks."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import anthropic
import httpx
import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel
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
        content=content, timeout=60,
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


@every_wire
@pytest.mark.parametrize("streamed", [False, True])
def test_tools_are_called_and_answered(s: Served, client: Anthropic, model: str, streamed: bool) -> None:
    def ask(messages: Any, **more: Any) -> Any:
        about: dict[str, Any] = {"model": model, "max_tokens": 50, "messages": messages, "tools": tools, **more}
        if not streamed:
            return client.messages.create(**about)
        with client.messages.stream(**about) as stream:
            return stream.get_final_message()

    tools = [tool("weather"), tool("news")]
    question = user("both, please")
    asked = ask(question, tool_choice={"type": "auto", "disable_parallel_tool_use": False})
    calls = [block for block in asked.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [("weather", {"city": "Paris"}), ("news", {"city": "Paris"})]
    assert asked.stop_reason == "tool_use"
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"} for call in calls]
    answer = ask(
        [*question, {"role": "assistant", "content": asked.content}, {"role": "user", "content": results}],
        tool_choice={"type": "none"},
    )
    assert answer.stop_reason == "end_turn"
    assert [block.type for block in answer.content] == ["text"]
    sent = last_sent(s)
    if model == "small":
        assert [each["role"] for each in sent["messages"]] == ["user", "assistant", "tool", "tool"]
        assert json.loads(sent["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"city": "Paris"}
        assert sent["tool_choice"] == "none"
    else:
        assert [each["type"] for each in sent["messages"][2]["content"]] == ["tool_result", "tool_result"]
        assert sent["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize(
    ("choice", "chat", "messages"),
    [
        ({"type": "any"}, "required", {"type": "any"}),
        ({"type": "tool", "name": "weather"}, {"type": "function", "function": {"name": "weather"}}, None),
        ({"type": "auto", "disable_parallel_tool_use": True}, "auto", None),
    ],
)
def test_a_tool_choice_is_said_in_each_wires_words(
    s: Served, client: Anthropic, choice: Any, chat: Any, messages: Any
) -> None:
    for model, expected in (("small", chat), ("claude", messages or choice)):
        client.messages.create(model=model, max_tokens=50, messages=HELLO, tools=[tool("weather")], tool_choice=choice)
        sent = last_sent(s)
        assert sent["tool_choice"] == expected
        if model == "small":
            assert sent.get("parallel_tool_calls") == (False if "disable_parallel_tool_use" in choice else None)


@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_comes_and_goes_back(s: Served, client: Anthropic, streamed: bool) -> None:
    asked: Any = {
        "model": "claude", "max_tokens": 2000, "messages": user("think about it"),
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }  # fmt: skip
    if streamed:
        with client.messages.stream(**asked) as stream:
            reply: Any = stream.get_final_message()
    else:
        reply = client.messages.create(**asked)
    assert last_sent(s)["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    assert [block.type for block in reply.content] == ["thinking", "text"]
    assert reply.content[0].thinking == "Let me think about it"
    assert reply.content[0].signature == "anthropic:c2ln"
    client.messages.create(
        model="claude",
        max_tokens=50,
        messages=[*user("think about it"), {"role": "assistant", "content": reply.content}, *user("and now?")],
    )
    thought, _ = last_sent(s)["messages"][1]["content"]
    assert thought == {"type": "thinking", "thinking": "Let me think about it", "signature": "c2ln"}


def test_reasoning_of_another_vendor_is_thinking_without_a_proof(s: Served, client: Anthropic) -> None:
    whole = client.messages.create(model="small", max_tokens=50, messages=user("think about it"))
    with client.messages.stream(model="small", max_tokens=50, messages=user("think about it")) as stream:
        streamed = stream.get_final_message()
    for reply in (whole, streamed):
        first = reply.content[0]
        assert first.type == "thinking"
        assert (first.thinking, first.signature) == ("Let me think about it", "")


def test_an_earlier_thought_of_the_vendor_goes_back_to_it_and_to_nobody_else(s: Served, client: Anthropic) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "anthropic:c2ln"}
    sealed = {"type": "redacted_thinking", "data": "anthropic:c2VhbGVk"}
    said: Any = {"role": "assistant", "content": [thought, sealed, {"type": "text", "text": "so"}]}
    messages = [*user("why?"), said, *HELLO]
    client.messages.create(model="claude", max_tokens=50, messages=messages)
    assert last_sent(s)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "c2VhbGVk"},
        {"type": "text", "text": "so"},
    ]
    client.messages.create(model="small", max_tokens=50, messages=messages)
    assert "c2ln" not in s.provider.received[-1].body.decode()


def test_everything_that_has_a_counterpart_arrives_there(s: Served, client: Anthropic) -> None:
    mark: Any = {"type": "ephemeral", "ttl": "1h"}
    pdf: Any = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
    png: Any = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    note: Any = {"type": "text", "media_type": "text/plain", "data": "all is well"}
    asked: Any = {
        "max_tokens": 50,
        "system": [{"type": "text", "text": "be kind"}, {"type": "text", "text": "be brief", "cache_control": mark}],
        "stop_sequences": ["END"],
        "service_tier": "standard_only", "metadata": {"user_id": "kim-the-first"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        "messages": user([
            {"type": "image", "source": png},
            {"type": "document", "source": pdf, "title": "plan.pdf"},
            {"type": "document", "source": note, "title": "Note"},
            {"type": "text", "text": "look", "cache_control": mark},
        ]),
    }  # fmt: skip
    knobs = {"temperature": 0.5, "top_p": 0.9, "top_k": 5}  # the client has no words for them any more
    client.messages.create(model="claude", **asked, extra_body=knobs)
    asked.update(knobs)
    sent = last_sent(s)
    for name in ("system", "stop_sequences", "temperature", "top_p", "top_k", "service_tier", "output_config"):
        assert sent[name] == asked[name], name
    assert sent["messages"] == asked["messages"]
    assert "metadata" not in sent  # no vendor is told who asks, unless it is declared so
    post(s, {"model": "small", **asked})
    sent = last_sent(s)
    assert (sent["stop"], sent["temperature"], sent["top_p"]) == (["END"], 0.5, 0.9)
    assert sent["reasoning_effort"] == "low"
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert [part["type"] for part in sent["messages"][1]["content"]] == ["image_url", "file", "text", "text"]
    assert sent["messages"][1]["content"][0]["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="
    assert sent["messages"][1]["content"][2]["text"] == "Note\n\nall is well"


def test_a_mark_for_the_whole_request_stands_at_its_end(s: Served, client: Anthropic) -> None:
    client.messages.create(model="claude", max_tokens=50, messages=HELLO, cache_control={"type": "ephemeral"})
    assert last_sent(s)["messages"][0]["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_a_stream_begins_with_about_how_much_the_input_takes(client: Anthropic) -> None:
    first, *_, last, _ = client.messages.create(model="claude", max_tokens=50, messages=HELLO, stream=True)
    assert first.type == "message_start"
    assert first.message.usage.input_tokens > 0
    assert last.type == "message_delta"
    assert last.usage.input_tokens  # what the provider counted, and what counts


def test_a_limit_that_was_reached_is_said(client: Anthropic) -> None:
    for model in MODELS:
        reply = client.messages.create(model=model, max_tokens=2, messages=HELLO)
        assert (reply.stop_reason, reply.usage.output_tokens) == ("max_tokens", 2)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/messages", 405),
        ("PUT", "/v1/messages/count_tokens", 405),
        ("POST", "/v1/messages/batches", 404),
        ("POST", "/v1/messages/", 404),
        ("POST", "/v1/messages/count_tokens/", 404),
        ("POST", "/v1/models", 405),
        ("DELETE", "/v1/models/small", 405),
        ("GET", "/v1/models/", 404),
        ("GET", "/v1/models/nothing", 404),
    ],
)
def test_what_is_not_there_is_said_in_the_protocols_form(s: Served, method: str, path: str, status: int) -> None:
    headers = {"x-api-key": key_of("kim"), "anthropic-version": "2023-06-01"}
    response = httpx.request(method, s.url + path, headers=headers, timeout=60)
    body = response.json()
    assert (response.status_code, body["type"], body["error"]["type"]) == (status, "error", "not_found_error")
    assert body["fairlead"]["help"]
    if "models" in path:
        del headers["anthropic-version"]
        assert "code" in httpx.request(method, s.url + path, headers=headers, timeout=60).json()["error"]


@pytest.mark.parametrize("model", MODELS)
def test_a_stop_sequence_that_was_met_is_said_where_the_model_tells_it(client: Anthropic, model: str) -> None:
    asked: Any = {"model": model, "max_tokens": 50, "messages": user("echo one two END three")}
    reply = client.messages.create(**asked, stop_sequences=["STOP", "END"])
    assert (reply.stop_reason, reply.stop_sequence) == ("stop_sequence", "END")
    with client.messages.stream(**asked, stop_sequences=["STOP", "END"]) as stream:
        last = stream.get_final_message()
    assert (last.stop_reason, last.stop_sequence) == ("stop_sequence", "END")
    assert last.content[0].text == reply.content[0].text == "one two"  # type: ignore[union-attr]
    reply = client.messages.create(**asked, stop_sequences=["STOP"])
    assert (reply.stop_reason, reply.stop_sequence) == ("end_turn", None)


def test_what_the_beta_client_sends_is_understood_as_far_as_it_is_known(client: Anthropic) -> None:
    reply = client.beta.messages.create(model="small", max_tokens=50, messages=HELLO, betas=["interleaved-thinking"])
    assert reply.content[0].text == PROSE  # type: ignore[union-attr]
    with pytest.raises(anthropic.BadRequestError, match="mcp_servers"):
        client.beta.messages.create(
            model="small", max_tokens=50, messages=HELLO, mcp_servers=[{"type": "url", "name": "x", "url": "https://x"}]
        )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"n": 2}, "n"),
        ({"messages": user([{"type": "video", "source": {}}])}, r"messages\[0\]\.content\[0\]\.type"),
        ({"messages": user([{"type": "text", "text": "x", "colour": 1}])}, "colour"),
        ({"messages": [{"role": "tool", "content": "x"}]}, r"messages\[0\]\.role"),
        (
            {"messages": user([{"type": "image", "source": {"type": "file", "file_id": "f"}}])},
            r"content\[0\]\.source\.type",
        ),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, r"tools\[0\]"),
        (
            {
                "messages": user(
                    [{"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "a", "content": "b"}]
                )
            },
            r"messages\[0\]\.content\[1\]",
        ),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"messages": [{"role": "system", "content": "be kind"}]}, "no turn of role user"),
        ({"temperature": 1.5}, "temperature"),
        ({"thinking": {"type": "enabled", "budget_tokens": 0}}, "budget_tokens"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"max_tokens": None}, "max_tokens"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(s: Served, more: dict[str, Any], said: str) -> None:
    before = len(s.provider.received)
    response = post(s, {"model": "small", "max_tokens": 9, "messages": HELLO, **more})
    assert response.status_code == 400
    found = response.json()
    assert found["type"] == "error"
    assert found["error"]["type"] == "invalid_request_error"
    assert found["fairlead"]["code"] == "bad_input"
    assert re.search(said, found["error"]["message"]), found
    assert len(s.provider.received) == before


def test_each_error_is_the_one_that_the_client_knows(s: Served, client: Anthropic) -> None:
    about: Any = {"max_tokens": 50, "messages": HELLO}
    with Anthropic(base_url=s.url, api_key="wrong", max_retries=2) as stranger:
        with pytest.raises(anthropic.AuthenticationError) as caught:
            stranger.messages.create(model="small", **about)
        assert caught.value.response.headers["x-should-retry"] == "false"
    with pytest.raises(anthropic.NotFoundError, match="did you mean `small`"):
        client.messages.create(model="smal", **about)
    with pytest.raises(anthropic.PermissionDeniedError) as denied:
        client.messages.create(model="small", max_tokens=9, messages=user("DE89370400440532013000"))
    body: Any = denied.value.body
    assert body["error"]["type"] == "permission_error"
    assert body["error"]["message"].endswith(f": {body['fairlead']['why']}")
    assert body["request_id"] == body["fairlead"]["run"] == denied.value.response.headers["request-id"]
    with Anthropic(base_url=s.url, api_key=key_of("max"), max_retries=0) as poor:
        with pytest.raises(anthropic.RateLimitError) as spent:
            poor.messages.create(model="small", max_tokens=4000, messages=HELLO)
        body = spent.value.body
        assert (body["error"]["type"], body["fairlead"]["code"]) == ("rate_limit_error", "over_budget")
    s.provider.always = "400"
    with pytest.raises(anthropic.BadRequestError, match="temperature must be at most 2"):
        client.messages.create(model="claude", **about)
    s.provider.always = "503"
    with pytest.raises(anthropic.InternalServerError):
        client.messages.create(model="claude", **about)


@every_wire
@pytest.mark.parametrize("fault", ["reset-mid-body", "error-object", "half-closed", "malformed-stream", "no-done"])
def test_a_stream_that_breaks_ends_with_an_error_and_no_end_mark(s: Served, model: str, fault: str) -> None:
    s.provider.always = fault
    body = {"model": model, "max_tokens": 50, "messages": user("say 40"), "stream": True}
    found = events(post(s, body))
    names = [name for name, _ in found]
    if fault == "no-done" and names[-1] == "message_stop":
        return  # a finish reason came: the reply is complete on that wire
    assert names[-1] == "error"
    assert "message_stop" not in names
    assert "message_delta" not in names
    assert found[-1][1]["error"]["type"] == "api_error"
    assert found[-1][1]["fairlead"]["code"] == "upstream_cut_off"
    s.provider.always = fault
    with (
        Anthropic(base_url=s.url, api_key=key_of("kim"), max_retries=0) as client,
        pytest.raises(anthropic.APIStatusError, match="stopped in the middle"),
        client.messages.stream(model=model, max_tokens=50, messages=user("say 40")) as stream,
    ):
        stream.get_final_message()


def test_an_error_before_the_first_piece_is_an_ordinary_one(s: Served) -> None:
    s.provider.always = "500"
    response = post(s, {"model": "small", "max_tokens": 9, "messages": HELLO, "stream": True})
    assert (response.status_code, response.json()["error"]["type"]) == (502, "api_error")


def test_tokens_are_counted_without_asking_anybody(s: Served, client: Anthropic) -> None:
    before, records = len(s.provider.received), len(s.records("action"))
    short = client.messages.count_tokens(model="small", messages=HELLO)
    long = client.messages.count_tokens(
        model="small", messages=user("word " * 400), system="be kind", tools=[tool("weather")]
    )
    assert 10 < short.input_tokens < 40
    assert 480 < long.input_tokens < 700
    assert short.fairlead["estimated"] is True  # type: ignore[attr-defined]
    assert short.fairlead["most"] >= short.input_tokens  # type: ignore[attr-defined]
    assert (len(s.provider.received), len(s.records("action"))) == (before, records)


def test_only_who_is_known_may_have_tokens_counted_for_a_model_that_there_is(s: Served, client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.messages.count_tokens(model="other", messages=HELLO)
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        client.messages.count_tokens(model="small", messages=HELLO, extra_body={"max_tokens": 9})
    path = "/v1/messages/count_tokens"
    response = httpx.post(s.url + path, headers={"x-api-key": "wrong"}, content=b"{}")
    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")


def test_models_are_listed_in_the_form_of_who_asks(s: Served, client: Anthropic) -> None:
    listed = list(client.models.list())
    assert [each.id for each in listed][-2:] == MODELS
    assert "auto" in [each.id for each in listed]
    assert (listed[-1].type, listed[-1].display_name, listed[-1].created_at.year) == ("model", "claude", 1970)
    assert client.models.retrieve("claude").id == "claude"
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.models.retrieve("nothing")
    assert caught.value.body["type"] == "error"  # type: ignore[index]
    assert httpx.get(f"{s.url}/v1/models", headers=s.auth()).json()["object"] == "list"


def test_a_dry_run_is_one_here_too(s: Served) -> None:
    before = len(s.provider.received)
    body = {"model": "small", "max_tokens": 9, "messages": HELLO}
    found = post(s, body, **{"x-fairlead-dry-run": "estimate"}).json()
    assert found["object"] == "fairlead.estimate"
    assert len(s.provider.received) == before


class City(BaseModel):
    """A city."""

    city: str
    people: int


@every_wire
def test_a_reply_is_parsed_and_goes_back_as_it_came(client: Anthropic, model: str) -> None:
    asked = client.messages.parse(model=model, max_tokens=50, messages=user("which?"), output_format=City)
    assert asked.parsed_output == City(city="Paris", people=3)
    said: Any = {"role": "assistant", "content": asked.content}
    reply = client.messages.create(model=model, max_tokens=50, messages=[*user("which?"), said, *HELLO])
    assert reply.content[0].text == PROSE  # type: ignore[union-attr]
