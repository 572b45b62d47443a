"""Every way out of a model call is recorded exactly once, with the money right to the nano-unit."""

import asyncio
import json
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.conftest import AMPLE
from tests.erased import erase
from tests.world import CARD, IN, OUT, PERSONS, World, asked, until, world

from fairlead.audit import verify_records
from fairlead.audit.canonical import canonical
from fairlead.costs.outcomes import orphaned
from fairlead.costs.payload import decode_payload
from fairlead.costs.record import Record
from fairlead.errors import (
    Broken,
    CutOff,
    DeadlineExceeded,
    FairleadError,
    NoCandidate,
    NotFound,
    OverBudget,
    Overloaded,
    Refused,
    Upstream,
    Withheld,
)
from fairlead.execution import call_model, quote
from fairlead.models.types import Chunk, Model, ModelCall, ModelDriver
from fairlead.storage.journal import Journal
from fairlead.storage.types import Hold, ScopeLimit, Write


class Collected:
    """A door that keeps what it was given, and can do something at a piece."""

    def __init__(self, at: int = 0, then: Callable[[], None] | None = None) -> None:
        self.chunks: list[Chunk] = []
        self._at, self._then = at, then

    async def __call__(self, run: str, model: Model, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        if self._then is not None and len(self.chunks) == self._at:
            self._then()

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)


def the_only_run(w: World) -> list[Record]:
    """The records of the one run there is, the action's own last. Nothing is held any more, and money adds up."""
    records = w.records()
    assert len({record.run for record in records}) == 1
    assert [record.kind for record in records].count("call_model") == 1
    assert records[-1].kind == "call_model"
    assert w.holds() == []
    assert w.balance("organisation") == (0, sum(record.cost for record in records))
    return records


async def test_an_answer_is_billed_for_what_was_used(w: World) -> None:
    answer = await w.ask("say 7")
    (record,) = the_only_run(w)
    assert record.outcome == "done"
    assert record.cost == answer.cost == answer.reply.usage.input * IN + 7 * OUT
    assert (record.run, record.model, record.attempt) == (answer.run, "small", 1)
    assert record.held > record.cost
    assert record.department == "sales"
    assert "kim" not in str(record.person)


async def test_what_is_never_sent_is_refused_and_recorded(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE, rules=[{"refuse": ["payment_card"]}]) as w:
        with pytest.raises(Refused) as refused:
            await w.ask(f"my card is {CARD}")
        (record,) = the_only_run(w)
        assert record.outcome == "refused"
        assert record.error is not None
        assert record.error.code == refused.value.code
        assert "rule-1" in record.policies
        assert refused.value.run == record.run
        assert w.provider.received == []


async def test_a_call_that_may_cost_more_than_is_left_is_refused_and_recorded(tmp_path: Path) -> None:
    async with world(tmp_path, budgets={"organisation": {"total": "0.0001"}}) as w:
        with pytest.raises(OverBudget) as refused:
            await w.ask()
        (record,) = the_only_run(w)
        assert (record.outcome, record.cost) == ("refused", 0)
        assert record.error is not None
        assert (record.error.code, record.error.step) == ("over_budget", "reserve")
        assert refused.value.run == record.run
        assert w.provider.received == []


async def test_a_request_that_no_model_can_do_is_refused_and_recorded(tmp_path: Path) -> None:
    def models(url: str) -> dict[str, object]:
        return {"small": {"use": "openai-compatible/tiny", "url": f"{url}/v1", "tools": False}}

    async with world(tmp_path, budgets=AMPLE, models=models, prices={"small": {"input": 2, "output": 8}}) as w:
        tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
        with pytest.raises(NoCandidate):
            await w.ask(tools=[tool])
        (record,) = the_only_run(w)
        assert record.dropped == (("small", "capability"),)


