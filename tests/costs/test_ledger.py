"""The ledger by itself: an action cannot be left without being ended, and a record is canonical as it is encoded."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import World, asked

from fairlead.audit.canonical import canonical
from fairlead.costs.ledger import Action
from fairlead.costs.outcomes import orphaned
from fairlead.costs.record import Record, RecordedError, RecordedUsage, decode_record, encode_record, recorded_usage
from fairlead.costs.told import Reservation
from fairlead.costs.types import Rate, Tier
from fairlead.errors import Broken, CutOff, Denied, FairleadError, OverBudget, Upstream, Withheld
from fairlead.models.types import Model, Placement, Usage
from fairlead.policy.types import Hit
from fairlead.storage.types import Hold, NewTurn, ScopeLimit

MODEL = Model(name="small", endpoint="e", remote="r", placement=Placement(kind="cloud"))
RATE = Rate("2026-11", (Tier(above=0, input=3_000, output=7_000, cached_input=1_000, cache_write=3_000),))  # pico-units
LIMIT = ScopeLimit("person/kim", "2026-11", 1_000_000)
RESERVATION = Reservation(
    model=MODEL, redacted=frozenset({"iban"}), max_output=100, rate=RATE, most=5_000, limits=(LIMIT,)
)  # fmt: skip


class Produced:
    """A reply as far as it came."""

    def __init__(self, usage: Usage, text: str = "") -> None:
        self._usage, self._text = usage, text

    def usage_so_far(self) -> Usage:
        return self._usage

    def hits(self) -> frozenset[Hit]:
        return frozenset()

    def reply_text(self) -> str:
        return self._text


def opened(w: World) -> Action:
    _, arrival = asked()
    return w.fairlead.ledger.open(w.caller(), arrival, w.fairlead.deployment)


def the_action(w: World) -> Record:
    """The one record of the action itself; nothing is held, and what was spent is what the records say."""
    (record,) = w.records("call_model")
    assert w.holds() == []
    assert w.balance("person/kim") == (0, sum(each.cost for each in w.records()))
    return record


async def test_a_fault_in_what_is_to_be_remembered_leaves_a_record_a_bill_and_no_hold(w: World) -> None:
    def broken() -> NewTurn:
        raise RuntimeError("nobody foresaw this")

    with pytest.raises(RuntimeError):
        async with opened(w) as action:
            await action.reserve(RESERVATION)
            action.sending(Produced(Usage(input=3, output=2, estimated=True)))
            await action.settle(Usage(input=3, output=2, estimated=True), broken)
    record = the_action(w)
    assert (record.outcome, record.cost > 0, record.error) == ("failed", True, RecordedError("broken"))


async def test_money_is_held_before_and_billed_after(w: World) -> None:
    async with opened(w) as action:
        await action.reserve(RESERVATION)
        assert w.holds() == [(action.attempt_id, 5_000)]
        assert w.balance("person/kim") == (5_000, 0)
        action.sending(Produced(Usage(10, 10)))
        await action.settle(Usage(input=11, output=13, cached_input=1))
    record = the_action(w)
    # 10 plain, 1 cached and 13 output tokens: 30,000 + 1,000 + 91,000 pico-units, rounded half up to nano-units.
    assert (record.outcome, record.cost, record.held) == ("done", 122, 5_000)
    assert record.usage == RecordedUsage(cached_input=1, input=11, output=13)
    assert record.redacted == ("iban",)


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (Denied("no"), "refused", "denied"),
        (Withheld("no"), "refused", "withheld"),
        (Upstream("no"), "failed", "upstream"),
        (Broken("no"), "failed", "broken"),
        (KeyError("a fault"), "failed", "broken"),
        (asyncio.CancelledError(), "abandoned", "client_left"),
        (GeneratorExit(), "abandoned", "client_left"),
    ],
)
@pytest.mark.parametrize("reached", ["opened", "reserved", "sending"])
async def test_whatever_leaves_an_action_ends_it(
    w: World, error: BaseException, outcome: str, code: str, reached: str
) -> None:
    with pytest.raises(type(error)):
        async with opened(w) as action:
            if reached != "opened":
                await action.reserve(RESERVATION)
            if reached == "sending":
                action.sending(Produced(Usage(10, 10, estimated=True)))
            raise error
    record = the_action(w)
    assert (record.outcome, record.error and record.error.code) == (outcome, code)
    assert record.cost == (100 if reached == "sending" else 0)
    if isinstance(error, FairleadError):
        assert error.run == record.run


async def test_leaving_without_a_word_is_a_fault_and_frees_the_hold(w: World) -> None:
    async with opened(w) as action:
        await action.reserve(RESERVATION)
    record = the_action(w)
    assert (record.outcome, record.cost) == ("failed", 0)


@pytest.mark.parametrize(("charged", "cost"), [("no", 0), ("part", 100), ("unknown", 5_000)])
async def test_a_failed_attempt_is_billed_by_what_its_provider_may_charge(w: World, charged: str, cost: int) -> None:
    async with opened(w) as action:
        await action.reserve(RESERVATION)
        action.sending(Produced(Usage(10, 10)))
        action.fail(CutOff("it stopped", charged=charged))
        assert w.holds() == [(action.attempt_id, 5_000)]  # its settlement goes into the next commit
        await action.reserve(RESERVATION)
        assert w.holds() == [(f"{action.run}.2", 5_000)]
        action.sending(Produced(Usage(1, 1)))
        await action.settle(Usage(1, 1))
    (attempt,) = w.records("attempt")
    assert (attempt.cost, attempt.attempt, attempt.outcome) == (cost, 1, "failed")
    assert ("reconcile" in attempt.flags) is (charged == "unknown")
    assert the_action(w).cost == 10
    assert action.cost == cost + 10


async def test_an_attempt_that_failed_before_anything_was_sent_is_free_whatever_the_error_says(w: World) -> None:
    with pytest.raises(Upstream):
        async with opened(w) as action:
            await action.reserve(RESERVATION)
            error = Upstream("it broke", charged="unknown")
            action.fail(error)
            raise error
    assert w.records("attempt")[0].cost == 0
    the_action(w)


async def test_a_hold_that_does_not_fit_leaves_the_failed_attempts_settlement_in_place(w: World) -> None:
    with pytest.raises(OverBudget):
        async with opened(w) as action:
            await action.reserve(RESERVATION)
            action.sending(Produced(Usage(10, 10)))
            action.fail(Upstream("it broke", charged="unknown"))
            await action.reserve(msgspec.structs.replace(RESERVATION, most=LIMIT.cap))
    assert w.records("attempt")[0].cost == 5_000
    assert the_action(w).outcome == "refused"


async def test_a_warning_is_given_once_and_told_to_who_caused_it(w: World, caplog: pytest.LogCaptureFixture) -> None:
    warned = msgspec.structs.replace(RESERVATION, limits=(msgspec.structs.replace(LIMIT, cap=8_000, shares=(2,)),))
    told = []
    for _ in range(3):
        async with opened(w) as action:
            await action.reserve(warned)
            action.sending(Produced(Usage(8, 8)))
            await action.settle(Usage(8, 8))
        told.append([limit.scope for limit in action.warnings])
    assert told == [[], ["person/kim"], []]
    (logged,) = caplog.messages
    assert f"budget person/{w.records()[0].person} has passed 2%" in logged


async def test_a_second_end_changes_nothing(w: World) -> None:
    with pytest.raises(KeyError):
        async with opened(w) as action:
            await action.reserve(RESERVATION)
            action.sending(Produced(Usage(1, 1)))
            await action.settle(Usage(1, 1))
            raise KeyError("after the bill")
    assert the_action(w).outcome == "done"


names = st.text(max_size=12)
counts = st.integers(0, 2**53 - 1)  # the largest integer that canonical JSON carries exactly
records = st.builds(
    Record,
    agent=names, at=counts, attempt=st.integers(0, 99), categories=st.lists(names, max_size=3).map(tuple),
    citations=st.lists(names, max_size=2).map(tuple), cost=counts, credential=names, data_class=names,
    department=names, door=names, dropped=st.lists(st.tuples(names, names), max_size=2).map(tuple),
    error=st.none() | st.builds(RecordedError, code=names, step=names), flags=st.lists(names, max_size=2).map(tuple),
    held=counts, kind=names, model=names, outcome=names, payload=names, person=names, placement=names,
    policies=st.lists(names, max_size=2).map(tuple), price=names, redacted=st.lists(names, max_size=2).map(tuple),
    revision=names, run=names, snapshot=names, suppressed=counts, task=names, tenant=names,
    usage=st.none() | st.builds(
        RecordedUsage, audio_input=counts, audio_output=counts, cache_write=counts, cache_write_1h=counts,
        cached_input=counts, estimated=st.booleans(), input=counts, output=counts, reasoning=counts, tier=names,
    ),
    v=st.just(1),
)  # fmt: skip


@given(records)
def test_the_bytes_of_a_record_are_its_canonical_json(record: Record) -> None:
    encoded = encode_record(record)
    assert canonical(msgspec.json.decode(encoded)) == encoded
    assert decode_record(encoded) == record


def test_every_field_of_a_record_stands_in_the_order_that_canonical_json_wants() -> None:
    for kind in (Record, RecordedUsage, RecordedError):
        fields = list(kind.__struct_fields__)
        assert fields == sorted(fields)


def test_a_dead_workers_attempt_is_billed_at_its_hold_and_flagged() -> None:
    intent = Record(v=1, kind="attempt", run="run_1", at=5, attempt=2, model="small", held=700, person="s_1")
    entry = orphaned(Hold("run_1.2", 700, (LIMIT,), encode_record(intent)), 9)
    record = decode_record(entry.record)
    assert (entry.run, entry.at) == ("run_1", 9)
    assert (record.kind, record.outcome, record.cost) == ("call_model", "orphaned", 700)
    assert record.flags == ("orphaned", "reconcile")
    assert (record.person, record.model, record.attempt) == ("s_1", "small", 2)


def test_rows_from_before_further_counts_were_kept_still_read() -> None:
    old = b'{"at":5,"kind":"call_model","run":"run_1","usage":{"cached_input":3,"input":9,"output":2},"v":1}'
    record = decode_record(old)
    assert record.usage == RecordedUsage(input=9, output=2, cached_input=3)
    assert encode_record(record) == old


def test_a_providers_word_for_its_service_is_recorded_without_what_could_not_be_erased() -> None:
    assert recorded_usage(Usage(input=1, tier="flex")).tier == "flex"
    assert recorded_usage(Usage(input=1, tier="kim@acme \ud800" + "x" * 80)).tier == "kimacme" + "x" * 30


async def test_a_bill_that_rests_on_no_stated_price_is_flagged_and_to_be_compared(w: World) -> None:
    async with opened(w) as action:
        await action.reserve(RESERVATION)
        action.sending(Produced(Usage(10, 10)))
        await action.settle(Usage(input=10, output=10, audio_input=4, tier="default"))
    record = the_action(w)
    # 6 plain tokens, and of sound 4 at the dearest price that there is, which is that of output
    assert record.cost == (6 * 3_000 + 14 * 7_000) // 1000
    assert record.flags == ("unpriced", "reconcile")
    assert record.usage == RecordedUsage(audio_input=4, input=10, output=10, tier="default")
