"""How a reply of the Responses protocol must look, field by field, as its open description has it.

The project's own acceptance tests are in no package registry. These ask the same in our words: every field of a
response is there, with the right type, even where it says nothing; items and events are whole; events are in order.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from asking import KEY, MODEL, URL, WEATHER

NUMBER, TEXT, MAYBE_TEXT, MAYBE_OBJECT = (int, float), str, (str, type(None)), (dict, type(None))
RESPONSE: dict[str, Any] = {
    "id": TEXT, "object": TEXT, "created_at": int, "completed_at": (int, type(None)), "status": TEXT, "model": TEXT,
    "output": list, "error": MAYBE_OBJECT, "incomplete_details": MAYBE_OBJECT, "usage": MAYBE_OBJECT, "tools": list,
    "tool_choice": (str, dict), "parallel_tool_calls": bool, "text": dict, "truncation": TEXT, "store": bool,
    "background": bool, "service_tier": MAYBE_TEXT, "metadata": MAYBE_OBJECT, "instructions": (str, list, type(None)),
    "previous_response_id": MAYBE_TEXT, "temperature": (*NUMBER, type(None)), "top_p": (*NUMBER, type(None)),
    "presence_penalty": NUMBER, "frequency_penalty": NUMBER, "top_logprobs": int, "reasoning": MAYBE_OBJECT,
    "max_output_tokens": (int, type(None)), "max_tool_calls": (int, type(None)), "safety_identifier": MAYBE_TEXT,
    "prompt_cache_key": MAYBE_TEXT,
}  # fmt: skip
USAGE: dict[str, Any] = {
    "input_tokens": int, "output_tokens": int, "total_tokens": int, "input_tokens_details": dict,
    "output_tokens_details": dict,
}  # fmt: skip
TOOLS: list[Any] = [{"type": "function", **WEATHER}]
MESSAGE: dict[str, Any] = {"type": TEXT, "id": TEXT, "status": TEXT, "role": TEXT, "content": list}
CALL: dict[str, Any] = {
    "type": TEXT, "id": TEXT, "call_id": TEXT, "name": TEXT, "arguments": TEXT, "status": TEXT
}  # fmt: skip


def check(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    missing = sorted(set(wanted) - set(found))
    assert not missing, f"fields that are missing: {missing}"
    wrong = {name: found[name] for name, kind in wanted.items() if not isinstance(found[name], kind)}
    assert not wrong, f"fields of another type: {wrong}"


def check_response(found: dict[str, Any]) -> None:
    check(found, RESPONSE)
    assert found["object"] == "response"
    check(found["usage"], USAGE)
    assert isinstance(found["usage"]["input_tokens_details"]["cached_tokens"], int)
    assert isinstance(found["usage"]["output_tokens_details"]["reasoning_tokens"], int)
    for item in found["output"]:
        if item["type"] == "message":
            check(item, MESSAGE)
            for part in item["content"]:
                check(part, {"type": TEXT, "text": TEXT, "annotations": list, "logprobs": list})
        if item["type"] == "function_call":
            check(item, CALL)


def post(body: dict[str, Any]) -> httpx.Response:
    asked = {"model": MODEL, "temperature": 0, "max_output_tokens": 200, **body}
    return httpx.post(f"{URL}/v1/responses", json=asked, headers={"authorization": f"Bearer {KEY}"}, timeout=100)


def events_of(reply: httpx.Response) -> list[dict[str, Any]]:
    lines = [line[6:] for line in reply.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def turn(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


ASKED: dict[str, dict[str, Any]] = {
    "text": {"input": "hello"},
    "items": {"input": [turn("hello")]},
    "system": {"input": [{"type": "message", "role": "system", "content": "be kind"}, turn("hello")]},
    "instructions": {"input": "hello", "instructions": "be kind"},
    "turns": {"input": [turn("hello"), {"type": "message", "role": "assistant", "content": "good day"}, turn("count")]},
    "tools": {"input": "weather?", "tools": TOOLS},
    "cut": {"input": "count to ten", "max_output_tokens": 16},
}


@pytest.mark.parametrize("name", ASKED)
def test_a_reply_has_every_field(name: str) -> None:
    reply = post(ASKED[name])
    assert reply.status_code == 200
    check_response(reply.json())


@pytest.mark.parametrize("name", ASKED)
def test_the_last_event_has_every_field(name: str) -> None:
    events = events_of(post({**ASKED[name], "stream": True}))
    assert events[-1]["type"] in ("response.completed", "response.incomplete")
    check_response(events[-1]["response"])


@pytest.mark.parametrize("name", ASKED)
def test_events_are_numbered_in_order(name: str) -> None:
    numbers = [each["sequence_number"] for each in events_of(post({**ASKED[name], "stream": True}))]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_stream_says_its_events_names_and_ends() -> None:
    reply = post({"input": "hello", "stream": True})
    assert reply.headers["content-type"].startswith("text/event-stream")
    names = [line[7:] for line in reply.text.splitlines() if line.startswith("event: ")]
    assert names == [each["type"] for each in events_of(reply)]
    assert reply.text.rstrip().endswith("data: [DONE]")


def test_the_first_events_show_a_response_in_progress() -> None:
    created, progress, *_ = events_of(post({"input": "hello", "stream": True}))
    for event, kind in ((created, "response.created"), (progress, "response.in_progress")):
        assert event["type"] == kind
        check(event["response"], RESPONSE)
        assert event["response"]["status"] == "in_progress"
        assert event["response"]["output"] == []


def test_pieces_of_text_add_up_to_the_item() -> None:
    events = events_of(post({"input": "hello", "stream": True}))
    text = "".join(each["delta"] for each in events if each["type"] == "response.output_text.delta")
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == text
    for each in events:
        if each["type"] == "response.output_text.delta":
            check(each, {"item_id": TEXT, "output_index": int, "content_index": int, "delta": TEXT, "logprobs": list})


def test_pieces_of_a_call_add_up_to_the_item() -> None:
    events = events_of(post({"input": "weather?", "tools": TOOLS, "stream": True}))
    pieces = "".join(each["delta"] for each in events if each["type"] == "response.function_call_arguments.delta")
    (done,) = [each for each in events if each["type"] == "response.function_call_arguments.done"]
    (item,) = [each for each in events[-1]["response"]["output"] if each["type"] == "function_call"]
    assert pieces == done["arguments"] == item["arguments"]


def test_what_was_asked_is_echoed() -> None:
    found = post({"input": "hello", "instructions": "be kind", "tools": TOOLS, "metadata": {"a": "b"}}).json()
    assert found["instructions"] == "be kind"
    assert found["temperature"] == 0
    assert found["max_output_tokens"] == 200
    assert found["tools"][0]["name"] == "get_weather"
    assert found["metadata"] == {"a": "b"}


SPOILT: dict[str, Callable[[], dict[str, Any]]] = {
    "input-number": lambda: {"input": 7},
    "item-type": lambda: {"input": [{"type": "nonsense"}]},
    "tool-type": lambda: {"input": "hello", "tools": [{"type": "nonsense"}]},
    "tokens": lambda: {"input": "hello", "max_output_tokens": "many"},
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_makes_no_sense_is_the_callers_fault(name: str) -> None:
    reply = post(SPOILT[name]())
    assert 400 <= reply.status_code < 500
    check(reply.json()["error"], {"message": TEXT, "type": TEXT})
