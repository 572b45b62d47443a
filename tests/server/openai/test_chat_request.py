"""What a request of chat completions means, and what is refused because it would mean less than was said."""

import json
from typing import Any

import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.models.attached import IMAGE
from fairlead.models.types import Message
from fairlead.server.openai.chat_request import read_request

CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def body(*messages: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"model": "small", "messages": messages or [{"role": "user", "content": "x"}], **more}).encode()


def said(*messages: dict[str, Any]) -> Any:
    """The messages as a driver would write them."""
    return json.loads(msgspec.json.encode(read_request(body(*messages)).request.messages))


def test_what_clients_add_to_a_reply_that_they_send_back_goes_no_further() -> None:
    plain = {"role": "assistant", "content": "y", "tool_calls": [CALL]}
    function = {**CALL["function"], "parsed_arguments": {"city": "x"}}  # type: ignore[dict-item]
    added = {
        **plain,
        "tool_calls": [{**CALL, "index": 0, "function": function}],
        "refusal": None,
        "annotations": [],
        "audio": None,
        "function_call": None,
        "parsed": {"a": 1},
    }
    assert said(added) == said(plain) == [plain]
    for each in read_request(body(added)).request.messages:
        assert type(each) is Message


@pytest.mark.parametrize("empty", [{"tool_calls": []}, {"annotations": []}, {"annotations": None}, {"parsed": None}])
def test_an_empty_list_says_the_same_as_none(empty: dict[str, Any]) -> None:
    plain = {"role": "assistant", "content": "y"}
    assert said({**plain, **empty}) == [plain]


def user(part: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [part]}


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (body(wings=1), "wings"),
        (body({"role": "user", "content": "x", "wings": 1}), "$.messages[0]"),
        (body({"role": "assistant", "tool_calls": [{**CALL, "wings": 1}]}), "$.messages[0].tool_calls[0]"),
        (
            body({"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "wings": 1}}]}),
            "$.messages[0].tool_calls[0].function",
        ),
        (body(user({"type": "text", "text": "x", "wings": 1})), "$.messages[0].content[0]"),
        (body(user({"type": "image_url", "image_url": {"url": "data:,", "wings": 1}})), "content[0].image_url"),
        (body(tools=[{**TOOL, "wings": 1}]), "$.tools[0]"),
        (body(tools=[{"type": "function", "function": {"name": "f", "wings": 1}}]), "$.tools[0].function"),
        (
            body(response_format={"type": "json_schema", "json_schema": {"name": "n", "wings": 1}}),
            "$.response_format.json_schema",
        ),
        (body(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "f"}, "wings": 1}), "$.tool_choice"),
        (body(stream=True, stream_options={"wings": True}), "$.stream_options"),
    ],
)
def test_a_member_that_nobody_knows_is_refused_wherever_it_stands_and_its_place_is_told(sent: bytes, path: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_request(sent)
    assert "wings" in raised.value.message
    assert path in raised.value.message
    assert raised.value.why
    assert raised.value.mend


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (body({"role": "function", "name": "f", "content": "x"}), "$.messages[0].role"),
        (
            body({"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}}),
            "function_call",
        ),
        (body({"role": "assistant", "audio": {"id": "a"}}), "$.messages[0].audio"),
        (body(user({"type": "file", "file": {"file_id": "f"}})), "file_id"),
        (body(user({"type": "refusal", "refusal": "no"})), "$.messages[0].content[0]"),
        (body(tools=[{"type": "custom", "custom": {"name": "f"}}]), "$.tools[0]"),
        (body(functions=[]), "functions"),
        (body(prediction={"type": "content", "content": "x"}), "prediction"),
        (body(web_search_options={}), "web_search_options"),
        (body(store=True), "$.store"),
        (body(modalities=["text", "audio"]), "$.modalities"),
    ],
)
def test_what_the_protocol_knows_and_fairlead_does_not_is_refused_by_name(sent: bytes, path: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_request(sent)
    assert path in raised.value.message


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (body({"role": "user"}), "messages[0].content"),
        (body({"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": []}), "messages[1].content"),
        (body({"role": "tool", "content": "x"}), "messages[0].tool_call_id"),
        (body(response_format={"type": "json_schema"}), "response_format"),
        (body(tool_choice="required"), "tool_choice"),
        (body(top_logprobs=2), "top_logprobs"),
        (body(stream_options={"include_usage": True}), "stream_options"),
    ],
)
def test_what_is_said_by_halves_is_refused_with_the_mend(sent: bytes, field: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_request(sent)
    assert raised.value.message.startswith(field)
    assert raised.value.why
    assert raised.value.mend


def test_a_message_that_calls_or_refuses_needs_no_content() -> None:
    assert said({"role": "assistant", "tool_calls": [CALL]}) == [{"role": "assistant", "tool_calls": [CALL]}]
    assert said({"role": "assistant", "refusal": "no"}) == [{"role": "assistant", "refusal": "no"}]


def test_a_message_without_any_of_it_is_not_copied() -> None:
    request = read_request(body({"role": "user", "content": "x"}, {"role": "user", "content": "y"})).request
    assert [each.content for each in request.messages] == ["x", "y"]


def test_an_image_counts_by_what_a_model_makes_of_it_and_not_by_its_bytes() -> None:
    text = {"role": "user", "content": [{"type": "text", "text": "what is it?"}]}
    plain = read_request(body(text)).request
    assert plain.size == len(body(text))
    for url in ("data:image/png;base64," + "A" * 2_000_000, "https://example.com/a.png"):
        image = {"type": "image_url", "image_url": {"url": url}}
        sent = read_request(body({"role": "user", "content": [*text["content"], image]})).request
        assert IMAGE <= sent.size < IMAGE + 500
