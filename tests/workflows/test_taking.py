"""Runs are taken in turn: no limit is passed by any number of workers, and no place is lost however a run leaves it."""

import asyncio
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.databases import migrated_file
from tests.world import MASTER_KEY, FixedClock, World, world

from fairlead.identity.types import Caller
from fairlead.storage import workflow_rows, workflow_step_rows, workflow_taking_rows
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.workflows.asked import Page
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition
from fairlead.workflows.dispatch import Dispatch
from fairlead.workflows.opened import Started
from fairlead.workflows.queues import Limits, Taken, limits_of, standings
from fairlead.workflows.runs import Runs
from fairlead.workflows.segments import Segments
from fairlead.workflows.settings import DepartmentQueueSettings, QueueSettings, WorkflowsSettings
from fairlead.workflows.taking import Taking, standing_now

LIMITS = Limits(
    workflows={"buy": 2}, queue_of={"buy": "erp", "sell": "erp"}, queues={"erp": 3}, departments={"hr": 1, "*": 4}
)
PAGE = Page()
_BODY = Bundle(name="any", definition=msgspec.convert({"steps": [{"id": "a", "transform": "x"}]}, Definition))


class Deployment:
    """A database with runs, and workers that take them."""

    def __init__(self, limits: Limits = LIMITS, workers: int = 3) -> None:
        self.folder = Path(mkdtemp(prefix="fairlead-taking-"))
        self.clock = FixedClock()
        self.store = Store(shutil.copyfile(migrated_file(), self.folder / "state.db"), synchronous="off")
        self.runs = Runs(self.store, Vault(MASTER_KEY, StoredSubjects(self.store), self.clock), self.clock)
        self.runs.limits = limits
        self.workers = [Taking(self.store, self.clock, self.runs, f"worker_{n}") for n in range(workers)]

    def begin(self, workflow: str, department: str = "", priority: int = 5) -> str:
        self.clock.tick(1)
        what = Started(workflow=workflow, digest=_BODY.digest, body=_BODY.body, input={}, priority=priority)
        return self.runs.begin(Caller(person="kim", department=department), what)[0].id

    def row(self, run: str) -> workflow_rows.Run:
        return self.runs.one(run)

    def park(self, run: str, until: int = 0) -> None:
        with self.store.writing() as connection:
            workflow_rows.park(connection, run, owner=self.row(run).owner, until=until, goes_on=False)

    def end(self, run: str) -> None:
        with self.store.writing() as connection:
            workflow_rows.end(connection, run, owner=self.row(run).owner, status="done", ended_at=1)

    def change(self, run: str, status: str) -> None:
        with self.store.writing() as connection:
            workflow_rows.change(connection, run, come_from=(self.row(run).status,), status=status)

    def close(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)


