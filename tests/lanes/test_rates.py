"""How fast may be asked: never more than a minute's worth and what has come back since."""

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI, RateLimitError
from tests.world import key_of, served

from fairlead.identity.types import Caller
from fairlead.lanes.rate_settings import CallRateSettings, LimitsSettings, RateSettings
from fairlead.lanes.rates import Rates, TooFast, compile_limits

KIM = Caller(person="kim", department="sales", credential="key:kim")


def rates(at: list[float], **limits: dict[str, RateSettings]) -> Rates:
    return Rates(lambda: at[0], LimitsSettings(**limits))


def test_nothing_declared_is_nothing_to_ask() -> None:
    assert compile_limits(LimitsSettings()) is None


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 300)), max_size=60), st.integers(1, 4))
def test_in_any_minute_no_more_passes_than_two_minutes_worth(steps: list[tuple[float, int]], workers: int) -> None:
    at, passed = [0.0], list[tuple[float, int]]()
    made = rates(at, persons={"*": RateSettings(requests=10, tokens=600)})
    made.workers = workers
    for pause, tokens in steps:
        at[0] += pause
        try:
            made.take(KIM, "chat", "small", tokens)
        except TooFast:
            continue
        passed.append((at[0], tokens))
    for start, _ in passed:
        within = [tokens for moment, tokens in passed if start <= moment < start + 60]
        assert len(within) <= 20 / workers + 1
        assert sum(within) <= 1200 / workers + 300


def test_who_comes_back_when_told_is_let_through() -> None:
    at = [0.0]
    made = rates(at, persons={"kim": RateSettings(requests=2)})
    made.take(KIM, "chat", "small", 1)
    made.take(KIM, "chat", "small", 1)
    with pytest.raises(TooFast) as refused:
        made.take(KIM, "chat", "small", 1)
    at[0] += refused.value.retry_after
    made.take(KIM, "chat", "small", 1)


def test_a_refused_request_counts_against_no_limit() -> None:
    at = [0.0]
    made = rates(at, persons={"kim": RateSettings(requests=5)}, departments={"sales": RateSettings(requests=1)})
    made.take(KIM, "chat", "small", 1)
    for _ in range(9):
        with pytest.raises(TooFast, match="department sales"):
            made.take(KIM, "chat", "small", 1)
    at[0] += 60
    made.take(KIM, "chat", "small", 1)


def test_tokens_that_were_not_used_come_back() -> None:
    at = [0.0]
    made = rates(at, models={"small": RateSettings(tokens=100)})
    taken = made.take(KIM, "chat", "small", 100)
    assert taken is not None
    with pytest.raises(TooFast):
        made.take(KIM, "chat", "small", 50)
    taken.used(20)
    made.take(KIM, "chat", "small", 50)
    made.take(KIM, "chat", "large", 10_000)


def test_calls_of_tools_have_limits_of_their_own() -> None:
    at = [0.0]
    made = Rates(
        lambda: at[0],
        LimitsSettings(
            persons={"*": RateSettings(requests=1, calls=3)},
            systems={"crm": CallRateSettings(calls=2)},
            tools={"crm.close": CallRateSettings(calls=1)},
        ),
    )
    made.take(KIM, "chat", "small", 1)
    made.take_call(KIM, "crm", "crm.close")
    with pytest.raises(TooFast, match=r"tool crm\.close has asked for more than 1 calls"):
        made.take_call(KIM, "crm", "crm.close")
    made.take_call(KIM, "crm", "crm.read")
    with pytest.raises(TooFast, match="system crm"):
        made.take_call(KIM, "crm", "crm.read")
    made.take_call(KIM, "wiki", "wiki.read")
    with pytest.raises(TooFast, match="person kim") as refused:
        made.take_call(KIM, "wiki", "wiki.read")
    at[0] += refused.value.retry_after
    made.take_call(KIM, "wiki", "wiki.read")


def test_what_is_left_is_that_of_the_limit_with_the_least() -> None:
    made = rates(
        [0.0], persons={"*": RateSettings(requests=9)}, departments={"sales": RateSettings(requests=4, tokens=100)}
    )
    taken = made.take(KIM, "chat", "small", 30)
    assert taken is not None
    assert [(each.unit, each.limit, round(each.left)) for each in taken.left] == [
        ("requests", 4, 3),
        ("tokens", 100, 70),
    ]


def test_a_client_is_told_when_to_come_back_and_what_is_left(tmp_path: Path) -> None:
    with served(tmp_path, limits={"persons": {"kim": {"requests": 2}}}) as s:
        url, question = (
            f"{s.url}/v1/chat/completions",
            {"model": "small", "messages": [{"role": "user", "content": "x"}]},
        )
        said = [httpx.post(url, json=question, headers=s.auth("kim")) for _ in range(3)]
        assert [one.status_code for one in said] == [200, 200, 429]
        assert 1 <= int(said[2].headers["retry-after"]) <= 30
        assert [one.headers["x-ratelimit-remaining-requests"] for one in said] == ["1", "0", "0"]
        assert [one.headers["x-ratelimit-limit-requests"] for one in said[:2]] == ["2", "2"]
        assert said[2].headers["x-ratelimit-limit-requests"] == "2"
        assert said[2].headers["x-ratelimit-remaining-requests"] == "0"
        unlimited = httpx.post(url, json=question, headers=s.auth("lee"))
        assert unlimited.status_code == 200
        assert [name for name in unlimited.headers if name.startswith("x-ratelimit")] == []
        client = OpenAI(api_key=key_of("kim"), base_url=s.url + "/v1", max_retries=0)
        with pytest.raises(RateLimitError) as refused:
            client.chat.completions.create(model="small", messages=[{"role": "user", "content": "hi"}])
        assert refused.value.code == "rate_limited"
        refusals = [each.error.code for each in s.records("call_model") if each.error is not None]
        assert refusals == ["rate_limited", "rate_limited"]
