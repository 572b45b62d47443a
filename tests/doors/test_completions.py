"""The official client gets from the door of legacy completions what it expects, streamed and not."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from tests.world import IN, OUT, Served, key_of, served

PROMPT = "echo the harbour is calm"
PROSE = "the harbour is calm"


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("completions"), budgets={"organisation": {"total": 1000}}) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


@pytest.fixture
def client(s: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), max_retries=0) as client:
        yield client


def test_a_prompt_is_completed_billed_and_recorded(s: Served, client: OpenAI) -> None:
    reply = client.completions.create(model="small", prompt=PROMPT, max_tokens=100, user="kim", best_of=1)
    (choice,) = reply.choices
    assert (choice.text, choice.finish_reason, choice.logprobs) == (PROSE, "stop", None)
    assert (reply.object, reply.model) == ("text_completion", "small")
    assert reply.usage is not None
    about = reply.fairlead  # type: ignore[attr-defined]
    assert reply.id == f"cmpl-{about['run']}"
    expected = reply.usage.prompt_tokens * IN + 4 * OUT
    assert Decimal(about["cost"]["amount"]) * 10**9 == expected
    (record,) = s.records(run=about["run"])
    assert (record.cost, record.outcome, record.door) == (expected, "done", "openai.completions")
    sent = s.provider.received[-1].json
    assert sent["messages"] == [{"role": "user", "content": PROMPT}]
    assert "user" not in sent


def test_a_stream_says_the_same_piece_by_piece(client: OpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = list(client.completions.create(model="small", prompt=[PROMPT], max_tokens=99, stream=True,
                                            stream_options=options))  # fmt: skip
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == PROSE
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4


def test_without_a_limit_the_protocol_s_own_holds(s: Served, client: OpenAI) -> None:
    client.completions.create(model="small", prompt=PROMPT)
    assert s.provider.received[-1].json["max_tokens"] == 16


def test_several_choices_and_sampling_go_on_to_the_model(s: Served, client: OpenAI) -> None:
    reply = client.completions.create(model="small", prompt=PROMPT, n=2, stop=["!"], seed=7, temperature=0.5)
    assert [choice.text for choice in reply.choices] == [PROSE, PROSE]
    sent = s.provider.received[-1].json
    assert (sent["n"], sent["stop"], sent["seed"], sent["temperature"]) == (2, ["!"], 7, 0.5)


@pytest.mark.parametrize("streamed", [False, True])
def test_logprobs_come_in_this_protocol_s_four_lists(s: Served, client: OpenAI, streamed: bool) -> None:
    asked: Any = {"model": "small", "prompt": "echo a bcd", "logprobs": 2}
    if streamed:
        pieces = [c.choices[0].logprobs for c in client.completions.create(**asked, stream=True) if c.choices]
        found = [piece for piece in pieces if piece is not None]
        assert [offset for each in found for offset in each.text_offset or ()] == [0, 1]
        assert [value for each in found for value in each.token_logprobs or ()] == [-0.5, -0.5]
    else:
        logprobs = client.completions.create(**asked).choices[0].logprobs
        assert logprobs is not None
        assert (logprobs.tokens, logprobs.text_offset) == (["a", "bcd"], [0, 1])
        assert (logprobs.token_logprobs, logprobs.top_logprobs) == ([-0.5, -0.5], [{}, {}])
    sent = s.provider.received[-1].json
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 2)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": [[1, 2], [3]]}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"suffix": "the end"}, "suffix"),
        ({"echo": True}, "echo"),
        ({"best_of": 3}, "best_of"),
        ({"best_of": 1, "n": 2}, "best_of"),
        ({"logprobs": 6}, "logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"messages": []}, "messages"),
        ({"logit_bias": {"3": "x"}}, "logit_bias[...]"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_its_name(s: Served, fields: dict[str, Any], param: str) -> None:
    before = len(s.provider.received)
    body = {"model": "small", "prompt": PROMPT, **fields}
    response = httpx.post(f"{s.url}/v1/completions", headers=s.auth(), json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, "bad_input", param)
    assert error["fairlead"]["help"]
    assert len(s.provider.received) == before


def test_a_dry_run_prices_and_calls_nothing(s: Served) -> None:
    before = len(s.provider.received)
    headers = {**s.auth(), "x-fairlead-dry-run": "estimate"}
    response = httpx.post(f"{s.url}/v1/completions", headers=headers, json={"model": "small", "prompt": PROMPT})
    assert response.json()["estimates"][0]["model"] == "small"
    assert len(s.provider.received) == before


def test_a_provider_that_breaks_off_in_the_middle_is_an_error_and_no_end(s: Served, client: OpenAI) -> None:
    s.provider.next = ["reset-mid-body"]
    with pytest.raises(openai.APIError) as raised:
        list(client.completions.create(model="small", prompt="count to a hundred", max_tokens=500, stream=True))
    assert json.loads(json.dumps(raised.value.body))["code"] == "upstream_cut_off"
