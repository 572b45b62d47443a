"""What the Gemini driver writes and reads, beyond what the contract of all drivers and the table of fields hold."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.provider import Provider
from tests.models.calls import CLOCK, MODEL, Outcome, a_call, a_driver, outcome_of

from fairlead.errors import CutOff, Rejected
from fairlead.models.content import Thought
from fairlead.models.google_reply import GoogleReader, read_usage
from fairlead.models.google_request import encode
from fairlead.models.sampling import Sampling
from fairlead.models.types import Chunk, Function, FunctionTool, Message, Tool, ToolCall, Usage
from fairlead.net.http import Http

TOOL = Tool(FunctionTool("f", "Does f", {"type": "object"}))


def body(remote: str = "gemini-3-pro", **request: Any) -> dict[str, Any]:
    return json.loads(encode(a_call(model=msgspec.structs.replace(MODEL, remote=remote), **request)))


def event(parts: list[dict[str, Any]] | None = None, finish: str | None = None, **more: Any) -> bytes:
    candidate: dict[str, Any] = {"content": {"parts": parts or [], "role": "model"}}
    if finish:
        candidate["finishReason"] = finish
    return b"data: " + json.dumps({"candidates": [candidate], **more}).encode() + b"\r\n\r\n"


def read(*pieces: bytes, choices: int = 1) -> tuple[Outcome, GoogleReader]:
    reader = GoogleReader("house", "run_1.1", choices)
    return Outcome([chunk for piece in (*pieces, b"") for chunk in reader.feed(piece)]), reader


def test_a_request_is_as_the_api_describes_it() -> None:
    messages = [Message("system", "be kind"), Message("user", "hi")]
    assert body(messages=messages, sampling=Sampling(temperature=0.5, stop="x", seed=1), choices=2) == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "systemInstruction": {"parts": [{"text": "be kind"}]},
        "generationConfig": {
            "maxOutputTokens": 100,
            "candidateCount": 2,
            "temperature": 0.5,
            "stopSequences": ["x"],
            "seed": 1,
        },
    }


async def test_the_key_travels_in_its_header_and_the_model_in_the_address() -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        driver, model = a_driver("google", provider.url, http, remote="tiny")
        for stream in (True, False):
            await outcome_of(driver, a_call(model=model, stream=stream))
        headers = provider.received[0].headers
        assert [each.path for each in provider.received] == [
            "/v1beta/models/tiny:streamGenerateContent?alt=sse",
            "/v1beta/models/tiny:generateContent",
        ]
    assert headers["x-goog-api-key"] == "test-key"
    assert "authorization" not in headers


async def test_a_models_name_cannot_lead_elsewhere() -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        driver, model = a_driver("google", provider.url, http, remote="../../v1/models?x=")
        await outcome_of(driver, a_call(model=model))
    assert provider.received[0].path == "/v1beta/models/..%2F..%2Fv1%2Fmodels%3Fx%3D:generateContent"


def test_a_call_of_another_vendors_model_bears_the_mark_that_newer_models_want() -> None:
    calls = [ToolCall(f"c{n}", Function("f", "{}")) for n in range(2)]
    messages = [Message("user", "hi"), Message("assistant", tool_calls=calls)]
    parts = body(messages=messages, tools=[TOOL])["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["skip_thought_signature_validator", None]
    parts = body("gemini-2.5-flash", messages=messages, tools=[TOOL])["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [None, None]


def test_a_proof_goes_back_where_it_came_from_and_anothers_is_left_out() -> None:
    def said(scheme: str) -> list[dict[str, Any]]:
        calls = [ToolCall("c", Function("f", "{}"), signature=f"{scheme}:call")]
        thoughts = [Thought("hm", f"{scheme}:text")]
        messages = [Message("user", "hi"), Message("assistant", "ok", tool_calls=calls, thoughts=thoughts)]
        return body("gemini-2.5-flash", messages=messages, tools=[TOOL])["contents"][1]["parts"]

    call = {"functionCall": {"name": "f", "args": {}, "id": "c"}}
    assert said("google") == [
        {"text": "hm", "thought": True},
        {"text": "ok", "thoughtSignature": "text"},
        {**call, "thoughtSignature": "call"},
    ]
    assert said("anthropic") == [{"text": "ok"}, call]


def test_a_tools_result_without_its_call_is_refused() -> None:
    with pytest.raises(Rejected):
        body(messages=[Message("user", "hi"), Message("tool", "18", tool_call_id="c")])


@pytest.mark.parametrize(
    ("remote", "knobs", "sent"),
    [
        ("gemini-3-pro", {"reasoning_effort": "low"}, {"includeThoughts": True, "thinkingLevel": "LOW"}),
        ("gemini-2.5-pro", {"reasoning_effort": "low"}, {"includeThoughts": True, "thinkingBudget": 1024}),
        ("gemini-2.5-flash", {"reasoning_effort": "none"}, {"thinkingBudget": 0}),
        ("gemini-3-pro", {"reasoning_budget": 500}, {"includeThoughts": True, "thinkingBudget": 500}),
        ("gemini-3-pro", {"reasoning_effort": "high", "reasoning_summary": "none"}, {"thinkingLevel": "HIGH"}),
    ],
)
def test_reasoning_is_asked_for_as_the_family_knows_it(remote: str, knobs: dict[str, Any], sent: Any) -> None:
    assert body(remote, sampling=Sampling(**knobs))["generationConfig"]["thinkingConfig"] == sent


def test_thoughts_proofs_and_calls_are_kept_apart_from_the_answer() -> None:
    call = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "Y2FsbA=="}
    outcome, reader = read(
        event([{"text": "hm", "thought": True}]),
        event([{"text": "yes", "thoughtSignature": "dGV4dA=="}]),
        event([call, {"functionCall": {"id": "own", "name": "g"}}]),
        event([], "STOP", usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 2}),
    )
    assert outcome.text == "yes"
    assert [chunk.reasoning for chunk in outcome.chunks if chunk.reasoning] == ["hm"]
    assert [chunk.thought for chunk in outcome.chunks if chunk.thought] == [Thought(signature="google:dGV4dA==")]
    assert outcome.tools == [("call_run_1_1_0_0", "f", '{"a":1}'), ("own", "g", "{}")]
    assert [piece.signature for chunk in outcome.chunks for piece in chunk.tool_calls] == ["google:Y2FsbA==", ""]
    assert outcome.finishes == {0: "tool_calls"}
    assert reader.usage == Usage(3, 6, reasoning=2)
    assert reader.done


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST", "MODEL_ARMOR"])
def test_a_filter_that_stops_an_answer_says_so(reason: str) -> None:
    assert read(event([{"text": "a"}]), event([], reason))[0].finishes == {0: "content_filter"}


@pytest.mark.parametrize("reason", ["OTHER", "MALFORMED_FUNCTION_CALL", "MISSING_THOUGHT_SIGNATURE", "SOMETHING_NEW"])
def test_an_end_for_no_good_reason_is_no_end(reason: str) -> None:
    outcome, reader = read(event([{"text": "a"}]), event([], reason))
    assert outcome.finishes == {}
    assert reader.failure is not None
    assert reason in reader.failure.why


@pytest.mark.parametrize("whole", [True, False])
def test_a_prompt_that_is_blocked_is_refused_content(whole: bool) -> None:
    reply = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 7}}
    raw, reader = json.dumps(reply).encode(), GoogleReader("house", "k")
    assert (reader.whole(raw) if whole else reader.feed(b"data: " + raw + b"\n\n")) == []
    assert isinstance(reader.failure, Rejected)
    assert "PROHIBITED_CONTENT" in reader.failure.why


def test_log_probabilities_take_the_form_that_clients_know() -> None:
    chosen = {"token": "é", "logProbability": -0.5, "tokenId": 7}
    result = {"chosenCandidates": [chosen], "topCandidates": [{"candidates": [chosen, {"token": "a"}]}]}
    reply = {"candidates": [{"content": {"parts": [{"text": "é"}]}, "logprobsResult": result, "finishReason": "STOP"}]}
    [chunk] = GoogleReader("house", "k").whole(json.dumps(reply).encode())
    token = {"token": "é", "logprob": -0.5, "bytes": [195, 169]}
    [found] = json.loads(bytes(chunk.logprobs or b""))["content"]
    assert found == {**token, "top_logprobs": [token, {"token": "a", "logprob": 0.0, "bytes": [97]}]}


def test_what_is_no_text_is_not_taken_for_an_empty_answer() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    outcome, reader = read(event([picture], "STOP"))
    assert outcome.chunks == []
    assert reader.failure is not None


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"promptTokenCount": 5, "candidatesTokenCount": 7}, Usage(5, 7)),
        (
            {
                "promptTokenCount": 5, "candidatesTokenCount": 7, "thoughtsTokenCount": 2, "toolUsePromptTokenCount": 3,
                "cachedContentTokenCount": 4, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}, 7],
            },
            Usage(8, 9, cached_input=4, reasoning=2, audio_input=2),
        ),
        ({"promptTokenCount": 5}, Usage(5, 0)),
        ({"promptTokenCount": 0}, None),
        ({"promptTokenCount": -1, "candidatesTokenCount": 7}, None),
        ({"promptTokenCount": "5", "candidatesTokenCount": 7}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_usage_is_taken_over_only_if_it_can_be_true(counts: dict[str, Any], found: Usage | None) -> None:
    assert read_usage(counts, final=True) == found


def test_a_stream_of_several_choices_is_over_when_all_are() -> None:
    def ended(index: int) -> bytes:
        reply = {"candidates": [{"index": index, "content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}
        return b"data: " + json.dumps({**reply, "usageMetadata": {"promptTokenCount": 1}}).encode() + b"\n\n"

    reader = GoogleReader("house", "k", 2)
    reader.feed(ended(0))
    assert not reader.done
    reader.feed(ended(1))
    assert reader.done


async def test_a_stream_that_loses_its_end_is_cut_off() -> None:
    async with Provider(always="done-without-finish") as provider, Http(CLOCK) as http:
        driver, model = a_driver("google", provider.url, http)
        outcome = await outcome_of(driver, a_call(model=model, stream=True))
    assert isinstance(outcome.error, CutOff)


KEYS = st.sampled_from(
    [
        "candidates",
        "content",
        "parts",
        "text",
        "functionCall",
        "args",
        "finishReason",
        "usageMetadata",
        "error",
        "index",
    ]
)
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_no_json_whatever_makes_the_reader_fall_over(found: object) -> None:
    raw = json.dumps(found).encode()
    for take in (lambda reader: reader.whole(raw), lambda reader: reader.feed(b"data: " + raw + b"\n\n")):
        assert all(isinstance(chunk, Chunk) for chunk in take(GoogleReader("house", "k")))
