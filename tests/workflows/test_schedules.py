"""Each moment of a schedule begins one run, whoever dies when and whatever clocks do; what is wrong is told before."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.world import FixedClock, World, world

from fairlead.errors import Broken, Overloaded
from fairlead.identity.types import Caller
from fairlead.workflows.checks import faults_of
from fairlead.workflows.definition import Definition, ScheduleSettings
from fairlead.workflows.known import Known
from fairlead.workflows.schedules import MOST_MISSED, chosen, moments, next_moment
from fairlead.workflows.scheduling import Scheduling, known_schedules

MINUTE, HOUR = 60_000, 3_600_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def schedule(cron: str, zone: str = "UTC", **more: Any) -> ScheduleSettings:
    return ScheduleSettings(cron=cron, timezone=zone, key="night", **more)


def told(cron: str, zone: str, after: str, until: str) -> list[str]:
    found = moments(schedule(cron, zone), at(after), at(until))
    return [f"{datetime.fromtimestamp(each / 1000, UTC):%d %H:%M}" for each in found]


def test_moments_are_those_of_a_clock_on_the_wall() -> None:
    assert told("30 6 * * mon-fri", "UTC", "2026-11-20T06:30", "2026-11-24T06:30") == ["23 06:30", "24 06:30"]
    assert told("0 9 * * *", "Asia/Kolkata", "2026-11-20", "2026-11-21") == ["20 03:30"]
    # clocks are put forward in Berlin on 29 March 2026 at 01:00 UTC, and back on 25 October
    assert told("30 2 * * *", "Europe/Berlin", "2026-03-28", "2026-03-31") == ["28 01:30", "29 01:30", "30 00:30"]
    assert told("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-26T12:00") == ["25 00:30", "26 01:30"]
    hourly = told("30 * * * *", "Europe/Berlin", "2026-10-24T23:00", "2026-10-25T03:00")
    assert hourly == ["24 23:30", "25 00:30", "25 01:30", "25 02:30"]
    assert told("30 * * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T02:00") == ["29 00:30", "29 01:30"]


def test_the_next_moment_follows_and_many_that_were_missed_are_bounded() -> None:
    every = schedule("*/15 * * * *", "Europe/Berlin")
    now = at("2026-10-24T23:05")
    for _ in range(12):
        following = next_moment(every, now)
        assert moments(every, now, following) == [following]
        assert following - now <= 15 * MINUTE
        now = following
    years = moments(every, at("2020-01-01"), at("2026-01-01"))
    assert (len(years), years[-1]) == (MOST_MISSED, at("2026-01-01"))


def test_what_was_missed_is_begun_as_the_schedule_says() -> None:
    due, now = [HOUR, 2 * HOUR, 3 * HOUR], 3 * HOUR + MINUTE
    assert chosen(schedule("0 * * * *"), due, now) == [3 * HOUR]
    assert chosen(schedule("0 * * * *", missed="all"), due, now) == due
    assert chosen(schedule("0 * * * *", missed="none"), due, now) == [3 * HOUR]
    assert chosen(schedule("0 * * * *", missed="none"), due, now + 1) == []


@pytest.mark.parametrize(
    ("settings", "path", "said"),
    [
        ({"cron": "0 25 * * *"}, "schedule.0.cron", "no schedule"),
        ({"cron": "0 0 30 2 *"}, "schedule.0.cron", "never comes"),
        ({"cron": "R * * * *"}, "schedule.0.cron", "no month and no weekday"),
        ({"timezone": "Europe/Berln"}, "schedule.0.timezone", "no time zone"),
        ({"timezone": "../etc/passwd"}, "schedule.0.timezone", "no time zone"),
        ({"key": "day"}, "schedule.0.key", "no key"),
        ({"input": {"n": "three"}}, "schedule.0.input", "could not begin"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_told(settings: dict[str, Any], path: str, said: str) -> None:
    each = {"cron": "0 6 * * *", "key": "night", "input": {"n": 1}, **settings}
    plain = {
        "input": {"properties": {"n": {"type": "integer"}}, "required": ["n"]},
        "steps": [{"id": "a", "transform": "x"}],
        "schedule": [each],
    }
    (fault,) = faults_of("main", msgspec.convert(plain, Definition), Known(keys=frozenset({"night"})))
    assert (".".join(map(str, fault.path)), said in fault.message) == (path, True)
    assert fault.mend


DAILY = """
schedule:
  - {cron: "0 6 * * *", key: kim, input: {day: today}}
