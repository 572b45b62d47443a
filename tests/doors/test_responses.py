"""The Responses door with the official client, over a provider that misbehaves on demand."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel
from tests.world import IN, OUT, Served, key_of, served

TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": "What the weather is like in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}


class City(BaseModel):
    """A city."""

    city: str
    people: int


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("responses"), budgets={"organisation": {"total": 1000}}) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


def client_of(s: Served, person: str = "kim") -> OpenAI:
    return OpenAI(base_url=f"{s.url}/v1", api_key=key_of(person), max_retries=0)


@pytest.fixture
def client(s: Served) -> Iterator[OpenAI]:
    with client_of(s) as client:
        yield client


def post(s: Served, person: str = "kim", **body: Any) -> httpx.Response:
    return httpx.post(
        f"{s.url}/v1/responses", headers=s.auth(person), json={"model": "small", "input": "hello", **body}
    )


def sent(s: Served) -> dict[str, Any]:
    """What reached the provider last."""
    found: dict[str, Any] = s.provider.received[-1].json
    return found


def events_of(response: httpx.Response) -> list[dict[str, Any]]:
    """The events of a stream, each checked to be named as its data says and numbered in order."""
    events = []
    for block in response.text.strip().split("\n\n"):
        lines = block.split("\n")
        if lines == ["data: [DONE]"]:
            events.append({"type": "[DONE]"})
            continue
        name, data = lines
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        assert event["sequence_number"] == len(events)
        events.append(event)
    return events


def test_a_text_is_answered(s: Served, client: OpenAI) -> None:
    response = client.responses.create(model="small", input="echo all is well")
    assert (response.status, response.output_text, response.model) == ("completed", "all is well", "small")
    assert response.usage is not None
    assert (response.usage.output_tokens, response.usage.input_tokens_details.cached_tokens) == (3, 1)
    assert response.usage.total_tokens == response.usage.input_tokens + 3
    about = response.model_extra["fairlead"] if response.model_extra else {}
    (record,) = s.records(run=about["run"])
    assert (record.door, record.outcome) == ("openai.responses", "done")
    assert record.cost == response.usage.input_tokens * IN + 3 * OUT
    assert response.id.removeprefix("resp_") == about["run"].removeprefix("run_")


def test_a_text_is_streamed(client: OpenAI) -> None:
    with client.responses.stream(model="small", input="echo all is well") as stream:
        kinds = [event.type for event in stream]
        response = stream.get_final_response()
    assert kinds[:4] == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"
    ]  # fmt: skip
    assert kinds.count("response.output_text.delta") > 1
    assert kinds[4:-4] == ["response.output_text.delta"] * (len(kinds) - 8)
    assert kinds[-4:] == [
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"
    ]  # fmt: skip
    assert (response.status, response.output_text) == ("completed", "all is well")
    assert response.usage is not None
    assert response.usage.output_tokens == 3


def test_what_a_stream_ends_with_is_what_a_whole_reply_is(s: Served) -> None:
    for body in ({"input": "echo all is well"}, {"input": "think"}, {"input": "both", "tools": [TOOL]}):
        whole = post(s, **body).json()
        last = events_of(post(s, **body, stream=True))[-2]["response"]
        assert set(whole) == set(last)
        for name in set(whole) - {"id", "created_at", "completed_at", "output", "fairlead"}:
            assert whole[name] == last[name], name
        strip = lambda items: [{**item, "id": None} for item in items]  # noqa: E731
        assert strip(whole["output"]) == strip(last["output"])


def test_a_function_is_called_and_its_result_answered(s: Served, client: OpenAI) -> None:
    asked = client.responses.create(model="small", input="what is it like?", tools=[TOOL])
    (call,) = asked.output
    assert call.type == "function_call"
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris"})
    history: list[Any] = [
        {"role": "user", "content": "what is it like?"},
        *asked.output,
        {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"},
    ]
    answer = client.responses.create(model="small", input=history, tools=[TOOL], store=False)
    assert answer.output_text
    messages = sent(s)["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant", "tool"]
    assert messages[1]["tool_calls"][0]["id"] == messages[2]["tool_call_id"] == call.call_id


def test_calls_of_functions_are_streamed(client: OpenAI) -> None:
    tools = [TOOL, {**TOOL, "name": "tides"}]
    with client.responses.stream(model="small", input="both", tools=tools) as stream:
        events = list(stream)
        response = stream.get_final_response()
    done = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert [json.loads(event.arguments) for event in done] == [{"city": "Paris"}] * 2
    assert [item.name for item in response.output if item.type == "function_call"] == ["weather", "tides"]
    assert len({item.id for item in response.output}) == 2


def test_reasoning_comes_before_the_message(s: Served, client: OpenAI) -> None:
    response = client.responses.create(model="small", input="think", reasoning={"effort": "low", "summary": "auto"})
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert sent(s)["reasoning_effort"] == "low"
    with client.responses.stream(model="small", input="think") as stream:
        kinds = [event.type for event in stream]
    begins = kinds.index("response.reasoning_summary_part.added")
    ends = kinds.index("response.reasoning_summary_part.done")
    assert begins < kinds.index("response.reasoning_summary_text.delta") < ends
    assert ends < kinds.index("response.output_text.delta")


def test_structured_output_is_parsed(s: Served, client: OpenAI) -> None:
    response = client.responses.parse(model="small", input="which?", text_format=City)
    assert response.output_parsed == City(city="Paris", people=3)
    assert sent(s)["response_format"]["json_schema"]["strict"] is True
    assert response.text is not None
    assert response.text.format is not None
    assert response.text.format.type == "json_schema"


def test_a_reply_that_is_cut_by_its_limit_is_incomplete(s: Served, client: OpenAI) -> None:
    response = client.responses.create(model="small", input="say 20", max_output_tokens=5)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.output[-1].status == "incomplete"  # type: ignore[union-attr]
    events = events_of(post(s, input="say 20", max_output_tokens=5, stream=True))
    assert [event["type"] for event in events[-2:]] == ["response.incomplete", "[DONE]"]


def test_the_response_is_complete_in_shape(s: Served) -> None:
    body = post(s, instructions="be brief", tools=[TOOL], metadata={"a": "b"}, temperature=0.5, store=False).json()
    wanted = {
        "id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "model",
        "previous_response_id", "instructions", "output", "tools", "tool_choice", "truncation", "parallel_tool_calls",
        "text", "top_p", "presence_penalty", "frequency_penalty", "top_logprobs", "temperature", "reasoning", "usage",
        "max_output_tokens", "max_tool_calls", "store", "background", "service_tier", "metadata", "safety_identifier",
        "prompt_cache_key",
    }  # fmt: skip
    assert wanted <= set(body)
    assert (body["instructions"], body["metadata"], body["temperature"]) == ("be brief", {"a": "b"}, 0.5)
    assert body["tools"] == [TOOL]
    assert (body["truncation"], body["text"]["format"], body["store"]) == ("disabled", {"type": "text"}, False)
    assert sent(s)["messages"][0] == {"role": "system", "content": "be brief"}


def test_the_probabilities_of_tokens_are_given_where_asked_for(client: OpenAI) -> None:
    asked: Any = {"model": "small", "input": "echo all is well", "include": ["message.output_text.logprobs"]}
    message: Any = client.responses.create(**asked).output[0]
    assert [each.token for each in message.content[0].logprobs] == ["all", "is", "well"]
    with client.responses.stream(**asked) as stream:
        pieces: list[Any] = [event for event in stream if event.type == "response.output_text.delta"]
        last: Any = stream.get_final_response().output[0]
    assert [each.logprobs[0].token for each in pieces] == ["all", " is", " well"]
    assert len(last.content[0].logprobs) == 3


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"wat": 1}, "wat"),
        ({"input": [{"role": "user", "content": "x", "wat": 1}]}, "input[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": 1}]}]}, "input[0].content[0].text"),
        ({"input": [{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]}, "input[0].content[0]"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"type": "web_search_call", "id": "ws_1"}]}, "web_search_call"),
        ({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}]}, "encrypted_content"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "input[0].content[0]"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tools": [{"type": "function", "function": {"name": "x"}}]}, "tools[0]"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"truncation": "auto"}, "truncation"),
        ({"background": True}, "background"),
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, "previous_response_id and conversation"),
        ({"previous_response_id": "resp_\x00"}, "previous_response_id"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"stream_options": {}}, "stream_options"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused_by_name(s: Served, body: dict[str, Any], named: str) -> None:
    before = len(s.provider.received)
    response = post(s, **body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "bad_input")
    assert named in error["message"]
    assert error["fairlead"]["help"]
    assert len(s.provider.received) == before


@pytest.mark.parametrize(
    "fault", ["half-closed", "reset-mid-body", "error-object", "error-garbage", "malformed-stream"]
)
def test_a_stream_that_breaks_fails_and_is_never_completed(s: Served, fault: str) -> None:
    s.provider.always = fault
    response = post(s, input="say 30", stream=True)
    if response.status_code != 200:
        assert response.json()["error"]["code"].startswith("upstream")
        return
    events = events_of(response)
    assert events[-1]["type"] == "response.failed"
    failed = events[-1]["response"]
    assert failed["status"] == "failed"
    assert failed["error"]["code"].startswith("upstream")
    assert not [e for e in events if e["type"] in ("response.completed", "response.incomplete", "[DONE]")]


def test_an_error_before_the_first_byte_is_an_ordinary_error(s: Served, client: OpenAI) -> None:
    s.provider.always = "429"
    with pytest.raises(openai.APIStatusError) as caught:
        client.responses.create(model="small", input="hello", stream=True)
    assert str(caught.value.code).startswith("upstream")
