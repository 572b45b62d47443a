"""Any valid Messages body becomes a neutral request that means the same when Anthropic's driver writes it again."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models import readers
from tests.models.calls import a_call

from fairlead.errors import BadInput
from fairlead.models import anthropic_request
from fairlead.models.types import ModelCall
from fairlead.server.anthropic.message_request import read_count, read_request

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
IDS = st.text("abcXYZ019_-", min_size=1, max_size=12)
DATA = st.sampled_from(["AAAA", "iVBORw0KGgo=", "BB=="])
MARKS = st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=2)
SCHEMAS = st.sampled_from(
    [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {}}]
)
URL = {"type": "url", "url": "https://a.example/x"}


def block(kind: str, marked: bool = True, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A block of a kind, with a mark or without."""
    optional = {"cache_control": MARKS} if marked else {}
    return st.fixed_dictionaries({"type": st.just(kind), **fields}, optional=optional)


TEXTS = block("text", text=WORDS)
PNG = st.fixed_dictionaries({"type": st.just("base64"), "media_type": st.just("image/png"), "data": DATA})
PDF = st.fixed_dictionaries({"type": st.just("base64"), "media_type": st.just("application/pdf"), "data": DATA})
NOTE = st.fixed_dictionaries({"type": st.just("text"), "media_type": st.just("text/plain"), "data": WORDS})
IMAGES = block("image", source=PNG | st.just(URL))
FILES = block("document", source=PDF | st.just(URL))
NOTES = block("document", source=NOTE, title=WORDS)
SHOWN = TEXTS | IMAGES | FILES | NOTES


THOUGHTS = block("thinking", False, thinking=WORDS, signature=DATA) | block("redacted_thinking", False, data=DATA)
SAID = st.lists(THOUGHTS | TEXTS, max_size=3)
CALLS = st.lists(block("tool_use", False, id=IDS, name=st.just("look_up"), input=OBJECTS), max_size=2)
QUESTIONS = WORDS | st.lists(SHOWN, min_size=1, max_size=3)
RESULTS = st.fixed_dictionaries(
    {"type": st.just("tool_result"), "content": WORDS | st.lists(SHOWN, min_size=1, max_size=2)},
    optional={"is_error": st.booleans(), "cache_control": MARKS},
)


@st.composite
def assistants(draw: st.DrawFn) -> list[dict[str, Any]]:
    """An assistant's blocks as a model makes them: reasoning and text in any order, then calls."""
    return draw(SAID) + draw(CALLS) or [{"type": "text", "text": "so"}]


