"""What is learnt from is what was seen when it was served."""

import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.learning.asked import asked
from fairlead.models.types import ChatRequest
from fairlead.server.anthropic.message_request import read_request as read_messages
from fairlead.server.openai.chat_request import read_request as read_chat
from fairlead.server.openai.completion_request import read_request as read_completion
from fairlead.server.openai.responses_request import read_request as read_response
from fairlead.tasks.question import last_question

IMAGE: Final = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
DOCUMENT: Final = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "page"}}
CALL: Final = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
SCHEMA: Final = {"type": "object", "properties": {"total": {"type": "number"}}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def result(words: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t1", "content": words}


def users(*contents: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content} for content in contents]


def served(door: str, body: dict[str, Any]) -> ChatRequest:
    sent = json.dumps({"model": "auto", **body}).encode()
    if door == "chat":
        return read_chat(sent).request
    if door == "messages":
        return read_messages(sent).request
    return read_response(sent).request if door == "responses" else read_completion(sent).request


SPOKEN: Final = [
    ("chat", {"messages": users("first", "second")}),
    ("chat", {"messages": users([text("a"), {"type": "image_url", "image_url": {"url": "https://x.y/z"}}, text("b")])}),
    ("chat", {"messages": [*users("asked"), {"role": "assistant", "content": "yes"}]}),
    (
        "chat",
        {
            "messages": [
                *users("asked"),
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "t1", "content": "found"},
            ]
        },
    ),
    ("completions", {"prompt": "go on"}),
    ("completions", {"prompt": ["go on"]}),
    ("responses", {"input": "said"}),
    ("responses", {"input": users("said", [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}])}),
    (
        "responses",
        {
            "input": [
                *users([{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "https://x.y/z"}]),
                {"type": "function_call", "call_id": "t1", "name": "look", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "t1", "output": "found"},
            ]
        },
    ),
    ("messages", {"messages": users("asked"), "max_tokens": 9}),
    ("messages", {"messages": users([text("a"), IMAGE, DOCUMENT, text("b")]), "max_tokens": 9}),
    ("messages", {"messages": users("before", [IMAGE]), "max_tokens": 9}),
    ("messages", {"messages": users("asked", [result("found")]), "max_tokens": 9}),
    ("messages", {"messages": users("asked", [result("found"), text("and?")]), "max_tokens": 9}),
    ("messages", {"messages": users("asked", [result("found"), IMAGE]), "max_tokens": 9}),
]


@pytest.mark.parametrize(("door", "body"), SPOKEN)
def test_training_and_serving_see_the_same_question(door: str, body: dict[str, Any]) -> None:
    assert asked(json.dumps(body).encode()).text == last_question(served(door, body))


blocks = st.sampled_from([text("one"), text(""), IMAGE, DOCUMENT])
turns = st.one_of(
    st.builds(lambda said: {"role": "user", "content": said}, st.text(max_size=5)),
    st.builds(
        lambda results, more: {"role": "user", "content": [*map(result, results), *more] or "nothing"},
        st.lists(st.sampled_from(["a", ""]), max_size=2),
        st.lists(blocks, max_size=2),
    ),
    st.just({"role": "assistant", "content": [CALL]}),
)


@settings(max_examples=40)
@given(st.lists(turns, max_size=4))
def test_whatever_turns_a_messages_body_has_both_see_the_same_question(said: list[dict[str, Any]]) -> None:
    body = {"messages": [*users("first"), *said], "max_tokens": 9}
    assert asked(json.dumps(body).encode()).text == last_question(served("messages", body))


@pytest.mark.parametrize(
    ("door", "body"),
    [
        (
            "chat",
            {
                "messages": users("a"),
                "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
            },
        ),
        ("chat", {"messages": users("a"), "response_format": {"type": "json_object"}}),
        ("chat", {"messages": users("a"), "response_format": {"type": "text"}}),
        (
            "messages",
            {
                "messages": users("a"),
                "max_tokens": 9,
                "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
            },
        ),
        ("responses", {"input": "a", "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}}),
        ("responses", {"input": "a", "text": {"format": {"type": "json_object"}}}),
        ("responses", {"input": "a", "text": {"verbosity": "low"}}),
        ("completions", {"prompt": "a"}),
    ],
)
def test_the_form_that_was_asked_for_is_seen_by_every_door(door: str, body: dict[str, Any]) -> None:
    wanted, form = asked(json.dumps(body).encode()), served(door, body).response_format
    assert wanted.wants_json == (form is not None and form.type != "text")
    assert wanted.schema == (form.json_schema.schema if form is not None and form.json_schema is not None else None)
