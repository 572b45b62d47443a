"""The kill switch over the real path: with a real client, other workers, streams under way, and both databases."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import AMPLE
from tests.faults.provider import ERRORS
from tests.world import World, again, asked, served, until, world

from fairlead import execution
from fairlead.costs.record import deed
from fairlead.errors import Overloaded, Stopped
from fairlead.execution import Fairlead, call_model
from fairlead.models.types import Chunk, Model
from fairlead.policy.stop_table import lift_stops, put_stop
from fairlead.policy.stops import Stop
from fairlead.storage.database import Where
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Away, Store

BOTH: dict[str, Any] = {"budgets": AMPLE, "fallback": True}


def throw(store: Store, clock: Any, kind: str, name: str = "", **more: Any) -> str:
    """What `fairlead stop` does, from another process: returns when no live worker decides by the old state."""
    fleet, entry = Fleet(store, clock), deed(clock, "stop", by="os:op", about=f"{kind} {name}")
    made = Stop(id=entry.run, kind=kind, name=name, reason="it misbehaves", by="os:op", at=clock.now(), **more)  # type: ignore[arg-type]
    with store.writing() as connection:
        put_stop(connection, made)
        store.database.append(connection, [entry])
        epoch = fleet.announce(connection)
    assert not fleet.wait_until_seen(epoch).missing
    return made.id


def let_go(store: Store, clock: Any, kind: str, name: str = "") -> None:
    fleet = Fleet(store, clock)
    with store.writing() as connection:
        lift_stops(connection, kind, name)
        epoch = fleet.announce(connection)
    fleet.wait_until_seen(epoch)


async def thrown(w: World, kind: str, name: str = "", **more: Any) -> str:
    return await asyncio.to_thread(throw, w.store, w.clock, kind, name, **more)


@pytest.mark.parametrize(("kind", "name"), [("organisation", ""), ("department", "sales"), ("person", "kim")])
async def test_from_the_return_of_a_stop_on_nothing_is_called_until_it_is_lifted(
    tmp_path: Path, where: Where, kind: str, name: str
) -> None:
    async with world(tmp_path, where=where, **BOTH) as w:
        await w.ask()
        stop = await thrown(w, kind, name)
        calls = len(w.provider.received)
        with pytest.raises(Stopped, match="is stopped") as refused:
            await w.ask()
        assert refused.value.why == "it misbehaves"
        assert len(w.provider.received) == calls
        record = w.records(run=refused.value.run)[-1]
        assert (record.outcome, record.policies, record.cost) == ("refused", (stop,), 0)
        assert [each.about for each in w.records(run=stop)] == [f"{kind} {name}"]
        await asyncio.to_thread(let_go, w.store, w.clock, kind, name)
        await w.ask()


async def test_a_stop_of_one_leaves_the_others_alone(tmp_path: Path) -> None:
    async with world(tmp_path, **BOTH) as w:
        await thrown(w, "department", "sales")
        assert await w.ask(person="lee")


async def test_a_stopped_model_is_passed_over_with_its_reason(tmp_path: Path) -> None:
    async with world(tmp_path, **BOTH) as w:
        stop = await thrown(w, "model", "small")
        answer = await w.ask(model="small")
        assert answer.model.name == "house"
        assert [(d.model, d.by) for d in answer.dropped] == [("small", "stopped")]
        assert stop in answer.dropped[0].reason
        await thrown(w, "model", "house")
        with pytest.raises(Stopped, match="every model"):
            await w.ask(model="small")


async def test_whoever_starts_later_knows_of_it(tmp_path: Path) -> None:
    async with world(tmp_path, **BOTH) as w:
        await thrown(w, "person", "kim")
        other = await again(w)
        try:
            with pytest.raises(Stopped):
                await call_model(other.fairlead, w.caller("kim"), *asked())
        finally:
            await other.stop()


async def test_a_call_that_waits_when_the_stop_comes_is_decided_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ERRORS, "429-seconds", (429, "slow down", "rate_limit_error", {"retry-after": "2"}))
    async with world(tmp_path, **{**BOTH, "retries": {"tries": 2}}) as w:
        w.provider.next = ["429-seconds", "429-seconds"]  # on its last candidate it waits as long as it is told
        waiting = asyncio.ensure_future(w.ask(model="small"))
        await until(lambda: len(w.provider.received) >= 2)
        calls = len(w.provider.received)
        await thrown(w, "person", "kim")
        with pytest.raises(Overloaded, match="changed while"):
            await waiting
        assert len(w.provider.received) == calls


async def test_a_stop_that_cannot_be_written_is_not_told_as_one_and_nothing_begins_past_the_lease(
    tmp_path: Path, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.storage.fleet.LEASE", 1.0)

    async def ask(w: World) -> None:
        while True:
            with contextlib.suppress(Overloaded, Away, Stopped):
                await w.ask(person="lee")
            await asyncio.sleep(0.005)

    async with world(tmp_path, where=where, **BOTH) as w:
        asking = [asyncio.ensure_future(ask(w)) for _ in range(4)]
        await until(lambda: len(w.provider.received) > 4)
        with w.store.writing():  # somebody else keeps the database to themselves
            stopping = asyncio.ensure_future(thrown(w, "person", "kim"))
            await until(lambda: not w.fairlead.lease.valid())
            for _ in range(5):
                with pytest.raises(Overloaded):
                    await w.ask()
            assert not (stopping.done() and stopping.exception() is None)
        [said] = await asyncio.gather(stopping, return_exceptions=True)
        if isinstance(said, BaseException):
            assert isinstance(said, Away)
            await thrown(w, "person", "kim")
        found: object = None
        while found is None or (isinstance(found, Overloaded) and not isinstance(found, Stopped)):
            await until(w.fairlead.lease.valid)  # it may lapse again before the question is looked at
            [found] = await asyncio.gather(w.ask(), return_exceptions=True)
        assert isinstance(found, Stopped)
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


class Streaming:
    """A client that listens to a stream which takes for ever."""

    def __init__(self, fairlead: Fairlead) -> None:
        self.pieces: list[str] = []
        self._fairlead = fairlead

    async def deliver(self, run: str, model: Model, chunk: Chunk) -> None:
        self.pieces.append(chunk.text)


@pytest.mark.parametrize(("kind", "name"), [("person", "kim"), ("model", "small"), ("system", "openai-compatible")])
async def test_a_stop_that_says_now_ends_a_stream_and_bills_what_came(tmp_path: Path, kind: str, name: str) -> None:
    async with world(tmp_path, budgets=AMPLE) as w:
        w.provider.always, w.provider.pause = "trickle", 0.05
        heard = Streaming(w.fairlead)
        stream = asyncio.ensure_future(w.ask("say 5000", deliver=heard.deliver, stream=True, max_tokens=5000))
        await until(lambda: len(heard.pieces) > 3)
        await thrown(w, kind, name, ends=True)
        with pytest.raises(Stopped):
            await stream
        ended = len(heard.pieces)
        record = w.records("call_model")[-1]
        assert record.outcome == "refused"
        assert record.cost > 0
        assert w.holds() == []
        await asyncio.sleep(0)
        assert len(heard.pieces) == ended


async def test_without_it_a_stream_finishes(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE) as w:
        w.provider.always, w.provider.pause = "trickle", 0.01
        heard = Streaming(w.fairlead)
        stream = asyncio.ensure_future(w.ask("say 150", deliver=heard.deliver, stream=True, max_tokens=200))
        await until(lambda: len(heard.pieces) > 3)
        await thrown(w, "person", "kim")
        assert (await stream).reply.choices[0].finish == "stop"


def test_a_client_is_told_in_the_form_of_its_protocol(tmp_path: Path) -> None:
    with served(tmp_path, budgets=AMPLE) as s:
        throw(s.store, s.running.fairlead.clock, "organisation")
        body = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
        reply = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), json=body)
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "stopped")
        assert "it misbehaves" in reply.text


def test_whatever_asks_for_leave_asks_first_whether_it_is_stopped() -> None:
    folder = Path(execution.__file__).parent
    asking = [path for path in folder.glob("*.py") if 'step("authorize")' in path.read_text()]
    assert asking
    assert [path.name for path in asking if "refuse_stopped(deployment, action)" not in path.read_text()] == []


def test_who_is_stopped_gets_no_list_and_nothing_that_is_remembered(tmp_path: Path) -> None:
    with served(tmp_path, budgets=AMPLE) as s, httpx.Client(base_url=s.url, headers=s.auth()) as client:
        said = client.post("/v1/responses", json={"model": "small", "input": "hello"}).json()["id"]
        throw(s.store, s.running.fairlead.clock, "person", "kim")
        count = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
        asked = [
            client.get("/v1/models"),
            client.get("/v1/models/small"),
            client.get(f"/v1/responses/{said}"),
            client.delete(f"/v1/responses/{said}"),
            client.post("/v1/conversations", json={}),
            client.post("/v1/messages/count_tokens", json=count),
        ]
        assert [each.status_code for each in asked] == [403] * len(asked)
        fleet = Fleet(s.store, s.running.fairlead.clock)
        with s.store.writing() as connection:
            lift_stops(connection, "person", "kim")
            epoch = fleet.announce(connection)
        fleet.wait_until_seen(epoch)
        assert client.get(f"/v1/responses/{said}").status_code == 200
