"""The trace of a run: nesting, waiting, failing, and what comes back from its bytes."""

import asyncio
import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput, Denied, Upstream
from fairlead.telemetry import STAGES, Span, Trace, decode


class Ticks:
    """A clock that stands still until told."""

    def __init__(self, start: int = 5_000_000_000) -> None:
        self.at = start

    def __call__(self) -> int:
        return self.at

    def passes(self, ns: int) -> None:
        self.at += ns


@pytest.fixture
def clock() -> Ticks:
    return Ticks()


@pytest.fixture
def trace(clock: Ticks) -> Trace:
    return Trace("run_1", clock)


def by_name(trace: Trace) -> dict[str, Span]:
    return {span.name: span for span in decode(trace.encode())}


def test_steps_in_a_row_keep_their_order_and_times(trace: Trace, clock: Ticks) -> None:
    for number, stage in enumerate(STAGES):
        with trace.step(stage):
            clock.passes(number + 1)
    spans = decode(trace.encode())
    assert [span.name for span in spans] == list(STAGES)
    assert [span.elapsed for span in spans] == list(range(1, 10))
    assert [span.start for span in spans] == [sum(range(n + 1)) for n in range(9)]
    assert all(span.parent == -1 and not span.open for span in spans)


def test_own_time_leaves_out_waiting_and_what_is_enclosed(trace: Trace, clock: Ticks) -> None:
    with trace.step("attempt"):
        clock.passes(10)
        with trace.step("try"):
            clock.passes(3)
            with trace.waiting():
                clock.passes(100)
        with trace.waiting():
            clock.passes(50)
    spans = by_name(trace)
    assert (spans["try"].elapsed, spans["try"].waited, spans["try"].own) == (103, 100, 3)
    assert (spans["attempt"].elapsed, spans["attempt"].waited, spans["attempt"].own) == (163, 50, 10)
    assert spans["try"].parent == 0


async def test_what_a_step_is_suspended_for_is_no_work_of_its_own(trace: Trace, clock: Ticks) -> None:
    async def work() -> str:
        clock.passes(5)
        with trace.step("call"):
            clock.passes(3)
            await passing(100)
            with trace.waiting():  # counts once
                await passing(10)
        with pytest.raises(ValueError, match="told"):
            await failing()
        clock.passes(2)
        return "done"

    async def passing(ns: int) -> None:
        asyncio.get_running_loop().call_soon(clock.passes, ns)
        await asyncio.sleep(0)

    async def failing() -> None:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, ValueError("told"))
        await future

    with trace.step("attempt"):
        assert await trace.timed(work()) == "done"
    spans = by_name(trace)
    assert (spans["call"].elapsed, spans["call"].waited, spans["call"].own) == (113, 110, 3)
    assert (spans["attempt"].elapsed, spans["attempt"].waited, spans["attempt"].own) == (120, 0, 7)


async def test_timed_work_ends_when_it_is_cancelled(trace: Trace) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("here")

    async def timed() -> None:
        with trace.step("attempt"):
            await trace.timed(work())

    task = asyncio.create_task(timed())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["here"]
    assert by_name(trace)["attempt"].error == "abandoned"


def test_a_foreseen_error_marks_its_span_and_learns_the_stage(trace: Trace) -> None:
    error = Denied("no")
    with pytest.raises(Denied), trace.step("authorize"):
        raise error
    assert error.step == "authorize"
    assert by_name(trace)["authorize"].error == "denied"


def test_an_error_that_knows_its_step_keeps_it(trace: Trace) -> None:
    with pytest.raises(Upstream) as raised, trace.step("check"), trace.step("try"):
        raise Upstream("gone")
    assert raised.value.step == "attempt"
    assert [span.error for span in decode(trace.encode())] == ["upstream", "upstream"]


def test_a_step_that_is_no_stage_lends_its_stages_name(trace: Trace) -> None:
    with pytest.raises(Denied) as raised, trace.step("authorize"), trace.step("cedar"):
        raise Denied("no")
    assert raised.value.step == "authorize"


