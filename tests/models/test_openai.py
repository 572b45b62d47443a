"""What the OpenAI-compatible driver writes, and what it reads from the many servers that speak this wire."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.calls import MODEL, Outcome, a_call

from fairlead.errors import Rejected
from fairlead.models.content import CacheControl, ImagePart, ImageUrl, Thought
from fairlead.models.openai_reply import OpenAIReader, read_usage
from fairlead.models.openai_request import encode
from fairlead.models.quirks import Quirks
from fairlead.models.sampling import Handling, Sampling
from fairlead.models.schemes import FULL
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


def body(quirks: Quirks = FULL, **request: Any) -> dict[str, Any]:
    return json.loads(encode(a_call(**request), quirks))


def event(delta: dict[str, Any] | None = None, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish, **more}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def read(*pieces: bytes) -> tuple[Outcome, OpenAIReader]:
    reader = OpenAIReader("house")
    chunks = [chunk for piece in (*pieces, b"") for chunk in reader.feed(piece)]
    return Outcome(chunks), reader


def usage(**counts: Any) -> Usage | None:
    return read_usage(msgspec.Raw(json.dumps(counts).encode()))


@pytest.mark.parametrize("counts", [b'{"\xff": 1}', b'{"a": "\xff"}', b'{"a":' * 5_000])
def test_counts_that_are_no_json_are_none(counts: bytes) -> None:
    assert read_usage(msgspec.Raw(counts)) is None


def test_a_request_is_as_the_api_describes_it() -> None:
    assert body(stream=True, choices=2, sampling=Sampling(temperature=0.5, stop="x", seed=1, logprobs=True)) == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 100,
        "n": 2,
        "temperature": 0.5,
        "stop": "x",
        "seed": 1,
        "logprobs": True,
    }


def test_whether_to_stream_is_always_said() -> None:
    assert body()["stream"] is False
    assert "stream_options" not in body()


def test_tools_and_their_calls_go_out_complete() -> None:
    messages = [
        Message("assistant", tool_calls=[ToolCall("c1", Function("f", ""))]),
        Message("tool", "done", tool_call_id="c1"),
    ]
    sent = body(
        messages=messages,
        tools=[Tool(FunctionTool("f", parameters={"type": "object"}, strict=True))],
        tool_choice=NamedToolChoice(NamedFunction("f")),
        parallel_tool_calls=False,
    )
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert sent["messages"][0] == {"role": "assistant", "tool_calls": [call]}
    assert sent["tools"] == [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}
    ]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert sent["parallel_tool_calls"] is False


def test_quirks_change_what_a_server_would_not_take() -> None:
    quirks = Quirks(stream_usage=False, content_parts=False, null_content=False)
    messages = [
        Message("developer", "be kind"),
        Message("user", [TextPart("a"), TextPart("b")]),
        Message("assistant", tool_calls=[ToolCall("c", Function("f", "{}"))]),
    ]
    sent = body(quirks, messages=messages, stream=True)
    assert sent["max_tokens"] == 100
    assert "stream_options" not in sent
    assert [(each["role"], each["content"]) for each in sent["messages"]] == [
        ("system", "be kind"),
        ("user", "ab"),
        ("assistant", ""),
    ]


@pytest.mark.parametrize(
    ("quirks", "asked"),
    [(Quirks(choices=False), {"choices": 2}), (Quirks(logprobs=False), {"sampling": Sampling(logprobs=True)})],
)
def test_what_an_endpoint_cannot_give_is_refused_before_it_is_asked(quirks: Quirks, asked: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        encode(a_call(**asked), quirks)


PNG = "data:image/png;base64,AAAA"


def test_parts_go_out_as_they_came_but_for_marks_that_only_some_servers_read() -> None:
    parts = [TextPart("a", cache_control=CacheControl("ephemeral")), ImagePart(ImageUrl(PNG, "low"))]
    messages = [Message("user", parts)]
    plain = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}]
    assert body(messages=messages)["messages"][0]["content"] == plain
    marked = body(Quirks(cache_marks=True), messages=messages)["messages"][0]["content"]
    assert marked[0] == {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}


def test_a_server_in_ones_own_network_is_not_made_to_fetch_what_a_caller_names() -> None:
    messages = [Message("user", [ImagePart(ImageUrl("https://intranet.example/x.png"))])]
    with pytest.raises(Rejected, match="image_url"):
        body(Quirks(), messages=messages)
    assert body(Quirks(image_urls=True), messages=messages)["messages"]


@pytest.mark.parametrize(
    ("quirks", "sent"),
    [
        (FULL, {}),
        (Quirks(reasoning_field="reasoning_content"), {"reasoning_content": "hm"}),
        (Quirks(reasoning_field="reasoning"), {"reasoning": "hm"}),
    ],
)
def test_earlier_reasoning_goes_back_under_the_name_that_a_server_knows(quirks: Quirks, sent: dict[str, str]) -> None:
    for said in ({"reasoning_content": "hm"}, {"thoughts": [Thought("hm", "anthropic:c2ln")]}):
        messages = [Message("user", "hi"), Message("assistant", "yes", **said)]  # type: ignore[arg-type]
        assert body(quirks, messages=messages)["messages"][1] == {"role": "assistant", "content": "yes", **sent}


def test_proofs_and_failures_of_tools_are_nothing_that_this_wire_knows() -> None:
    call = ToolCall("c", Function("f", "{}"), signature="google:c2ln")
    messages = [
        Message("assistant", tool_calls=[call]),
        Message("tool", "boom", tool_call_id="c", is_error=True),
    ]
    assert body(messages=messages)["messages"] == [
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "boom", "tool_call_id": "c"},
    ]


@pytest.mark.parametrize("role", ["system", "developer", "user"])
def test_system_messages_go_out_under_the_role_that_a_server_knows(role: str) -> None:
    quirks = Quirks(system_role=role)  # type: ignore[arg-type]
    assert body(quirks, messages=[Message("system", "a"), Message("user", "b")])["messages"][0]["role"] == role


def test_a_server_without_tool_choice_gets_no_tools_where_none_may_be_called() -> None:
    tools = [Tool(FunctionTool("f"))]
    quirks = Quirks(tool_choice=False, parallel_tool_calls=False)
    assert "tools" not in body(quirks, tools=tools, tool_choice="none")
    sent = body(quirks, tools=tools, tool_choice="auto", parallel_tool_calls=True)
    assert sent["tools"]
    assert "tool_choice" not in sent
    assert "parallel_tool_calls" not in sent
    for asked in ({"tool_choice": "required"}, {"parallel_tool_calls": False}):
        with pytest.raises(Rejected, match=next(iter(asked))):
            body(quirks, tools=tools, **asked)


def test_a_schema_goes_where_a_server_takes_it() -> None:
    form = ResponseFormat("json_schema", JsonSchemaSpec("x", schema={"type": "object"}))
    sent = body(Quirks(schema_form="json_object"), response_format=form)["response_format"]
    assert sent == {"type": "json_object", "schema": {"type": "object"}}
    plain = ResponseFormat("json_object")
    assert body(Quirks(schema_form="json_object"), response_format=plain)["response_format"] == {"type": "json_object"}


def test_a_model_declared_without_tools_or_schemas_is_not_asked_for_them() -> None:
    model = msgspec.structs.replace(MODEL, tools=False, json_schema=False, images=False)
    form = ResponseFormat("json_schema", JsonSchemaSpec("x", schema={}))
    picture = [Message("user", [ImagePart(ImageUrl(PNG))])]
    for asked in ({"tools": [Tool(FunctionTool("f"))]}, {"response_format": form}, {"messages": picture}):
        with pytest.raises(Rejected):
            body(model=model, **asked)


def test_who_asks_is_told_only_to_an_endpoint_that_is_declared_so() -> None:
    call = a_call(handling=Handling(user="u", metadata={"a": "b"}, prompt_cache_key="k", service_tier="flex"))
    told, untold = (json.loads(encode(call, FULL, identify=each)) for each in (True, False))
    assert (told["user"], told["metadata"]) == ("u", {"a": "b"})
    assert "user" not in untold
    assert "metadata" not in untold
    assert (untold["prompt_cache_key"], untold["service_tier"]) == ("k", "flex")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "s3://bucket/x", "data:image/png,raw", "data:;base64,AAAA", "data:image/png;base64,"]
)
def test_an_image_that_is_neither_data_nor_an_address_is_refused(url: str) -> None:
    with pytest.raises(Rejected):
        body(messages=[Message("user", [ImagePart(ImageUrl(url))])])


def test_text_of_one_read_becomes_one_chunk_for_each_choice() -> None:
    words = [event({"content": f"{n} "}, index=n % 2) for n in range(6)]
    outcome, _ = read(event({"role": "assistant", "content": None}), b"".join(words))
    assert outcome.chunks == [Chunk("0 2 4 "), Chunk("1 3 5 ", 1)]


def test_text_stays_before_what_follows_it() -> None:
    outcome, _ = read(
        event({"content": "a"}) + event({"content": "b"}) + event({"reasoning_content": "r"}) + event({}, "stop")
    )
    assert outcome.chunks == [Chunk("ab"), Chunk(reasoning="r"), Chunk(finish="stop")]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("stop", "stop"), ("length", "length"), ("max_tokens", "length"), ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"), ("content_filter", "content_filter"), ("SAFETY", "content_filter"),
        ("eos", "stop"),
    ],
)  # fmt: skip
def test_every_finish_has_one_of_four_names(found: str, told: str) -> None:
    assert read(event({}, found))[0].finishes == {0: told}


def test_tool_calls_without_an_index_are_told_apart_by_their_names() -> None:
    def piece(**function: Any) -> dict[str, Any]:
        return {"tool_calls": [{"function": function}]}

    outcome, _ = read(event(piece(name="f", arguments='{"a"')), event(piece(arguments=": 1}")), event(piece(name="g")))
    assert outcome.tools == [(None, "f", '{"a": 1}'), (None, "g", "")]


def test_arguments_that_come_as_an_object_become_text() -> None:
    outcome, _ = read(
        event({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": {"a": 1}}}]})
    )
    assert outcome.tools == [("c", "f", '{"a":1}')]


def test_logprobs_pass_as_they_came() -> None:
    outcome, _ = read(event({"content": "a"}, logprobs={"content": [{"token": "a", "logprob": -1, "id": 7}]}))
    [chunk] = outcome.chunks
    assert chunk.text == "a"
    assert json.loads(bytes(chunk.logprobs or b"")) == {"content": [{"token": "a", "logprob": -1, "id": 7}]}


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, Usage(5, 7)),
        (
            {
                "prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 6},
            },
            Usage(5, 7, cached_input=4, reasoning=6),
        ),
        ({"prompt_tokens": 5, "completion_tokens": 7, "prompt_cache_hit_tokens": 3}, Usage(5, 7, cached_input=3)),
        # Counts reasoning apart from the output, and says so by its total.
        (
            {
                "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 22,
                "completion_tokens_details": {"reasoning_tokens": 10},
            },
            Usage(5, 17, reasoning=10),
        ),
        ({"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 99}}, Usage(5, 7, 5)),
        (
            {
                "prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"audio_tokens": 2,
                "cache_write_tokens": 3}, "completion_tokens_details": {"audio_tokens": 4},
            },
            Usage(5, 7, cache_write=3, audio_input=2, audio_output=4),
        ),
        ({"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": "x"}, Usage(5, 7)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": -1, "completion_tokens": 7}, None),
        ({"prompt_tokens": 5, "completion_tokens": 2**41}, None),
        ({"prompt_tokens": 5.5, "completion_tokens": 7}, None),
        ({"prompt_tokens": True, "completion_tokens": 7}, None),
        ({"prompt_tokens": "5", "completion_tokens": 7}, None),
        ({"prompt_tokens": 5}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_usage_is_taken_over_only_if_it_can_be_true(counts: dict[str, Any], found: Usage | None) -> None:
    assert usage(**counts) == found


@pytest.mark.parametrize("raw", [b"null", b"[]", b"7", b'"x"', b""])
def test_usage_that_is_no_object_is_none(raw: bytes) -> None:
    assert read_usage(msgspec.Raw(raw)) is None


def test_usage_may_come_on_the_finish_chunk_or_on_every_chunk() -> None:
    counted = {
        "choices": [{"index": 0, "delta": {"content": "a"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    last = {
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
    outcome, reader = read(*(b"data: " + json.dumps(each).encode() + b"\n\n" for each in (counted, last)))
    assert reader.usage == Usage(3, 2)
    assert outcome.text == "a"


@pytest.mark.parametrize(
    "data",
    [
        b"{}", b"null", b"7", b"[]", b"nonsense", b'{"error": null}', b'{"error": "x"}', b'{"detail": "x"}',
        b'{"choices": 7}', b'{"choices": [{"index": "a"}]}', b'{"choices": [], "error": {"message": "x"}}',
        b'{"choices": [{"delta": {}, "finish_reason": "error"}]}', b"\xff", b"[" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_piece_of_a_reply_is_a_failure_and_what_came_before_counts(data: bytes) -> None:
    outcome, reader = read(event({"content": "a"}) + b"data: " + data + b"\n\n" + event({"content": "b"}))
    assert outcome.text == "a"
    assert reader.failure is not None


def test_events_without_content_are_passed_over() -> None:
    first = b'data: {"choices": [], "prompt_filter_results": []}\n\n'
    outcome, reader = read(first, b": keep-alive\n\n", event({"content": "a"}), event({}, "stop"), b"data: [DONE]\n\n")
    assert outcome.text == "a"
    assert (reader.failure, reader.done) == (None, True)


@given(st.lists(st.text(min_size=1), max_size=8), st.lists(st.integers(0, 3000), max_size=10))
def test_no_text_is_lost_or_doubled_however_the_network_cuts_it(texts: list[str], cuts: list[int]) -> None:
    stream = b"".join(event({"content": text}) for text in texts) + event({}, "stop") + b"data: [DONE]\n\n"
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    outcome, reader = read(*(stream[start:end] for start, end in itertools.pairwise(places)))
    assert outcome.text == "".join(texts)
    assert outcome.finishes == {0: "stop"}
    assert reader.failure is None


KEYS = st.sampled_from(
    "choices delta message content index usage error tool_calls function arguments finish_reason logprobs".split()  # noqa: SIM905
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
        reader = OpenAIReader("house")
        assert isinstance(take(reader), list)


def test_a_whole_reply_gives_one_chunk_for_each_choice() -> None:
    reader = OpenAIReader("house")
    message = {"role": "assistant", "content": "a", "refusal": "no", "reasoning": "r"}
    choices = [{"index": n, "message": message, "finish_reason": "stop"} for n in range(2)]
    chunks = reader.whole(
        json.dumps({"choices": choices, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).encode()
    )
    assert chunks == [Chunk("a", n, reasoning="r", refusal="no", finish="stop") for n in range(2)]
    assert reader.usage == Usage(1, 1)


def test_content_that_comes_in_parts_is_joined() -> None:
    outcome, _ = read(event({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}))
    assert outcome.text == "ab"
