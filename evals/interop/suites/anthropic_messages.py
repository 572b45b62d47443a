"""The official `anthropic` client."""

from typing import Any

import anthropic
import pytest
from asking import COUNTING, GREETING, KEY, MODEL, URL, WEATHER

client = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0, timeout=100)
HELLO: list[Any] = [{"role": "user", "content": "hello"}]
COLD = {"temperature": 0}  # newer clients have no parameter for it
COUNT: list[Any] = [{"role": "user", "content": "count to ten"}]
TOOLS: list[Any] = [
    {"name": WEATHER["name"], "description": WEATHER["description"], "input_schema": WEATHER["parameters"]}
]


def ask(messages: Any = HELLO, **more: Any) -> Any:
    return client.messages.create(model=MODEL, messages=messages, extra_body=COLD, **{"max_tokens": 200} | more)


def test_a_reply() -> None:
    reply = ask()
    assert (reply.type, reply.role, reply.stop_reason) == ("message", "assistant", "end_turn")
    (block,) = reply.content
    assert block.type == "text"
    assert block.text.startswith(GREETING)
    assert reply.id


def test_usage() -> None:
    usage = ask().usage
    assert usage.input_tokens + (usage.cache_read_input_tokens or 0) > 0
    assert usage.output_tokens > 5


def test_a_stream_says_what_a_reply_says() -> None:
    with client.messages.stream(model=MODEL, messages=HELLO, max_tokens=200, extra_body=COLD) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    assert text == final.content[0].text == ask().content[0].text
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens > 5


def test_the_events_of_a_stream() -> None:
    seen = [each.type for each in ask(stream=True)]
    assert [kind for kind in dict.fromkeys(seen) if kind != "ping"] == [
        "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
        "message_stop",
    ]  # fmt: skip


@pytest.mark.parametrize("system", ["be kind", [{"type": "text", "text": "be kind"}]])
def test_a_system_prompt(system: Any) -> None:
    assert ask(system=system).content[0].text.startswith(GREETING)


def test_content_in_blocks() -> None:
    blocks = [{"type": "text", "text": "count "}, {"type": "text", "text": "to ten"}]
    assert ask([{"role": "user", "content": blocks}]).content[0].text.startswith(COUNTING)


def test_a_conversation() -> None:
    assert ask([*HELLO, {"role": "assistant", "content": "good day"}, *COUNT]).content[0].text.startswith(COUNTING)


def test_max_tokens_cuts() -> None:
    reply = ask(COUNT, max_tokens=5)
    assert reply.stop_reason == "max_tokens"
    assert reply.usage.output_tokens == 5


def test_a_stop_sequence_ends_the_reply() -> None:
    reply = ask(COUNT, stop_sequences=["Three"])
    assert "Three" not in reply.content[0].text
    assert reply.content[0].text.startswith("One lamp")


def test_which_stop_sequence_it_was() -> None:
    assert ask(COUNT, stop_sequences=["Three"]).stop_sequence == "Three"


def test_the_reason_of_a_stop_sequence() -> None:
    assert ask(COUNT, stop_sequences=["Three"]).stop_reason == "stop_sequence"


def test_sampling_knobs_are_taken() -> None:
    reply = client.messages.create(model=MODEL, messages=HELLO, max_tokens=10, extra_body={"top_p": 0.9, "top_k": 20})
    assert reply.content[0].text


def test_metadata_is_taken() -> None:
    assert ask(metadata={"user_id": "kim"}).content[0].text


def test_cache_marks_are_taken() -> None:
    blocks = [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral"}}]
    assert ask(system=blocks).content[0].text


def test_a_tool_is_used() -> None:
    reply = ask(tools=TOOLS)
    assert reply.stop_reason == "tool_use"
    (block,) = [each for each in reply.content if each.type == "tool_use"]
    assert (block.name, block.input) == ("get_weather", {"location": "Paris"})
    assert block.id


def test_a_tool_is_used_in_a_stream() -> None:
    with client.messages.stream(model=MODEL, messages=HELLO, tools=TOOLS, max_tokens=200, extra_body=COLD) as events:
        final = events.get_final_message()
    assert [each.input for each in final.content if each.type == "tool_use"] == [{"location": "Paris"}]
    assert final.stop_reason == "tool_use"


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}])
def test_a_tool_that_must_be_used(choice: Any) -> None:
    assert any(each.type == "tool_use" for each in ask(tools=TOOLS, tool_choice=choice).content)


def test_a_tool_that_may_not_be_used() -> None:
    assert not any(each.type == "tool_use" for each in ask(tools=TOOLS, tool_choice={"type": "none"}).content)


@pytest.mark.parametrize("result", ["18 degrees", [{"type": "text", "text": "18 degrees"}]])
@pytest.mark.parametrize("failed", [False, True])
def test_a_tools_result_is_answered(result: Any, failed: bool) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "Paris"}}
    told = {"type": "tool_result", "tool_use_id": "toolu_1", "content": result, "is_error": failed}
    turns = [*HELLO, {"role": "assistant", "content": [use]}, {"role": "user", "content": [told]}]
    assert ask(turns, tools=TOOLS).content[0].text.startswith("The tool has answered")


def test_content_can_be_sent_back_as_it_came() -> None:
    reply = ask(tools=TOOLS)
    (use,) = [each for each in reply.content if each.type == "tool_use"]
    told = {"type": "tool_result", "tool_use_id": use.id, "content": "18 degrees"}
    turns = [*HELLO, {"role": "assistant", "content": reply.content}, {"role": "user", "content": [told]}]
    assert ask(turns, tools=TOOLS).content[0].text.startswith("The tool has answered")


def test_thinking_is_taken() -> None:
    reply = client.messages.create(
        model=MODEL, messages=HELLO, max_tokens=1100, thinking={"type": "enabled", "budget_tokens": 1024}
    )
    assert reply.content


def test_tokens_are_counted() -> None:
    short = client.messages.count_tokens(model=MODEL, messages=HELLO).input_tokens
    long = client.messages.count_tokens(model=MODEL, messages=[*HELLO * 20], system="be kind").input_tokens
    assert 0 < short < long


def test_tools_count_as_tokens() -> None:
    bare = client.messages.count_tokens(model=MODEL, messages=HELLO).input_tokens
    assert client.messages.count_tokens(model=MODEL, messages=HELLO, tools=TOOLS).input_tokens > bare


def test_messages_that_are_missing() -> None:
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(model=MODEL, max_tokens=10, messages=[])


def test_a_prompt_that_is_too_long() -> None:
    with pytest.raises(anthropic.BadRequestError):
        ask([{"role": "user", "content": "word " * 9000}])


def test_the_list_of_models() -> None:
    assert MODEL in [each.id for each in client.models.list()]
