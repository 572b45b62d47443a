"""What the Bedrock driver writes and reads, beyond what the contract of all drivers and the table of fields hold."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.frames import event, exception, frame
from tests.faults.provider import Provider
from tests.models.calls import CLOCK, MODEL, Outcome, a_call, a_driver, outcome_of

from fairlead.errors import RateLimited, Rejected, TooLong, Upstream
from fairlead.models.bedrock_reply import BedrockReader, read_usage
from fairlead.models.bedrock_request import encode
from fairlead.models.content import CacheControl, FileData, FilePart, ImagePart, ImageUrl, Thought
from fairlead.models.sampling import Sampling
from fairlead.models.types import Chunk, Function, FunctionTool, Message, TextPart, Tool, ToolCall, Usage
from fairlead.net.http import Http

TOOL = Tool(FunctionTool("f", "Does f", {"type": "object"}), cache_control=CacheControl("ephemeral"))
CLAUDE, NOVA, GPT = "eu.anthropic.claude-sonnet-4-5-v1:0", "amazon.nova-2-lite-v1:0", "openai.gpt-oss-120b-1:0"


def body(remote: str = CLAUDE, **request: Any) -> dict[str, Any]:
    return json.loads(encode(a_call(model=msgspec.structs.replace(MODEL, remote=remote), **request)))


def read(*pieces: bytes) -> tuple[Outcome, BedrockReader]:
    reader = BedrockReader("house")
    return Outcome([chunk for piece in (*pieces, b"") for chunk in reader.feed(piece)]), reader


def delta(index: int = 0, **delta: Any) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})


def stop(reason: str) -> bytes:
    return event("messageStop", {"stopReason": reason})


def test_a_request_is_as_the_api_describes_it() -> None:
    messages = [
        Message("system", [TextPart("be kind", cache_control=CacheControl("ephemeral", "1h"))]),
        Message("user", "hi"),
        Message("user", "you"),
        Message("assistant", "wait", tool_calls=[ToolCall("run.1:a", Function("f", '{"x": 1}'))]),
        Message("tool", "one", tool_call_id="run.1:a", is_error=True),
        Message("user", "and?"),
    ]
    assert body(messages=messages, tools=[TOOL], tool_choice="required", sampling=Sampling(top_p=0.5, stop="x")) == {
        "system": [{"text": "be kind"}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [{"text": "hi"}, {"text": "you"}]},
            {
                "role": "assistant",
                "content": [{"text": "wait"}, {"toolUse": {"toolUseId": "run_1_a", "name": "f", "input": {"x": 1}}}],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "run_1_a", "content": [{"text": "one"}], "status": "error"}},
                    {"text": "and?"},
                ],
            },
        ],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "f", "description": "Does f", "inputSchema": {"json": {"type": "object"}}}},
                {"cachePoint": {"type": "default"}},
            ],
            "toolChoice": {"any": {}},
        },
        "inferenceConfig": {"maxTokens": 100, "topP": 0.5, "stopSequences": ["x"]},
    }


@pytest.mark.parametrize("stream", [True, False])
async def test_every_request_is_signed_and_the_model_stands_encoded_in_the_address(stream: bool) -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        driver, model = a_driver("bedrock", provider.url, http, remote=CLAUDE, key=None)
        outcome = await outcome_of(driver, a_call(model=model, stream=stream))
    [sent] = provider.received
    assert outcome.error is None
    verb = "converse-stream" if stream else "converse"
    assert sent.path == f"/model/eu.anthropic.claude-sonnet-4-5-v1%3A0/{verb}"
    assert sent.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=test-key/")
    assert "/eu-central-1/bedrock/aws4_request" in sent.headers["authorization"]
    assert sent.headers["x-amz-security-token"] == "test-key"


async def test_a_bedrock_key_is_sent_as_it_is() -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        driver, model = a_driver("bedrock", provider.url, http, key="env:KEY")
        await outcome_of(driver, a_call(model=model))
    assert provider.received[0].headers["authorization"] == "Bearer test-key"
    assert "x-amz-date" not in provider.received[0].headers


def test_documents_of_one_name_are_told_apart_in_the_characters_that_are_allowed() -> None:
    paper = FilePart(FileData("data:application/pdf;base64,AAAA", filename="Q3 / report.final.pdf"))
    content = body(messages=[Message("user", [paper, paper, TextPart("sum up")])])["messages"][0]["content"]
    assert [block["document"]["name"] for block in content[:2]] == ["Q3 report final pdf", "Q3 report final pdf 2"]


@pytest.mark.parametrize(
    "part",
    [
        ImagePart(ImageUrl("https://a.example/x.png")),
        ImagePart(ImageUrl("data:image/tiff;base64,AAAA")),
        ImagePart(ImageUrl("s3://bucket/x.png")),
        FilePart(FileData("data:application/zip;base64,AAAA")),
    ],
)
def test_what_it_cannot_take_is_refused(part: Any) -> None:
    with pytest.raises(Rejected) as caught:
        body(messages=[Message("user", [part])])
    assert caught.value.mend


@pytest.mark.parametrize(
    ("remote", "knobs", "sent"),
    [
        (CLAUDE, {"reasoning_budget": 2048}, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        (CLAUDE, {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        (CLAUDE, {"top_k": 5}, {"top_k": 5}),
        (
            NOVA,
            {"reasoning_effort": "minimal", "top_k": 5},
            {
                "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"},
                "inferenceConfig": {"topK": 5},
            },
        ),
        (GPT, {"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
    ],
)
def test_each_family_is_asked_in_its_own_words(remote: str, knobs: dict[str, Any], sent: Any) -> None:
    assert body(remote, sampling=Sampling(**knobs))["additionalModelRequestFields"] == sent


def test_tools_that_must_not_be_called_after_some_were_are_refused() -> None:
    messages = [Message("user", "hi"), Message("assistant", tool_calls=[ToolCall("a", Function("f", "{}"))])]
    with pytest.raises(Rejected, match="tool_choice"):
        body(messages=messages, tools=[TOOL], tool_choice="none")


def test_proofs_go_back_where_they_came_from() -> None:
    thoughts = [Thought("hm", "bedrock:c2ln"), Thought(sealed="bedrock:AAAA"), Thought("other", "google:c2ln")]
    said = body(messages=[Message("user", "hi"), Message("assistant", "ok", thoughts=thoughts)])["messages"][1]
    assert said["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"text": "ok"},
    ]


def test_reasoning_calls_and_usage_of_a_stream_are_read() -> None:
    start = {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}}
    counts = {
        "inputTokens": 3,
        "outputTokens": 4,
        "totalTokens": 10,
        "cacheReadInputTokens": 2,
        "cacheWriteInputTokens": 1,
    }
    outcome, reader = read(
        event("messageStart", {"role": "assistant"}),
        delta(0, reasoningContent={"text": "hm"}) + delta(0, reasoningContent={"signature": "c2ln"}),
        delta(1, text="a") + delta(1, text="b") + event("contentBlockStop", {"contentBlockIndex": 1}),
        delta(1, reasoningContent={"redactedContent": "AAAA"}),
        event("contentBlockStart", start) + delta(2, toolUse={"input": '{"x"'}) + delta(2, toolUse={"input": ": 1}"}),
        event("news", {"contentBlockIndex": 7}),
        stop("tool_use") + event("metadata", {"usage": counts, "serviceTier": {"type": "flex"}}),
    )
    assert (outcome.text, outcome.tools) == ("ab", [("t", "f", '{"x": 1}')])
    assert [chunk.thought for chunk in outcome.chunks if chunk.thought] == [
        Thought(signature="bedrock:c2ln"),
        Thought(sealed="bedrock:AAAA"),
    ]
    assert outcome.finishes == {0: "tool_calls"}
    assert reader.usage == Usage(6, 4, cached_input=2, cache_write=1, tier="flex")
    assert (reader.done, reader.failure) == (True, None)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"), ("content_filtered", "content_filter"),
        ("model_context_window_exceeded", "length"), ("new_reason", "stop"),
    ],
)  # fmt: skip
def test_every_stop_reason_has_one_of_four_names(found: str, told: str) -> None:
    assert read(stop(found))[0].finishes == {0: told}


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_that_came_out_wrong_is_no_answer(reason: str) -> None:
    outcome, reader = read(delta(text="a"), stop(reason))
    assert outcome.finishes == {}
    assert reader.failure is not None


@pytest.mark.parametrize(
    ("piece", "kind", "retryable"),
    [
        (exception("throttlingException", b'{"message":"Too many requests"}'), RateLimited, True),
        (exception("modelStreamErrorException", b'{"message":"x","originalStatusCode":500}'), Upstream, True),
        (exception("internalServerException", b""), Upstream, True),
        (exception("validationException", b'{"message":"Input is too long for requested model."}'), TooLong, False),
        (frame(b"", {":message-type": "error", ":error-code": "Boom"}), Upstream, True),
        (frame(b"not json", {":message-type": "event", ":event-type": "messageStop"}), Upstream, True),
        (b"<html>It works</html>", Upstream, True),
    ],
)
def test_an_exception_in_the_stream_is_its_end(piece: bytes, kind: type[Upstream], retryable: bool) -> None:
    outcome, reader = read(delta(text="a") + piece + delta(text="b"))
    assert outcome.text == "a"
    assert type(reader.failure) is kind
    assert reader.failure.retryable is retryable


def test_a_stream_that_ends_within_a_message_is_not_complete() -> None:
    outcome, reader = read(delta(text="a"), stop("end_turn")[:-3])
    assert outcome.finishes == {}
    assert reader.failure is not None


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"inputTokens": 5, "outputTokens": 7}, Usage(5, 7)),
        (
            {
                "inputTokens": 5, "outputTokens": 7, "cacheWriteInputTokens": 4,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 3}, {"ttl": "5m", "inputTokens": 1}, None],
            },
            Usage(9, 7, cache_write=4, cache_write_1h=3),
        ),
        ({"inputTokens": 5, "outputTokens": "7"}, None),
        ({"inputTokens": -5, "outputTokens": 7}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_usage_is_taken_over_only_if_it_can_be_true(counts: dict[str, Any], found: Usage | None) -> None:
    assert read_usage(counts) == found


def test_a_whole_reply_keeps_each_thought_with_its_proof() -> None:
    content = [
        {"reasoningContent": {"reasoningText": {"text": "one", "signature": "YQ=="}}},
        {"reasoningContent": {"reasoningText": {"text": "two", "signature": "Yg=="}}},
        {"citationsContent": {"content": [{"text": "cited"}]}},
        {"text": " a"},
    ]
    reply = {"output": {"message": {"content": content}}, "stopReason": "end_turn", "usage": {}}
    assert BedrockReader("house").whole(json.dumps(reply).encode()) == [
        Chunk(reasoning="one", thought=Thought(signature="bedrock:YQ==")),
        Chunk("cited a", reasoning="two", thought=Thought(signature="bedrock:Yg=="), finish="stop"),
    ]


KEYS = st.sampled_from(
    ["output", "message", "content", "text", "toolUse", "input", "stopReason", "usage", "delta", "start", "image"]
)
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]))
def test_no_json_whatever_makes_the_reader_fall_over(found: object, kind: str) -> None:
    raw = json.dumps(found).encode()
    for take in (lambda reader: reader.whole(raw), lambda reader: reader.feed(event(kind, found))):
        assert all(isinstance(chunk, Chunk) for chunk in take(BedrockReader("house")))
