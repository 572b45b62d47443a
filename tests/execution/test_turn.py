"""Whoever waits for a place holds no money, acts on nothing old, and is recorded whatever way the wait ends."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import InternalServerError, OpenAI
from tests.conftest import AMPLE
from tests.world import World, key_of, served, until, wait_until, world

from fairlead.errors import Overloaded
from fairlead.execution import Answer
from fairlead.lanes.refusals import LaneFull, WaitedTooLong
from fairlead.telemetry.trace import decode

ONE: dict[str, Any] = {"running": 1}


@asynccontextmanager
async def busy(folder: Path, **lanes: Any) -> AsyncIterator[tuple[World, "asyncio.Task[Answer]"]]:
    """A deployment with one place, and a call that has it until it is cancelled."""
    async with world(folder, budgets=AMPLE, lanes=ONE | lanes) as w:
        w.provider.next = ["hang"]
        first = asyncio.ensure_future(w.ask())
        await until(lambda: w.provider.ledger)
        try:
            yield w, first
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


async def test_who_waits_holds_no_money_and_goes_on_when_a_place_comes_free(tmp_path: Path) -> None:
    async with busy(tmp_path) as (w, first):
        second = asyncio.ensure_future(w.ask(person="lee"))
        await until(w.fairlead.lanes.waiting)
        assert len(w.holds()) == 1
        first.cancel()
        answer = await second
        spans = [decode(row) for row in _spans(w, answer.run)][-1]
        queue = next(span for span in spans if span.name == "queue")
        assert queue.waited > 0
        assert queue.attributes["lane"] == "usual"
        assert 0 < float(queue.attributes["seconds_left"] or 0) < 120
        assert w.fairlead.lanes.running("usual") == 0


async def test_a_client_that_leaves_while_it_waits_is_recorded_as_one_that_left(tmp_path: Path) -> None:
    async with busy(tmp_path) as (w, _):
        second = asyncio.ensure_future(w.ask(person="lee"))
        await until(w.fairlead.lanes.waiting)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert w.fairlead.lanes.waiting() == []
        (record,) = w.records("call_model")
        assert (record.outcome, record.held, record.cost) == ("abandoned", 0, 0)


async def test_a_wait_ends_with_the_deadline_of_the_action(tmp_path: Path) -> None:
    async with busy(tmp_path) as (w, _):
        with pytest.raises(WaitedTooLong) as refused:
            await w.ask(person="lee", deadline=0.05)
        (record,) = w.records("call_model")
        assert record.outcome == "refused"
        assert record.error is not None
        assert (record.error.code, record.run) == ("waited_too_long", refused.value.run)


async def test_a_wait_takes_its_time_from_the_deadline_of_the_attempts(tmp_path: Path) -> None:
    async with busy(tmp_path) as (w, first):
        second = asyncio.ensure_future(w.ask(person="lee", deadline=60))
        await until(w.fairlead.lanes.waiting)
        first.cancel()
        await second
        assert w.provider.ledger[-1].outcome == "complete"


async def test_what_changed_while_a_call_waited_is_not_acted_upon(tmp_path: Path) -> None:
    async with busy(tmp_path) as (w, first):
        second = asyncio.ensure_future(w.ask(person="lee"))
        await until(w.fairlead.lanes.waiting)
        w.fairlead.lease.end()
        first.cancel()
        with pytest.raises(Overloaded):
            await second
        assert len(w.provider.ledger) == 1
        assert w.fairlead.lanes.running("usual") == 0


async def test_a_full_queue_is_said_with_a_time_to_come_back(tmp_path: Path) -> None:
    lanes = {"names": {"only": {"waiting": 1}}, "usual": "only"}
    async with busy(tmp_path, **lanes) as (w, _):
        second = asyncio.ensure_future(w.ask(person="kim"))
        await until(w.fairlead.lanes.waiting)
        with pytest.raises(LaneFull):
            await w.ask(person="kim")
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_a_model_with_few_places_is_waited_for_before_money_is_held(tmp_path: Path) -> None:
    def models(url: str) -> dict[str, Any]:
        local = {"use": "openai-compatible/tiny", "url": f"{url}/v1", "placement": {"kind": "cloud"}, "concurrency": 1}
        return {"small": local}

    prices = {"small": {"input": 2, "output": 8}}
    async with world(tmp_path, budgets=AMPLE, models=models, prices=prices) as w:
        w.provider.next = ["hang"]
        first = asyncio.ensure_future(w.ask())
        await until(lambda: w.provider.ledger)
        second = asyncio.ensure_future(w.ask(person="lee"))
        await until(w.fairlead.lanes.waiting)
        assert len(w.holds()) == 1
        first.cancel()
        await second


def _spans(w: World, run: str) -> list[bytes]:
    from sqlalchemy import text

    with w.store.reading() as connection:
        rows = connection.execute(text("SELECT spans FROM log WHERE run = :run ORDER BY seq"), {"run": run})
        return [bytes(row[0]) for row in rows if row[0]]


def test_clients_are_refused_in_their_doors_form_and_told_when_to_come_back(tmp_path: Path) -> None:
    lanes = ONE | {"names": {"only": {"waiting": 1, "wait": 0.05}}, "usual": "only"}
    question = {"model": "small", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    with ThreadPoolExecutor() as pool, served(tmp_path, lanes=lanes, drain=1) as s:
        s.provider.next = ["hang"]
        deadline = {"x-fairlead-deadline": "60"}
        pool.submit(httpx.post, f"{s.url}/v1/messages", json=question, headers=s.auth("kim") | deadline, timeout=60)
        wait_until(lambda: s.provider.ledger)
        said = httpx.post(f"{s.url}/v1/messages", json=question, headers=s.auth("lee"))
        assert said.status_code == 503
        assert int(said.headers["retry-after"]) >= 1
        assert said.json()["error"]["type"] == "overloaded_error"
        assert said.json()["fairlead"]["code"] == "waited_too_long"
        client = OpenAI(api_key=key_of("lee"), base_url=s.url + "/v1", max_retries=0)
        with pytest.raises(InternalServerError) as refused:
            client.chat.completions.create(model="small", messages=[{"role": "user", "content": "hi"}])
        assert refused.value.code == "waited_too_long"


def test_a_client_that_leaves_frees_its_place_though_it_asked_for_no_stream(tmp_path: Path) -> None:
    lanes = {"names": {"all": {"running": 1, "wait": 60}}, "usual": "all"}
    with served(tmp_path, budgets=AMPLE, lanes=lanes) as s:
        s.provider.always = "hang"
        url, body = f"{s.url}/v1/chat/completions", {"model": "small", "messages": [{"role": "user", "content": "x"}]}

        async def leaves(calls: int) -> None:
            async with httpx.AsyncClient() as client:
                asked = asyncio.ensure_future(client.post(url, json=body, headers=s.auth()))
                await until(lambda: len(s.provider.received) == calls)
                asked.cancel()
                await asyncio.gather(asked, return_exceptions=True)

        for calls in (1, 2):
            asyncio.run(leaves(calls))
            wait_until(lambda: s.running.fairlead.lanes.running("all") == 0)
        wait_until(lambda: [each.outcome for each in s.records("call_model")] == ["abandoned"] * 2)
