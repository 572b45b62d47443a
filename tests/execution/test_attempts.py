"""One candidate after the other: fallback, retries, the breaker and the deadline, each attempt with its own row."""

import asyncio
import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import AMPLE
from tests.world import IN, FixedClock, World, until, world

from fairlead.errors import (
    CutOff,
    DeadlineExceeded,
    NotRedactable,
    OverBudget,
    Overloaded,
    RateLimited,
    Rejected,
    Upstream,
)
from fairlead.models.types import Chunk, Model

BOTH: dict[str, Any] = {"budgets": AMPLE, "fallback": True}


async def unheard(run: str, model: Model, chunk: Chunk) -> None:
    """A door that nobody listens at."""


def rows(w: World) -> list[tuple[str, int, str, str]]:
    return [(record.kind, record.attempt, record.model, record.outcome) for record in w.records()]


def adds_up(w: World) -> bool:
    return w.holds() == [] and w.balance("organisation") == (0, sum(record.cost for record in w.records()))


@pytest.mark.parametrize(
    "fault", ["500", "429", "401", "reset-before-reply", "html", "empty-stream", "charge-then-die"]
)
async def test_when_one_model_fails_the_next_one_answers_and_both_are_recorded(tmp_path: Path, fault: str) -> None:
    async with world(tmp_path, **BOTH) as w:
        w.provider.next = [fault]
        answer = await w.ask("say 4")
        assert answer.model.name == "house"
        assert rows(w) == [("attempt", 1, "small", "failed"), ("call_model", 2, "house", "done")]
        failed, done = w.records()
        assert answer.cost == failed.cost + done.cost
        assert adds_up(w)


async def test_a_request_that_its_server_calls_wrong_goes_to_the_next_and_says_nothing_against_the_server(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, **BOTH) as w:
        for _ in range(12):
            w.provider.next = ["400"]
            assert (await w.ask("say 4")).model.name == "house"
        assert w.fairlead.health.reason("small") is None


async def test_a_model_for_which_nothing_can_be_taken_out_is_passed_over(tmp_path: Path) -> None:
    async with world(tmp_path, **BOTH, rules=[{"redact": ["email"], "for": "cloud"}]) as w:
        answer = await w.ask("say 4", stop=["zoe@firm.example"])
        assert answer.model.name == "house"
        assert [each.json["model"] for each in w.provider.received] == ["house"]
        passed_over, done = w.records()
        assert (passed_over.outcome, passed_over.flags, passed_over.cost) == ("failed", ("failed", "not_redactable"), 0)
        assert answer.cost == done.cost
        assert adds_up(w)


async def test_where_nothing_can_be_taken_out_for_the_only_model_the_call_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE, rules=[{"redact": ["email"], "for": "cloud"}]) as w:
        with pytest.raises(NotRedactable, match="cannot be taken out"):
            await w.ask("say 4", model="small", stop=["zoe@firm.example"])
        assert w.provider.received == []
        assert adds_up(w)


async def test_the_last_error_is_told_when_no_candidate_is_left(tmp_path: Path) -> None:
    async with world(tmp_path, **BOTH) as w:
        w.provider.next = ["500", "400"]
        with pytest.raises(Rejected, match="calls the request wrong"):
            await w.ask()
        assert [row[:3] for row in rows(w)] == [("attempt", 1, "small"), ("attempt", 2, "house"), ("call_model", 2, "")]
        assert adds_up(w)


async def test_once_a_part_of_the_reply_is_out_nobody_else_continues_it(tmp_path: Path) -> None:
    async with world(tmp_path, **BOTH) as w:
        w.provider.next = ["reset-mid-body"]
        with pytest.raises(CutOff):
            await w.ask("say 30", stream=True, deliver=unheard)
        assert len(w.provider.received) == 1
        assert adds_up(w)


async def test_a_stream_that_dies_before_its_first_text_falls_back(tmp_path: Path) -> None:
    async with world(tmp_path, **BOTH) as w:
        w.provider.next = ["reset-after-headers"]
        answer = await w.ask("say 30", stream=True, deliver=unheard)
        assert answer.model.name == "house"
        assert adds_up(w)


async def test_a_retry_is_an_attempt_of_its_own_with_its_own_idempotency_key(tmp_path: Path) -> None:
    retries = {"tries": 3, "first_wait": 0.01, "longest_wait": 0.02}
    async with world(tmp_path, budgets=AMPLE, retries=retries) as w:
        w.provider.next = ["503", "503"]
        answer = await w.ask()
        assert rows(w) == [
            ("attempt", 1, "small", "failed"),
            ("attempt", 2, "small", "failed"),
            ("call_model", 3, "small", "done"),
        ]
        keys = [received.headers["idempotency-key"] for received in w.provider.received]
        assert keys == [f"{answer.run}.{n}" for n in (1, 2, 3)]
        assert adds_up(w)


