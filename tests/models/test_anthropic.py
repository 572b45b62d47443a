import json
from typing import Any

import pytest
from tests.models.calls import Outcome, a_call

from fairlead.errors import Rejected
from fairlead.models.anthropic_reply import AnthropicReader
from fairlead.models.anthropic_request import encode
from fairlead.models.content import CacheControl, Thought
from fairlead.models.sampling import Sampling
from fairlead.models.types import (
    Chunk,
    Function,
    FunctionTool,
    JsonSchemaSpec,
    Message,
    NamedFunction,
    NamedToolChoice,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
    Usage,
)

TOOL = Tool(FunctionTool("f", "Does f", {"type": "object", "properties": {}}))


def body(**request: Any) -> dict[str, Any]:
    return json.loads(encode(a_call(**request)))


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def read(*pieces: bytes) -> tuple[Outcome, AnthropicReader]:
    reader = AnthropicReader("house")
    chunks = [chunk for piece in (*pieces, b"") for chunk in reader.feed(piece)]
    return Outcome(chunks), reader


def test_system_and_developer_messages_are_the_system_prompt() -> None:
    messages = [Message("system", "a"), Message("user", "hi"), Message("developer", "b")]
    sent = body(messages=messages, sampling=Sampling(temperature=0.3, stop="x", seed=4, verbosity="low"))
    assert sent == {
        "model": "tiny",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": False,
        "system": "a\n\nb",
        "stop_sequences": ["x"],
        "temperature": 0.3,
    }


def test_results_of_one_round_of_tools_come_in_one_turn() -> None:
    messages = [
        Message("user", "hi"),
        Message(
            "assistant",
            "wait",
            tool_calls=[ToolCall("run.1:a", Function("f", '{"x": 1}')), ToolCall("b", Function("f"))],
        ),
        Message("tool", "one", tool_call_id="run.1:a"),
        Message("tool", "two", tool_call_id="b"),
        Message("user", "and?"),
    ]
    turns = body(messages=messages, tools=[TOOL])["messages"]
    assert turns[1]["content"] == [
        {"type": "text", "text": "wait"},
        {"type": "tool_use", "id": "run_1_a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "f", "input": {}},
    ]
    assert turns[2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "run_1_a", "content": "one"},
            {"type": "tool_result", "tool_use_id": "b", "content": "two"},
        ],
    }
    assert turns[3] == {"role": "user", "content": "and?"}


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", None, {"type": "none"}),
        ("required", None, {"type": "any"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        (NamedToolChoice(NamedFunction("f")), None, {"type": "tool", "name": "f"}),
    ],
)
def test_every_tool_choice_has_its_counterpart(choice: Any, parallel: bool | None, sent: Any) -> None:
    assert body(tools=[TOOL], tool_choice=choice, parallel_tool_calls=parallel).get("tool_choice") == sent


def test_a_tool_without_parameters_takes_none() -> None:
    [tool] = body(tools=[Tool(FunctionTool("g"))])["tools"]
    assert tool == {"name": "g", "input_schema": {"type": "object", "properties": {}}}


def test_a_schema_and_an_effort_are_the_output_config() -> None:
    schema = {"type": "object", "properties": {}}
    form = ResponseFormat("json_schema", JsonSchemaSpec("x", schema=schema))
    sent = body(response_format=form, sampling=Sampling(reasoning_effort="minimal"))
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": schema}, "effort": "low"}
    assert body(sampling=Sampling(reasoning_effort="none"))["thinking"] == {"type": "disabled"}


@pytest.mark.parametrize(
    "request_",
    [
        {"choices": 2},
        {"sampling": Sampling(logprobs=True)},
        {"sampling": Sampling(logit_bias={"3": -100})},
        {"response_format": ResponseFormat("json_object")},
        {"response_format": ResponseFormat("json_schema", JsonSchemaSpec("x"))},
        {"messages": [Message("assistant", tool_calls=[ToolCall("a", Function("f", "not json"))])]},
        {"messages": [Message("assistant", tool_calls=[ToolCall("a", Function("f", "[1]"))])]},
    ],
)
def test_what_would_break_a_promise_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        encode(a_call(**request_))
    assert caught.value.mend


