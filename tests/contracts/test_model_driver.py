"""The contract of every model driver, run over each of them against a provider that misbehaves in every known way."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest
from tests.faults.provider import FAULTS, SECRET_PATH, Provider
from tests.faults.wires import PROSE
from tests.models.calls import BASES, CLOCK, Outcome, a_call, a_driver, outcome_of
from tests.world import until

from fairlead.errors import CutOff, DeadlineExceeded, RateLimited, Rejected, TooLong, Upstream
from fairlead.models.message_text import text_of
from fairlead.models.recorded import RecordedDriver, Recorder
from fairlead.models.settings import EndpointSettings, TimeoutSettings
from fairlead.models.types import (
    FunctionTool,
    JsonSchemaSpec,
    Message,
    Model,
    ModelDriver,
    ResponseFormat,
    Tool,
)
from fairlead.net.http import Http

WIRES = tuple(BASES)
# Faults that a driver meets by waiting, and how little of it is enough to see that it does.
WAITED_FOR = {
    "hang": TimeoutSettings(connect=30.0, first_byte=0.05, idle=30.0),
    "slow-first-byte": TimeoutSettings(connect=30.0, first_byte=0.05, idle=30.0),
    "stall": TimeoutSettings(connect=30.0, first_byte=30.0, idle=0.25),
}

# What a fault must come out as, before anything was handed on. (class, charged, retryable)
REFUSALS = {
    "429": (RateLimited, "no", True),
    "429-seconds": (RateLimited, "no", True),
    "429-date": (RateLimited, "no", True),
    "401": (Upstream, "no", False),
    "403": (Upstream, "no", False),
    "404": (Upstream, "no", False),
    "408": (Upstream, "unknown", True),
    "409": (Upstream, "no", True),
    "400": (Rejected, "no", False),
    "400-path": (Rejected, "no", False),
    "422-detail": (Rejected, "no", False),
    "301": (Upstream, "no", False),
    "500": (Upstream, "no", True),
    "500-text": (Upstream, "no", True),
    "502": (Upstream, "no", True),
    "503": (Upstream, "no", True),
    "504": (Upstream, "unknown", True),
    "529": (Upstream, "no", True),
    "slow-first-byte": (Upstream, "unknown", True),
    "hang": (Upstream, "unknown", True),
    "reset-before-reply": (Upstream, "unknown", True),
    "charge-then-die": (Upstream, "unknown", True),
    "reset-after-headers": (Upstream, "unknown", True),
    "error-first": (Upstream, "unknown", True),
    "empty-stream": (Upstream, "unknown", True),
    "huge-body": (Upstream, "part", False),
    "html": (Upstream, "unknown", True),
    "not-http": (Upstream, "unknown", True),
    "compressed": (Upstream, "unknown", False),
    "429-quota": (Upstream, "no", False),
    "400-context": (TooLong, "no", False),
    "400-context-llama": (TooLong, "no", False),
    "400-model": (Upstream, "no", False),
}
# Where a stream stops in the middle of its content; plain replies with these faults fail as a whole.
CUTS = (
    "reset-mid-body", "half-closed", "stall", "done-without-finish", "malformed-stream", "error-object", "error-string",
    "error-garbage",
)  # fmt: skip
UNHARMED = (
    "no-done", "split-every-byte", "crlf", "one-read", "no-usage", "nonsense-usage", "trickle", "wrong-content-type",
    "json-for-stream", "stream-for-json", "ignore-max-tokens", "close-after-reply", "holds-open",
)  # fmt: skip


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider(pause=0.002) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(CLOCK, largest_answer=4 << 20) as opened:
        yield opened


class _Subject:
    """One driver under test; `recorded` is the replay of what another driver did."""

    def __init__(self, scheme: str, driver: ModelDriver, model: Model, cassette: Path | None) -> None:
        self.scheme, self.model, self._driver, self._cassette = scheme, model, driver, cassette

    async def outcome(self, text: str = "hello", **asked: object) -> Outcome:
        call = a_call(text, model=self.model, **asked)
        if self._cassette is None:
            return await outcome_of(self._driver, call)
        live = await outcome_of(Recorder(self._driver, self._cassette), call)
        replayed = await outcome_of(_replay(self._cassette), call)
        assert replayed.chunks == live.chunks
        return replayed


def _replay(cassette: Path) -> ModelDriver:
    settings = EndpointSettings(name="recorded", scheme="recorded", url=str(cassette))
    return RecordedDriver(settings, Http(CLOCK), CLOCK)


@pytest.fixture(params=[*WIRES, "recorded"])
def subject(request: pytest.FixtureRequest, provider: Provider, http: Http, tmp_path: Path) -> _Subject:
    recorded = request.param == "recorded"
    scheme = "openai-compatible" if recorded else request.param
    fault = request.node.callspec.params.get("fault")
    waits = {"timeouts": WAITED_FOR[fault]} if fault in WAITED_FOR else {}
    driver, model = a_driver(scheme, provider.url, http, **waits)
    return _Subject(scheme, driver, model, tmp_path / "cassette.jsonl" if recorded else None)


def test_every_fault_of_the_provider_has_its_place_in_this_contract() -> None:
    assert {*REFUSALS, *CUTS, *UNHARMED} == set(FAULTS)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_good_reply_comes_whole_with_its_finish_and_its_usage_once(
    subject: _Subject, provider: Provider, stream: bool
) -> None:
    outcome = await subject.outcome(stream=stream)
    assert outcome.error is None
    assert outcome.text == PROSE
    assert outcome.finishes == {0: "stop"}
    [usage] = outcome.usages
    assert not usage.estimated
    assert (usage.input, usage.output) == (provider.ledger[0].input, provider.ledger[0].output)
    assert outcome.chunks[-1].usage is usage
    assert provider.ledger[0].request == "run_1.1"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_fault_before_the_reply_is_an_error_to_fall_back_from(
    subject: _Subject, provider: Provider, fault: str, stream: bool
) -> None:
    provider.always = fault
    outcome = await subject.outcome(stream=stream)
    kind, charged, retryable = REFUSALS[fault]
    assert outcome.chunks == []
    assert type(outcome.error) is kind
    assert (outcome.error.charged, outcome.error.retryable) == (charged, retryable)
    assert outcome.error.subject == "house"
    _assert_leaks_nothing(outcome.error)


@pytest.mark.parametrize("fault", CUTS)
async def test_a_stream_that_stops_in_the_middle_is_cut_off_and_never_ends_well(
    subject: _Subject, provider: Provider, fault: str
) -> None:
    provider.always = fault
    outcome = await subject.outcome(stream=True)
    assert type(outcome.error) is CutOff
    assert outcome.error.charged == "part"
    assert outcome.text.startswith("The harbour")
    assert PROSE.startswith(outcome.text)
    [usage] = outcome.usages
    assert usage.estimated
    assert usage.output > 0
    _assert_leaks_nothing(outcome.error)


@pytest.mark.parametrize("fault", CUTS)
async def test_a_broken_plain_reply_is_an_error_to_fall_back_from(
    subject: _Subject, provider: Provider, fault: str
) -> None:
    provider.always = fault
    outcome = await subject.outcome(stream=False)
    assert type(outcome.error) is Upstream
    assert outcome.chunks == []
    assert outcome.error.charged in ("part", "unknown")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", UNHARMED)
async def test_an_odd_but_complete_reply_is_a_good_reply(
    subject: _Subject, provider: Provider, fault: str, stream: bool
) -> None:
    provider.always = fault
    outcome = await subject.outcome(stream=stream)
    assert outcome.error is None
    assert outcome.text == PROSE
    assert outcome.finishes == {0: "stop"}
    [usage] = outcome.usages
    assert usage.estimated == (fault in ("no-usage", "nonsense-usage"))
    assert usage.output > 0
    assert usage.input > 0


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", ["hang", "stall", "trickle"])
@pytest.mark.parametrize("scheme", WIRES)
async def test_no_call_outlives_its_deadline(
    provider: Provider, http: Http, scheme: str, fault: str, stream: bool
) -> None:
    provider.always, provider.pause = fault, 0.1
    driver, model = a_driver(scheme, provider.url, http, timeouts=_patient())
    async with asyncio.timeout(20):
        outcome = await outcome_of(driver, a_call("say 50", model=model, seconds=0.25, stream=stream))
    if fault == "trickle" and not stream:
        assert outcome.error is None
    elif outcome.chunks:
        assert type(outcome.error) is CutOff
    else:
        assert type(outcome.error) is DeadlineExceeded
        if outcome.error.charged == "no":
            assert not provider.received
        else:
            await until(lambda: provider.received)  # it was sent, if only just


async def test_a_deadline_that_has_passed_sends_nothing(subject: _Subject, provider: Provider) -> None:
    outcome = await subject.outcome(seconds=-1)
    assert type(outcome.error) is DeadlineExceeded
    assert outcome.error.charged == "no"
    assert provider.received == []


@pytest.mark.parametrize("scheme", WIRES)
async def test_a_server_that_is_not_there_charges_nothing(http: Http, scheme: str) -> None:
    async with Provider() as gone:
        url = gone.url
    driver, model = a_driver(scheme, url, http)
    outcome = await outcome_of(driver, a_call(model=model))
    assert type(outcome.error) is Upstream
    assert (outcome.error.charged, outcome.error.retryable) == ("no", True)
    assert "models:" in outcome.error.mend


@pytest.mark.parametrize("scheme", WIRES)
async def test_leaving_a_reply_early_stops_the_provider(provider: Provider, http: Http, scheme: str) -> None:
    provider.always, provider.pause = "trickle", 0.02
    driver, model = a_driver(scheme, provider.url, http)
    async with aclosing(driver.answer(a_call("say 500", model=model, stream=True, max_output=1000))) as chunks:  # type: ignore[type-var]
        assert (await anext(chunks)).text
    await until(lambda: provider.ledger[0].outcome == "abandoned")
    assert provider.ledger[0].output < 50


@pytest.mark.parametrize("scheme", WIRES)
async def test_a_cancelled_call_leaves_no_connection_that_could_answer_another(
    provider: Provider, http: Http, scheme: str
) -> None:
    driver, model = a_driver(scheme, provider.url, http, timeouts=_patient())
    provider.next = ["hang"]
    task = asyncio.create_task(outcome_of(driver, a_call("echo first", model=model)))
    while not provider.received:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await outcome_of(driver, a_call("echo second", model=model))).text == "second"


@pytest.mark.parametrize("scheme", WIRES)
async def test_many_calls_at_once_each_get_their_own_reply(provider: Provider, http: Http, scheme: str) -> None:
    driver, model = a_driver(scheme, provider.url, http)
    calls = [a_call(f"echo reply {n}", model=model, stream=n % 2 == 0) for n in range(40)]
    outcomes = await asyncio.gather(*(outcome_of(driver, call) for call in calls))
    assert [outcome.text for outcome in outcomes] == [f"reply {n}" for n in range(40)]
    assert provider.connections <= 40


async def test_the_output_limit_is_always_sent_and_its_end_is_told(subject: _Subject, provider: Provider) -> None:
    outcome = await subject.outcome("say 9", max_output=4)
    assert outcome.text == "word0 word1 word2 word3"
    assert outcome.finishes == {0: "length"}


async def test_more_output_than_was_asked_for_is_passed_on(subject: _Subject, provider: Provider) -> None:
    provider.always = "ignore-max-tokens"
    outcome = await subject.outcome("say 9", max_output=4)
    assert outcome.text.endswith("word8")
    assert outcome.usages[0].output == 9


WEATHER = Tool(
    FunctionTool(
        "get_weather",
        "The weather in a city",
        {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    )
)
TIME = Tool(FunctionTool("get_time", parameters={"type": "object", "properties": {}}))


@pytest.mark.parametrize("stream", [True, False])
async def test_tool_calls_come_with_ids_names_and_whole_arguments(subject: _Subject, stream: bool) -> None:
    outcome = await subject.outcome("both please", stream=stream, tools=[WEATHER, TIME])
    assert [name for _, name, _ in outcome.tools] == ["get_weather", "get_time"]
    assert [json.loads(arguments) for _, _, arguments in outcome.tools] == [{"city": "Paris", "days": 3}, {}]
    assert len({id_ for id_, _, _ in outcome.tools if id_}) == 2
    assert outcome.finishes == {0: "tool_calls"}


async def test_the_result_of_a_tool_goes_back(subject: _Subject) -> None:
    asked = await subject.outcome("weather?", tools=[WEATHER])
    [(id_, name, arguments)] = asked.tools
    assert id_
    assert name
    called = {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
    messages = [
        Message("user", "weather?"),
        _message({"role": "assistant", "tool_calls": [called]}),
        Message("tool", "18 degrees", tool_call_id=id_),
    ]
    outcome = await subject.outcome(messages=messages, tools=[WEATHER])
    assert outcome.text == PROSE


@pytest.mark.parametrize("stream", [True, False])
async def test_a_json_schema_reaches_the_model(subject: _Subject, stream: bool) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "warm": {"type": "boolean"}}}
    form = ResponseFormat("json_schema", JsonSchemaSpec("weather", schema=schema))
    outcome = await subject.outcome("weather", stream=stream, response_format=form)
    assert json.loads(outcome.text) == {"city": "Paris", "warm": True}


@pytest.mark.parametrize("stream", [True, False])
async def test_reasoning_is_kept_apart_from_the_answer(subject: _Subject, stream: bool) -> None:
    outcome = await subject.outcome("think hard", stream=stream)
    assert "".join(chunk.reasoning for chunk in outcome.chunks) == "Let me think about it"
    assert outcome.text == PROSE


@pytest.mark.parametrize("scheme", WIRES)
async def test_the_models_that_are_offered_can_be_asked_for(provider: Provider, http: Http, scheme: str) -> None:
    driver, _ = a_driver(scheme, provider.url, http)
    assert await driver.probe() == ["tiny"]


@pytest.mark.parametrize("scheme", WIRES)
async def test_only_so_many_calls_as_declared_run_at_once(provider: Provider, http: Http, scheme: str) -> None:
    driver, model = a_driver(scheme, provider.url, http, concurrency=1)
    outcomes = await asyncio.gather(*(outcome_of(driver, a_call(model=model)) for _ in range(5)))
    assert [outcome.error for outcome in outcomes] == [None] * 5
    assert provider.connections == 1


@pytest.mark.parametrize("scheme", WIRES)
async def test_a_call_that_finds_no_place_until_its_deadline_charges_nothing(
    provider: Provider, http: Http, scheme: str
) -> None:
    driver, model = a_driver(scheme, provider.url, http, concurrency=1, timeouts=_patient())
    provider.next = ["hang"]
    first = asyncio.create_task(outcome_of(driver, a_call(model=model)))
    while not provider.received:
        await asyncio.sleep(0.005)
    outcome = await outcome_of(driver, a_call(model=model, seconds=0.1))
    assert type(outcome.error) is DeadlineExceeded
    assert outcome.error.charged == "no"
    assert len(provider.received) == 1
    first.cancel()


def test_text_parts_are_joined_as_models_see_them() -> None:
    assert text_of(_message({"role": "user", "content": [{"type": "text", "text": "a"}]})) == "a"


def _message(fields: dict[str, object]) -> Message:
    return msgspec.convert(fields, Message)


def _patient() -> TimeoutSettings:
    return TimeoutSettings(connect=5, first_byte=30, idle=30)


def _assert_leaks_nothing(error: Upstream) -> None:
    said = f"{error.message} {error.why} {error.mend}"
    assert SECRET_PATH not in said
    assert "sk-very-secret" not in said
    assert "test-key" not in said
    assert len(error.why) < 400
    assert error.mend
