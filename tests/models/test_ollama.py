import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.calls import MODEL, Outcome, a_call

from fairlead.errors import Rejected
from fairlead.models.ollama_reply import OllamaReader
from fairlead.models.ollama_request import encode
from fairlead.models.sampling import Sampling
from fairlead.models.types import (
    Function,
    FunctionTool,
    JsonSchemaSpec,
    Message,
    NamedFunction,
    NamedToolChoice,
    ResponseFormat,
    Tool,
    ToolCall,
    Usage,
)

TOOL = Tool(FunctionTool("f"))


def body(**request: Any) -> dict[str, Any]:
    return json.loads(encode(a_call(**request)))


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def read(*pieces: bytes) -> tuple[Outcome, OllamaReader]:
    reader = OllamaReader("house", "run.1")
    chunks = [chunk for piece in (*pieces, b"") for chunk in reader.feed(piece)]
    return Outcome(chunks), reader


def test_a_request_carries_its_limits_and_the_context_length() -> None:
    model = msgspec.structs.replace(MODEL, context=8192)
    sent = body(model=model, sampling=Sampling(temperature=0.2, seed=3, stop="x"))
    assert sent == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": False,
        "options": {"num_predict": 100, "num_ctx": 8192, "temperature": 0.2, "seed": 3, "stop": ["x"]},
    }


def test_tool_calls_and_results_are_told_by_name() -> None:
    messages = [
        Message("developer", "be kind"),
        Message("assistant", tool_calls=[ToolCall("c1", Function("f", '{"a": 1}'))]),
        Message("tool", "done", tool_call_id="c1"),
    ]
    assert body(messages=messages, tools=[TOOL])["messages"] == [
        {"role": "system", "content": "be kind"},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
        {"role": "tool", "content": "done", "tool_name": "f"},
    ]


def test_no_tools_are_sent_where_none_may_be_called() -> None:
    assert "tools" not in body(tools=[TOOL], tool_choice="none")


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        (ResponseFormat("text"), None),
        (ResponseFormat("json_object"), "json"),
        (ResponseFormat("json_schema", JsonSchemaSpec("x", schema={"type": "object"})), {"type": "object"}),
    ],
)
def test_a_format_is_json_or_a_schema(form: ResponseFormat, sent: Any) -> None:
    assert body(response_format=form).get("format") == sent


@pytest.mark.parametrize(
    ("effort", "remote", "sent"),
    [(None, "x", None), ("none", "x", False), ("high", "qwen3", True), ("low", "gpt-oss:20b", "low")],
)
def test_an_effort_is_a_switch_or_a_level(effort: str | None, remote: str, sent: Any) -> None:
    model = msgspec.structs.replace(MODEL, remote=remote)
    assert body(model=model, sampling=Sampling(reasoning_effort=effort)).get("think") == sent


@pytest.mark.parametrize(
    "request_",
    [
        {"choices": 2},
        {"sampling": Sampling(logprobs=True)},
        {"sampling": Sampling(logit_bias={"1": 1})},
        {"tools": [TOOL], "tool_choice": "required"},
        {"tools": [TOOL], "tool_choice": NamedToolChoice(NamedFunction("f"))},
        {"tools": [TOOL], "parallel_tool_calls": False},
    ],
)
def test_what_would_break_a_promise_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        encode(a_call(**request_))


def test_tool_calls_get_ids_of_their_own() -> None:
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    outcome, reader = read(
        line(message={"tool_calls": [call, call]}), line(message={"content": ""}, done=True, done_reason="stop")
    )
    assert outcome.tools == [("call_run_1_0", "f", '{"a":1}'), ("call_run_1_1", "f", '{"a":1}')]
    assert outcome.finishes == {0: "tool_calls"}
    assert reader.done


def test_a_count_that_is_left_out_is_not_taken_for_none() -> None:
    assert read(line(message={"content": "a"}, done=True, eval_count=3))[1].usage is None
    assert read(line(done=True, prompt_eval_count=2, eval_count=3))[1].usage == Usage(2, 3)


@given(st.lists(st.text(min_size=1), max_size=8), st.lists(st.integers(0, 2000), max_size=10))
def test_no_text_is_lost_or_doubled_however_the_network_cuts_it(texts: list[str], cuts: list[int]) -> None:
    stream = b"".join(line(message={"content": text}) for text in texts) + line(done=True, done_reason="length")
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    pieces = [stream[start:end] for start, end in itertools.pairwise(places)]
    outcome, reader = read(*pieces)
    assert outcome.text == "".join(texts)
    assert outcome.finishes == {0: "length"}
    assert reader.failure is None


@pytest.mark.parametrize("data", [b'{"error":"boom"}\n', b"{}\n", b"x\n", b'{"message": 7}\n', b"null\n"])
def test_errors_and_junk_are_failures_and_what_came_before_counts(data: bytes) -> None:
    outcome, reader = read(line(message={"content": "a"}) + data)
    assert outcome.text == "a"
    assert reader.failure is not None


def test_a_line_may_not_grow_without_end() -> None:
    reader = OllamaReader("house", "k")
    for _ in range(100):
        reader.feed(b"x" * 65536)
    assert reader.failure is not None
