"""A run that was parked shows what has become of the pages that its steps were given, and goes on as it says."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.workflows.walking import INPUT, Shop, shop
from tests.world import until

from fairlead.clock import SystemClock
from fairlead.context.catalogue import EMPTY
from fairlead.context.citations import Reference
from fairlead.context.upkeep.drift import Fate
from fairlead.storage.fleet import Fleet
from fairlead.workflows.resuming import changes
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish

PAGE = "---\ntitle: Returns\naudience: [staff]\n---\n# Returns\nLamps are taken back within {days} days.{more}\n"
OTHER = "---\ntitle: Stools\naudience: [{audience}]\n---\n# Stools\nStools and lamps are taken back unpainted only.\n"
ASK = {"id": "ask", "approval": {"role": "boss", "ask": "Shall it go on?"}}
SAY = {"id": "say", "model": {"task": "returns", "prompt": "Within how many days are lamps taken back?"}}
READS = """@id("asks") permit(principal, action in [Action::"call_model", Action::"release_reply"], resource);
@id("reads") permit(principal, action == Action::"read_context", resource)
when { resource.audience.containsAny(principal.known_as) };
"""
END = {"id": "end", "model": {"task": "returns", "prompt": "When are lamps taken back?"}}


def files(days: int = 30, audience: str = "staff", more: str = "") -> dict[str, str]:
    def flow(**changed: Any) -> str:
        return json.dumps({"input": INPUT, "steps": [SAY, ASK, END], **changed})

    return {
        "policies/all.cedar": READS,
        "tasks/returns.yaml": "context: 1000\nprefer: [small]\n",
        "context/returns.md": PAGE.format(days=days, more=more),
        "context/stools.md": OTHER.format(audience=audience),
        "workflows/asks.yaml": flow(changed={"then": "ask", "role": "boss"}),
        "workflows/fails.yaml": flow(changed={"then": "fail"}),
    }


async def published(s: Shop, **more: Any) -> None:
    for path, text in files(**more).items():
        (s.w.folder / "acme" / path).write_text(text)
    clock, store = SystemClock(), s.w.store
    made = await asyncio.to_thread(
        publish, store, Fleet(store, clock), read_folder(s.w.folder / "acme"), lambda _: "x", by="test", clock=clock
    )
    await until(lambda: s.w.fairlead.deployment.revision == made.revision)


async def test_what_has_changed_while_a_run_was_parked_is_found_once_and_decides_as_it_says(tmp_path: Path) -> None:
    async with shop(tmp_path, SAY, ASK, END, files=files()) as s:
        keeps, asks, fails, same = (s.begin(workflow=each) for each in ("buy", "asks", "fails", "asks"))
        assert (await s.walked(same))["status"] == "waiting"
        await published(s, more=" Bring them along.")  # another version of both, that says the same of what was given
        await published(s, more="")
        s.order(same, "approve", "lee", at="ask")
        done = await s.walked(same)
        assert (done["status"], [each["matters"] for each in done.get("changed", ())]) == ("done", [])

        await published(s, days=60, audience="leads")
        for run in (keeps, asks, fails):
            s.order(run, "approve", "lee", at="ask")
        kept, asked, failed = [await s.walked(each) for each in (keeps, asks, fails)]
        assert (kept["status"], asked["status"], failed["status"]) == ("done", "waiting", "failed")
        found = {each["item"]: each for each in kept["changed"]}
        assert [(each, found[each]["why"], found[each]["matters"]) for each in sorted(found)] == [
            ("returns", "changed", True), ("stools", "hidden", True),
        ]  # fmt: skip
        assert found["returns"]["steps"] == ["say"]
        assert found["stools"]["now"] == ""  # nothing of what kim may not read
        assert (failed["failure"]["code"], failed["failure"]["at"]) == ("context_changed", "ask")
        assert "60 days" not in str(s.w.provider.received[-1].json)  # it goes on with what it began with
        (wait,) = asked["waits"]
        assert (wait["role"], wait["at"]) == ("boss", "ask.~changed.ask")
        await published(s, days=90)
        s.order(asks, "approve", "lee", at=wait["at"])
        after = await s.walked(asks)
        assert (after["status"], after["changed"]) == ("done", [each | {"at": "ask"} for each in asked["changed"]])


@pytest.mark.parametrize(
    ("state", "version", "expected"),
    [("stands", "1", []), ("stands", "2", [("moved", False)]), ("moved", "2", [("moved", False)]),
     ("changed", "2", [("changed", True)]), ("gone", "", [("gone", True)])],
)  # fmt: skip
def test_what_says_the_same_in_another_version_does_not_matter(state: Any, version: str, expected: list[Any]) -> None:
    given = {Reference("a", "1", "s"): {"say": 5}}
    found = {Reference("a", "1", "s"): Fate(state=state, item="a", version=version)}
    assert [(each.why, each.matters) for each in changes(given, found, EMPTY, lambda _: True, 9)] == expected
