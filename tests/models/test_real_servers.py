"""What three real servers of chat completions sent for the same questions, cut to what is odd about each.

Recorded while `make interop` ran. All said the same, each in its own way: the driver reads them alike.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.calls import Outcome

from fairlead.models.openai_reply import OpenAIReader

ARGUMENTS = '{"location": "Paris"}'


def events(*data: Any, done: bool) -> bytes:
    lines = [f"data: {json.dumps(each)}\n\n" for each in data]
    return "".join([*lines, "data: [DONE]\n\n" if done else "\n"]).encode()


def piece(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "index": 0, **more}]}


def counts(given: int, made: int) -> dict[str, int]:
    return {"completion_tokens": made, "prompt_tokens": given, "total_tokens": given + made}


# llama.cpp: a role with null, usage on a chunk of its own, timings; calls in the pieces of its tokens.
LLAMA = {
    "text": events(
        piece({"role": "assistant", "content": None}, finish_reason=None),
        piece({"content": "Good"}, finish_reason=None),
        piece({"content": " day"}, finish_reason=None),
        piece({}, finish_reason="length"),
        {"choices": [], "usage": {**counts(11, 2), "prompt_tokens_details": {"cached_tokens": 10}}, "timings": {}},
        done=True,
    ),
    "call": events(
        piece({"role": "assistant", "content": None}, finish_reason=None),
        piece({"tool_calls": [{"index": 0, "id": "BnQO", "type": "function",
                               "function": {"name": "get_weather", "arguments": "{"}}]}, finish_reason=None),
        *(piece({"tool_calls": [{"index": 0, "function": {"arguments": each}}]}, finish_reason=None)
          for each in ('"', "location", '":', ' "', "Paris", '"}')),
        piece({}, finish_reason="tool_calls"),
        {"choices": [], "usage": counts(103, 22)},
        done=True,
    ),
}  # fmt: skip
# transformers: no finish_reason until there is one, usage on the last chunk, no end mark; a call in one piece.
TRANSFORMERS = {
    "text": events(
        piece({"role": "assistant"}),
        piece({"content": "Good"}),
        piece({"content": " day"}),
        {**piece({}, finish_reason="length"), "usage": counts(11, 2), "system_fingerprint": ""},
        done=False,
    ),
    "call": events(
        piece({"role": "assistant"}),
        piece({"tool_calls": [{"index": 0, "id": "29638dad_tool_call_0", "type": "function",
                               "function": {"arguments": ARGUMENTS, "name": "get_weather"}}]}),
        {**piece({}, finish_reason="tool_calls"), "usage": counts(103, 22)},
        done=False,
    ),
}  # fmt: skip
# llama-cpp-python: no usage at all.
LLAMA_CPP_PYTHON = {
    "text": events(
        piece({"role": "assistant"}, finish_reason=None, logprobs=None),
        piece({"content": "Good"}, finish_reason=None, logprobs=None),
        piece({"content": " day"}, finish_reason=None, logprobs=None),
        piece({}, finish_reason="length", logprobs=None),
        done=True,
    )
}
SERVERS = {"llama.cpp": LLAMA, "transformers": TRANSFORMERS, "llama-cpp-python": LLAMA_CPP_PYTHON}


def read(stream: bytes, cuts: list[int] | None = None) -> tuple[Outcome, OpenAIReader]:
    reader, chunks, begin = OpenAIReader("house"), [], 0
    for end in [*sorted(each % (len(stream) + 1) for each in cuts or []), len(stream)]:
        if end > begin:
            chunks += reader.feed(stream[begin:end])
        begin = max(begin, end)
    return Outcome(chunks + reader.feed(b"")), reader


@pytest.mark.parametrize("server", SERVERS)
def test_the_text_of_a_stream_is_the_same_from_all(server: str) -> None:
    outcome, reader = read(SERVERS[server]["text"])
    assert (outcome.text, outcome.finishes) == ("Good day", {0: "length"})
    assert reader.failure is None
    if server == "llama-cpp-python":
        assert reader.usage is None
    else:
        assert reader.usage is not None
        assert (reader.usage.input, reader.usage.output) == (11, 2)


@pytest.mark.parametrize("server", ["llama.cpp", "transformers"])
@given(cuts=st.lists(st.integers(0, 5000), max_size=6))
def test_a_call_is_the_same_from_all_however_its_stream_is_cut(server: str, cuts: list[int]) -> None:
    outcome, reader = read(SERVERS[server]["call"], cuts)
    pieces = [each for chunk in outcome.chunks for each in chunk.tool_calls]
    assert "".join(each.arguments for each in pieces) == ARGUMENTS
    assert [each.name for each in pieces if each.name] == ["get_weather"]
    assert len([each.id for each in pieces if each.id]) == 1
    assert outcome.finishes == {0: "tool_calls"}
    assert reader.usage is not None
    assert reader.usage.output == 22