class Takes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.d = Deployment()
        self.walked: dict[str, int] = {}
        self.parked: list[str] = []
        self.begun = 0

    @rule(workflow=st.sampled_from(["buy", "sell", "rest"]), department=st.sampled_from(["hr", "it", ""]))
    def begin(self, workflow: str, department: str) -> None:
        self.d.begin(workflow, department)
        self.begun += 1

    @rule(worker=st.integers(0, 2), room=st.integers(1, 9))
    def take(self, worker: int, room: int) -> None:
        taken = self.d.workers[worker].take(room)
        assert len(taken) <= room
        assert not self.walked.keys() & {each.id for each in taken}
        self.walked |= {each.id: worker for each in taken}

    @precondition(lambda self: self.walked)
    @rule(data=st.data(), how=st.sampled_from(["park", "end", "cancel", "timed"]))
    def leave(self, data: st.DataObject, how: str) -> None:
        run = data.draw(st.sampled_from(sorted(self.walked)))
        if how == "cancel":
            self.d.change(run, workflow_rows.CANCELLING)
            return
        del self.walked[run]
        if how == "end" or self.d.row(run).status == workflow_rows.CANCELLING:
            self.d.end(run)
        else:
            self.d.park(run, until=self.d.clock.now() + 1000 if how == "timed" else 0)
            self.parked += [run] if how == "park" else []

    @precondition(lambda self: self.parked)
    @rule()
    def answer(self) -> None:
        with self.d.store.writing() as connection:
            workflow_rows.go_on(connection, [self.parked.pop()])

    @rule(worker=st.integers(0, 2))
    def die(self, worker: int) -> None:
        lost = [run for run, walker in self.walked.items() if walker == worker]
        other = self.d.workers[(worker + 1) % 3]
        assert sorted(other.walked_by(f"worker_{worker}")) == sorted(lost)
        assert other.bury(lost, f"worker_{worker}") == len(lost)
        assert other.bury(lost, f"worker_{worker}") == 0
        for run in lost:
            del self.walked[run]

    @invariant()
    def no_limit_is_passed_and_no_place_is_lost(self) -> None:
        with self.d.store.reading() as connection:
            running = workflow_taking_rows.running(connection)
            assert workflow_taking_rows.strays(connection) == []
        assert sum(count for _, count in running) == len(self.walked)
        taken = Taken(LIMITS, running)
        for group, _ in running:
            assert all(taken.by[limit.key] <= limit.places for limit in LIMITS.of(group))

    def teardown(self) -> None:
        """Whatever is there comes to its end, in few turns: nobody is left behind."""
        for run in self.parked:
            self.d.end(run)
        with self.d.store.writing() as connection:
            workflow_rows.go_on(connection, self.parked)
        self.d.clock.tick(5)
        for _ in range(2 * self.begun + 2):
            for run in self.walked:
                self.d.end(run)
            taken = [each for worker in self.d.workers for each in worker.take(3)]
            self.walked = {each.id: 0 for each in taken}
            if not taken:
                break
        assert not [run.id for run in self.d.runs.all() if run.status not in workflow_rows.OVER]
        self.d.close()


def test_no_limit_is_passed_and_nobody_starves_whatever_happens() -> None:
    run_state_machine_as_test(Takes, settings=settings(max_examples=5, stateful_step_count=20, deadline=None))


def test_runs_are_taken_by_priority_and_age_past_those_that_a_limit_holds() -> None:
    d = Deployment(Limits(workflows={"buy": 1}), workers=1)
    first, held = d.begin("buy"), [d.begin("buy") for _ in range(20)]
    usual, urgent = d.begin("rest"), d.begin("rest", priority=0)
    d.clock.tick(3600)
    late = d.begin("rest", priority=0)
    taken = [each.id for each in d.workers[0].take(4)]
    assert taken == [urgent, first, usual, late]
    d.change(held[3], workflow_rows.CANCELLING)
    assert d.workers[0].take(4) == []  # it is undone within the limit, and before all others
    d.end(first)
    assert [each.id for each in d.workers[0].take(4)] == [held[3]]
    waits = {
        (each.kind, each.name): (each.running, each.places, each.waiting)
        for each in standing_now(d.store, d.runs.limits)
    }
    assert waits == {("workflow", "buy"): (1, 1, 19), ("workflow", "rest"): (3, None, 0)}
    d.close()


def test_a_paused_run_of_a_dead_worker_keeps_no_place() -> None:
    d = Deployment(workers=2)
    run = d.begin("buy")
    d.workers[0].take(1)
    d.change(run, workflow_rows.PAUSED)
    assert d.workers[1].owners() == {"worker_0"}
    d.workers[1].let_go([run], "worker_0")
    assert (d.row(run).status, d.row(run).owner, d.workers[1].owners()) == ("paused", "", set())
    d.close()