async def test_an_unknown_model_is_refused_and_recorded(w: World) -> None:
    with pytest.raises(NotFound, match="smal"):
        await w.ask(model="smal")
    (record,) = the_only_run(w)
    assert (record.outcome, record.error and record.error.code) == ("refused", "not_found")


async def test_a_failure_that_cost_nothing_is_billed_nothing(w: World) -> None:
    w.provider.always = "500"
    with pytest.raises(Upstream):
        await w.ask()
    attempt, action = the_only_run(w)
    assert (attempt.kind, attempt.outcome, attempt.model, attempt.cost) == ("attempt", "failed", "small", 0)
    assert (action.outcome, action.cost, action.error and action.error.code) == ("failed", 0, "upstream")


async def test_where_nobody_knows_what_was_charged_the_hold_is_billed_and_flagged(w: World) -> None:
    w.provider.always = "charge-then-die"
    with pytest.raises(Upstream):
        await w.ask()
    attempt, _ = the_only_run(w)
    assert attempt.cost == attempt.held > 0
    assert "reconcile" in attempt.flags


@pytest.mark.parametrize("fault", ["reset-mid-body", "half-closed", "no-done", "error-object", "malformed-stream"])
async def test_a_stream_that_is_cut_off_is_billed_as_far_as_it_went(w: World, fault: str) -> None:
    w.provider.always = fault
    door = Collected()
    if fault == "no-done":  # a finish reason came: the reply is complete
        await w.ask("say 20", stream=True, deliver=door)
        (action,) = the_only_run(w)
        assert action.cost == w.provider.ledger[0].input * IN + 20 * OUT
        return
    with pytest.raises((CutOff, Upstream)):
        await w.ask("say 20", stream=True, deliver=door)
    attempt, action = the_only_run(w)
    assert door.text
    assert attempt.usage is not None
    assert 0 < attempt.cost <= attempt.held
    assert action.outcome == "failed"


async def test_a_withheld_reply_is_billed_and_recorded(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE, rules=[{"withhold": ["payment_card"]}]) as w:
        with pytest.raises(Withheld):
            await w.ask(f"echo your card is {CARD} as you know")
        (record,) = the_only_run(w)
        assert (record.outcome, record.error and record.error.code) == ("refused", "withheld")
        assert record.policies == ("rule-1",), "what withheld it decided, not what permitted the call"
        charge = w.provider.ledger[0]
        assert record.cost == charge.input * IN + charge.output * OUT


async def test_a_client_that_leaves_is_billed_for_what_was_produced(w: World) -> None:
    w.provider.always = "trickle"
    asking: asyncio.Task[object] | None = None
    door = Collected(at=5, then=lambda: asking and asking.cancel())
    asking = asyncio.ensure_future(w.ask("say 300", stream=True, deliver=door))
    with pytest.raises(asyncio.CancelledError):
        await asking
    (record,) = the_only_run(w)
    assert (record.outcome, record.error and record.error.code) == ("abandoned", "client_left")
    assert record.usage is not None
    assert record.usage.estimated
    assert 0 < record.cost < record.held


async def test_what_was_produced_is_counted_in_bytes_whatever_the_script(w: World) -> None:
    w.provider.always = "trickle"
    asking: asyncio.Task[object] | None = None
    door = Collected(at=30, then=lambda: asking and asking.cancel())
    said = " ".join(["\u6e2f\u306f\u9759\u304b"] * 200)
    asking = asyncio.ensure_future(w.ask(f"echo {said}", stream=True, deliver=door))
    with pytest.raises(asyncio.CancelledError):
        await asking
    (record,) = the_only_run(w)
    assert record.usage is not None
    assert record.usage.output >= len(door.text.encode()) // 4


