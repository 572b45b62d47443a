"""Clients that other people wrote, pointed at Fairlead by nothing but a base URL and a key."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI
from pydantic import BaseModel
from tests.world import Served, key_of, served


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("clients"), budgets={"organisation": {"total": 1000}}) as s:
        yield s


@pytest.fixture(scope="module")
def chat(s: Served) -> ChatOpenAI:
    # Not closed here: LangChain shares its connections between models, and lets go of them itself.
    about: dict[str, Any] = {"base_url": f"{s.url}/v1", "api_key": key_of("kim"), "max_retries": 0}
    return ChatOpenAI(**about, model="small", stream_usage=True)


def test_langchain_completes(s: Served) -> None:
    about: dict[str, Any] = {"base_url": f"{s.url}/v1", "api_key": key_of("kim"), "max_retries": 0}
    text = OpenAI(**about, model="small")
    assert text.invoke("echo all is well") == "all is well"
    assert "".join(text.stream("echo all is well")) == "all is well"


@tool
def weather(city: str) -> str:
    """What the weather is like in a city."""
    return f"sunny in {city}"


class City(BaseModel):
    """A city."""

    city: str
    people: int


def test_langchain_invokes(s: Served, chat: ChatOpenAI) -> None:
    message = chat.invoke("echo all is well")
    assert message.content == "all is well"
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == 3
    (record,) = s.records(run=message.response_metadata["id"].removeprefix("chatcmpl-"))
    assert record.outcome == "done"


def test_langchain_streams(chat: ChatOpenAI) -> None:
    chunks = list(chat.stream("echo all is well"))
    assert "".join(str(chunk.content) for chunk in chunks) == "all is well"
    assert len([chunk for chunk in chunks if chunk.content]) > 1
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] == 3


async def test_langchain_works_asynchronously(s: Served) -> None:
    chat = ChatOpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), model="auto", max_retries=0)  # type: ignore[arg-type]
    assert (await chat.ainvoke("echo all is well")).content == "all is well"
    assert "".join([str(chunk.content) async for chunk in chat.astream("echo all is well")]) == "all is well"


def test_langchain_calls_tools_and_answers_them(chat: ChatOpenAI) -> None:
    bound = chat.bind_tools([weather])
    question = HumanMessage("what is it like?")
    asked = bound.invoke([question])
    assert isinstance(asked, AIMessage)
    (call,) = asked.tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Paris"})
    answer = bound.invoke([question, asked, ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])])
    assert answer.content
    assert not answer.tool_calls


def test_langchain_gets_structured_output(chat: ChatOpenAI) -> None:
    assert chat.with_structured_output(City).invoke("which?") == City(city="Paris", people=3)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
@pytest.mark.parametrize("streamed", [False, True])
def test_curl(s: Served, streamed: bool) -> None:
    body: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "echo all is well"}]}
    done = subprocess.run(
        ["curl", "-sSN", "--fail-with-body", f"{s.url}/v1/chat/completions", "-H", "content-type: application/json",
         "-H", f"authorization: Bearer {key_of('kim')}", "-d", json.dumps({**body, "stream": streamed})],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    if streamed:
        assert done.stdout.rstrip().endswith("data: [DONE]")
    else:
        assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "all is well"
