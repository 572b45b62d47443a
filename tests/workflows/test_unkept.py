"""Of a run with `secrecy: memory` nothing is written that it knows, whatever becomes of it; it can be begun again."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text as sql
from tests.world import World, until, world

from fairlead.errors import NotFound, Overloaded
from fairlead.storage.workflow_taking_rows import let_go
from fairlead.workflows.asked import Order
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition
from fairlead.workflows.opened import Started
from fairlead.workflows.waited import Here

MARKER = "quetzal-7731-ombre"
NOTES = '''
from fairlead.tools.person import Person, ToolError

DONE: list[str] = []


def write(person: Person, words: str) -> str:
    """Write it down."""
    DONE.append(person.idempotency_key)
    if "fail" in words:
        raise ToolError(f"cannot write {words}")
    return "wrote " + words
'''
SUMS = """
def broken(words: str) -> int:
    return int(words)
"""
POLICIES = """
@id("all") permit(principal, action, resource);
"""
ASKING = """
@id("asks")
@approval("boss")
@reason("somebody must look")
forbid (principal, action == Action::"notes.write", resource);
"""
SYSTEMS = {"notes": {"use": "python", "file": "notes.py"}}
FILES = {"systems/notes.py": NOTES, "policies/main.cedar": POLICIES}
ASKS = {"id": "ask", "model": {"prompt": "Say ${input.words}.", "model": "small"}}
WRITES = {"id": "write", "tool": {"call": "notes.write", "arguments": {"words": "${input.words}"}}}


async def begin(w: World, *steps: Mapping[str, Any], words: str = MARKER, once: str = "", **more: Any) -> Here | None:
    plain = {"input": {"properties": {"words": {"type": "string"}}}, "secrecy": "memory", "steps": steps, **more}
    bundle = Bundle(name="quiet", definition=msgspec.convert(plain, Definition), modules={"sums": SUMS})
    what = Started(workflow="quiet", digest=bundle.digest, body=bundle.body, input={"words": words}, once=once)
    assert w.running.workflows.waited is not None
    return (await w.running.workflows.waited.begin(w.caller(), what))[1]


async def told(w: World, here: Here | None) -> dict[str, Any]:
    assert here is not None
    async with asyncio.timeout(120):
        await here.over.wait()
    return await asyncio.to_thread(w.running.workflows.shown, here.opened.run.id, w.caller())


def everything(w: World) -> bytes:
    """All bytes of the database and of what lies beside it."""
    return b"".join(path.read_bytes() for path in sorted((w.folder / "data").rglob("*")) if path.is_file())


async def test_whoever_waits_is_told_and_nothing_of_it_is_written(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        good = await told(w, await begin(w, ASKS, WRITES, {"id": "rest", "wait": {"for": "1s"}}))
        assert (good["status"], good["output"], good["secrecy"]) == ("done", None, "memory")
        assert [each["value"] for each in good["steps"] if each["at"] == "write"] == [f"wrote {MARKER}"]
        assert good["cost"] > 0
        bad = await told(w, await begin(w, ASKS, WRITES, words=f"fail {MARKER}", output="${steps.write.text}"))
        assert (bad["status"], bad["error"]) == ("failed", "error tool_failed write")
        assert MARKER in bad["failure"]["message"]
        fails = {"id": "sum", "python": {"function": "sums:broken", "arguments": {"words": "${input.words}"}}}
        broken = (await told(w, await begin(w, fails)))["failure"]
        assert broken["message"] == "sums:broken raised ValueError at workflows/sums.py:3"
        calls = w.records("call_model") + w.records("call_tool")
        assert len(calls) == 4
        assert not any(each.payload or each.arguments for each in calls)  # no digest of few possible words either
        assert {each.within for each in calls} != {""}
        assert w.count("flow_step") == 0
        with w.store.reading() as connection:
            sealed = connection.execute(sql("SELECT sum(length(sealed)) FROM workflow_step")).scalar()
        assert sealed == 0
        assert MARKER.encode() not in everything(w)
        run = w.running.runs.one(good["id"])
        with pytest.raises(NotFound, match="nothing is kept"):  # so it is neither replayed, forked nor tried again
            w.running.runs.open(run.id)
        assert w.running.workflows.waited is not None
        w.running.workflows.waited._forget(run.id, w.running.workflows.waited._here[run.id])  # as time does
        later = w.running.workflows.shown(run.id, w.caller())
        assert ("output" in later, later["cost"], len(later["steps"])) == (False, good["cost"], len(good["steps"]))


async def test_no_more_than_may_are_walked_however_many_are_begun_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        assert w.running.workflows.waited is not None
        w.running.workflows.waited._at_once = 2
        rest = {"id": "rest", "wait": {"for": "5m"}}
        begun = await asyncio.gather(*(begin(w, rest) for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(each, Here) for each in begun) == 2
        assert sum(isinstance(each, Overloaded) for each in begun) == 3


async def test_what_is_lost_begins_again_under_the_same_keys(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        here = await begin(w, ASKS, WRITES, {"id": "rest", "wait": {"for": "5m"}}, once="monday")
        assert here is not None
        run = here.opened.run.id
        await until(lambda: ("rest", "begun") in here.steps)
        assert await begin(w, ASKS, WRITES, once="monday") is here  # whoever comes back finds it
        with w.store.writing() as connection:  # as whoever takes over from the dead does
            assert let_go(connection, run, owner=w.fairlead.ledger.journal.worker)
        assert w.running.runs.one(run).status == "lost"
        again = await begin(w, ASKS, WRITES, once="monday")
        assert again is not None
        assert again is not here
        assert again.opened.run.id == run
        await until(lambda: ("rest", "begun") in again.steps)
        w.running.workflows.carry_out(run, w.caller(), Order(do="cancel"))
        done = await told(w, again)
        assert done["status"] == "cancelled"
        steps = {each.place for each in w.running.workflows.waited._rows.steps(w.running.runs.one(run))}  # type: ignore[union-attr]
        assert {"ask", "ask~lost2", "write", "write~lost2"} <= steps
        assert len({each.within for each in w.records("call_tool")}) == 1
        assert sum(each.cost for each in w.records("call_model")) == 2 * w.records("call_model")[0].cost


async def test_what_its_process_ends_in_the_middle_is_lost_and_does_not_seem_to_run(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        waited = w.running.workflows.waited
        here = await begin(w, ASKS, {"id": "rest", "wait": {"for": "5m"}})
        assert here is not None
        assert waited is not None
        await until(lambda: ("rest", "begun") in here.steps)
        waited._walks[here.opened.run.id].cancel()
        found = await told(w, here)
        assert (found["status"], found["error"]) == ("lost", "stopped")


async def test_what_would_have_to_wait_fails_clearly(tmp_path: Path) -> None:
    files = {**FILES, "policies/main.cedar": ASKING + POLICIES}
    async with world(tmp_path, files, systems=SYSTEMS, approvals={"roles": {"boss": {"persons": ["lee"]}}}) as w:
        found = await told(w, await begin(w, WRITES))
        assert (found["status"], found["error"]) == ("failed", "refused denied write")
        assert "secrecy: sealed" in found["failure"]["mend"]
        assert w.count("approval") == 0
        found = await told(w, await begin(w, {"id": "go", "wait": {"signal": "go"}}))
        assert found["error"] == "refused cannot_wait go"