async def test_cancelling_while_the_reservation_is_being_written_leaves_nothing_held(w: World) -> None:
    other = sqlite3.connect(w.store.path, isolation_level=None)
    await w.ask()  # the subject's key is made before the database is locked
    other.execute("BEGIN IMMEDIATE")
    asking = asyncio.ensure_future(w.ask())
    await until(lambda: w.fairlead.ledger.journal.is_writing)
    asking.cancel()
    await asyncio.sleep(0.05)
    other.execute("COMMIT")
    other.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
    first, second = w.records()
    assert (first.outcome, second.outcome, second.cost) == ("done", "abandoned", 0)
    assert w.holds() == []
    assert w.balance("organisation") == (0, first.cost)
    assert len(w.provider.received) == 1


async def test_an_action_that_recovery_settled_first_is_recorded_as_late_and_not_billed_twice(w: World) -> None:
    w.provider.always = "trickle"
    door = Collected(at=2)
    asking = asyncio.ensure_future(w.ask("say 40", stream=True, deliver=door))
    await until(lambda: len(door.chunks) >= 2)
    await _settle_as_recovery_does(w)
    answer = await asking
    first, late = w.records()
    assert (first.kind, first.outcome, first.cost) == ("call_model", "orphaned", first.held)
    assert (late.kind, late.cost, late.held) == ("late", 0, answer.cost)
    assert "reconcile" in late.flags
    assert w.holds() == []
    assert w.balance("organisation") == (0, first.held)


async def test_a_bill_that_cannot_be_written_is_an_error_and_is_written_when_it_can_be(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE, storage={"journal": {"patience": 0.3}}) as w:
        w.provider.always = "trickle"
        other = sqlite3.connect(w.store.path, isolation_level=None)
        door = Collected(at=3, then=lambda: other.execute("BEGIN IMMEDIATE") and None)
        with pytest.raises(Broken, match="could not be made durable"):
            await w.ask("say 20", stream=True, deliver=door)
        assert len(w.holds()) == 1
        other.execute("COMMIT")
        other.close()
        await until(lambda: not w.holds())
        (record,) = the_only_run(w)
        assert (record.outcome, record.flags) == ("done", ())
        assert w.balance("organisation") == (0, record.cost)


async def _settle_as_recovery_does(w: World) -> None:
    from sqlalchemy import text

    with w.store.reading() as connection:
        row = connection.execute(text("SELECT id, amount, limits, intent FROM hold")).one()
    limits = msgspec.msgpack.decode(row.limits, type=tuple[ScopeLimit, ...])
    hold = Hold(row.id, row.amount, limits, bytes(row.intent))
    journal = Journal(w.store, "somebody else", w.clock)
    try:
        await journal.commit(Write(close=hold, spent=hold.amount, entries=(orphaned(hold, w.clock.now()),)))
    finally:
        await asyncio.to_thread(journal.close)


async def test_an_overrun_is_debited_and_flagged(w: World) -> None:
    w.provider.always = "ignore-max-tokens"
    answer = await w.ask("say 500", max_tokens=3)
    (record,) = the_only_run(w)
    assert set(record.flags) == {"overrun", "over_hold"} == set(answer.flags)
    assert record.cost == record.usage.input * IN + 500 * OUT  # type: ignore[union-attr]
    assert record.cost > record.held


async def test_an_estimate_is_recorded_and_costs_nothing(w: World) -> None:
    request, arrival = asked("hello", model="auto")
    made = await quote(w.fairlead, w.caller(), request, arrival)
    (record,) = the_only_run(w)
    assert (record.outcome, record.cost, record.run) == ("estimated", 0, made.run)
    assert [estimate.model for estimate in made.estimates] == ["small", "house"]
    assert w.provider.received == []


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_deadline_ends_an_action_and_what_nobody_knows_is_billed_at_the_hold(
    w: World, streamed: bool
) -> None:
    w.provider.always = "hang"
    with pytest.raises(DeadlineExceeded):
        await w.ask(deadline=1.5, stream=streamed)
    attempt, action = the_only_run(w)
    assert (attempt.cost, action.error and action.error.code) == (attempt.held, "deadline_exceeded")
    assert "reconcile" in attempt.flags


