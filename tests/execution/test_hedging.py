"""Hedged requests: whoever answers first is taken, and every attempt is held, billed and recorded by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import AMPLE
from tests.world import World, until, world

from fairlead.costs.outcomes import orphaned
from fairlead.costs.record import decode_record
from fairlead.errors import DeadlineExceeded, Upstream
from fairlead.execution.first_bytes import FirstBytes
from fairlead.identity.types import Caller
from fairlead.models.types import Chunk, Model
from fairlead.storage.types import Hold
from fairlead.tasks.hedges import Hedge, HedgeSettings, compile_hedge

SOON = "hedge: {after: 0.03, at_most_share: 1}\n"


async def unheard(run: str, model: Model, chunk: Chunk) -> None:
    """A door that nobody listens at."""


@asynccontextmanager
async def hedging(tmp_path: Path, hedge: str = SOON, **more: Any) -> AsyncIterator[World]:
    async with world(tmp_path, {"tasks/ask.yaml": hedge}, **{"budgets": AMPLE, **more}) as w:
        yield w


def rows(w: World) -> list[tuple[str, int, str, str]]:
    found = [(each.kind, each.attempt, each.model, each.outcome) for each in w.records()]
    return sorted(found, key=lambda row: row[1])


def adds_up(w: World) -> bool:
    return w.holds() == [] and w.balance("organisation") == (0, sum(record.cost for record in w.records()))


def sent_beside(w: World, left: object) -> bool:
    """Whether the second attempt is under way, or was given up where nothing can be sent."""
    cloud = [each for each in w.provider.received if each.json["model"] == "tiny"]
    return bool(cloud) if left else any(each.model == "small" for each in w.records())


@pytest.mark.parametrize("stream", [False, True])
async def test_the_next_candidate_answers_where_the_first_does_not_begin(tmp_path: Path, stream: bool) -> None:
    async with hedging(tmp_path) as w:
        w.provider.next = ["hang"]
        answer = await w.ask("say 4", model="ask", stream=stream, deliver=unheard if stream else None)
        assert answer.model.name == "house"
        assert rows(w) == [("attempt", 1, "small", "abandoned"), ("call_model", 2, "house", "done")]
        outrun, done = sorted(w.records(), key=lambda record: record.attempt)
        assert outrun.flags == ("hedged", "reconcile")
        assert "hedged" in done.flags
        assert 0 < outrun.cost < outrun.held
        assert answer.cost == outrun.cost + done.cost
        keys = [received.headers["idempotency-key"] for received in w.provider.received]
        assert keys == [f"{answer.run}.1", f"{answer.run}.2"]
        await until(lambda: w.provider.ledger[0].outcome == "abandoned")
        assert adds_up(w)


async def test_the_first_is_taken_where_it_begins_after_all(tmp_path: Path) -> None:
    async with hedging(tmp_path) as w:
        w.provider.next = ["held", "hang"]
        asked = asyncio.create_task(w.ask("say 4", model="ask"))
        await until(lambda: len(w.provider.received) == 2)
        assert len(w.holds()) == 2
        w.provider.released.set()
        assert (await asked).model.name == "small"
        assert rows(w) == [("call_model", 1, "small", "done"), ("attempt", 2, "house", "abandoned")]
        assert w.fairlead.health.reason("house") is None
        assert adds_up(w)


async def test_one_that_fails_leaves_it_to_the_other(tmp_path: Path) -> None:
    for number, (faults, first) in enumerate([(["held", "500"], "small"), (["held-then-500", "held"], "house")]):
        async with hedging(tmp_path / str(number)) as w:
            w.provider.next = faults
            asked = asyncio.create_task(w.ask("say 4", model="ask"))
            await until(lambda w=w: len(w.provider.received) == 2)  # type: ignore[misc]
            w.provider.released.set()
            assert (await asked).model.name == first
            assert sorted(row[3] for row in rows(w)) == ["done", "failed"]
            assert adds_up(w)


async def test_where_both_fail_the_first_ones_error_counts_and_others_are_tried(tmp_path: Path) -> None:
    async with hedging(tmp_path) as w:
        w.provider.next = ["held-then-500", "held-then-500", "400"]
        asked = asyncio.create_task(w.ask("say 4", model="ask"))
        await until(lambda: len(w.provider.received) == 2)
        w.provider.released.set()
        with pytest.raises(Upstream):
            await asked
        assert [row[:3] for row in rows(w)[:3]] == [
            ("attempt", 1, "small"),
            ("attempt", 2, "house"),
            ("attempt", 3, "house"),
        ]
        assert adds_up(w)


@pytest.mark.parametrize("ends", ["deadline", "client", "cut off"])
async def test_whatever_ends_both_nothing_stays_held(tmp_path: Path, ends: str) -> None:
    async with hedging(tmp_path) as w:
        w.provider.next = ["hang", "reset-mid-body" if ends == "cut off" else "hang"]
        deadline = 2.0 if ends == "deadline" else None
        stream = ends == "cut off"
        asked = asyncio.create_task(w.ask("say 40", model="ask", deadline=deadline, stream=stream, deliver=unheard))
        await until(lambda: len(w.provider.received) == 2)
        if ends == "client":
            asked.cancel()
        with pytest.raises((DeadlineExceeded, asyncio.CancelledError, Upstream)):
            await asked
        await until(lambda: not w.holds())
        by_attempt = {record.attempt: record for record in w.records() if record.model}
        assert set(by_attempt) == {1, 2}
        assert all(record.cost > 0 for record in by_attempt.values())
        assert adds_up(w)


async def test_where_it_cannot_be_redacted_for_the_other_the_first_is_waited_for(tmp_path: Path) -> None:
    rule = {"pseudonymise": ["email"], "for": "cloud"}
    hedge = f"{{prefer: [house, small], {SOON.strip()}}}"
    async with hedging(tmp_path, hedge, rules=[rule]) as w:
        for stop, left in ((["zoe@firm.example"], ()), ([], (("email", 1),))):
            w.provider.released.clear()
            w.provider.next = ["held", "hang"]
            asked = asyncio.create_task(w.ask("say 4 to zoe@firm.example", model="ask", stop=stop))
            await until(lambda w=w, left=left: sent_beside(w, left))  # type: ignore[misc]
            w.provider.released.set()
            answer = await asked
            assert answer.model.name == "house"
            found = {each.model: each for each in w.records(run=answer.run)}
            assert (found["house"].pseudonyms, found["small"].pseudonyms) == ((), left)
            w.provider.next = []
        assert adds_up(w)


async def test_no_other_is_asked_with_groups_that_were_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hedging(tmp_path) as w:
        looks: list[Caller] = []

        def standing(_: object, caller: Caller) -> Caller:
            looks.append(caller)
            return caller if len(looks) == 1 else msgspec.structs.replace(caller, groups=frozenset())

        monkeypatch.setattr(type(w.fairlead.current().authenticator), "standing", standing)
        w.provider.next = ["held"]
        asked = asyncio.create_task(w.ask("say 4", model="ask"))
        await until(lambda: len(looks) == 2)
        w.provider.released.set()
        assert (await asked).model.name == "small"
        assert [each.json["model"] for each in w.provider.received] == ["tiny"]
        assert adds_up(w)


async def test_a_budget_that_has_room_for_one_only_lets_no_other_begin(tmp_path: Path) -> None:
    async with hedging(tmp_path, budgets={"organisation": {"total": "0.0085"}}) as w:
        w.provider.next = ["held"]
        asked = asyncio.create_task(w.ask("hi", model="ask"))
        await asyncio.sleep(0.1)
        w.provider.released.set()
        answer = await asked
        assert rows(w) == [("call_model", 1, "small", "done")]
        assert "hedged" not in answer.flags
        assert adds_up(w)


async def test_no_more_than_its_share_of_calls_has_another_beside_it(tmp_path: Path) -> None:
    async with hedging(tmp_path, "hedge: {after: 0s, at_most_share: 0.01}\n") as w:
        w.provider.next = ["hang"]
        await w.ask("hi", model="ask")
        for _ in range(3):
            await w.ask("hi", model="ask")
        assert [record.attempt for record in w.records("call_model")] == [2, 1, 1, 1]


def test_those_whose_worker_died_are_billed_each_and_are_one_run() -> None:
    intents = [
        b'{"at":0,"attempt":%d,"flags":%s,"kind":"attempt","run":"run_1","v":1}' % (number, flags)
        for number, flags in ((1, b"[]"), (2, b'["hedged"]'))
    ]
    entries = [orphaned(Hold(f"run_1.{at}", 5 + at, (), intent), 7) for at, intent in enumerate(intents)]
    found = [decode_record(entry.record) for entry in entries]
    assert [(each.kind, each.cost, "orphaned" in each.flags) for each in found] == [
        ("call_model", 5, True),
        ("attempt", 6, True),
    ]


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3), max_size=200), st.floats(0.01, 1))
def test_however_slow_all_are_at_most_the_share_is_sent_beside(wants: list[int], share: float) -> None:
    seen, sent = FirstBytes(), 0
    for calls, want in enumerate(wants, 1):
        seen.begins("t", Hedge(1.0, 1, share))
        sent += sum(seen.take("t") for _ in range(want))
        assert sent <= 1 + share * calls + 1e-6


def test_the_usual_time_is_known_from_twenty_on_and_forgets_what_is_long_ago() -> None:
    seen = FirstBytes()
    for number in range(19):
        seen.note("t", "m", number / 10)
    assert seen.usual("t", "m") is None
    seen.note("t", "m", 9.0)
    assert seen.usual("t", "m") == 9.0
    for _ in range(200):
        seen.note("t", "m", 0.5)
    assert seen.usual("t", "m") == 0.5
    assert seen.usual("t", "other") is None


def test_seconds_are_written_in_either_way_and_nothing_else_is_taken() -> None:
    assert compile_hedge(HedgeSettings(after="2.5s")) == compile_hedge(HedgeSettings(after=2.5)) == Hedge(2.5)
    assert compile_hedge(HedgeSettings(after="p95")) == Hedge(None)
    for wrong in (-1, "soon", "p99", "2"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"after": wrong}, HedgeSettings)
