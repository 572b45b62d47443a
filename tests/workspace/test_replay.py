"""A pack is made again from what was published then, whatever has been published since."""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from tests.erased import erase
from tests.world import World, asked, secret_of, world

from fairlead.costs.told import Arrival
from fairlead.errors import NotFound
from fairlead.execution import call_model
from fairlead.storage.fleet import Fleet
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish
from fairlead.workspace.replay import Replayed, replay

PAGES = {
    "tasks/returns.yaml": "context: 1500\nprefer: [small]\n",
    "context/returns.md": "---\naudience: [staff]\nreview_by: 2020-01-01\n---\n# Returns\nLamps within 30 days.\n",
    "context/board.md": "---\naudience: [leads]\n---\n# Returns\nThe board takes lamps back within 99 days.\n",
    "context/term.md": "---\nkind: term\ntitle: Lamp\nsynonyms: [light]\naudience: [everyone]\n---\nGives light.\n",
}


async def ask(w: World, question: str, person: str = "kim", work: str = "") -> str:
    request, arrival = asked(question, model="returns")
    arrival = Arrival(door=arrival.door, body=arrival.body, work=work)
    return (await call_model(w.fairlead, w.caller(person), request, arrival)).run


def again(w: World, run: str) -> tuple[Replayed, str]:
    told, pack = replay(w.store, w.fairlead.ledger.vault, run, secret_of, w.clock)
    return told, "\n".join(each.text for each in pack.passages)


async def republish(w: World) -> None:
    workspace = w.folder / "acme"
    (workspace / "context/returns.md").write_text("---\naudience: [leads]\n---\n# Returns\nLamps within 60 days.\n")
    (workspace / "context/term.md").unlink()
    whole = json.loads((workspace / "fairlead.yaml").read_text())
    whole["rules"] = [{"id": "nobody", "forbid": "read_context", "when": {"classes": ["internal"]}}]
    await asyncio.to_thread(
        publish, w.store, Fleet(w.store, w.clock), read_folder(workspace), secret_of, by="test", clock=w.clock
    )


async def test_a_pack_is_made_again_byte_for_byte_whatever_was_published_since(tmp_path: Path) -> None:
    async with world(tmp_path, PAGES) as w:
        runs = [await ask(w, "When are lamps taken back?", person) for person in ("kim", "lee")]
        runs.append(await ask(w, "echo and a light?", work="w"))
        await republish(w)
        pinned = await ask(w, "echo lamps?", work="w")
        for run in (*runs, pinned):
            told, text = await asyncio.to_thread(again, w, run)
            (record,) = w.records("call_model", run)
            assert told.same, told
            assert (told.made, told.revision) == (record.pack, record.revision)
            assert "60 days" not in text
        assert "99 days" in (await asyncio.to_thread(again, w, runs[1]))[1]
        assert "99 days" not in (await asyncio.to_thread(again, w, runs[0]))[1]


async def test_a_page_that_was_changed_in_the_database_is_noticed(tmp_path: Path) -> None:
    async with world(tmp_path, PAGES) as w:
        run = await ask(w, "When are lamps taken back?")
        with w.store.writing() as connection:
            connection.execute(sql("UPDATE context_section SET text = 'Lamps within 9 days.' WHERE item = 'returns'"))
        told, _ = await asyncio.to_thread(again, w, run)
        assert (told.same, told.made != told.recorded) == (False, True)


@pytest.mark.parametrize("payloads", ["none", "keep"])
async def test_what_was_not_kept_or_was_erased_is_not_made_again(tmp_path: Path, payloads: str) -> None:
    async with world(tmp_path, PAGES, payloads=payloads) as w:
        run = await ask(w, "When are lamps taken back?")
        plain = (await w.ask("hello")).run
        with pytest.raises(NotFound, match="was given no context"):
            await asyncio.to_thread(again, w, plain)
        erase(w.store, w.fairlead.ledger.vault, "kim")
        with pytest.raises(NotFound, match=r"not kept|erased"):
            await asyncio.to_thread(again, w, run)
