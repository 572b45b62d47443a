"""The official `openai` client: Responses."""

import json
from typing import Any

import openai
import pytest
from asking import COUNTING, GREETING, JOKE, KEY, MODEL, URL, WEATHER
from pydantic import BaseModel

client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=100)
TOOLS: list[Any] = [{"type": "function", "strict": True, **WEATHER}]


def ask(given: Any = "hello", **more: Any) -> Any:
    more = {"max_output_tokens": 200} | more
    return client.responses.create(model=MODEL, input=given, temperature=0, **more)


def kinds(events: list[Any]) -> list[str]:
    return [each.type for each in events]


def test_a_reply() -> None:
    reply = ask()
    assert (reply.object, reply.status) == ("response", "completed")
    assert reply.output_text.startswith(GREETING)
    assert reply.output[0].type == "message"
    assert reply.output[0].role == "assistant"
    assert reply.output[0].content[0].type == "output_text"


def test_usage_adds_up() -> None:
    usage = ask().usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.output_tokens > 5


def test_a_stream_says_what_a_reply_says() -> None:
    events = list(ask(stream=True))
    text = "".join(each.delta for each in events if each.type == "response.output_text.delta")
    assert text == ask().output_text
    assert kinds(events)[0] == "response.created"
    assert kinds(events)[-1] == "response.completed"
    assert events[-1].response.output_text == text


def test_every_item_of_a_stream_is_opened_and_closed() -> None:
    seen = kinds(list(ask(stream=True)))
    for opened, closed in (
        ("response.output_item.added", "response.output_item.done"),
        ("response.content_part.added", "response.content_part.done"),
    ):
        assert seen.count(opened) == seen.count(closed) == 1
    assert seen.count("response.output_text.done") == 1


def test_the_clients_own_accumulation_of_a_stream() -> None:
    with client.responses.stream(model=MODEL, input="hello", temperature=0, max_output_tokens=200) as events:
        for _ in events:
            continue
        assert events.get_final_response().output_text.startswith(GREETING)


def test_instructions() -> None:
    assert ask(instructions="be kind").output_text.startswith(GREETING)


def test_items_as_input() -> None:
    items = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "good day"},
        {"role": "user", "content": [{"type": "input_text", "text": "count to ten"}]},
    ]
    assert ask(items).output_text.startswith(COUNTING)


def test_max_output_tokens_cuts_and_says_so() -> None:
    reply = ask("count to ten", max_output_tokens=16)
    assert reply.status == "incomplete"
    assert reply.incomplete_details.reason == "max_output_tokens"


def test_a_tool_is_called() -> None:
    (call,) = [each for each in ask("weather?", tools=TOOLS).output if each.type == "function_call"]
    assert call.name == "get_weather"
    assert call.call_id
    assert json.loads(call.arguments) == {"location": "Paris"}


def test_a_tool_is_called_in_a_stream() -> None:
    events = list(ask("weather?", tools=TOOLS, stream=True))
    pieces = "".join(each.delta for each in events if each.type == "response.function_call_arguments.delta")
    (done,) = [each for each in events if each.type == "response.function_call_arguments.done"]
    assert json.loads(pieces) == json.loads(done.arguments) == {"location": "Paris"}


def test_a_tool_that_must_be_called() -> None:
    assert any(each.type == "function_call" for each in ask(tools=TOOLS, tool_choice="required").output)


def test_a_tools_result_is_answered() -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"location": "Paris"}'}
    result = {"type": "function_call_output", "call_id": "call_1", "output": "18 degrees"}
    items = [{"role": "user", "content": "weather?"}, call, result]
    assert ask(items, tools=TOOLS).output_text.startswith("The tool has answered")


def test_json_schema() -> None:
    form = {"format": {"type": "json_schema", "name": "joke", "schema": JOKE, "strict": True}}
    assert set(json.loads(ask("a joke", text=form).output_text)) == {"setup", "punchline"}


def test_a_parsed_reply() -> None:
    class Joke(BaseModel):
        setup: str
        punchline: str

    reply = client.responses.parse(model=MODEL, input="a joke", text_format=Joke, temperature=0)
    assert isinstance(reply.output_parsed, Joke)


def test_output_can_be_sent_back_as_it_came() -> None:
    items: list[Any] = [{"role": "user", "content": "hello"}]
    items += [each.model_dump(exclude_none=True) for each in ask(items).output]
    assert ask([*items, {"role": "user", "content": "count to ten"}]).output_text.startswith(COUNTING)


def test_no_input() -> None:
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model=MODEL)


def test_a_previous_response_is_gone_on_with() -> None:
    first = ask(store=True)
    again = ask("count to ten", previous_response_id=first.id)
    assert again.output_text.startswith(COUNTING)
    assert again.usage.input_tokens > first.usage.input_tokens