def test_what_nobody_walks_is_found_and_what_waits_after_a_fault_can_be_resumed() -> None:
    d = Deployment(workers=1)
    run = d.begin("buy")
    d.change(run, workflow_rows.RUNNING)
    assert d.workers[0].strays() == [run]
    assert d.workers[0].let_go([run], "") == 1
    assert (d.row(run).status, d.workers[0].strays()) == ("accepted", [])
    d.workers[0].take(1)
    wait = workflow_step_rows.Wait(run=run, place="(fault)20", kind="time", what="", asked_at=1, until=0)
    d.park(run)
    with d.store.writing() as connection:
        assert not workflow_rows.resume(connection, run)  # it waits for somebody
        workflow_step_rows.wait(connection, run, [wait])
        assert workflow_rows.resume(connection, run)
    assert [each.id for each in d.workers[0].take(1)] == [run]
    d.close()


def test_a_run_that_may_kill_its_workers_waits_longer_each_time_and_is_left_alone_at_last() -> None:
    d = Deployment(workers=2)
    run, pauses = d.begin("buy"), []
    for _ in range(20):
        d.clock.tick(1000)
        assert [each.id for each in d.workers[0].take(1)] == [run]
        assert d.workers[1].bury([run], "worker_0") == 1
        pauses.append(max(0, d.row(run).until - d.clock.now()))
    assert pauses[:2] == [0, 0]
    assert all(1000 <= pause <= 3000 for pause in pauses[2:3])
    assert max(pauses) <= 450_000
    left = d.row(run)
    assert (left.status, left.error, left.deaths) == ("paused", "workers_died", 20)
    assert d.workers[0].take(1) == []
    with d.store.writing() as connection:
        assert workflow_rows.resume(connection, run)
    assert [each.id for each in d.workers[0].take(1)] == [run]
    d.close()


def test_a_run_that_gets_on_between_two_deaths_is_under_no_suspicion() -> None:
    d = Deployment(workers=2)
    run = d.begin("buy")
    for number in range(30):
        assert [each.id for each in d.workers[0].take(1)] == [run]
        d.clock.tick(1)
        done = workflow_step_rows.Result(
            run=run, place=f"s{number}", at=d.clock.now(), action="", status="done", cost=0, size=0, sealed=b""
        )
        with d.store.writing() as connection:
            workflow_step_rows.copy_results(connection, (done,))
        d.clock.tick(1)
        d.workers[1].bury([run], "worker_0")
    assert (d.row(run).deaths, d.row(run).status) == (1, "accepted")
    d.close()


async def test_a_worker_that_stops_asks_its_carriage_nothing_more() -> None:
    d = Deployment(workers=1)

    class Carriage:
        carries, stopped = True, False

        async def under_way(self) -> dict[str, list[tuple[str, int]]]:
            await asyncio.sleep(0.02)
            return {}

        async def forget(self) -> None:
            assert not self.stopped

    carriage, segments = Carriage(), SimpleNamespace(freed=asyncio.Event(), under_way=set())
    dispatch = Dispatch(d.store, d.clock, carriage, segments, d.workers[0], at_once=1)  # type: ignore[arg-type]
    asking = asyncio.create_task(dispatch.take_over())
    await asyncio.sleep(0.01)
    await dispatch.stop()
    carriage.stopped = True
    await asking
    await dispatch.take_over()
    d.close()