def test_an_error_that_is_caught_inside_a_step_marks_only_the_inner_one(trace: Trace) -> None:
    with trace.step("attempt"):
        try:
            with trace.step("try"):
                raise Upstream("gone")
        except Upstream:
            pass
    spans = by_name(trace)
    assert (spans["attempt"].error, spans["try"].error) == ("", "upstream")


def test_a_client_that_leaves_is_no_fault(trace: Trace) -> None:
    with pytest.raises(asyncio.CancelledError), trace.step("attempt"):
        raise asyncio.CancelledError
    with pytest.raises(ZeroDivisionError), trace.step("check"):
        raise ZeroDivisionError
    spans = by_name(trace)
    assert (spans["attempt"].error, spans["check"].error) == ("abandoned", "broken")


def test_steps_that_are_still_open_are_shown_so_and_go_on_afterwards(trace: Trace, clock: Ticks) -> None:
    with trace.step("settle"):
        clock.passes(7)
        with trace.step("seal"):
            clock.passes(2)
            early = decode(trace.encode())
            clock.passes(5)
    late = decode(trace.encode())
    assert [(span.elapsed, span.open) for span in early] == [(9, True), (2, True)]
    assert [(span.elapsed, span.open) for span in late] == [(14, False), (7, False)]


def test_attributes_belong_to_the_innermost_step_and_later_ones_win(trace: Trace) -> None:
    trace.note(lost=True)
    with trace.step("attempt"):
        trace.note(candidates=2)
        with trace.step("try"):
            trace.note(model="small", status=None)
            trace.note(status=200, cost=0.5)
    spans = by_name(trace)
    assert spans["attempt"].attributes == {"candidates": 2}
    assert spans["try"].attributes == {"model": "small", "status": 200, "cost": 0.5}


def test_a_step_that_was_measured_elsewhere_stands_where_it_was(trace: Trace, clock: Ticks) -> None:
    clock.passes(30)
    trace.add("authenticate", 20)
    with trace.step("classify"):
        clock.passes(5)
    spans = decode(trace.encode())
    assert [(span.name, span.start, span.own) for span in spans] == [("authenticate", 0, 20), ("classify", 20, 5)]


def test_waiting_outside_of_any_step_is_nobodys(trace: Trace, clock: Ticks) -> None:
    with trace.step("plan"):
        clock.passes(1)
    with trace.waiting():
        clock.passes(9)
    assert by_name(trace)["plan"].waited == 0


def test_no_bytes_are_no_spans() -> None:
    assert decode(b"") == ()


def test_a_foreign_format_is_refused() -> None:
    with pytest.raises(BadInput, match="format 2"):
        decode(msgspec.msgpack.encode((2, -1, [])))


@pytest.mark.parametrize(
    "row", [["a", 0, 0, 0, 0, "", None], ["a", 5, 0, 0, 0, "", None], ["a", -2, 0, 0, 0, "", None]]
)
def test_a_step_inside_itself_is_refused(row: list[object]) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        decode(msgspec.msgpack.encode((1, -1, [row])))


@given(st.binary(max_size=200))
def test_foreign_bytes_are_bad_input_and_nothing_else(encoded: bytes) -> None:
    with contextlib.suppress(BadInput):
        decode(encoded)


@given(st.lists(st.tuples(st.sampled_from(["in", "out", "wait"]), st.integers(0, 1_000)), max_size=60))
def test_work_and_waiting_add_up_to_the_time_that_passed_inside(moves: list[tuple[str, int]]) -> None:
    clock = Ticks()
    trace = Trace("run", clock)
    depth = inside = 0
    for move, ns in moves:
        if move == "in":
            trace.step("step").__enter__()
            depth += 1
        elif move == "out" and depth:
            trace.__exit__(None, None, None)
            depth -= 1
        if move == "wait":
            with trace.waiting():
                clock.passes(ns)
        else:
            clock.passes(ns)
        inside += ns if depth else 0
    assert sum(span.own + span.waited for span in decode(trace.encode())) == inside