async def test_a_fault_of_our_own_is_recorded_as_one_and_what_was_produced_is_billed(w: World) -> None:
    def stumble() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await w.ask("say 30", stream=True, deliver=Collected(at=1, then=stumble))
    (record,) = the_only_run(w)
    assert (record.outcome, record.error and record.error.code) == ("failed", "broken")
    assert record.cost > 0


async def test_a_worker_that_may_be_behind_decides_nothing(w: World) -> None:
    w.fairlead.lease.end()
    with pytest.raises(Overloaded):
        await w.ask()
    assert w.records() == []
    assert w.provider.received == []


async def test_payloads_are_sealed_and_open_only_for_their_run(w: World) -> None:
    answer = await w.ask("echo the harbour is calm")
    (record,) = the_only_run(w)
    from sqlalchemy import text

    with w.store.reading() as connection:
        row = connection.execute(text("SELECT subject, ciphertext FROM payload")).one()
    assert b"harbour" not in row.ciphertext
    opened = w.fairlead.ledger.vault.open_sealed(row.subject, row.ciphertext, answer.run.encode())
    kept = decode_payload(opened)
    assert (b"harbour" in kept.body, kept.reply) == (True, "the harbour is calm")
    assert record.payload


async def test_nothing_is_kept_of_payloads_where_the_workspace_says_so(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE, payloads="none") as w:
        await w.ask("echo the harbour is calm")
        (record,) = the_only_run(w)
        assert record.payload == ""
        assert w.count("payload") == 0


async def test_redacted_values_leave_redacted_and_come_back(tmp_path: Path) -> None:
    rules = [{"redact": ["payment_card"], "for": "cloud"}]
    async with world(tmp_path, budgets=AMPLE, rules=rules) as w:
        for streamed in (False, True):
            door = Collected()
            answer = await w.ask(f"echo card {CARD} is yours", stream=streamed, deliver=door if streamed else None)
            assert answer.reply.choices[0].text == f"card {CARD} is yours"
            assert answer.redacted == ("payment_card",)
            sent = w.provider.received[-1].body.decode()
            assert "4111" not in sent
            assert "1111" not in sent
        house = await w.ask(f"echo card {CARD} is yours", model="house")
        assert CARD in w.provider.received[-1].body.decode()
        assert house.redacted == ()
        assert [record.redacted for record in w.records()] == [("payment_card",), ("payment_card",), ()]


async def test_pseudonyms_are_the_same_in_a_conversation_and_die_with_its_person(tmp_path: Path) -> None:
    rules = [{"pseudonymise": ["payment_card", "email"], "for": "cloud"}]
    async with world(tmp_path, budgets=AMPLE, rules=rules) as w:

        async def said(session: str, person: str = "kim", *, streamed: bool = False) -> str:
            request, arrival = asked(f"echo card {CARD} of a@x.org is yours", stream=streamed)
            arrival = msgspec.structs.replace(arrival, session=session)
            door = Collected() if streamed else None
            answer = await call_model(w.fairlead, w.caller(person), request, arrival, door)
            assert answer.reply.choices[0].text == f"card {CARD} of a@x.org is yours"
            return json.loads(w.provider.received[-1].body)["messages"][-1]["content"]

        first = await said("one")
        assert "1111" not in first
        assert await said("one", streamed=True) == first
        assert len({first, await said("two"), await said("one", "max"), await said(""), await said("")}) == 5
        assert {record.pseudonyms for record in w.records()} == {(("email", 1), ("payment_card", 1))}
        erase(w.store, w.fairlead.ledger.vault, "kim")
        assert await said("one") != first


