"""The official `openai` client: chat completions."""

import asyncio
import json
from typing import Any

import openai
import pytest
from asking import COUNTING, GREETING, JOKE, KEY, MODEL, URL, WEATHER
from pydantic import BaseModel

client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=100)
HELLO = [{"role": "user", "content": "hello"}]
COUNT = [{"role": "user", "content": "count to ten"}]
ASKED = [{"role": "user", "content": "What is the weather in Paris?"}]
TOOLS = [{"type": "function", "function": WEATHER}]


def ask(messages: Any = HELLO, **more: Any) -> Any:
    return client.chat.completions.create(model=MODEL, messages=messages, temperature=0, **{"max_tokens": 200} | more)


def stream(messages: Any = HELLO, **more: Any) -> list[Any]:
    return list(ask(messages, stream=True, **more))


def said(chunks: list[Any]) -> str:
    return "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)


def finish_of(chunks: list[Any]) -> list[str]:
    return [each.choices[0].finish_reason for each in chunks if each.choices and each.choices[0].finish_reason]


def test_a_reply() -> None:
    reply = ask()
    assert reply.object == "chat.completion"
    assert reply.id
    assert isinstance(reply.created, int)
    (choice,) = reply.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert choice.message.content.startswith(GREETING)
    assert not choice.message.tool_calls


def test_usage_adds_up() -> None:
    usage = ask().usage
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 5
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_stream_says_what_a_reply_says() -> None:
    chunks = stream()
    assert said(chunks) == ask().choices[0].message.content
    assert finish_of(chunks) == ["stop"]
    assert len({each.id for each in chunks}) == 1
    assert {each.object for each in chunks} == {"chat.completion.chunk"}


def test_a_stream_comes_in_pieces() -> None:
    # Not one for each token: what arrives together may leave together.
    assert sum(bool(each.choices and each.choices[0].delta.content) for each in stream(COUNT)) > 1


def test_the_role_comes_first_in_a_stream() -> None:
    assert stream()[0].choices[0].delta.role == "assistant"


def test_usage_at_the_end_of_a_stream() -> None:
    chunks = stream(stream_options={"include_usage": True})
    usages = [each.usage for each in chunks if each.usage]
    assert len(usages) == 1
    assert chunks[-1].usage
    assert not chunks[-1].choices
    assert usages[0].total_tokens == usages[0].prompt_tokens + usages[0].completion_tokens


def test_the_end_mark_of_a_stream() -> None:
    with client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=HELLO, max_tokens=20, temperature=0, stream=True
    ) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in reply.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"


def test_a_system_message() -> None:
    assert ask([{"role": "system", "content": "be kind"}, *HELLO]).choices[0].message.content.startswith(GREETING)


def test_a_developer_message() -> None:
    assert ask([{"role": "developer", "content": "be kind"}, *HELLO]).choices[0].message.content.startswith(GREETING)


def test_content_in_parts() -> None:
    parts = [{"type": "text", "text": "count "}, {"type": "text", "text": "to ten"}]
    assert ask([{"role": "user", "content": parts}]).choices[0].message.content.startswith(COUNTING)


def test_a_conversation() -> None:
    turns = [*HELLO, {"role": "assistant", "content": "good day"}, *COUNT]
    assert ask(turns).choices[0].message.content.startswith(COUNTING)


def test_a_name_in_a_message() -> None:
    assert ask([{**HELLO[0], "name": "kim"}]).choices[0].message.content


def test_max_tokens_cuts() -> None:
    reply = ask(COUNT, max_tokens=5)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 5


def test_max_completion_tokens_cuts() -> None:
    reply = client.chat.completions.create(model=MODEL, messages=COUNT, temperature=0, max_completion_tokens=5)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 5


def test_max_tokens_cuts_a_stream() -> None:
    assert finish_of(stream(COUNT, max_tokens=5)) == ["length"]


@pytest.mark.parametrize("stop", ["Two", ["Seven", "Three"]])
def test_a_stop_text_ends_the_reply_and_is_not_in_it(stop: Any) -> None:
    choice = ask(COUNT, stop=stop).choices[0]
    assert choice.finish_reason == "stop"
    assert choice.message.content.startswith("One lamp")
    assert "Two" not in choice.message.content or stop != "Two"
    assert "Three" not in choice.message.content


