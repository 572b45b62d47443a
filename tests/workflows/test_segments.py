"""Runs are walked by one worker at a time, and what they have done is never done again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.world import World, world

from fairlead.workflows.carriage import Carriage
from fairlead.workflows.dispatch import Dispatch
from fairlead.workflows.nodes import ModelNode
from fairlead.workflows.runs import Runs, Started
from fairlead.workflows.segments import Segments
from fairlead.workflows.walk import Asked, Bounds, Effects, Place, StepResult, Waiting


async def two_questions(body: bytes, given: Any, effects: Effects, run: str) -> Any:
    """A question, a person's word, and another question."""
    first = await effects.model(
        Place(run, ("first",)), ModelNode(prompt="x", model="small"), Asked(prompt="one"), Bounds()
    )
    place = Place(run, ("word",))
    word = await effects.answer(place, None, Waiting(kind="question", id=place.text, role="boss"))
    second = await effects.model(
        Place(run, ("second",)), ModelNode(prompt="x", model="small"), Asked(prompt="two"), Bounds()
    )
    return [first.text, word.value, second.text]


class Walked:
    def __init__(self, w: World) -> None:
        self.w = w
        store = w.store
        self.runs = Runs(store, w.fairlead.ledger.vault, w.clock)
        self.segments = Segments(w.fairlead, self.runs, w.fairlead.ledger.journal.worker, two_questions, {})
        self.carriage = Carriage(w.folder / "runs.db", w.fairlead.ledger.journal.worker, self.segments.walk, at_once=8)
        self.dispatch = Dispatch(store, w.clock, self.carriage, self.segments)

    def begin(self) -> str:
        what = Started(workflow="two", digest="d" * 64, body=b"{}", input={"x": 1})
        return self.runs.begin(self.w.caller(), what)[0].id

    async def until(self, run: str, *status: str) -> str:
        for _ in range(600):
            await self.dispatch.look()
            if (found := self.runs.one(run).status) in status:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"{run} is {self.runs.one(run)}")


@asynccontextmanager
async def walked(tmp_path: Path) -> AsyncIterator[Walked]:
    async with world(tmp_path) as w:
        made = Walked(w)
        await made.carriage.start()
        try:
            yield made
        finally:
            await made.carriage.stop()


async def test_a_run_parks_for_a_person_and_goes_on_with_their_answer(tmp_path: Path) -> None:
    async with walked(tmp_path) as walk:
        run = walk.begin()
        assert await walk.until(run, "waiting", "failed") == "waiting"
        opened = walk.runs.open(run)
        assert [each[1].role for each in walk.runs.waits(opened)] == ["boss"]
        assert walk.runs.answer(opened, "word", StepResult(value="yes"), by="boss", kind="workflow_answered")
        assert not walk.runs.answer(opened, "word", StepResult(value="no"), by="boss", kind="workflow_answered")
        assert await walk.until(run, "done", "failed") == "done"
        said = walk.runs.result(walk.runs.open(run))
        assert [said[1], len(said)] == ["yes", 3]
