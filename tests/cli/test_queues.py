"""Who runs and who waits, as the workers have it."""

import asyncio
import json
from pathlib import Path

from tests.world import until, world

from fairlead.cli.main import run


async def test_queues_shows_who_runs_and_who_waits(tmp_path: Path, capsys: object) -> None:
    async with world(tmp_path, lanes={"running": 1}) as w:
        w.provider.next = ["hang"]
        first = asyncio.ensure_future(w.ask())
        await until(lambda: w.provider.ledger)
        second = asyncio.ensure_future(w.ask(person="lee"))
        await until(w.fairlead.lanes.waiting)
        folder = w.store.beside / "queues"

        def lanes() -> list[dict[str, object]]:
            found = [json.loads(path.read_bytes()) for path in folder.glob("*.json")]
            return [lane for worker in found for lane in worker["lanes"]]

        await until(lambda: any(lane["waiting"] for lane in lanes()))
        status = await asyncio.to_thread(
            run, ["queues", "--workspace", str(w.folder / "acme"), "--data", str(w.folder / "data"), "--json"]
        )
        assert status == 0
        first.cancel()
        await second
        (lane,) = lanes()
        assert lane["lane"] == "usual"
