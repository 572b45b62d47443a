"""Runs are walked by one worker at a time, and what they have done is never done again."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.erased import erase
from tests.world import World, world

from fairlead.storage import workflow_rows, workflow_taking_rows
from fairlead.storage.workflow_rows import Run
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.carriage import Carriage
from fairlead.workflows.definition import Definition
from fairlead.workflows.opened import Started
from fairlead.workflows.segments import Segments
from fairlead.workflows.steering import NotNow, Steering
from fairlead.workflows.taking import Taking
from fairlead.workflows.walk import StepResult

ASKS = {"model": {"prompt": "Say it to ${input.name}.", "model": "small"}}
WORD = {"id": "word", "approval": {"role": "boss", "ask": "Shall it go on?"}}


def begin(w: World, *steps: dict[str, Any], person: str = "kim", once: str = "", **more: Any) -> Run:
    plain = {"input": {"properties": {"name": {"type": "string"}}}, "steps": steps, **more}
    bundle = Bundle(name="greets", definition=msgspec.convert(plain, Definition))
    what = Started(workflow="greets", digest=bundle.digest, body=bundle.body, input={"name": "Ada"}, once=once)
    return w.running.runs.begin(w.caller(person), what)[0]


async def until(w: World, run: Run, *status: str) -> Run:
    async with asyncio.timeout(120):
        while (found := w.running.runs.one(run.id)).status not in status:
            await asyncio.sleep(0.05)
    return found


def result(w: World, run: Run) -> Any:
    return w.running.runs.result(w.running.runs.open(run.id))


async def test_a_run_waits_for_a_person_and_goes_on_with_their_answer(tmp_path: Path) -> None:
    async with world(tmp_path, walks=4) as w:
        run = begin(
            w, {"id": "first", **ASKS}, WORD, {"id": "last", **ASKS}, output="${steps.first.text + steps.last.text}"
        )
        await until(w, run, "waiting", "failed")
        opened = w.running.runs.open(run.id)
        assert [each.role for _, each in w.running.runs.waits(opened)] == ["boss"]
        yes = StepResult(value={"approved": True, "by": "lee", "note": ""})
        assert w.running.runs.answer(opened, "word", yes, by="lee", kind="workflow_answered")
        assert not w.running.runs.answer(opened, "word", yes, by="max", kind="workflow_answered")
        assert (await until(w, run, "done", "failed")).error == ""
        assert len(w.records("call_model")) == 2
        assert {each.within for each in w.records("call_model")} == {w.records("call_model")[0].within}
        assert result(w, run)["value"].count("harbour") == 2


async def test_a_question_with_a_time_limit_parks_the_run(tmp_path: Path) -> None:
    async with world(tmp_path, walks=4) as w:
        escalates = {"role": "boss", "ask": "Shall it?", "escalate": {"after": "1h", "to": "cfo"}}
        run = begin(w, {"id": "word", "approval": escalates, "timeout": "2h"}, output="${steps.word.value.by}")
        assert (await until(w, run, "waiting", "failed")).until > w.clock.now()
        opened = w.running.runs.open(run.id)
        yes = StepResult(value={"approved": True, "by": ["lee"], "note": ""})
        assert w.running.runs.answer(opened, "word", yes, by="lee", kind="workflow_answered")
        assert (await until(w, run, "done", "failed")).error == ""


async def test_the_runs_of_a_dead_worker_go_on_with_another(tmp_path: Path) -> None:
    async with world(tmp_path, walks=4) as w:
        dear = begin(w, {"id": "first", **ASKS}, {"id": "last", **ASKS}, budget=0.000001)
        assert (await until(w, dear, "done", "failed")).error == "refused over_budget last"
        assert len(w.records("call_model")) == 1  # the one that spent it: nothing more is begun
        run = begin(w, {"id": "first", **ASKS}, {"id": "rest", "wait": {"for": "1h"}}, {"id": "last", **ASKS})
        await until(w, run, "waiting")
        with w.store.writing() as connection:  # somebody else took it up, and died of it
            found = workflow_rows.run_of(connection, run.id)
            assert found is not None
            workflow_rows.go_on(connection, [run.id])
            assert workflow_taking_rows.take(connection, run.id, segment=found.segment, worker="worker_dead", now=1)
        assert (await until(w, run, "waiting")).segment > found.segment
        Steering(w.store, w.fairlead.ledger.vault, w.clock).cancel(w.running.runs.one(run.id), "key:kim")
        await until(w, run, "cancelled")
        assert len(w.records("call_model")) == 2  # what was done before was not done again


async def test_what_a_run_knows_is_sealed_and_gone_with_its_person(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        run = begin(w, {"id": "first", **ASKS}, once="quetzal-2718")
        opened = w.running.runs.open(run.id)
        result = StepResult(value="quetzal-2718", text="quetzal-2718")
        assert w.running.runs.answer(opened, "first", result, by="lee", kind="workflow_answered")
        assert w.running.runs.open(run.id).results["first"].sealed
        everything = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
        assert b"quetzal" not in everything
        erase(w.store, w.fairlead.ledger.vault, "kim")
        assert (w.count("workflow_run"), w.count("workflow_step")) == (0, 0)


async def test_what_is_resumed_goes_on_though_it_was_parked_in_between(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        run, steering = begin(w, {"id": "first", **ASKS}), Steering(w.store, w.fairlead.ledger.vault, w.clock)
        with w.store.writing() as connection:
            assert workflow_taking_rows.take(connection, run.id, segment=0, worker="worker_1", now=1)
        steering.pause(w.running.runs.one(run.id), "key:kim")
        seen = w.running.runs.one(run.id)
        assert (seen.status, seen.owner) == ("paused", "worker_1")
        with w.store.writing() as connection:
            assert workflow_rows.park(connection, run.id, owner="worker_1", until=0, goes_on=True)
        steering.resume(seen, "key:kim")
        found = w.running.runs.one(run.id)
        assert (found.status, found.owner, found.segment > seen.segment) == ("accepted", "", True)
        failed = {"status": "failed", "segment": 7}
        with w.store.writing() as connection:
            assert workflow_rows.change(connection, run.id, come_from=("accepted",), **failed)
        with pytest.raises(NotNow, match="has gone on meanwhile"):
            steering.retry(replace(w.running.runs.open(run.id), run=seen), "key:kim")


async def test_who_rests_waits_for_what_was_taken_as_well_as_for_what_is_walked(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        segments = Segments(
            w.fairlead, w.running.runs, Taking(w.store, w.clock, w.running.runs, "worker_1"), "worker_1"
        )
        run = begin(w, {"id": "first", **ASKS})
        with w.store.writing() as connection:
            assert workflow_taking_rows.take(connection, run.id, segment=0, worker="worker_1", now=1)
        segments.under_way.add(run.id)
        resting = asyncio.create_task(segments.rest(60))
        await asyncio.sleep(0.01)
        assert not resting.done()
        await segments.walk(run.id, 0)
        async with asyncio.timeout(120):
            await resting
        assert w.running.runs.one(run.id).owner == ""
        assert not w.records("call_model")


async def test_who_asks_a_carriage_as_it_stops_leaves_the_loop_its_threads(tmp_path: Path) -> None:
    async def walk(run: str, number: int) -> None:
        raise AssertionError("nothing was begun")

    carriage = Carriage(tmp_path / "runs.db", "worker_1", walk)
    await carriage.start()
    stopping = asyncio.create_task(carriage.stop())
    await asyncio.sleep(0)
    await asyncio.gather(carriage.under_way(), return_exceptions=True)
    await stopping
    assert await asyncio.to_thread(len, "what else a process does as it stops") > 0
