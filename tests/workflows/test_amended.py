"""A rule that changes while a call waits for an approval counts: nothing is done under the old one. What has nothing to
do with it asks nobody anew."""

import asyncio
from pathlib import Path

from sqlalchemy import text as sql
from tests.workflows.test_segments import until
from tests.world import World, world

from fairlead.storage.fleet import Fleet
from fairlead.workflows.beginning import started
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish

SHOP = "GIVEN = []\n\ndef give(percent: float) -> str:\n    GIVEN.append(percent)\n    return f'gave {percent:g}'\n"
FLOW = "steps:\n  - {id: give, tool: {call: shop.give, arguments: {percent: 12.0}}}\n"
RULES = """
@id("all") permit(principal, action, resource);
@id("who") @reason("a boss agrees") @approval("ROLE") forbid(principal, action == Action::"shop.give", resource);
"""
ROLES = {"roles": {"boss": {"persons": ["lee"]}, "cfo": {"persons": ["max"]}}}


async def test_a_parked_call_is_asked_about_anew_under_another_rule(tmp_path: Path) -> None:
    files = {
        "systems/shop.py": SHOP,
        "workflows/discount.yaml": FLOW,
        "policies/x.cedar": RULES.replace("ROLE", "boss"),
    }
    systems = {"shop": {"use": "python", "file": "systems/shop.py"}}
    async with world(tmp_path, files, walks=2, systems=systems, approvals=ROLES) as w:
        what = started(w.running.workflows.bundles, "discount", {}, door="test")
        run = w.running.runs.begin(w.caller(), what)[0]
        await until(w, run, "waiting", "failed")
        old = waits(w, run.id)
        await published(w, "context/news.md", "# News\n\nThe canteen is open.\n")
        async with asyncio.timeout(120):
            while not w.records("approval_stands"):
                await asyncio.sleep(0.05)
        await until(w, run, "waiting", "failed")
        assert waits(w, run.id) == old  # nobody is asked anew for a page
        await published(w, "policies/x.cedar", RULES.replace("ROLE", "cfo"))
        async with asyncio.timeout(120):
            while (new := waits(w, run.id)) in ([], old):
                await asyncio.sleep(0.05)
        assert len(new) == 1
        assert [wanted(w, each) for each in (*old, *new)] == ['{"boss":1}', '{"cfo":1}']
        assert {each.outcome for each in w.records("call_tool")} == {"refused"}


async def published(w: World, path: str, text: str) -> None:
    folder, fleet = w.folder / "acme", Fleet(w.store, w.clock)
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text(text)
    await asyncio.to_thread(publish, w.store, fleet, read_folder(folder), lambda _: None, by="test", clock=w.clock)


def waits(w: World, run: str) -> list[str]:
    return [each.id for _, each in w.running.runs.waits(w.running.runs.open(run))]


def wanted(w: World, approval: str) -> str:
    with w.store.reading() as connection:
        query = sql("SELECT wanted FROM approval WHERE id = :id")
        return str(connection.execute(query, {"id": approval}).scalar_one())