async def test_a_failing_model_is_left_alone_and_probed_after_its_pause(tmp_path: Path) -> None:
    clock = FixedClock()
    breaker = {"failures": 2, "cool_down": 10.0}
    async with world(tmp_path, budgets=AMPLE, breaker=breaker, clock=clock) as w:
        w.provider.next = ["500", "500"]
        for _ in range(2):
            with pytest.raises(Upstream):
                await w.ask()
        with pytest.raises(Upstream, match="no model that may answer is well"):
            await w.ask()
        assert len(w.provider.received) == 2
        assert w.records()[-1].dropped[0] == ("small", "health")
        clock.tick(3)  # renewals keep the lease
        clock.tick(8)
        w.fairlead.lease.extend(clock.monotonic())
        assert (await w.ask()).model.name == "small"
        assert w.fairlead.health.reason("small") is None
        assert adds_up(w)


async def test_a_pause_that_a_server_asks_for_is_kept(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE) as w:
        w.provider.next = ["429-seconds"]
        with pytest.raises(RateLimited):
            await w.ask()
        assert "asked for a pause" in (w.fairlead.health.reason("small") or "")


async def test_a_hold_that_no_longer_fits_ends_the_fallback_and_keeps_the_failed_attempts_bill(tmp_path: Path) -> None:
    # One hold of `small` fits; after it was billed whole, nothing is left for `house`.
    async with world(tmp_path, budgets={"organisation": {"total": "0.0085"}}, fallback=True) as w:
        w.provider.next = ["charge-then-die"]
        with pytest.raises(OverBudget):
            await w.ask("hi")
        attempt, action = w.records()
        assert attempt.cost == attempt.held
        assert (action.outcome, action.cost) == ("refused", 0)
        assert adds_up(w)


@pytest.mark.parametrize("fault", ["hang", "stall"])
async def test_the_deadline_covers_all_attempts_together(tmp_path: Path, fault: str) -> None:
    async with world(tmp_path, **BOTH) as w:
        w.provider.next = ["500", fault]
        started = asyncio.get_running_loop().time()
        # The time of all attempts and that of the last call end at the same moment: either may be the first to see it.
        with pytest.raises((DeadlineExceeded, CutOff)) as late:
            await w.ask("say 40", stream=True, deadline=2, deliver=unheard)
        assert asyncio.get_running_loop().time() - started < 10
        assert [row[0] for row in rows(w)] == ["attempt", "attempt", "call_model"]
        failed = w.records()[1]
        assert failed.error is not None
        assert failed.error.code == late.value.code
        assert fault == "stall" or failed.error.code == "deadline_exceeded"
        assert failed.cost >= failed.held if fault == "hang" else failed.cost >= IN // 2
        assert adds_up(w)


async def test_a_deadline_that_comes_while_the_first_text_is_awaited_starts_nothing_new(tmp_path: Path) -> None:
    async with world(tmp_path, **BOTH) as w:
        w.provider.next = ["hang"]
        with pytest.raises(DeadlineExceeded):
            await w.ask(deadline=1.5)
        assert len(w.provider.received) == 1
        assert adds_up(w)


async def test_a_candidate_that_another_call_begins_to_probe_is_passed_over_and_its_hold_given_back(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, **BOTH) as w:
        await w.ask("say 3", model="house")
        other = sqlite3.connect(w.store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        request = asyncio.ensure_future(w.ask("say 3"))  # planned for `small`, and waits for its reservation
        await until(lambda: w.fairlead.ledger.journal.is_writing)
        w.fairlead.health.failure("small", RateLimited("pause", retry_after=0.0))
        assert w.fairlead.health.acquire("small")  # we are the probe now
        other.execute("COMMIT")
        other.close()
        answer = await request
        assert answer.model.name == "house"
        assert [row[:3] for row in rows(w)[1:]] == [("attempt", 1, "small"), ("call_model", 2, "house")]
        assert w.records()[1].cost == 0
        assert adds_up(w)


async def test_a_later_candidate_that_is_passed_over_is_recorded_with_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, **BOTH) as w:
        noted = w.fairlead.health.failure

        def both(model: str, error: Upstream) -> None:
            noted(model, error)
            noted("house", RateLimited("pause", retry_after=60.0))

        monkeypatch.setattr(w.fairlead.health, "failure", both)
        w.provider.next = ["500"]
        with pytest.raises(Upstream):
            await w.ask()
        assert ("house", "health") in w.records()[-1].dropped
        assert adds_up(w)


async def test_nothing_is_sent_under_what_was_replaced_while_a_call_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, budgets=AMPLE, retries={"tries": 3, "first_wait": 0.2}) as w:
        w.provider.next = ["500"]
        noted = w.fairlead.health.failure

        def and_published(name: str, error: Upstream) -> None:  # as any publish or revocation before the retry
            noted(name, error)
            w.fairlead.deployment = dataclasses.replace(w.fairlead.deployment)

        monkeypatch.setattr(w.fairlead.health, "failure", and_published)
        with pytest.raises(Overloaded, match="changed while this call was waiting"):
            await w.ask("say 4", model="small")
        assert len(w.provider.received) == 1
        assert adds_up(w)