@st.composite
def turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A conversation as it happens: questions, rounds of tools, answers."""
    found: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 3))):
        found.append({"role": "user", "content": draw(QUESTIONS)})
        said = draw(assistants())
        found.append({"role": "assistant", "content": said})
        results = [{**draw(RESULTS), "tool_use_id": each["id"]} for each in said if each["type"] == "tool_use"]
        if results:
            found.append({"role": "user", "content": results + draw(st.lists(TEXTS, max_size=1))})
    return [*found, {"role": "user", "content": draw(WORDS)}]


TOOLS = st.fixed_dictionaries(
    {"name": st.just("look_up"), "input_schema": SCHEMAS},
    optional={"description": WORDS, "cache_control": MARKS, "strict": st.booleans()},
)
PARALLEL = {"disable_parallel_tool_use": st.just(True)}
CHOICES = (
    st.fixed_dictionaries({"type": st.sampled_from(["auto", "any"])}, optional=PARALLEL)
    | st.fixed_dictionaries({"type": st.just("tool"), "name": st.just("look_up")}, optional=PARALLEL)
    | st.just({"type": "none"})
)
DISPLAYS = st.sampled_from(["summarized", "omitted"])
THINKING = (
    st.fixed_dictionaries(
        {"type": st.just("enabled"), "budget_tokens": st.integers(1024, 9999)}, optional={"display": DISPLAYS}
    )
    | st.fixed_dictionaries({"type": st.just("adaptive"), "display": DISPLAYS})
    | st.just({"type": "disabled"})
)
OUTPUTS = st.fixed_dictionaries(
    {"effort": st.sampled_from(["low", "medium", "high", "xhigh", "max"])},
    optional={"format": st.fixed_dictionaries({"type": st.just("json_schema"), "schema": SCHEMAS})},
)
BODIES = st.fixed_dictionaries(
    {"model": st.just("house"), "max_tokens": st.integers(1, 9999), "messages": turns()},
    optional={
        "system": WORDS | st.lists(TEXTS, min_size=1, max_size=2),
        "tools": st.lists(TOOLS, min_size=1, max_size=1),
        "tool_choice": CHOICES,
        "stream": st.booleans(),
        "stop_sequences": st.lists(WORDS, min_size=1, max_size=2),
        "temperature": st.sampled_from([0.0, 0.5, 1.0]),
        "top_p": st.sampled_from([0.1, 1.0]),
        "top_k": st.integers(0, 50),
        "thinking": THINKING,
        "output_config": OUTPUTS,
        "service_tier": st.sampled_from(["auto", "standard_only"]),
        "metadata": st.fixed_dictionaries({"user_id": WORDS}),
        "cache_control": MARKS,
    },
)


def written(body: dict[str, Any]) -> tuple[ModelCall, dict[str, Any]]:
    """The call that a body becomes, and what the driver writes of it."""
    request = read_request(json.dumps(body).encode()).request
    call = msgspec.structs.replace(a_call(max_output=request.max_output), request=request)
    return call, json.loads(anthropic_request.encode(call, identify=True))


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """The body with what may stand in two places, or be said in two ways, in one of them."""
    body = json.loads(json.dumps(body))
    for turn in body["messages"]:
        for each in turn["content"] if isinstance(turn["content"], list) else []:
            if each["type"] == "tool_result":
                mark = each.pop("cache_control", None)
                if isinstance(each["content"], str):
                    each["content"] = [{"type": "text", "text": each["content"]}]
                if mark is not None:
                    each["content"][-1].setdefault("cache_control", mark)
    mark = body.pop("cache_control", None)
    if mark is not None:
        last = body["messages"][-1]
        last["content"] = [{"type": "text", "text": last["content"], "cache_control": mark}]
    return body


@given(body=BODIES)
def test_a_body_means_the_same_when_the_driver_writes_it_again(body: dict[str, Any]) -> None:
    if "tools" not in body:
        body.pop("tool_choice", None)
    _, found = written(body)
    given_ = plain(body)
    assert readers.read_messages(plain(found)) == readers.read_messages(given_)
    for name in ("temperature", "top_p", "top_k", "stop_sequences", "tools", "service_tier", "metadata"):
        assert found.get(name) == given_.get(name), name
    assert found["stream"] == given_.get("stream", False)
    assert found.get("tool_choice") == given_.get("tool_choice")
    thinking = given_.get("thinking")
    assert found.get("thinking") == thinking
    config = dict(given_.get("output_config") or {})
    if thinking is not None and thinking["type"] == "adaptive":
        config.setdefault("effort", "high")  # what this vendor takes where none is given
    assert (found.get("output_config") or {}) == config


@given(body=BODIES)
def test_no_text_that_a_client_sends_is_lost_before_the_rules_see_it(body: dict[str, Any]) -> None:
    if "tools" not in body:
        body.pop("tool_choice", None)
    call, _ = written(body)
    seen = msgspec.json.encode(call.request.messages).decode()
    for turn in body["messages"]:
        for each in turn["content"] if isinstance(turn["content"], list) else [{"text": turn["content"]}]:
            for name in ("text", "thinking"):
                assert json.dumps(each.get(name, ""), ensure_ascii=False)[1:-1] in seen


def test_arguments_are_looked_at_as_text_however_they_were_escaped() -> None:
    body = rb"""{"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}, {"role": "assistant",
        "content": [{"type": "tool_use", "id": "a", "name": "pay", "input": {"card": "\u0034111 1111"}}]}]}"""
    _, message = read_request(body).request.messages
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == '{"card":"4111 1111"}'


def test_what_is_attached_counts_by_what_a_model_makes_of_it() -> None:
    def size(data: str) -> int:
        source = {"type": "base64", "media_type": "image/png", "data": data}
        body = {"model": "m", "messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]}
        return read_count(json.dumps(body).encode()).size

    assert size("A" * 400_000) == size("AAAA")


@pytest.mark.parametrize(
    ("blocks", "messages"),
    [
        (["thinking", "text"], [("thoughts", "content")]),
        (["text", "thinking", "text"], [("content",), ("thoughts", "content")]),
        (["thinking", "tool_use", "thinking", "text"], [("thoughts", "content", "tool_calls")]),
        ([], [("content",)]),
    ],
)
def test_reasoning_stays_where_it_stood_unless_a_call_stands_before_it(blocks: list[str], messages: list[Any]) -> None:
    kinds: dict[str, Any] = {
        "text": {"text": "so"},
        "thinking": {"thinking": "hm", "signature": "x"},
        "tool_use": {"id": "a", "name": "pay", "input": {}},
    }
    content = [{"type": kind, **kinds[kind]} for kind in blocks]
    said = [{"role": "user", "content": "x"}, {"role": "assistant", "content": content}]
    body = {"model": "m", "max_tokens": 1, "messages": said}
    found = read_request(json.dumps(body).encode()).request.messages[1:]
    names = ("thoughts", "content", "tool_calls")
    assert [tuple(name for name in names if getattr(each, name) is not None) for each in found] == messages


@pytest.mark.parametrize("body", [b"", b"[]", b'{"model":"x"}', b"\xff", b"[" * 5000, b'{"model":"\\ud800"}'])
def test_garbage_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        read_request(body)
