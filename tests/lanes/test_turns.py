"""Places are given in turn: no limit is passed, nobody starves, and whoever leaves leaves nothing behind."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.lanes.place import Place
from fairlead.lanes.refusals import LaneFull, WaitedTooLong
from fairlead.lanes.rules import LaneRules, compile_lanes
from fairlead.lanes.settings import DepartmentLaneSettings, LaneSettings, LanesSettings
from fairlead.lanes.slots import divided
from fairlead.lanes.turns import Lanes

LONG = 1_000.0


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def rules(slots: dict[str, int] | None = None, **more: object) -> LaneRules:
    """The rules of `lanes:`, which must limit something."""
    compiled = compile_lanes(LanesSettings(**more), slots or {})  # type: ignore[arg-type]
    assert compiled is not None
    return compiled


def caller(person: str, department: str = "sales", agent: str = "") -> Caller:
    return Caller(person=person, department=department, agent=agent)


class Crowd:
    """Actions of callers, which run until they are told to end."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.running: dict[str, Place] = {}
        self.order: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, who: Caller, task: str = "chat", endpoints: tuple[str, ...] = ()) -> None:
        """One more that wants a place; returns once it runs, or waits, or is refused."""

        async def act() -> None:
            place = self.lanes.place(who, task, endpoints)
            assert place is not None
            if place.began is None:
                await self.lanes.turn(place, LONG)
            self.running[name] = place
            self.order.append(name)

        self.tasks[name] = asyncio.ensure_future(act())
        await settled()

    async def end(self, name: str) -> None:
        self.running.pop(name).leave()
        await settled()

    async def leave_all(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        for place in self.running.values():
            place.leave()


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(4):
        await asyncio.sleep(0)


async def test_nothing_declared_needs_no_place() -> None:
    assert compile_lanes(LanesSettings(), {}) is None
    assert Lanes(Hands()).place(caller("kim"), "chat") is None


async def test_one_who_leaves_while_waiting_frees_the_place_for_the_next() -> None:
    crowd = Crowd(Lanes(Hands(), rules(running=1)))
    for name in ("a", "b", "c"):
        await crowd.come(name, caller(name))
    crowd.tasks["b"].cancel()
    await settled()
    await crowd.end("a")
    assert list(crowd.running) == ["c"]


async def test_a_place_given_to_one_who_leaves_in_the_same_moment_goes_to_the_next() -> None:
    crowd = Crowd(Lanes(Hands(), rules(running=1)))
    for name in ("a", "b", "c"):
        await crowd.come(name, caller(name))
    crowd.running.pop("a").leave()  # b has the place, and does not know it yet
    crowd.tasks["b"].cancel()
    await settled()
    assert list(crowd.running) == ["c"]
    await crowd.end("c")
    assert crowd.lanes.running("usual") == 0


async def test_a_client_that_left_is_passed_over_before_its_task_knows() -> None:
    crowd = Crowd(Lanes(Hands(), rules(running=1)))
    for name in ("a", "b", "c"):
        await crowd.come(name, caller(name))
    crowd.tasks["b"].cancel()  # its future is cancelled, and its task has not run since
    crowd.running.pop("a").leave()
    await settled()
    assert list(crowd.running) == ["c"]


async def test_one_who_floods_a_lane_takes_turns_with_the_others() -> None:
    hands = Hands()
    crowd = Crowd(Lanes(hands, rules(running=1)))
    for number in range(40):
        await crowd.come(f"noisy{number}", caller("noisy"))
    for number in range(4):
        await crowd.come(f"calm{number}", caller("calm"))
    for _ in range(9):
        hands.at += 1
        await crowd.end(next(iter(crowd.running)))
    assert sum(name.startswith("calm") for name in crowd.order[1:10]) == 4
    await crowd.leave_all()


async def test_what_counts_is_how_long_places_were_held() -> None:
    hands = Hands()
    crowd = Crowd(Lanes(hands, rules(running=1)))
    for number in range(60):
        await crowd.come(f"slow{number}", caller("slow", "one"))
        await crowd.come(f"fast{number}", caller("fast", "two"))
    held = Counter[str]()
    while hands.at < 100:
        name = next(iter(crowd.running))
        seconds = 4 if name.startswith("slow") else 1
        hands.at += seconds
        held[name[:4]] += seconds
        await crowd.end(name)
    assert abs(held["slow"] - held["fast"]) <= 8
    await crowd.leave_all()


async def test_lanes_get_places_by_their_shares() -> None:
    hands = Hands()
    lanes = {"simple": LaneSettings(share=3, tasks=("faq",)), "heavy": LaneSettings(tasks=("report",))}
    crowd = Crowd(Lanes(hands, rules(running=1, names=lanes)))
    for number in range(100):
        await crowd.come(f"simple{number}", caller("kim"), "faq")
        await crowd.come(f"heavy{number}", caller("lee"), "report")
    for _ in range(80):
        hands.at += 1
        await crowd.end(next(iter(crowd.running)))
    taken = Counter(name.rstrip("0123456789") for name in crowd.order)
    assert 18 <= taken["heavy"] <= 22
    await crowd.leave_all()


async def test_heavy_work_that_fills_its_lane_leaves_the_others_theirs() -> None:
    lanes = {"heavy": LaneSettings(running=2, tasks=("report",))}
    crowd = Crowd(Lanes(Hands(), rules(running=4, names=lanes)))
    for number in range(20):
        await crowd.come(f"heavy{number}", caller("lee"), "report")
    await crowd.come("simple", caller("kim"))
    assert "simple" in crowd.running
    await crowd.leave_all()


async def test_a_full_queue_refuses_the_newest_of_who_has_most_waiting() -> None:
    lanes = {"only": LaneSettings(waiting=3)}
    crowd = Crowd(Lanes(Hands(), rules(running=1, names=lanes, usual="only")))
    for number in range(4):
        await crowd.come(f"noisy{number}", caller("noisy"))
    await crowd.come("calm", caller("calm"))
    with pytest.raises(LaneFull) as refused:
        await crowd.tasks["noisy3"]
    assert refused.value.retry_after >= 1
    assert not crowd.tasks["calm"].done()
    await crowd.come("noisy4", caller("noisy"))
    with pytest.raises(LaneFull):
        await crowd.tasks["noisy4"]
    assert crowd.lanes.refused == {"only": 2}
    await crowd.leave_all()


async def test_who_waits_too_long_is_refused_and_leaves_no_trace() -> None:
    lanes = {"only": LaneSettings(wait=0.01)}
    crowd = Crowd(Lanes(Hands(), rules(running=1, names=lanes, usual="only")))
    await crowd.come("a", caller("kim"))
    await crowd.come("b", caller("lee"))
    with pytest.raises(WaitedTooLong):
        await crowd.tasks["b"]
    assert crowd.lanes.waiting() == []


async def test_of_several_deployments_the_first_with_a_place_is_taken() -> None:
    lanes = Lanes(Hands(), rules({"one": 1, "two": 1}))
    places = [lanes.place(caller("kim"), "chat", ("one", "two")) for _ in range(3)]
    assert [place.endpoint for place in places if place is not None] == ["one", "two", ""]


async def test_one_who_falls_back_never_waits_for_a_second_place() -> None:
    lanes = Lanes(Hands(), rules({"one": 1, "two": 1}))
    first, second = lanes.place(caller("kim"), "chat", ("one",)), lanes.place(caller("lee"), "chat", ("two",))
    assert first is not None
    assert second is not None
    assert not first.at("two")
    second.leave()
    assert first.at("two")
    assert first.at("elsewhere")
    first.leave()
    assert all(slots is not None and slots.used == 0 for slots in map(lanes.slots_at, ("one", "two")))


async def test_one_who_needs_two_things_gets_them_though_each_is_wanted_by_itself() -> None:
    """Wherever one of the two comes free, another is there that needs only that."""
    hands = Hands()
    lanes = {"a": LaneSettings(running=1, tasks=("a",))}
    crowd = Crowd(Lanes(hands, rules({"model": 1}, names=lanes)))
    count = 0

    async def another(task: str, endpoints: tuple[str, ...]) -> None:
        nonlocal count
        count += 1
        await crowd.come(f"{task}{endpoints}{count}", caller(f"p{count % 3}", f"d{count % 2}"), task, endpoints)

    for _ in range(2):
        await another("a", ())
        await another("b", ("model",))
    await crowd.come("both", caller("both", "d0"), "a", ("model",))
    for turn in range(200):
        hands.at += 1
        ends = [name for name in crowd.running if name.startswith("a" if turn % 2 else "b")]
        await another("a" if turn % 2 else "b", () if turn % 2 else ("model",))
        for name in ends:
            await crowd.end(name)
        if "both" in crowd.order:
            break
    assert "both" in crowd.order
    await crowd.leave_all()


async def test_new_rules_count_at_once_and_what_runs_keeps_its_place() -> None:
    crowd = Crowd(Lanes(Hands(), rules(running=1)))
    for name in ("a", "b", "c"):
        await crowd.come(name, caller(name))
    crowd.lanes.take_up(rules(running=2))
    await settled()
    assert len(crowd.running) == 2
    crowd.lanes.take_up(None)
    await settled()
    assert len(crowd.running) == 3


@pytest.mark.parametrize(("limit", "workers"), [(1, 1), (16, 3), (2, 5), (7, 7)])
def test_workers_share_a_limit_and_none_has_nothing(limit: int, workers: int) -> None:
    parts = [divided(limit, workers, rank) or 0 for rank in range(workers)]
    assert sum(parts) == max(limit, workers)
    assert max(parts) - min(parts) <= 1


def test_a_task_type_in_two_lanes_is_refused() -> None:
    lanes = {"a": LaneSettings(tasks=("faq",)), "b": LaneSettings(tasks=("faq",))}
    with pytest.raises(BadInput, match="takes the lane 'a' already"):
        compile_lanes(LanesSettings(names=lanes), {})


LIMITS = LanesSettings(
    running=4,
    names={
        "heavy": LaneSettings(running=2, waiting=5, tasks=("report",)),
        "simple": LaneSettings(share=4, waiting=8, tasks=("faq",)),
    },
    departments={"*": DepartmentLaneSettings(running=3), "sales": DepartmentLaneSettings(share=2)},
    tasks={"report": 2, "faq": 3},
)
SLOTS = {"small": 1, "large": 2}


class Model(RuleBasedStateMachine):
    """Callers come, end, leave while they wait, and are told of other rules, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.hands = Hands()
        compiled = compile_lanes(LIMITS, SLOTS)
        self.crowd = Crowd(Lanes(self.hands, compiled))
        self.what: dict[str, tuple[str, str]] = {}
        self.count = 0

    def run(self, make: Callable[[], object]) -> None:
        async def go() -> None:
            made = make()
            if asyncio.iscoroutine(made):
                await made
            await settled()

        self.loop.run_until_complete(go())

    @rule(
        person=st.sampled_from(["kim", "lee", "max"]),
        department=st.sampled_from(["sales", "finance"]),
        task=st.sampled_from(["report", "faq", "chat"]),
        endpoints=st.sampled_from([(), ("small",), ("large", "small"), ("other",)]),
    )
    def come(self, person: str, department: str, task: str, endpoints: tuple[str, ...]) -> None:
        self.count += 1
        name = str(self.count)
        self.what[name] = (department, task)
        self.run(lambda: self.crowd.come(name, caller(person, department), task, endpoints))

    @rule(which=st.integers(0, 20), seconds=st.integers(0, 5))
    def end(self, which: int, seconds: int) -> None:
        self.hands.at += seconds
        if self.crowd.running:
            name = sorted(self.crowd.running)[which % len(self.crowd.running)]
            self.run(lambda: self.crowd.end(name))

    @rule(which=st.integers(0, 20), also_end=st.booleans())
    def leave(self, which: int, also_end: bool) -> None:
        waiting = sorted(name for name, task in self.crowd.tasks.items() if not task.done())

        def go() -> None:
            if also_end and self.crowd.running:
                self.crowd.running.pop(min(self.crowd.running)).leave()
            if waiting:
                self.crowd.tasks[waiting[which % len(waiting)]].cancel()

        self.run(go)

    @rule(which=st.integers(0, 20), endpoint=st.sampled_from(["small", "large", "other"]))
    def fall_back(self, which: int, endpoint: str) -> None:
        if self.crowd.running:
            place = self.crowd.running[sorted(self.crowd.running)[which % len(self.crowd.running)]]
            self.run(lambda: place.at(endpoint))

    @invariant()
    def no_limit_is_passed(self) -> None:
        running = [self.what[name] for name in self.crowd.running]
        kinds, departments = Counter(task for _, task in running), Counter(each for each, _ in running)
        assert len(running) <= 4
        assert kinds["report"] <= 2
        assert kinds["faq"] <= 3
        assert departments["finance"] <= 3
        for name, most in SLOTS.items():
            taken = sum(place.endpoint == name for place in self.crowd.running.values())
            assert taken <= most

    @invariant()
    def who_waits_could_not_start(self) -> None:
        claimant = self.crowd.lanes._claimant
        for place in self.crowd.lanes.waiting():
            assert claimant is not None or not place.can_start()

    @invariant()
    def every_one_is_somewhere(self) -> None:
        waiting = sum(not task.done() for task in self.crowd.tasks.values())
        assert waiting == len(self.crowd.lanes.waiting())

    def teardown(self) -> None:
        self.run(self.crowd.leave_all)
        lanes = self.crowd.lanes
        assert lanes.waiting() == []
        assert all(slots.used == 0 for slots in lanes._slots.values())
        assert lanes._trunk.running == lanes._trunk.waiting == 0
        assert not lanes._trunk.children
        assert lanes._claimant is None
        for task in self.crowd.tasks.values():
            if not task.cancelled():
                task.exception()
        self.loop.close()


def test_whatever_comes_no_limit_is_passed_and_no_place_is_lost() -> None:
    run_state_machine_as_test(Model, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