async def test_every_record_is_canonical_json_and_a_leaf_of_the_tree(w: World) -> None:
    await w.ask()
    w.provider.next = ["500"]
    with pytest.raises(Upstream):
        await w.ask()
    with pytest.raises(NotFound):
        await w.ask(model="nobody")
    for raw in w.raw_records():
        assert canonical(msgspec.json.decode(raw)) == raw
    assert len(w.raw_records()) == 4


OUTCOMES = ("", "", "500", "charge-then-die", "reset-mid-body", "half-closed", "no-usage", "nonsense-usage", "trickle")


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_happens_at_once_every_run_is_recorded_once_and_the_money_adds_up(w: World, seed: int) -> None:
    chance = random.Random(seed)

    async def one() -> None:
        door = Collected()
        w.provider.next.append(chance.choice(OUTCOMES))
        asking = asyncio.ensure_future(
            w.ask(
                f"say {chance.randrange(1, 60)}",
                person=chance.choice(["kim", "lee", "max"]),
                model=chance.choice(["small", "house"]),
                stream=chance.random() < 0.5,
                deliver=door,
            )
        )
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() * 0.05)
            asking.cancel()
        await asyncio.wait([asking])
        if not asking.cancelled() and (error := asking.exception()) is not None:
            assert isinstance(error, FairleadError), repr(error)

    for person in PERSONS:  # before a person's first action there is no key to record it under
        await w.ask(person=person)
    await asyncio.gather(*(one() for _ in range(60)))
    records = w.records()
    runs = Counter(record.run for record in records if record.kind == "call_model")
    assert len(runs) == 60 + len(PERSONS)
    assert set(runs.values()) == {1}
    assert w.holds() == []
    assert w.balance("organisation") == (0, sum(record.cost for record in records))
    charged = {charge.request for charge in w.provider.ledger}
    recorded = {f"{record.run}.{record.attempt}" for record in records}
    assert charged <= recorded


class Spy:
    """A driver that looks, at the moment it is called, whether everything that must come before has come."""

    def __init__(self, inner: ModelDriver, w: World) -> None:
        self._inner, self._w = inner, w
        self.calls: list[str] = []

    async def answer(self, call: ModelCall) -> AsyncIterator[Chunk]:
        held = dict(self._w.holds())
        assert held.get(call.idempotency_key, 0) > 0, "a driver was reached without a durable reservation"
        self.calls.append(call.idempotency_key)
        async for chunk in self._inner.answer(call):
            yield chunk

    async def probe(self) -> list[str]:
        return await self._inner.probe()


async def test_no_driver_is_reached_without_a_caller_a_decision_a_reservation_and_a_record(w: World) -> None:
    deployment = w.fairlead.deployment
    spies = {name: Spy(driver, w) for name, driver in deployment.drivers.items()}
    w.fairlead.deployment = replace(deployment, drivers=spies)
    for fault in ("", "500", "charge-then-die", "reset-mid-body", "429", "no-usage"):
        for streamed in (False, True):
            for model in ("small", "house", "auto"):
                w.provider.next = [fault]
                try:
                    await w.ask("say 9", model=model, stream=streamed, deliver=Collected())
                except Upstream:
                    continue
    calls = [call for spy in spies.values() for call in spy.calls]
    assert len(calls) >= 12
    recorded = {f"{record.run}.{record.attempt}": record for record in w.records() if record.held}
    for call in calls:
        record = recorded[call]
        assert record.person
        assert record.policies == ("default-call",)
        assert record.held > 0
        assert record.credential == "key:kim"


async def test_the_log_verifies_after_all_kinds_of_ends(w: World) -> None:
    for fault in ("", "500", "charge-then-die"):
        w.provider.next = [fault]
        try:
            await w.ask()
        except Upstream:
            continue
    from fairlead.storage.log import Log

    key = w.fairlead.ledger.vault.verifier_key("fairlead/acme")
    with Log(w.store).at_one_moment() as moment:
        verdict = verify_records(enumerate(w.raw_records()), moment.head(), [], key)
    assert verdict.ok, verdict.problems
