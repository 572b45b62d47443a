"""The log's time goes on as time does, whatever the clocks of those who look say."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql
from tests.conftest import AMPLE
from tests.world import FixedClock, World, secret_of, until, world

from fairlead.controls import ControlSettings, rows
from fairlead.controls.compile import compile_controls
from fairlead.controls.course import TRIAL, Course, advanced, begun
from fairlead.controls.evaluate import Evaluator
from fairlead.errors import Broken
from fairlead.storage.fleet import Fleet

START = 1_795_000_000_000
HOUR = 3_600_000
YEARS = 10 * 365 * 24 * HOUR
MACHINES = ("one", "two", "three")


def test_a_pause_passes_though_nothing_was_written_meanwhile() -> None:
    course = begun("one", START, 5000)
    assert advanced(course, "one", START + HOUR, 5000 + HOUR).time == START + HOUR


@pytest.mark.parametrize("wrong", [YEARS, -YEARS, HOUR])
def test_a_clock_that_jumps_and_is_put_right_moves_nothing(wrong: int) -> None:
    course = begun("one", START, 0)
    course = advanced(course, "one", START + 1000 + wrong, 1000)
    assert course.time == START + 1000
    assert course.shown(START) == START + wrong  # as that clock has it
    assert advanced(course, "one", START + 2000, 2000) == begun("one", START + 2000, 2000)


def test_who_begins_with_a_wrong_clock_goes_on_once_it_is_right() -> None:
    course = begun("one", START + YEARS, 0)
    course = advanced(course, "one", START + 5000, 5000)
    assert (course.time, course.shown(course.time)) == (START + YEARS + 5000, START + 5000)
    # The machine starts again an hour later: its clock is right, and an hour has passed.
    course = advanced(course, "again", START + HOUR, 10)
    assert course.waits("again")
    course = advanced(course, "again", START + HOUR + TRIAL, 10 + TRIAL)
    assert not course.waits("again")
    assert course.time == START + YEARS + HOUR + TRIAL


@pytest.mark.parametrize("wrong", [YEARS, -YEARS])
def test_a_machine_that_starts_with_a_wrong_clock_is_not_believed_before_it_is_put_right(wrong: int) -> None:
    course = advanced(begun("before", START, 0), "one", START + HOUR + wrong, 7)
    assert (course.waits("one"), course.time) == (True, START)
    course = advanced(course, "one", START + HOUR + 10_000, 10_007)  # put right
    assert course.waits("one")
    course = advanced(course, "one", START + HOUR + TRIAL, 7 + TRIAL)
    assert (course.waits("one"), course.time) == (False, START + HOUR + TRIAL)


def test_a_host_whose_clock_is_ahead_moves_nothing_while_another_looks() -> None:
    course, ahead = begun("one", START, 0), HOUR
    for second in range(0, 120_000, 1000):
        course = advanced(course, "one", START + second, second)
        course = advanced(course, "two", START + second + ahead, 99 + second)
    assert not course.waits("two")
    assert course.time == START + 119_000


def test_who_is_on_trial_does_not_hide_a_pause_from_others() -> None:
    course = advanced(begun("before", START, 0), "one", START + HOUR, 0)
    assert advanced(course, "two", START + HOUR, 0).waits("two")


@given(
    st.lists(
        st.tuples(st.sampled_from(MACHINES), st.integers(0, 200_000), st.integers(-YEARS, YEARS)),
        min_size=1, max_size=40,
    )
)  # fmt: skip
def test_time_never_goes_back_and_never_runs_ahead_where_machines_are_known(
    looks: list[tuple[str, int, int]],
) -> None:
    course, passed = begun(MACHINES[0], START, 0), 0
    for machine in MACHINES[1:]:
        course = advanced(course, machine, START, 0)
    for machine, step, wrong in looks:
        passed += step
        before, course = course, advanced(course, machine, START + passed + wrong, passed)
        assert before.time <= course.time == START + passed
        assert course.shown(course.time) == START + passed + wrong


def evaluator(w: World, clock: FixedClock) -> Evaluator:
    made = Evaluator(w.store, Fleet(w.store, clock), clock, lambda _: None)
    made.controls = compile_controls(
        {"busy": ControlSettings(title="t", most=2, window="1h"), "quiet": ControlSettings(title="t", most=99)},
        {}, secret_of,
    )  # fmt: skip
    return made


async def ask(w: World) -> None:
    """Once the lease has been renewed, that a leap of the clock had ended."""
    await until(w.fairlead.lease.valid)
    await w.ask()


def breaches(w: World) -> list[str]:
    return [each.kind for each in w.records() if each.kind.startswith("breach")]


@pytest.mark.parametrize("wrong", [YEARS, -YEARS])
async def test_a_clock_that_was_wrong_at_a_start_has_no_breach_missed_and_none_told_twice(
    tmp_path: Path, wrong: int
) -> None:
    clock = FixedClock()
    async with world(tmp_path, clock=clock, budgets=AMPLE) as w:
        await asyncio.to_thread(evaluator(w, clock).run)
        for _ in range(2):
            await ask(w)
        await asyncio.to_thread(evaluator(w, clock).run)
        clock.at += wrong
        await asyncio.to_thread(evaluator(w, clock).run)  # a process that starts under the wrong clock
        assert breaches(w) == []
        clock.at -= wrong
        clock.tick(5)
        await ask(w)
        late = evaluator(w, clock)
        await asyncio.to_thread(late.run)
        assert breaches(w) == ["breach"]
        clock.at += wrong
        await asyncio.to_thread(late.run)
        clock.at -= wrong
        await asyncio.to_thread(evaluator(w, clock).run)
        assert breaches(w) == ["breach"]
        clock.tick(3700)
        await asyncio.to_thread(evaluator(w, clock).run)
        assert breaches(w) == ["breach", "breach_over"]


async def test_what_came_before_a_quiet_hour_does_not_count_with_what_comes_after_it(tmp_path: Path) -> None:
    clock = FixedClock()
    async with world(tmp_path, clock=clock, budgets=AMPLE) as w:
        watching = evaluator(w, clock)
        await asyncio.to_thread(watching.run)
        for _ in range(2):
            await ask(w)
        await asyncio.to_thread(watching.run)
        for _ in range(40):
            clock.tick(100)
            await asyncio.to_thread(watching.run)
        await ask(w)
        await asyncio.to_thread(watching.run)
        assert breaches(w) == []


async def test_a_record_and_sums_that_cannot_be_read_stop_no_control(tmp_path: Path) -> None:
    clock = FixedClock()
    async with world(tmp_path, clock=clock, budgets=AMPLE) as w:
        await asyncio.to_thread(evaluator(w, clock).run)
        await ask(w)
        await asyncio.to_thread(evaluator(w, clock).run)
        with w.store.writing() as connection:
            connection.execute(sql("UPDATE control_state SET state = x'c1' WHERE id = 'quiet'"))
            seq = connection.execute(sql("SELECT max(seq) + 1 FROM log")).scalar_one()
            values = {"seq": seq, "at": clock.now()}
            connection.execute(
                sql("INSERT INTO log (seq, run, at, record, spans) VALUES (:seq, 'x', :at, x'7b', x'')"), values
            )
        await asyncio.to_thread(evaluator(w, clock).run)
        with w.store.writing() as connection:  # so that the rest of the test can read the log
            connection.execute(sql("DELETE FROM log WHERE seq = :seq"), values)
        with w.store.reading() as connection:
            position, states = rows.position(connection), rows.states(connection)
        assert position is not None
        assert (position.unread, position.unread_seq) == (1, seq)
        assert states["quiet"].groups == {}
        assert states["busy"].groups[""].counted == 1


async def test_a_name_that_cannot_be_read_keeps_no_breach_from_being_recorded(tmp_path: Path) -> None:
    def unreadable(_: str) -> str:
        raise Broken("the key is not the one")

    async with world(tmp_path, budgets=AMPLE) as w:
        made = Evaluator(w.store, Fleet(w.store, w.clock), w.clock, unreadable)
        given = {"title": "t", "most": 0, "by": "person", "on_breach": {"stop": "person"}}
        made.controls = compile_controls({"any": msgspec.convert(given, ControlSettings)}, {}, secret_of)
        await asyncio.to_thread(made.run)
        await ask(w)
        await asyncio.to_thread(made.run)
        assert [json.loads(each.about)["control"] for each in w.records("breach")] == ["any"]
        assert w.records("stop") == []


async def test_the_position_of_an_earlier_version_is_gone_on_from(tmp_path: Path) -> None:
    clock = FixedClock()
    async with world(tmp_path, clock=clock, budgets=AMPLE) as w:
        await asyncio.to_thread(evaluator(w, clock).run)
        with w.store.writing() as connection:
            connection.execute(sql("UPDATE control_state SET state = x'' WHERE id = ''"))
        with w.store.reading() as connection:
            position = rows.position(connection)
        assert position is not None
        assert position.course == Course(clock.now(), clock.now())
