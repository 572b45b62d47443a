"""Models that are too slow on this machine, down the whole path: left out, refused with both reasons, and measured."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.world import FixedClock, World, world

from fairlead.execution.pace import PaceSeen
from fairlead.execution.speed_probe import measure
from fairlead.routing.pace import Speed
from fairlead.routing.refusals import TooSlowHere
from fairlead.workspace import speeds
from fairlead.workspace.speeds import KeptSpeed

CARD = "Is 4111 1111 1111 1111 a good number?"
FILES = {"tasks/report.yaml": "deadline: 30\nmax_output: 1000\nobjective: {minimise: latency, cost_at_most: 1}\n"}
SLOW = Speed(prefill=100, decode=12)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, FILES, rules=[{"keep_local": ["payment_card"]}]) as one:
        yield one


def runs_at(w: World, speed: Speed) -> None:
    w.fairlead.take_up(replace(w.fairlead.deployment, speeds={"house": speed}))


async def test_work_too_slow_here_and_not_allowed_outside_is_refused_with_both_reasons(w: World) -> None:
    assert (await w.ask(CARD, model="report")).model.name == "house"
    runs_at(w, SLOW)
    with pytest.raises(TooSlowHere) as refused:
        await w.ask(CARD, model="report")
    assert "house: too slow here: needs about 84 s at 12 tokens/s, deadline 30 s" in refused.value.why
    assert "payment_card must not leave for a cloud model" in refused.value.why
    record = w.records("call_model")[-1]
    assert ("house", "too slow") in record.dropped
    assert ("small", "policy") in record.dropped
    assert (await w.ask("anything", model="report")).model.name == "small"
    assert (await w.ask(CARD, model="report", max_tokens=100)).model.name == "house"  # a shorter reply is in time


async def test_a_caller_s_own_deadline_counts_and_an_objective_knows_how_long_it_takes(w: World) -> None:
    runs_at(w, Speed(prefill=1000, decode=100))
    answer = await w.ask("anything", model="report")
    assert answer.decision is not None
    latency = {one.model: one.latency for one in answer.decision.candidates}["house"]
    assert latency is not None
    assert 10_000 < latency < 10_100
    with pytest.raises(TooSlowHere):
        await w.ask(CARD, model="report", deadline=5.0)


async def test_what_was_seen_of_replies_counts_more_than_what_was_measured(w: World) -> None:
    runs_at(w, SLOW)
    for _ in range(5):
        await w.ask("say 3", model="house", max_tokens=100)  # in no time, and short
    assert (await w.ask(CARD, model="house", max_tokens=1000)).model.name == "house"


def test_a_machine_that_was_busy_gets_another_chance() -> None:
    clock = FixedClock()
    seen = PaceSeen(clock.monotonic)
    for _ in range(5):
        seen.note("report", "house", 40, 3.0)
    assert (seen.factor("house"), seen.output("report", "house")) == (3.0, 40)
    clock.tick(601)
    assert seen.factor("house") == 1.0
    seen.note("report", "house", 40, 2.0)
    assert seen.factor("house") == 1.0  # one alone says too little


async def test_a_model_is_measured_by_calls_that_are_priced_and_recorded_and_that_are_the_deployment_s_own(
    w: World,
) -> None:
    found = await measure(w.fairlead, "house")
    assert found.speed.prefill > 0
    assert found.speed.decode > 0
    records = w.records("call_model")
    assert {one.run for one in records} == set(found.runs)
    assert {(one.task, one.credential, one.outcome) for one in records} == {("speed", "fairlead", "done")}
    assert sum(one.cost or 0 for one in records) == found.cost > 0


async def test_a_measurement_counts_on_its_machine_for_its_model_and_no_damaged_file_stops_work(w: World) -> None:
    compiled = w.running._follower._compile(w.fairlead.deployment.revision).workspace
    fleet, of = w.running._follower._fleet, speeds.identity_of(compiled.models, "house")
    one = KeptSpeed(model="house", machine="here", of=of, at=1, speed=SLOW)
    other = KeptSpeed(model="small", machine="here", of="another", at=1, speed=SLOW)
    await asyncio.to_thread(lambda: speeds.keep(w.store, fleet, w.clock, [one, other], by="os:test"))
    assert speeds.in_force(w.store.beside, compiled, lambda: "here") == {"house": SLOW}
    assert speeds.in_force(w.store.beside, compiled, lambda: "there") is None
    assert [each.about for each in w.records("speeds")] == ["house, small"]
    (w.store.beside / speeds.FILE).write_text('{"speeds": [{}]}')
    assert speeds.in_force(w.store.beside, compiled, lambda: "here") is None
    await asyncio.to_thread(lambda: speeds.keep(w.store, fleet, w.clock, [one], by="os:test"))
    assert speeds.kept(w.store.beside) == (one,)
