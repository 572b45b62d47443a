"""Controls over the real path: a breach is recorded once, stops, and is told to a receiver that misbehaves."""

import asyncio
import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import AMPLE
from tests.controls.receiver import receiver
from tests.world import World, secret_of, until, world

from fairlead.controls import ControlSettings, rows
from fairlead.controls.compile import compile_controls
from fairlead.controls.evaluate import Evaluator
from fairlead.errors import Stopped
from fairlead.storage.database import Where
from fairlead.storage.fleet import Fleet

REFUSED = {
    "controls/probing.yaml": json.dumps(
        {
            "title": "Nobody is refused again and again",
            "where": {"outcome": ["refused"]},
            "by": "person",
            "window": "1h",
            "most": 2,
            "on_breach": {"stop": "person", "stop_for": "2h", "alarm": ["ops"]},
        }
    )
}
BUSY = {
    "controls/busy.yaml": json.dumps({"title": "Not more than two a day", "most": 2, "on_breach": {"alarm": ["ops"]}})
}


def alarms(url: str, **more: Any) -> dict[str, Any]:
    return {"ops": {"url": url, "secret": "env:TEST_KEY", "inside": True, **more}}


def started(w: World) -> bool:
    with w.store.reading() as connection:
        return rows.position(connection) is not None


async def test_a_breach_is_recorded_with_its_evidence_stops_whom_it_names_and_is_told_once(
    tmp_path: Path, where: Where
) -> None:
    async with (
        receiver() as heard,
        world(
            tmp_path, REFUSED, where=where, budgets={"persons": {"kim": {"total": 0}}}, alarms=alarms(heard.url)
        ) as w,
    ):
        await until(lambda: started(w))
        runs = [await refused(w) for _ in range(3)]
        await until(lambda: heard.posts)
        await until(lambda: w.fairlead.deployment.stops is not None)
        with pytest.raises(Stopped, match="is stopped") as stopped:
            await w.ask(person="kim")
        assert "control probing" in stopped.value.why
        assert await w.ask(person="lee")
        [breach] = w.records("breach")
        about = json.loads(breach.about)
        assert (about["runs"], about["value"], about["most"]) == (runs, "3", "2")
        assert breach.person == w.records(run=runs[0])[-1].person
        headers, body = heard.posts[0]
        message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        code = hmac.digest(b"test-key", message, hashlib.sha256)
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(code).decode()}"
        told = json.loads(body)
        assert (told["type"], told["data"]["control"], told["data"]["record"]) == (
            "control.breach", "probing", breach.run,
        )  # fmt: skip
        assert b"kim" not in body
        assert len(heard.posts) == 1


async def refused(w: World) -> str:
    with pytest.raises(Exception, match="budget") as error:
        await w.ask(person="kim")
    return str(error.value.run)  # type: ignore[attr-defined]


async def test_an_evaluator_that_was_overtaken_writes_nothing(tmp_path: Path, where: Where) -> None:
    async with receiver() as heard, world(tmp_path, BUSY, where=where, budgets=AMPLE, alarms=alarms(heard.url)) as w:
        await until(lambda: started(w))
        late = evaluator(w)
        with w.store.reading() as connection:
            start, counted = rows.position(connection), rows.states(connection)
        for _ in range(3):
            await w.ask()
        await until(lambda: w.records("breach"))
        assert start is not None
        await asyncio.to_thread(late._write, start, start, counted, [])
        with w.store.reading() as connection:
            now = rows.position(connection)
        assert now is not None
        assert now.seq > start.seq
        await asyncio.to_thread(late.run)
        assert len(w.records("breach")) == 1


def evaluator(w: World) -> Evaluator:
    made = Evaluator(w.store, Fleet(w.store, w.clock), w.clock, lambda _: None)
    made.controls = compile_controls({"busy": ControlSettings(title="t", most=2)}, {}, secret_of)
    return made