def test_why_a_run_waits_is_said_of_the_first_limit_that_is_full() -> None:
    taken = Taken(LIMITS, [(("buy", "it"), 1), (("sell", "it"), 2)])
    assert taken.why(("buy", "it")) == "queue erp: 3 of 3 run"
    assert taken.why(("rest", "it")) == ""
    assert taken.full_workflows == ["buy", "sell"]
    shown = standings(LIMITS, [(("buy", "it"), 1)], [(("sell", "hr"), 2, 70), (("buy", "hr"), 1, 50)])
    assert [(each.kind, each.name, each.running, each.waiting, each.since) for each in shown] == [
        ("queue", "erp", 1, 3, 50),
        ("department", "hr", 0, 3, 50),
        ("department", "it", 1, 0, 0),
        ("workflow", "buy", 1, 1, 50),
        ("workflow", "sell", 0, 2, 70),
    ]
    made = limits_of(
        WorkflowsSettings(
            queues={"erp": QueueSettings(at_once=3)}, departments={"*": DepartmentQueueSettings(at_once=4)}
        ),
        {"buy": msgspec.convert({"steps": [{"id": "a", "transform": "x"}], "queue": "erp", "at_once": 2}, Definition)},
    )
    assert (made.workflows, made.queue_of, made.queues, made.departments) == (
        {"buy": 2}, {"buy": "erp"}, {"erp": 3}, {"*": 4},
    )  # fmt: skip


def test_what_ended_long_ago_is_deleted_batch_by_batch_and_nothing_else() -> None:
    d = Deployment(Limits(), workers=1)
    over, live = [d.begin("rest") for _ in range(3)], d.begin("rest")
    for _ in over:
        (ready,) = d.workers[0].take(1)
        d.end(ready.id)
    d.runs.keep = 1000
    d.clock.tick(10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflow_rows, "BATCH", 2)
        d.runs.sweep()
    assert [run.id for run in d.runs.all()] == [live]
    assert d.runs.open(live).definition == _BODY.body
    d.workers[0].take(1)
    d.end(live)
    d.runs.sweep()
    with d.store.reading() as connection:
        assert workflow_rows.definition_body(connection, _BODY.digest) is None
    d.close()


async def test_a_workflow_with_one_place_walks_one_run_after_the_other(tmp_path: Path) -> None:
    wait = "at_once: 1\nsteps:\n  - {id: a, python: {function: slow:seen}}\n"
    slow = """
import time


def seen() -> list[float]:
    began = time.time()
    time.sleep(0.05)
    return [began, time.time()]
"""
    files = {"workflows/one.yaml": wait, "workflows/slow.py": slow}
    async with world(tmp_path, files, walks=4) as w:
        ids = [_begin(w, "one") for _ in range(3)]
        for each in w.running.workflows.listed(None, PAGE)["data"]:
            assert each["queued"] in (None, "workflow one: 1 of 1 run")
        async with asyncio.timeout(120):
            while any(w.running.runs.one(id_).status != "done" for id_ in ids):
                await asyncio.sleep(0.02)
        spans = sorted(w.running.runs.result(w.running.runs.open(id_))["value"] for id_ in ids)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
        assert Counter(each["status"] for each in w.running.workflows.listed(None, PAGE)["data"]) == {"done": 3}


def _begin(w: World, name: str) -> str:
    return w.running.workflows.begin(w.caller(), name, {}, once="", door="test")["id"]


async def test_what_a_step_or_a_run_gives_is_bounded(tmp_path: Path) -> None:
    big = "def made(n: int) -> str:\n    return 'x' * n\n"
    step = "steps:\n  - {id: a, python: {function: big:made, arguments: {n: %d}}}\noutput: [%s]\n"
    outputs = ", ".join(['"${steps.a.value}"'] * 3)
    files = {
        "workflows/big.py": big,
        "workflows/step.yaml": step % (9 << 20, "x"),
        "workflows/whole.yaml": step % (3 << 20, outputs),
    }
    async with world(tmp_path, files) as w:
        worker = w.fairlead.ledger.journal.worker
        taking = Taking(w.store, w.clock, w.running.runs, worker)
        segments = Segments(w.fairlead, w.running.runs, taking, worker)
        for name, error in (("step", "error too_large a"), ("whole", "error too_large")):
            id_ = _begin(w, name)
            (ready,) = taking.take(1)
            await segments.walk(ready.id, ready.segment)
            assert (w.running.runs.one(id_).status, w.running.runs.one(id_).error) == ("failed", error)
            assert "at most" in w.running.workflows.shown(id_, None)["failure"]["message"]