input: {properties: {day: {type: string}}}
steps: [{id: a, transform: "${input.day}"}]
"""


def scheduling(w: World) -> Scheduling:
    again: Callable[..., Any] = w.fairlead.current().authenticator.again
    return Scheduling(w.store, w.clock, w.running.workflows, again)


async def test_each_moment_begins_one_run_whoever_dies_and_whatever_the_clock_does(tmp_path: Path) -> None:
    clock = FixedClock(at("2026-11-20T05:00"))
    async with world(tmp_path, {"workflows/daily.yaml": DAILY}, clock=clock) as w:
        first, second = scheduling(w), scheduling(w)

        def begun() -> list[str]:
            return [run.workflow for run in w.running.runs.all()]

        first.begin_due()  # it is new: nothing was missed
        assert begun() == []
        clock.tick(3600)
        first.begin_due()
        second.begin_due()
        assert begun() == ["daily"]
        (shown,) = known_schedules(w.store, w.running.workflows.bundles, clock.now(), 2)
        assert shown["next"] == [at("2026-11-21T06:00"), at("2026-11-22T06:00")]
        assert (shown["moment"], shown["error"]) == (at("2026-11-20T06:00"), "")
        (run,) = w.running.runs.all()
        opened = w.running.runs.open(run.id)
        assert (shown["run"], opened.begun.caller.person, opened.begun.input) == (run.id, "kim", {"day": "today"})
        clock.tick(-7200)  # the clock is put back, and its moment comes again
        first.begin_due()
        clock.tick(7200)
        first.begin_due()
        assert begun() == ["daily"]
        clock.tick(3 * 86_400)  # nothing ran for three days
        second.begin_due()
        assert begun() == ["daily", "daily"]
        w.running.workflows.in_force = replace(w.running.workflows.in_force, people={"kim": "somebody else"})
        clock.tick(86_400)
        await second.chore()
        (shown,) = known_schedules(w.store, w.running.workflows.bundles, clock.now(), 1)
        assert (len(begun()), shown["run"], shown["error"]) == (2, "", "unauthenticated")


FORBIDS = """
@id("all") permit(principal, action, resource);
@id("not by itself")
forbid(principal, action == Action::"start_workflow", resource) when { context.door == "schedule" };
"""


async def test_policies_decide_of_schedules_as_of_doors_and_what_fails_is_tried_again_at_once(tmp_path: Path) -> None:
    clock = FixedClock(at("2026-11-20T05:00"))
    files = {"workflows/daily.yaml": DAILY, "policies/main.cedar": FORBIDS}
    async with world(tmp_path, files, clock=clock) as w:
        office, permits = scheduling(w), w.running.workflows.permits

        def last() -> str:
            (shown,) = known_schedules(w.store, w.running.workflows.bundles, clock.now(), 1)
            return str(shown["error"])

        await office.chore()
        clock.tick(3600)
        await office.chore()
        assert (list(w.running.runs.all()), last()) == ([], "denied")
        clock.tick(86_400)
        before, permits.in_force = permits.in_force, None
        with pytest.raises(Broken):
            await office.chore()
        permits.in_force = before

        def behind(who: Caller) -> Caller:
            raise Overloaded("this worker has lost touch with the shared state")

        with pytest.raises(Overloaded):
            await Scheduling(w.store, clock, w.running.workflows, behind).chore()
        clock.tick(1)
        await office.chore()
        (shown,) = known_schedules(w.store, w.running.workflows.bundles, clock.now(), 1)
        assert shown["moment"] == at("2026-11-21T06:00")