def test_a_stop_text_ends_a_stream() -> None:
    chunks = stream(COUNT, stop=["Two"])
    assert finish_of(chunks) == ["stop"]
    assert said(chunks).strip() == "One lamp stands on the shelf."


def test_a_seed_gives_the_same_again() -> None:
    first, again = (ask(seed=7, max_tokens=20).choices[0].message.content for _ in range(2))
    assert first == again


def test_sampling_knobs_are_taken() -> None:
    reply = client.chat.completions.create(
        model=MODEL, messages=HELLO, max_tokens=10, top_p=0.9, frequency_penalty=0.1, presence_penalty=0.1, seed=1
    )
    assert reply.choices[0].message.content


def test_logit_bias_turns_a_token_away() -> None:
    free = ask(COUNT, max_tokens=1).choices[0].message.content
    # Which token begins the reply depends on the tokenizer, so all that could are turned away in turn.
    assert ask(COUNT, max_tokens=1, logit_bias={str(token): -100 for token in range(9, 700)}).choices[0] is not None
    assert free


def test_two_choices() -> None:
    reply = ask(n=2)
    assert sorted(each.index for each in reply.choices) == [0, 1]
    assert all(each.message.content for each in reply.choices)


def test_two_choices_in_a_stream() -> None:
    ends = {each.choices[0].index for each in stream(n=2) if each.choices and each.choices[0].finish_reason}
    assert ends == {0, 1}


def test_logprobs() -> None:
    choice = ask(max_tokens=5, logprobs=True, top_logprobs=3).choices[0]
    assert "".join(each.token for each in choice.logprobs.content) == choice.message.content
    assert all(each.logprob <= 0 and len(each.top_logprobs) == 3 for each in choice.logprobs.content)


def test_logprobs_in_a_stream() -> None:
    chunks = stream(max_tokens=5, logprobs=True, top_logprobs=2)
    tokens = [each for chunk in chunks if chunk.choices and chunk.choices[0].logprobs
              for each in chunk.choices[0].logprobs.content]  # fmt: skip
    assert "".join(each.token for each in tokens) == said(chunks)


def test_json_object() -> None:
    text = ask([{"role": "user", "content": "a joke as JSON"}], response_format={"type": "json_object"})
    assert isinstance(json.loads(text.choices[0].message.content), dict)


def test_json_schema() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "joke", "schema": JOKE, "strict": True}}
    # A greeting would come without the schema: it has to be forced.
    joke = json.loads(ask(response_format=form).choices[0].message.content)
    assert set(joke) == {"setup", "punchline"}


def test_json_schema_in_a_stream() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "joke", "schema": JOKE, "strict": True}}
    chunks = stream([{"role": "user", "content": "a joke please"}], response_format=form)
    assert set(json.loads(said(chunks))) == {"setup", "punchline"}


def test_a_parsed_reply() -> None:
    class Joke(BaseModel):
        setup: str
        punchline: str

    reply = client.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": "a joke"}], response_format=Joke, temperature=0
    )
    assert isinstance(reply.choices[0].message.parsed, Joke)