def test_counts_of_the_start_hold_until_those_of_the_end_come() -> None:
    start = event(
        "message_start", message={"usage": {"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 1}}
    )
    end = event(
        "message_delta",
        delta={"stop_reason": "end_turn"},
        usage={"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}},
    )
    assert read(start)[1].usage == Usage(8, 1, cached_input=3, estimated=True)
    assert read(start, end)[1].usage == Usage(8, 9, cached_input=3, reasoning=4)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
        ("refusal", "content_filter"), ("model_context_window_exceeded", "length"), ("new_reason", "stop"),
    ],
)  # fmt: skip
def test_every_stop_reason_has_one_of_four_names(found: str, told: str) -> None:
    assert read(event("message_delta", delta={"stop_reason": found}))[0].finishes == {0: told}


def test_events_and_blocks_that_are_not_known_are_passed_over() -> None:
    outcome, reader = read(
        event("ping"),
        event("content_block_start", index=0, content_block={"type": "server_tool_use", "id": "x", "name": "web"}),
        event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "{}"}),
        event("content_block_start", index=1, content_block={"type": "text", "text": "a"}),
        event("content_block_delta", index=1, delta={"type": "text_delta", "text": "b"}),
        event("content_block_delta", index=1, delta={"type": "citations_delta", "citation": {}}),
        event("news"),
        event("message_delta", delta={"stop_reason": "end_turn"}),
        event("message_stop"),
    )
    assert outcome.text == "ab"
    assert outcome.tools == []
    assert (reader.done, reader.failure) == (True, None)


def test_a_tool_call_without_pieces_has_the_arguments_of_its_start() -> None:
    outcome, _ = read(
        event("content_block_start", index=3, content_block={"type": "tool_use", "id": "t", "name": "f", "input": {}}),
        event("content_block_stop", index=3),
    )
    assert outcome.tools == [("t", "f", "{}")]


@pytest.mark.parametrize("data", [b"{}", b"null", b"[]", b"x", b'{"type":"error","error":{"type":"overloaded_error"}}'])
def test_errors_and_junk_are_failures(data: bytes) -> None:
    outcome, reader = read(b"data: " + data + b"\n\n")
    assert reader.failure is not None
    assert outcome.chunks == []


def test_a_whole_reply_is_one_chunk() -> None:
    reader = AnthropicReader("house")
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        {"type": "text", "text": "a"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"b": [1]}},
    ]
    reply = {
        "type": "message",
        "content": content,
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    [chunk] = reader.whole(json.dumps(reply).encode())
    assert isinstance(chunk, Chunk)
    assert (chunk.text, chunk.reasoning, chunk.finish) == ("a", "hm", "tool_calls")
    assert Outcome([chunk]).tools == [("t", "f", '{"b":[1]}')]
    assert reader.usage == Usage(1, 2)


def test_reasoning_keeps_its_proofs_streamed_and_whole() -> None:
    outcome, _ = read(
        event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""}),
        event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}),
        event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"}),
        event("content_block_start", index=1, content_block={"type": "redacted_thinking", "data": "AAAA"}),
    )
    proofs = [Thought(signature="anthropic:c2ln"), Thought(sealed="anthropic:AAAA")]
    assert [chunk.thought for chunk in outcome.chunks if chunk.thought] == proofs
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "AAAA"},
        {"type": "text", "text": "a"},
    ]
    reply = {"type": "message", "content": content, "stop_reason": "end_turn"}
    first, last = AnthropicReader("house").whole(json.dumps(reply).encode())
    assert first == Chunk(reasoning="hm", thought=proofs[0])
    assert last == Chunk("a", thought=proofs[1], finish="stop")


def test_reasoning_that_is_not_shown_still_has_its_proof() -> None:
    content = [{"type": "thinking", "thinking": "", "signature": "c2ln"}, {"type": "text", "text": "a"}]
    reply = {"type": "message", "content": content, "stop_reason": "end_turn"}
    [chunk] = AnthropicReader("house").whole(json.dumps(reply).encode())
    assert chunk == Chunk("a", thought=Thought(signature="anthropic:c2ln"), finish="stop")


def test_proofs_go_back_where_they_came_from() -> None:
    thoughts = [Thought("hm", "anthropic:c2ln"), Thought(sealed="anthropic:AAAA"), Thought("x", "google:c2ln")]
    turns = body(messages=[Message("user", "hi"), Message("assistant", "ok", thoughts=thoughts)])["messages"]
    assert turns[1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "AAAA"},
        {"type": "text", "text": "ok"},
    ]


def test_what_is_kept_for_an_hour_and_the_tier_are_counted() -> None:
    usage = {
        "input_tokens": 5, "output_tokens": 7, "cache_creation_input_tokens": 4, "service_tier": "priority",
        "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 3},
    }  # fmt: skip
    _, reader = read(event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage))
    assert reader.usage == Usage(9, 7, cache_write=4, cache_write_1h=3, tier="priority")


def test_a_marked_system_prompt_goes_out_in_blocks() -> None:
    system = [TextPart("a", cache_control=CacheControl("ephemeral", "1h")), TextPart("b")]
    sent = body(messages=[Message("system", system), Message("user", "hi")])
    assert sent["system"] == [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "b"},
    ]
