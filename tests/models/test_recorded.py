from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.faults.provider import Provider
from tests.faults.wires import PROSE
from tests.models.calls import CLOCK, a_call, a_driver, outcome_of

from fairlead.errors import BadInput, Upstream
from fairlead.models.recorded import RecordedDriver, Recorder, call_key
from fairlead.models.sampling import Sampling
from fairlead.models.settings import EndpointSettings
from fairlead.net.http import Http


def replay(cassette: Path) -> RecordedDriver:
    return RecordedDriver(EndpointSettings(name="r", scheme="recorded", url=str(cassette)), Http(CLOCK), CLOCK)


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    return tmp_path / "cassette.jsonl"


async def test_a_recorded_reply_comes_back_chunk_by_chunk(cassette: Path) -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        driver, model = a_driver("openai-compatible", provider.url, http)
        call = a_call(model=model, stream=True, sampling=Sampling(logprobs=True))
        live = await outcome_of(Recorder(driver, cassette), call)
    played = await outcome_of(replay(cassette), call)
    assert played.chunks == live.chunks
    assert played.text == PROSE
    assert await replay(cassette).probe() == ["tiny"]


async def test_a_request_that_was_not_recorded_says_how_to_record_it(cassette: Path) -> None:
    cassette.touch()
    outcome = await outcome_of(replay(cassette), a_call())
    assert type(outcome.error) is Upstream
    assert not outcome.error.retryable
    assert "record" in outcome.error.mend


async def test_a_cassette_that_is_missing_is_an_error_of_the_call(cassette: Path) -> None:
    outcome = await outcome_of(replay(cassette), a_call())
    assert outcome.error is not None
    assert "cassette.jsonl" in outcome.error.message


@pytest.mark.parametrize("line", ["x", "{}", '{"fairlead":"cassette/9","key":"a","model":"m","chunks":[]}'])
async def test_a_cassette_that_is_no_cassette_names_the_line(cassette: Path, line: str) -> None:
    cassette.write_text(line + "\n")
    with pytest.raises(BadInput, match="line 1"):
        await replay(cassette).probe()


async def test_takes_of_the_same_request_come_in_order_and_the_last_one_stays(cassette: Path) -> None:
    call = a_call()
    async with Provider() as provider, Http(CLOCK) as http:
        driver, _ = a_driver("openai-compatible", provider.url, http)
        recorder = Recorder(driver, cassette)
        provider.next = ["503", "", "429"]
        for _ in range(3):
            await outcome_of(recorder, call)
    played = replay(cassette)
    said = [(await outcome_of(played, call)).error for _ in range(4)]
    assert [None if error is None else error.code for error in said] == [
        "upstream", None, "upstream_rate_limited", "upstream_rate_limited",
    ]  # fmt: skip


async def test_no_secret_and_no_question_is_in_a_cassette(cassette: Path) -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        driver, model = a_driver("openai-compatible", provider.url, http, key="env:K")
        await outcome_of(Recorder(driver, cassette), a_call("what only I know", model=model))
        assert provider.received[0].headers["authorization"] == "Bearer test-key"
    text = cassette.read_text()
    assert "test-key" not in text
    assert "what only I know" not in text
    assert cassette.stat().st_mode & 0o077 == 0


def test_only_what_shapes_a_reply_is_in_its_key() -> None:
    assert call_key(a_call(seconds=1, size=7)) == call_key(a_call(seconds=9))
    assert call_key(a_call("a")) != call_key(a_call("b"))
    assert call_key(a_call(max_output=5)) != call_key(a_call())
    assert call_key(a_call(stream=True)) != call_key(a_call())


def test_a_cassette_is_played_back_under_another_name_of_the_model() -> None:
    call = a_call()
    played = replace(call, model=replace(call.model, name="replayed", remote="cassette.jsonl"))
    assert call_key(played) == call_key(call)