def test_a_tool_is_called() -> None:
    choice = ask(ASKED, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert call.id
    assert json.loads(call.function.arguments) == {"location": "Paris"}


def test_a_tool_is_called_in_a_stream() -> None:
    chunks = stream(ASKED, tools=TOOLS)
    pieces = [each for chunk in chunks if chunk.choices for each in chunk.choices[0].delta.tool_calls or []]
    assert {each.index for each in pieces} == {0}
    assert [each.function.name for each in pieces if each.function.name] == ["get_weather"]
    assert len([each.id for each in pieces if each.id]) == 1
    assert json.loads("".join(each.function.arguments or "" for each in pieces)) == {"location": "Paris"}
    assert finish_of(chunks) == ["tool_calls"]


def test_the_clients_own_accumulation_of_a_stream() -> None:
    with client.chat.completions.stream(
        model=MODEL, messages=ASKED, tools=TOOLS, temperature=0, max_tokens=200
    ) as events:
        for _ in events:
            continue
        message = events.get_final_completion().choices[0].message
    assert json.loads(message.tool_calls[0].function.arguments) == {"location": "Paris"}


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_that_must_be_called(streamed: bool) -> None:
    more: dict[str, Any] = {"tools": TOOLS, "tool_choice": "required"}
    if streamed:
        assert any(each.choices and each.choices[0].delta.tool_calls for each in stream(HELLO, **more))
    else:
        assert ask(HELLO, **more).choices[0].message.tool_calls[0].function.name == "get_weather"


def test_a_tool_that_is_named() -> None:
    named = {"type": "function", "function": {"name": "get_weather"}}
    message = ask(HELLO, tools=TOOLS, tool_choice=named).choices[0].message
    assert [each.function.name for each in message.tool_calls] == ["get_weather"]


def test_a_tool_that_may_not_be_called() -> None:
    choice = ask(HELLO, tools=TOOLS, tool_choice="none").choices[0]
    assert not choice.message.tool_calls
    assert choice.finish_reason in ("stop", "length")


def test_one_tool_call_at_a_time() -> None:
    assert len(ask(ASKED, tools=TOOLS, parallel_tool_calls=False).choices[0].message.tool_calls) == 1


def test_parallel_tool_calls_are_taken() -> None:
    assert len(ask(ASKED, tools=TOOLS, parallel_tool_calls=True).choices[0].message.tool_calls) >= 1


@pytest.mark.parametrize("content", [None, "", "one moment"])
def test_a_tools_result_is_answered(content: str | None) -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"location": "Paris"}'},
    }
    turns = [
        *ASKED,
        {"role": "assistant", "content": content, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"},
    ]
    choice = ask(turns, tools=TOOLS).choices[0]
    assert choice.message.content.startswith("The tool has answered")


def test_two_calls_and_two_results_are_answered() -> None:
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "get_weather", "arguments": '{"location": "x"}'}}
        for n in range(2)
    ]
    results = [{"role": "tool", "tool_call_id": f"call_{n}", "content": f"{n} degrees"} for n in range(2)]
    turns = [*ASKED, {"role": "assistant", "content": None, "tool_calls": calls}, *results]
    assert ask(turns, tools=TOOLS).choices[0].message.content


def test_a_reply_can_be_sent_back_as_it_came() -> None:
    message = ask(ASKED, tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "18 degrees"}
    assert ask([*ASKED, message, result], tools=TOOLS).choices[0].message.content


def test_messages_that_are_missing() -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=MODEL, messages=[])


def test_a_number_that_is_none() -> None:
    with pytest.raises((openai.BadRequestError, openai.UnprocessableEntityError)):
        ask(extra_body={"max_tokens": "many"})


def test_a_prompt_that_is_too_long() -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask([{"role": "user", "content": "word " * 9000}])
    assert "context" in f"{caught.value.code} {caught.value.type} {caught.value.message}"


def test_a_prompt_that_is_too_long_for_a_stream() -> None:
    with pytest.raises(openai.BadRequestError):
        stream([{"role": "user", "content": "word " * 9000}])


def test_a_stream_can_be_left() -> None:
    for _ in ask(COUNT, stream=True):
        break
    assert ask().choices[0].message.content


def test_several_at_once() -> None:
    async def many() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=100) as many_at_once:
            asked = {"model": MODEL, "messages": HELLO, "temperature": 0, "max_tokens": 200}
            return await asyncio.gather(*(many_at_once.chat.completions.create(**asked) for _ in range(6)))

    replies = asyncio.run(many())
    assert all(each.choices[0].message.content.startswith(GREETING) for each in replies)


def test_several_streams_at_once() -> None:
    async def one(from_: Any) -> str:
        chunks = await from_.chat.completions.create(
            model=MODEL, messages=COUNT, temperature=0, max_tokens=200, stream=True
        )
        return "".join([each.choices[0].delta.content or "" async for each in chunks if each.choices])

    async def many() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=100) as from_:
            return await asyncio.gather(*(one(from_) for _ in range(4)))

    assert all("Ten lamp" in text for text in asyncio.run(many()))


def test_the_list_of_models() -> None:
    assert MODEL in [each.id for each in client.models.list()]


def test_one_model() -> None:
    assert client.models.retrieve(MODEL).id == MODEL
